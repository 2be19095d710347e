"""Findings packed for the HTML report: columns and dictionaries, compressed, in blocks.

A browser unpacks the index blocks once, to sort, filter and search, and a detail block when one
of its findings is opened. Every string in them is inert already; the page shows it as text.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.model import Finding, Price
from infrascan.render.evidence import located, value_text
from infrascan.render.inert import link, prose, visible

INDEX = 10_000  # findings in an index block
DETAIL = 1_000  # findings in a detail block; the page knows this figure from `dictionaries`


@dataclass(slots=True)
class Packing:
    """Numbers for what many findings share: the texts of their rule, and their place."""

    texts: dict[tuple[Any, ...], int] = field(default_factory=dict)
    places: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def text(self, f: Finding) -> int:
        controls = tuple((name, tuple(ids)) for name, ids in f.controls.items())
        key = (
            f.rule,
            f.title,
            f.severity,
            f.category,
            f.kind,
            f.why,
            f.fix,
            f.references,
            controls,
        )
        return self.texts.setdefault(key, len(self.texts))

    def place(self, f: Finding) -> int:
        return self.places.setdefault((f.provider, f.account, f.region), len(self.places))

    def index(self, findings: Sequence[Finding]) -> Iterator[str]:
        """The blocks with what the list shows: columns, in the order of the findings."""
        for start in range(0, len(findings), INDEX):
            part = findings[start : start + INDEX]
            yield block(
                {
                    "text": [self.text(f) for f in part],
                    "place": [self.place(f) for f in part],
                    "name": [visible(f.name or f.resource_id) for f in part],
                    "cost": [round(f.cost.monthly, 2) if f.cost else 0 for f in part],
                    "saving": [round(f.saving.monthly, 2) if f.saving else 0 for f in part],
                }
            )

    def dictionaries(self, total: int) -> str:
        """The block that explains the numbers; complete once every index block is made."""
        texts = [
            {
                "rule": visible(rule),
                "title": prose(title),
                "severity": severity,
                "category": category,
                "kind": visible(kind),
                "why": prose(why),
                "fix": prose(fix),
                "references": [url for url in map(link, references) if url],
                "controls": [[visible(name), [visible(i) for i in ids]] for name, ids in controls],
            }
            for rule, title, severity, category, kind, why, fix, references, controls in self.texts
        ]
        places = [[visible(part) for part in place] for place in self.places]
        return block({"total": total, "detail": DETAIL, "texts": texts, "places": places})


def details(findings: Sequence[Finding]) -> Iterator[str]:
    """The blocks with what an opened finding shows."""
    for start in range(0, len(findings), DETAIL):
        yield block([detail(f) for f in findings[start : start + DETAIL]])


def detail(f: Finding) -> list[Any]:
    """Evidence, command, id, cost, saving, note, whether the saving counts."""
    evidence = [
        [visible(located(f, e.resource, e.path)), visible(value_text(e.value))] for e in f.evidence
    ]
    return [
        evidence,
        visible(f.command),
        visible(f.resource_id),
        basis(f.cost),
        basis(f.saving),
        prose(f.saving_note),
        int(f.saving_counted),
    ]


def basis(price: Price | None) -> str:
    """Where an amount comes from, one sentence."""
    if price is None:
        return ""
    parts = (price.basis, price.source, price.date)
    other = f" Amounts in {price.currency}." if price.currency != "USD" else ""
    return visible(", ".join(filter(None, parts)) + "." + other)


def block(value: Any) -> str:
    packed = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(packed, 6)).decode()
