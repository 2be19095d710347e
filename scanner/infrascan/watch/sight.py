"""What a scan could not see at all."""

from __future__ import annotations

from dataclasses import replace

from infrascan.model import Connection, Scan


def nothing(like: Scan) -> Scan:
    """A scan that did not look anywhere, in place of one that is gone."""
    return replace(
        like,
        id="",
        resources=[],
        edges=[],
        findings=[],
        unknowns=[],
        gaps=[],
        coverage=[],
        identities=[],
        paths=[],
        issues=[],
    )


def unread(scan: Scan) -> dict[str, str]:
    """The providers that were asked for and gave nothing at all, each with why."""
    return {name: why_unread(scan, name) for name in scan.silent_providers}


def why_unread(scan: Scan, provider: str) -> str:
    for identity in scan.identities:
        if identity.provider == provider and identity.state is not Connection.CONNECTED:
            remedy = f"; {identity.remedy}" if identity.remedy else ""
            return f"{identity.detail or identity.state.value}{remedy}"
    for gap in scan.gaps:
        if gap.provider == provider:
            return f"{gap.place}: {gap.detail}"
    return "it gave nothing to read"
