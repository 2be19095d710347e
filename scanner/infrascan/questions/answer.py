"""An answer: a sentence that stands on evidence, the data behind it, and what was not seen."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from infrascan.model import Gap, Resource
from infrascan.render.inert import short, visible

ANSWERED = "answered"
PARTIAL = "partial"
UNKNOWN = "unknown"
INCONCLUSIVE = "inconclusive"

NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])|(?<=[A-Za-z_\-./:])\d[\d,]*(?:\.\d+)?")
STEP = re.compile(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)(\[\])?|(\[\])')
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@*+=-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of evidence: what the API gave; or, with `of`, what we computed from other lines."""

    resource: str  # key; "" for what the question itself said, or what was computed
    path: str
    value: Any
    observed_at: str = ""
    of: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        value = json.dumps(cleaned(self.value), sort_keys=True)
        text = "\0".join((self.resource, self.path, value))
        return "E" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": self.id,
            "resource": self.resource,
            "path": self.path,
            "value": cleaned(self.value),
            "observed_at": self.observed_at,
        }
        return found | ({"of": list(self.of)} if self.of else {})


@dataclass(slots=True, kw_only=True)
class Answer:
    """What `ask` gives, for every door."""

    question: str
    answer: str
    status: str
    ok: bool | None = None
    data: dict[str, Any] = field(default_factory=dict)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    observed_at: str = ""
    route: str = ""
    routing: dict[str, Any] = field(default_factory=dict)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    state_hash: str = ""
    needs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    model: str = ""

    def said(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def cleaned(value: Any) -> Any:
    """The value with characters that are not seen, or that steer, as escapes."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(inner) for inner in value]
    return value


def gap_said(gap: Gap) -> dict[str, Any]:
    return {
        "provider": gap.provider,
        "account": gap.account,
        "region": gap.region,
        "kind": gap.kind,
        "call": gap.call,
        "reason": gap.reason.value,
        "detail": visible(gap.detail),
        "permission": gap.permission,
        "resource": gap.resource,
        "field": gap.field,
    }


def name(text: Any, limit: int = 80) -> str:
    """Text of the estate for a sentence: visible, short, and quoted unless it is a plain name."""
    shown = short(visible(str(text)), limit)
    return shown if PLAIN_NAME.fullmatch(shown) else f'"{shown}"'


def listed(parts: Sequence[str], most: int = 8) -> str:
    """ "a, b and c", or the first few "and 7 more"."""
    if len(parts) > most:
        return f"{', '.join(parts[:most])} and {len(parts) - most} more"
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 pod", "3 pods"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def cite(resource: Resource, path: str, observed: str = "") -> list[Item]:
    """The values at a path of a resource, each with its own exact path; `[]` goes through a list.

    `name`, `region`, `account` and `id` stand for the resource's own where its data has none.
    """
    places = {"name", "region", "account", "id", "kind"}
    if path in places and path not in resource.data:
        return [
            Item(
                resource=resource.key,
                path=path,
                value=getattr(resource, path),
                observed_at=observed,
            )
        ]
    return [
        Item(resource=resource.key, path=exact, value=value, observed_at=observed)
        for exact, value in spread(resource.data, path)
        if value is not None
    ]


def spread(data: Any, path: str, before: str = "") -> Iterable[tuple[str, Any]]:
    """(exact path, value) of each value at a path."""
    match = STEP.match(path)
    if not path or match is None:
        yield before, data
        return
    rest = path[match.end() :].removeprefix(".")
    key, index, word, many, bare = match.groups()
    if key is not None:
        inner = data.get(key) if isinstance(data, dict) else None
        yield from spread(inner, rest, f'{before}["{key}"]')
    elif index is not None:
        place = int(index)
        inner = data[place] if isinstance(data, list) and place < len(data) else None
        yield from spread(inner, rest, f"{before}[{place}]")
    else:
        if word is not None:
            data = data.get(word) if isinstance(data, dict) else None
            before = f"{before}.{word}" if before else word
        if many or bare:
            for place, item in enumerate(data if isinstance(data, list) else ()):
                yield from spread(item, rest, f"{before}[{place}]")
        else:
            yield from spread(data, rest, before)


def unbacked(sentence: str, evidence: Iterable[Mapping[str, Any]]) -> list[str]:
    """The numbers of a sentence that its evidence does not hold.

    A number is backed by the same digits in a value or name of the evidence, or by a value that
    gives it when rounded, as a percentage, or in another unit of bytes.
    """
    texts: set[str] = set()
    numbers: list[float] = []
    for item in evidence:
        for value in leaves(item["value"]):
            if isinstance(value, bool):
                continue
            if isinstance(value, int | float):
                numbers.append(float(value))
            else:
                texts.update(digits(str(value)))
        texts.update(digits(str(item["resource"])))
    return [
        number
        for number in digits(sentence)
        if number not in texts and not any(gives(value, number) for value in numbers)
    ]


def digits(text: str) -> list[str]:
    return re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)


def gives(value: float, said: str) -> bool:
    """Whether the value is what the digits say, rounded to as many places."""
    bare = said.replace(",", "")
    places = len(bare.partition(".")[2])
    wanted = float(bare)
    scales = (1.0, 100.0, 1 / 2**10, 1 / 2**20, 1 / 2**30, 1 / 1e9)
    return any(abs(round(abs(value) * scale, places) - wanted) < 1e-9 for scale in scales)


def leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield value


def hash_of(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
