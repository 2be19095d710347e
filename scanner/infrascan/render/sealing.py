"""The seal of a JSON report: a hash of each line that proves something, of each section, of all.

A line ends in its own hash, and the report in those of its sections: whatever byte is changed, it
can be said in which line or section it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain
from typing import Any

from infrascan.proof import canonical, finite

spaced = json.JSONEncoder(allow_nan=False).encode
compact = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
MARK = ',"digest":"'  # what stands between a line and its hash


def text(value: Any) -> str:
    """The value as the report writes a section of one line: ASCII, with spaces."""
    try:
        return spaced(value)
    except ValueError:  # JSON has no infinity
        return spaced(finite(value))


def line(row: dict[str, Any]) -> str:
    """A row of a list, without spaces."""
    try:
        return compact(row)
    except ValueError:
        return compact(finite(row))


def sealed(row: dict[str, Any]) -> str:
    """The row as one line, with the hash of all that stands before it."""
    start = line(row).removesuffix("}")
    return f'{start}{MARK}{hashed(start)}"}}'


def hashed(start: str) -> str:
    return sha256(start.encode()).hexdigest()


class Seal:
    """Takes the hash of each section as it is written."""

    def __init__(self) -> None:
        self.sections: dict[str, str] = {}

    def member(self, name: str, value: Any) -> Iterator[str]:
        """A section of one line."""
        yield from self.section(name, (f"{text(value)},\n",))

    def rows(self, name: str, lines: Iterable[str]) -> Iterator[str]:
        """A list with one item to a line, so that it can be cut with line tools."""
        yield from self.section(name, listed(lines))

    def section(self, name: str, pieces: Iterable[str]) -> Iterator[str]:
        found = sha256()
        for piece in chain((f'"{name}": ',), pieces):
            found.update(piece.encode())
            yield piece
        self.sections[name] = found.hexdigest()

    def end(self) -> str:
        """The last member: the hashes of all sections, and one over them."""
        root = hashed(canonical(self.sections))
        return f'"seal": {text({"sections": self.sections, "root": root})}\n'


def listed(lines: Iterable[str]) -> Iterator[str]:
    yield "["
    before = "\n"
    for line in lines:
        yield before + line
        before = ",\n"
    yield "\n],\n"
