"""A JSON report as its lines: which section each is in, and whether it is as it was written.

A report that was damaged may be no JSON as a whole. So it is read line by line, as it was written:
one line spoilt spoils no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from infrascan.model import InputError
from infrascan.proof import canonical
from infrascan.render.document import SCHEMA
from infrascan.render.sealing import MARK, Seal

OPENING = re.compile(r'^"([a-z_]{1,40})": ')
PROVING = ("findings", "paths", "claims", "ledger", "bundle")  # whose lines end in their hash
ORDER = (
    *(
        "schema",
        "generator",
        "scan",
        "summary",
        "first",
        "spending",
        "identities",
        "coverage",
        "gaps",
    ),
    *("rules", "findings", "paths", "cuts", "issues", "path_notes", "research", "claims"),
    "unknowns",
    *("resources", "ledger", "bundle"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a list. `value` is {} where it is no JSON object any more."""

    number: int  # of the line in the file, from 1
    text: str
    value: Mapping[str, Any]
    intact: bool


@dataclass(slots=True)
class Document:
    """The sections of a report, each with its rows or its one value."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)  # of the sections as they are now
    faults: dict[str, str] = field(default_factory=dict)  # section -> what is wrong with it

    @property
    def root(self) -> str:
        return sha256(canonical(self.hashes).encode()).hexdigest()

    def row_values(self, name: str) -> list[Mapping[str, Any]]:
        return [row.value for row in self.rows.get(name, ())]

    def of(self, name: str) -> Mapping[str, Any]:
        """The value of a section of one line, when it is an object."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else {}


def read(data: bytes, source: str) -> Document:
    """The report in its lines. Raises `InputError` for what never was one."""
    text = data.decode("latin-1")  # each byte a character: a report is ASCII, so any other is wrong
    sections = parted(text)
    found = Document()
    for name, (first, lines) in sections.items():
        body = "\n".join(lines) + "\n"
        if name not in ("", "seal"):
            found.hashes[name] = sha256(body.encode("latin-1")).hexdigest()
            take(found, name, first, lines)
    if not genuine(found, sections):
        schema = found.values.get("schema")
        said = f"its schema is {schema!r:.60}" if schema else "it has no schema"
        raise InputError(f"{source} is not an {SCHEMA} report: {said}")
    judge(found, sections)
    return found


def parted(text: str) -> dict[str, tuple[int, list[str]]]:
    """Section -> number of its first line, and its lines. What stands before all is under ""."""
    found: dict[str, tuple[int, list[str]]] = {}
    name = ""
    for number, line in enumerate(text.split("\n"), 1):
        if (opening := OPENING.match(line)) and opening[1] not in found:
            name = opening[1]
        found.setdefault(name, (number, []))[1].append(line)
    return found


def take(found: Document, name: str, first: int, lines: list[str]) -> None:
    """Keep a section: the rows of a list, or the value of one line."""
    if len(lines) == 1:
        value = decoded(lines[0].partition(": ")[2].removesuffix(","))
        found.values[name] = value
        if value is None:
            found.faults[name] = "it is no JSON any more"
        return
    inside = [(at, line) for at, line in enumerate(lines, first) if line not in ("", "],")][1:]
    found.rows[name] = [row(at, line, sealed=name in PROVING) for at, line in inside]


def row(number: int, line: str, *, sealed: bool) -> Row:
    body = line.removesuffix(",")
    value = decoded(body)
    whole = isinstance(value, dict)
    if sealed:
        whole = whole and hash_holds(body)
    return Row(number, line, value if isinstance(value, dict) else {}, whole)


def hash_holds(body: str) -> bool:
    """Whether a line ends in the hash of what stands before it."""
    start, mark, rest = body.rpartition(MARK)
    return bool(mark) and rest == f'{sha256(start.encode("latin-1")).hexdigest()}"}}'


def strings(row: Mapping[str, Any], name: str) -> list[str]:
    """A member that is a list of strings; what else stands there counts as nothing."""
    value = row.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def genuine(found: Document, sections: Mapping[str, Any]) -> bool:
    """Whether this was a report of ours, be it damaged."""
    if found.values.get("schema") == SCHEMA:
        return True
    return "seal" in sections and "ledger" in found.rows and "findings" in found.rows


def judge(found: Document, sections: Mapping[str, tuple[int, list[str]]]) -> None:
    """Note each section that is not what the seal says of it, and all that stands beside them."""
    lines = sections.get("seal", (0, [""]))[1]
    stated = decoded(lines[0].partition(": ")[2])
    hashes = stated.get("sections") if isinstance(stated, dict) else None
    if not isinstance(hashes, dict):
        found.faults["seal"] = "it is missing, or no JSON any more"
        hashes = {}
    for name in ORDER:
        if name not in found.hashes:
            found.faults[name] = "it is missing"
        elif hashes and hashes.get(name) != found.hashes[name]:
            found.faults.setdefault(name, "it was changed after it was written")
    for name in sorted(found.hashes.keys() - set(ORDER)):
        found.faults[name] = "no report has such a section"
    if hashes and lines[0] + "\n" != ending(hashes):
        found.faults["seal"] = "it was changed after it was written"
    if sections.get("", (1, []))[1] != ["{"] or lines[1:] != ["}", ""]:
        found.faults.setdefault("seal", "something stands before, between or after the sections")


def ending(hashes: Mapping[str, str]) -> str:
    """The seal that belongs to these hashes."""
    seal = Seal()
    seal.sections = dict(hashes)
    return seal.end()
