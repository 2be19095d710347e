"""What paths leave out, in words: what was not read and may cut one, or may hide one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infrascan.model import Gap
from infrascan.reason.hops import Hops


def unsure(gaps: Iterable[Gap]) -> str:
    """What was not read and may cut the path, each thing once."""
    said = dict.fromkeys(
        f"{gap.call or gap.kind or gap.provider} was not read ({gap.reason.value})"
        + (f"; grant {gap.permission}" if gap.permission else "")
        for gap in gaps
    )
    return "; ".join(list(said)[:5])


def noted(hops: Hops, more: int, cut_short: str) -> Iterator[str]:
    if more:
        yield f"{more} more paths are not told; those told are the worst"
    if cut_short:
        yield f"the search ended at {cut_short}: there may be more"
    led = {**hops.admission.unread, **hops.unread}
    for (kind, name), gap in sorted(led.items()):
        permission = f"; grant {gap.permission}" if gap.permission else ""
        yield (
            f"where {kind} leads by {name} was not read everywhere"
            f" ({gap.reason.value}{permission}): paths that go there are missing"
        )
    for (kind, name), gap in sorted(hops.permissions.unread.items()):
        permission = f"; grant {gap.permission}" if gap.permission else ""
        yield (
            f"{name} of {kind} was not read everywhere ({gap.reason.value}{permission}):"
            " what it allows is missing"
        )
    for policy, roles in sorted(hops.permissions.unknown.items()):
        yield (
            f"what the policy {policy} of AWS allows is not known here:"
            f" what {len(roles)} of the roles reached may do by it is missing"
        )
