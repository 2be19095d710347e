"""What a report offers as proof: facts by id, and resources built again from its bundle."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infrascan.evaluate.condition import Needs
from infrascan.model import Evidence, Gap, Resource
from infrascan.proof import fact_id
from infrascan.reason.verify.lines import Document, Row, hash_holds
from infrascan.reason.verify.outcome import Checked, State
from infrascan.render import loading

ID = re.compile(r"E[0-9a-f]{12}|[0-9a-f]{16}")
# What can be told of a line that is no JSON any more.
MEMBER = re.compile(r'"(id|rule|resource)":"([^"\\]*)"')


@dataclass(slots=True)
class Material:
    """Only what is as it was written is used: a line that was changed proves nothing."""

    facts: dict[str, Evidence] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)  # by key
    links: dict[str, Mapping[str, list[str]]] = field(
        default_factory=dict
    )  # as the bundle has them
    faults: list[Checked] = field(default_factory=list)  # lines that were changed

    def lacking(self, resource: str, needs: Needs) -> Iterator[str]:
        """Keys of resources that a rule reads and that the bundle has no sound line of."""
        if resource not in self.links:
            yield resource
            return
        for name, further in needs.links:
            for target in self.links[resource].get(name, ()):
                yield from self.lacking(target, further)


def material(report: Document) -> Material:
    found = Material()
    for row in report.rows.get("ledger", ()):
        if fact := sound_fact(row):
            found.facts[str(row.value["id"])] = fact
        else:
            found.faults.append(changed("fact", row))
    known = {str(row.get("key")): row for row in report.row_values("resources")}
    gaps = [gap_of(row) for row in report.row_values("gaps")]
    for row in report.rows.get("bundle", ()):
        key = str(row.value.get("resource"))
        built = kept(row, known.get(key), gaps) if row.intact else None
        if built is None:
            found.faults.append(changed("resource", row))
            continue
        found.resources[key] = built
        found.links[key] = row.value.get("links", {})
    for key, links in found.links.items():
        found.resources[key].links = {
            name: [found.resources[to] for to in targets if to in found.resources]
            for name, targets in links.items()
        }
    return found


def sound_fact(row: Row) -> Evidence | None:
    """The fact in a line of the ledger, when its id is that of what it says."""
    if not row.intact:
        return None
    try:
        fact = loading.fact(dict(row.value))
    except (KeyError, TypeError):
        return None
    same = fact_id(fact.resource, fact.path, fact.value) == row.value.get("id")
    return fact if same else None


def kept(row: Row, about: Mapping[str, Any] | None, gaps: list[Gap | None]) -> Resource | None:
    """The resource in a line of the bundle, so far as the bundle has it."""
    if about is None:
        return None
    try:
        found = loading.resource(dict(about))
        found.data = dict(row.value["data"])
        for name, at in row.value.get("unread", {}).items():
            gap = gap_of(at) if isinstance(at, dict) else gaps[at]
            if gap is None:
                return None
            found.unread[name] = gap
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    links = row.value.get("links", {})
    if not isinstance(links, dict) or not all(map(keys, links.values())):
        return None
    return found if found.key == row.value.get("resource") else None


def keys(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(key, str) for key in value)


def gap_of(row: Mapping[str, Any]) -> Gap | None:
    try:
        return loading.gap(dict(row))
    except (KeyError, TypeError, ValueError):
        return None


def changed(what: str, row: Row) -> Checked:
    """A line that is not as it was written, named as well as it still can be."""
    return Checked(
        what=what,
        id=name_of(row),
        name=str(row.value.get("title", "")),
        state=State.BROKEN,
        why=(f"line {row.number} was changed after it was written",),
    )


def name_of(row: Row) -> str:
    """The id that a changed line had: the one with which its hash holds, else the one it says."""
    said = row.value.get("id") or derived(row.value) or row.value.get("resource")
    for found in (said, derived(row.value)):
        if found and hash_holds(row.text.removesuffix(",").replace(f'"{said}"', f'"{found}"', 1)):
            return str(found)
    if said:
        return str(said)
    told: dict[str, str] = dict(reversed(MEMBER.findall(row.text)))
    if ID.fullmatch(told.get("id", "")):
        return told["id"]
    return derived(told) or told.get("resource") or f"line {row.number}"


def derived(value: Mapping[str, Any]) -> str:
    """The id that follows from the rest of a finding or a fact."""
    if "rule" in value:
        return finding_id(value)
    if "path" in value:
        return fact_id(value.get("resource", ""), value.get("path", ""), value.get("value"))
    return ""


def finding_id(row: Mapping[str, Any]) -> str:
    text = f"{row.get('rule')}\0{row.get('resource')}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
