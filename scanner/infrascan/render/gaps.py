"""Gaps grouped for a reader: one line per thing to grant or repair."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from infrascan.model import SEVERITIES, Gap, Identity, Reason, Scan, Severity

GroupKey: TypeAlias = tuple[str, str, str, str, str]

# What a reader is told of each reason: a word, and what to do when no permission is named.
WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.DENIED: ("denied", "Grant the permission this call needs."),
    Reason.UNAUTHENTICATED: ("not authenticated", "Renew the credentials and run again."),
    Reason.THROTTLED: ("throttled", "Run again later, or scan fewer regions at once."),
    Reason.UNREACHABLE: ("unreachable", "Check the network path to this endpoint; run again."),
    Reason.TIMED_OUT: ("timed out", "Run again with a longer deadline."),
    Reason.TRUNCATED: ("truncated", "Run again; the listing ended before its last page."),
    Reason.MALFORMED: ("malformed answer", "Look for a proxy that answers in the API's place."),
    Reason.DISABLED: ("not available", "Nothing to do, unless you expected this service here."),
    Reason.OUT_OF_SCOPE: ("out of scope", "Add {place} to the scan."),
    Reason.INTERRUPTED: ("interrupted", "Run again with --resume."),
    Reason.BUG: ("defect of infrascan", "Please report it, with the detail shown here."),
}
SENTENCE = re.compile(r"[A-Z][a-z]+ .+\.", re.DOTALL)
METHODS = ("GET ", "POST ")  # how a permission begins that is a request to be let through


class Said(Protocol):
    """What a gap and a group of gaps both say."""

    @property
    def provider(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def call(self) -> str: ...
    @property
    def reason(self) -> Reason: ...
    @property
    def permission(self) -> str: ...


def advice(gap: Said) -> str:
    """What a gap says is to be done, one sentence; "" for one that names a permission or nothing.

    For an account as a whole that is all it can say; for a call, a sentence is told from a
    permission by its form.
    """
    told = gap.permission
    if gap.reason is Reason.DENIED and told.startswith(METHODS):
        return f"Let {told} through the proxy before the API."
    if not told or (gap.call and not SENTENCE.fullmatch(told)):
        return ""
    return f"{told[0].upper()}{told.removesuffix('.')[1:]}."


def grant(gap: Said) -> str:
    """The permission that closes a gap, or ""."""
    return gap.permission if gap.reason is Reason.DENIED and not advice(gap) else ""


def remedy(gap: Said) -> str:
    """What closes a gap, one sentence."""
    if told := advice(gap):
        return told
    if name := grant(gap):
        return f"Grant {name}."
    place = " ".join(filter(None, (gap.provider, gap.account)))
    return WORDS[gap.reason][1].format(place=place)


def parted(identity: Identity) -> str:
    """What stands between the detail of an identity and its remedy."""
    if not (identity.remedy and identity.detail):
        return ""
    return " " if identity.detail.endswith(".") else "; "


def why(identity: Identity) -> str:
    """Why an account could not be read, and what to do."""
    return f"{identity.detail}{parted(identity)}{identity.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GapGroup:
    """Gaps with the same call, reason, account and permission."""

    provider: str
    account: str
    call: str  # or the kind, or "" for the account as a whole
    reason: Reason
    permission: str
    regions: tuple[str, ...]
    kinds: tuple[str, ...]
    gaps: int
    resources: int  # whose details are missing
    unknowns: int  # verdicts this group leaves open
    worst: Severity | None  # of the rules left open
    detail: str  # of the first gap

    @property
    def remedy(self) -> str:
        """What closes the gaps, one sentence."""
        return remedy(self)

    @property
    def grant(self) -> str:
        """The permission that closes the gaps, or ""."""
        return grant(self)

    @property
    def word(self) -> str:
        return WORDS[self.reason][0]


def key(gap: Gap) -> GroupKey:
    return (gap.provider, gap.account, gap.call or gap.kind, gap.reason, gap.permission)


def gaps_of(scan: Scan) -> list[Gap]:
    """Every gap once, with those that only an unknown verdict names."""
    return list(dict.fromkeys([*scan.gaps, *(unknown.gap for unknown in scan.unknowns)]))


def grouped(scan: Scan) -> list[GapGroup]:
    """The groups, those that leave the worst rules open first."""
    members: dict[GroupKey, list[Gap]] = {}
    for gap in gaps_of(scan):
        members.setdefault(key(gap), []).append(gap)
    severity = {rule.rule: rule.severity for rule in scan.rules}
    opened: Counter[GroupKey] = Counter()
    worst: dict[GroupKey, int] = {}
    for unknown in scan.unknowns:
        group = key(unknown.gap)
        opened[group] += 1
        if unknown.rule in severity:
            rank = severity[unknown.rule].rank
            worst[group] = min(rank, worst.get(group, rank))
    groups = [
        GapGroup(
            provider=gaps[0].provider,
            account=gaps[0].account,
            call=gaps[0].call or gaps[0].kind,
            reason=gaps[0].reason,
            permission=gaps[0].permission,
            regions=tuple(sorted({gap.region for gap in gaps})),
            kinds=tuple(sorted({gap.kind for gap in gaps if gap.kind})),
            gaps=len(gaps),
            resources=len({gap.resource for gap in gaps if gap.resource}),
            unknowns=opened[group],
            worst=SEVERITIES[worst[group]] if group in worst else None,
            detail=gaps[0].detail,
        )
        for group, gaps in members.items()
    ]
    return sorted(groups, key=order)


def order(group: GapGroup) -> tuple[object, ...]:
    idle = group.reason in {Reason.DISABLED, Reason.OUT_OF_SCOPE}
    rank = group.worst.rank if group.worst else len(SEVERITIES)
    place = (group.provider, group.account, group.call, group.reason, group.permission)
    return (idle, rank, -group.unknowns, -group.gaps, *place)
