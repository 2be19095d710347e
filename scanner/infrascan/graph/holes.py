"""What was not read, asked by place: could a resource of this kind be there, unseen?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infrascan.model import Coverage, Gap, Kind, Reason, Resource

ARN = re.compile(r"arn:[a-z0-9\-]+:[a-z0-9\-]+:([a-z0-9\-]*):([0-9]{12}|aws)?:.+", re.DOTALL)


def named_place(value: object) -> tuple[str, str] | None:
    """(account, region) that an ARN, or an id of Azure or Google, names, "" where it names none.

    None for a value that is no such id.
    """
    if not isinstance(value, str):
        return None
    if value[:4] == "arn:":
        match = ARN.fullmatch(value)
        return (match[2] or "", match[1]) if match else None
    if value[:15].lower() == "/subscriptions/":
        return value[15:].partition("/")[0].lower(), ""
    if value[:9] == "projects/" and "/" in value[9:]:
        return value[9:].partition("/")[0], ""
    return None


@dataclass(slots=True)
class Holes:
    """The gaps and the coverage of a scan, indexed by kind. Answers are remembered."""

    kinds: Mapping[str, Kind]
    gaps: dict[str, list[Gap]] = field(default_factory=dict)  # by kind
    wide: dict[str, list[Gap]] = field(default_factory=dict)  # by provider: no kind named
    accounts: dict[str, set[str]] = field(default_factory=dict)  # by provider: those that were read
    read: dict[str, set[tuple[str, str]]] = field(default_factory=dict)  # by kind
    answers: dict[tuple[str, str | None, str | None], Gap | None] = field(default_factory=dict)
    outside: dict[tuple[str, str], Gap] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        kinds: Mapping[str, Kind],
        resources: Iterable[Resource],
        gaps: Sequence[Gap],
        coverage: Sequence[Coverage],
    ) -> Holes:
        holes = cls(kinds)
        for gap in gaps:
            if gap.resource or gap.field:
                continue  # one resource's detail: that resource is there, and says so itself
            if gap.kind:
                holes.gaps.setdefault(gap.kind, []).append(gap)
            else:
                holes.wide.setdefault(gap.provider, []).append(gap)
        for resource in resources:
            holes.accounts.setdefault(resource.provider, set()).add(resource.account)
        for gap in gaps:
            holes.accounts.setdefault(gap.provider, set()).add(gap.account)
        for entry in coverage:
            part = entry.partition
            holes.accounts.setdefault(part.provider, set()).add(part.account)
            holes.read.setdefault(part.kind, set()).add((part.account, part.region))
        return holes

    def find(self, kind: str, account: str | None, region: str | None) -> Gap | None:
        """A gap that may hide resources of this kind there; None for account or region is any."""
        key = (kind, account, region)
        if key not in self.answers:
            self.answers[key] = self.look(kind, account, region)
        return self.answers[key]

    def look(self, kind: str, account: str | None, region: str | None) -> Gap | None:
        provider = self.provider(kind)
        hiding: list[Gap] = [*self.gaps.get(kind, ()), *self.wide.get(provider, ())]
        for gap in hiding:
            if account is not None and gap.account not in ("", account):
                continue
            if region is None or gap.region in ("", region):
                return gap
        if self.read and not self.was_read(kind, account, region):
            return self.beyond(kind, account or "")
        return None

    def was_read(self, kind: str, account: str | None, region: str | None) -> bool:
        places = self.read.get(kind, set())
        if account is None:
            return bool(places)
        if region is None:
            return any(place[0] == account for place in places)
        return (account, region) in places or (account, "") in places

    def out_of_scope(self, kind: str, account: str) -> Gap | None:
        """The gap for an account that this scan does not read; None when it does."""
        if account in self.accounts.get(self.provider(kind), set()):
            return None
        return self.beyond(kind, account)

    def beyond(self, kind: str, account: str) -> Gap:
        key = (kind, account)
        if key not in self.outside:
            title = self.kinds[kind].title if kind in self.kinds else kind
            self.outside[key] = Gap(
                provider=self.provider(kind),
                account=account,
                kind=kind,
                reason=Reason.OUT_OF_SCOPE,
                detail=f"{title} of {account or 'another account'} is outside what this scan reads",
            )
        return self.outside[key]

    def provider(self, kind: str) -> str:
        return self.kinds[kind].provider if kind in self.kinds else kind.partition(".")[0]
