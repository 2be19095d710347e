"""What a model sees of a cluster: a compact table of facts under short ids, without free text.

Resources are R1, accounts A1, edges L1, findings F1, facts E1. A value is shown as it is only where
it is a number, a flag, a time, or a word of the vendor's vocabulary in a field that is not text;
everything that anyone may have written (names, tags, messages, addresses) is T1, T2 and so on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infrascan.model import JSON, Edge, Evidence, Finding, Resource, Severity
from infrascan.reason.model.untrusted import CAP

# The last word of a path that holds what people write. What a vendor calls so is text to us.
WRITTEN = re.compile(
    r"(?i)(name|names|title|description|message|messages|note|notes|comment|comments|text|log|logs"
    r"|owner|user|email|url|uri|host|hostname|domain|content|content_?data|value|values|query"
    r"|subject|body|summary|command|args|image|repository|arn|id|ids|path|key|keys|label|tag)$"
)
HELD = re.compile(r"(?i)tag(s|list|set|ging)?\b|label|annotation|environment|variables|\bdata\b")
NAMED_STATE = re.compile(r"(?i)\bstate\.name$")  # AWS calls a state by its name
KEYS = re.compile(r'\["[^"]*"\]|(?<=tags\.).*|(?<=labels\.).*|(?<=annotations\.).*')
PLAIN_PATH = re.compile(r"[A-Za-z0-9_.()\[\]|*, -]{1,120}")
TIMES = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,23}([._-][A-Za-z0-9]{1,12}){0,1}")
SIZE = re.compile(r"[a-z][a-z0-9]{0,4}\.[a-z0-9]{1,10}")  # "t3.2xlarge"
NUMBER = re.compile(r"-?\d+(\.\d+)?( ?(%|[KMGT]i?B?|m|s|ms|h|d))?")
ANYWHERE = frozenset({"0.0.0.0/0", "::/0", "*"})
REGION = re.compile(r"[a-z]{2,12}(-?[a-z]{2,12})*(-?\d{1,2})?[a-f]?")


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of the table."""

    id: str  # "E7"
    resource: str  # "R2"
    evidence: Evidence
    shown: JSON  # what the model sees in the place of the value
    text: str = ""  # the value itself where it is text


@dataclass(eq=False)
class Table:
    """A cluster as the model sees it, and what each of its ids stands for."""

    resources: dict[str, Resource] = field(default_factory=dict)
    facts: dict[str, Line] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)  # T id -> what an extractor made of it
    by_key: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # text -> T id

    @property
    def worst(self) -> Severity:
        return min((f.severity for f in self.findings.values()), key=lambda s: s.rank)

    def of_finding(self, mark: str) -> set[str]:
        """The ids of the facts that a finding stands on."""
        evidence = set(map(identity, self.findings[mark].evidence))
        return {line.id for line in self.facts.values() if identity(line.evidence) in evidence}

    def write(self) -> str:
        """The table, a line each."""
        return "\n".join(
            (
                "RESOURCES",
                *(self.resource_line(mark, r) for mark, r in self.resources.items()),
                "EDGES",
                *(
                    f"{mark} {self.by_key[e.source]} -{e.name}-> {self.by_key[e.target]}"
                    for mark, e in self.edges.items()
                ),
                "FINDINGS",
                *(self.finding_line(mark, f) for mark, f in self.findings.items()),
                "FACTS",
                *(self.fact_line(line) for line in self.facts.values()),
            )
        )

    def resource_line(self, mark: str, resource: Resource) -> str:
        account = self.accounts.setdefault(
            f"{resource.provider}/{resource.account}", f"A{len(self.accounts) + 1}"
        )
        region = resource.region
        where = f", {region}" if region and REGION.fullmatch(region) else ""
        return f"{mark} {resource.kind} in {account}{where}"

    def finding_line(self, mark: str, finding: Finding) -> str:
        money = ""
        if finding.cost:
            money = f", costs {finding.cost.monthly:.2f} USD a month"
        if finding.saving and finding.saving_counted:
            money += f", saves {finding.saving.monthly:.2f}"
        about = self.by_key[finding.resource]
        facts = " ".join(sorted(self.of_finding(mark), key=lambda e: int(e[1:])))
        return f"{mark} {about} {finding.rule} ({finding.severity}{money}): {facts}"

    def fact_line(self, line: Line) -> str:
        path = shown_path(line.evidence.path)
        if not line.text:
            return f"{line.id} {line.resource} {path} = {json.dumps(line.shown)}"
        hint = self.hints.get(str(line.shown))
        about = f"text, {len(line.text)} characters" + (f"; reads like: {hint}" if hint else "")
        return f"{line.id} {line.resource} {path} = {line.shown} ({about})"


def identity(evidence: Evidence) -> tuple[str, str, str]:
    return evidence.resource, evidence.path, canonical(evidence.value)


def canonical(value: JSON) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def table_of(
    findings: Sequence[Finding],
    edges: Sequence[Edge],
    resources: Mapping[str, Resource],
    written: frozenset[str],
    facts: Sequence[Evidence] = (),
) -> Table:
    """The table of a cluster. `written` are strings that people chose: names and ids.

    `facts` are those of a path that the findings lie on; its resources are in the table too.
    """
    table = Table()
    about = {f.resource for f in findings} | {e.resource for f in findings for e in f.evidence}
    if facts:
        about |= {end for edge in edges for end in (edge.source, edge.target)}
        about |= {fact.resource for fact in facts}
    for key in sorted(about & resources.keys()):
        mark = f"R{len(table.resources) + 1}"
        table.resources[mark], table.by_key[key] = resources[key], mark
    for edge in sorted(set(edges), key=lambda e: (e.source, e.name, e.target)):
        if edge.source in table.by_key and edge.target in table.by_key:
            table.edges[f"L{len(table.edges) + 1}"] = edge
    seen: set[tuple[str, str, str]] = set()
    for finding in sorted(findings, key=lambda f: (f.severity.rank, f.rule, f.resource)):
        table.findings[f"F{len(table.findings) + 1}"] = finding
        for evidence in finding.evidence:
            if evidence.resource in table.by_key and identity(evidence) not in seen:
                seen.add(identity(evidence))
                add_fact(table, evidence, written)
    for fact in facts:
        if fact.resource in table.by_key and identity(fact) not in seen:
            seen.add(identity(fact))
            add_fact(table, fact, written)
    return table


def add_fact(table: Table, evidence: Evidence, written: frozenset[str]) -> None:
    mark, about = f"E{len(table.facts) + 1}", table.by_key[evidence.resource]
    shown, text = shown_value(table, evidence, written)
    table.facts[mark] = Line(mark, about, evidence, shown, text)


def shown_value(table: Table, evidence: Evidence, written: frozenset[str]) -> tuple[JSON, str]:
    """(what the model sees, the text that it stands for)."""
    value = evidence.value
    if value is None or isinstance(value, bool | int | float):
        return value, ""
    if isinstance(value, str) and harmless(evidence.path, value, written):
        return value, ""
    if isinstance(value, list) and all(
        isinstance(v, int | float | bool)
        or (isinstance(v, str) and harmless(evidence.path, v, written))
        for v in value
    ):
        return value[:20], ""
    text = value if isinstance(value, str) else canonical(value)
    mark = table.texts.setdefault(text, f"T{len(table.texts) + 1}")
    return mark, text


def harmless(path: str, value: str, written: frozenset[str]) -> bool:
    """May a model see this string? Only what cannot be a sentence, and nobody's own word."""
    if value in ANYWHERE or TIMES.fullmatch(value) or NUMBER.fullmatch(value):
        return True
    if value in written or HELD.search(path):
        return False
    if WRITTEN.search(last_word(path)) and not NAMED_STATE.search(path):
        return False
    return bool(WORD.fullmatch(value) or SIZE.fullmatch(value))


def last_word(path: str) -> str:
    return re.split(r"[.\[\]() ]+", path.rstrip("])0123456789["))[-1]


def shown_path(path: str) -> str:
    """A path as rules spell it; keys of maps that people fill are left out."""
    found = KEYS.sub("[key]", path)
    return found if PLAIN_PATH.fullmatch(found) else "field"


def long_texts(table: Table) -> dict[str, str]:
    """T id -> text, of those that are sentences rather than names."""
    return {
        mark: text[: CAP * 4]
        for text, mark in table.texts.items()
        if len(text) > 24 and text.count(" ") >= 3 and not text.startswith(("{", "["))
    }
