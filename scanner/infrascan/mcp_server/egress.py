"""The last thing that happens to an answer: no secret, nothing unseen, no more than fits.

Everything that leaves over MCP passes here, tools, resources, prompts and errors alike.
"""

from __future__ import annotations

import json
from typing import Any

import mcp_types as types

from infrascan import redact
from infrascan.render.inert import SPACES, UNSEEN

MOST = 80_000  # characters of one answer: about 20,000 tokens, under what clients cut off
TEXT = 60_000
KEPT = frozenset("\n\t")


def clean(text: str) -> str:
    """The text without secrets, and with characters that steer or hide shown as escapes."""
    text = redact.text(text)
    if text.isascii() and text.isprintable():
        return text
    return SPACES.sub(" ", UNSEEN.sub(lambda m: m[0] if m[0] in KEPT else unseen(m[0]), text))


def unseen(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cleaned(value: Any) -> Any:
    """JSON values, every string in them and every key clean."""
    return walked(redact.scrub(value))


def walked(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): walked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [walked(item) for item in value]
    return value


def outgoing(result: types.CallToolResult, narrowing: list[str]) -> types.CallToolResult:
    """A tool's answer as it may leave; one that is too large becomes an error that says how to ask
    for less.
    """
    structured = cleaned(result.structured_content) if result.structured_content else None
    content: list[Any] = []
    size = 0
    for block in result.content:
        if isinstance(block, types.TextContent):
            text = clean(block.text)
            if len(text) > TEXT:
                text = f"{text[:TEXT]}\n… ({len(text) - TEXT} characters more are left out)"
            block = types.TextContent(type="text", text=text)
            size += len(text)
        content.append(block)
    size += len(json.dumps(structured, ensure_ascii=False)) if structured else 0
    if size > MOST:
        return too_large(size, narrowing)
    return result.model_copy(update={"content": content, "structured_content": structured})


def too_large(size: int, narrowing: list[str]) -> types.CallToolResult:
    by = f" Narrow it by {', '.join(narrowing)}." if narrowing else ""
    return failed(f"The answer has {size:,} characters, more than the {MOST:,} a client takes.{by}")


def failed(text: str, **more: Any) -> types.CallToolResult:
    """An error that the agent reads; `more` is the same for programs, in `_meta`."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=clean(text))],
        is_error=True,
        _meta={"infrascan/error": cleaned(more)} if more else None,
    )
