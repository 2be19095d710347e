"""Each part of a report against what it must follow from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from infrascan.evaluate import RuleSet
from infrascan.reason.verify.connected import claim_faults, issue_faults, path_faults
from infrascan.reason.verify.cutting import cut_faults
from infrascan.reason.verify.findings import Judge
from infrascan.reason.verify.lines import Document, Row, read
from infrascan.reason.verify.material import changed, material
from infrascan.reason.verify.money import money_faults
from infrascan.reason.verify.outcome import Checked, State, Verification

Rules = Callable[[Sequence[str]], RuleSet]
"""The rules for the providers of a report; asked once."""


def verify(data: bytes, rules: Rules, source: str = "the report") -> Verification:
    """Check a JSON report offline. Raises `InputError` for what is not one."""
    report = read(data, source)
    proof = material(report)
    run = report.of("scan")
    found = Verification(scan=str(run.get("id", "")), root=report.root)
    judge = Judge(report, proof, rules(providers(run)), moment(run))
    held: dict[str, Mapping[str, Any]] = {}
    for row in report.rows.get("findings", ()):
        found.checked.append(result := checked_finding(row, judge))
        if result.state is not State.BROKEN:
            held[result.id] = row.value
    paths: set[str] = set()
    for row in report.rows.get("paths", ()):
        found.checked.append(result := checked(row, "path", path_faults(row, proof, held)))
        if result.state is not State.BROKEN:
            paths.add(result.id)
    for row in report.rows.get("claims", ()):
        found.checked.append(checked(row, "claim", claim_faults(row, proof, held)))
    found.checked += proof.faults
    found.checked += sections(report, held.keys(), paths)
    return found


def providers(run: Mapping[str, Any]) -> list[str]:
    scope = run.get("scope")
    names = scope.get("providers") if isinstance(scope, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def moment(run: Mapping[str, Any]) -> float | None:
    """The time that ages were measured against; None where the report does not say it any more."""
    try:
        return datetime.fromisoformat(str(run.get("observed"))).timestamp()
    except ValueError:
        return None


def checked_finding(row: Row, judge: Judge) -> Checked:
    if not row.intact:
        return changed("finding", row)
    faults = tuple(judge.faults(row.value))
    reason = "" if faults else judge.unverifiable(row.value)
    return Checked(
        what="finding",
        id=str(row.value.get("id")),
        name=named(row.value),
        state=State.BROKEN if faults else State.UNVERIFIABLE if reason else State.VERIFIED,
        why=faults or ((reason,) if reason else ()),
    )


def checked(row: Row, what: str, faults: Iterator[str]) -> Checked:
    if not row.intact:
        return changed(what, row)
    said = tuple(dict.fromkeys(faults))
    return Checked(
        what=what,
        id=str(row.value.get("id")),
        name=str(row.value.get("title", "")),
        state=State.BROKEN if said else State.VERIFIED,
        why=said,
    )


def named(row: Mapping[str, Any]) -> str:
    name = row.get("name") or row.get("resource_id")
    return f"{row.get('title')}: {name}"


def sections(
    report: Document, findings: Collection[str], paths: Collection[str]
) -> Iterator[Checked]:
    """The sections as wholes: their hashes, and the sums and references in them."""
    faults = {name: [said] for name, said in report.faults.items()}
    wrong_parts = (
        *money_faults(report),
        *issue_faults(report, findings, paths),
        *cut_faults(report),
    )
    for name, said in wrong_parts:
        faults.setdefault(name, []).append(said)
    for name in dict.fromkeys((*report.hashes, *faults)):
        wrong = tuple(dict.fromkeys(faults.get(name, ())))
        state = State.BROKEN if wrong else State.VERIFIED
        yield Checked(what="section", id=name, state=state, why=wrong)
