"""Reports: a `Scan` in, text out. One module per format; none reads or writes anything itself.

A format is a function from a scan to an iterator of text, so that a hundred thousand findings
never sit in one string. The same scan gives the same bytes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import BinaryIO, TypeAlias, cast

from infrascan.model import InputError, Scan

Chunks: TypeAlias = Callable[[Scan], Iterator[str]]

FORMATS: Mapping[str, str] = {  # name -> "module:function", imported when asked for
    "html": "infrascan.render.page:chunks",
    "markdown": "infrascan.render.markdown:chunks",
    "json": "infrascan.render.document:chunks",
    "sarif": "infrascan.render.sarif:chunks",
    "junit": "infrascan.render.junit:chunks",
    "csv": "infrascan.render.table:chunks",
    "terminal": "infrascan.render.terminal:chunks",
}
ALIASES: Mapping[str, str] = {
    "md": "markdown",
    "htm": "html",
    "text": "terminal",
    "tty": "terminal",
}
EXTENSIONS: Mapping[str, str] = {
    "html": ".html",
    "markdown": ".md",
    "json": ".json",
    "sarif": ".sarif",
    "junit": ".junit.xml",
    "csv": ".csv",
    "terminal": ".txt",
}
PIECE = 1 << 16


def known(name: str) -> str:
    """The format's own name for a spelling of it; `InputError` when there is none."""
    spelled = name.strip().lower().lstrip(".")
    spelled = ALIASES.get(spelled, spelled)
    if spelled in FORMATS:
        return spelled
    near = get_close_matches(spelled, [*FORMATS, *ALIASES], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InputError(f"unknown format {name!r}{hint} (formats: {', '.join(FORMATS)})")


def render(name: str, scan: Scan) -> Iterator[str]:
    """The report as pieces of text."""
    module, _, function = FORMATS[known(name)].partition(":")
    chunks = cast("Chunks", getattr(importlib.import_module(module), function))
    return chunks(scan)


def write(name: str, scan: Scan, out: BinaryIO) -> int:
    """Write the report to a stream as UTF-8; returns its size in bytes."""
    size = held = 0
    pieces: list[str] = []
    for piece in render(name, scan):
        pieces.append(piece)
        held += len(piece)
        if held >= PIECE:
            size += put("".join(pieces), out)
            pieces.clear()
            held = 0
    return size + put("".join(pieces), out)


def put(text: str, out: BinaryIO) -> int:
    data = text.encode()
    out.write(data)
    return len(data)
