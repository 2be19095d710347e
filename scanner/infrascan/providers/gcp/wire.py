"""Reading a `google.protobuf.Struct` out of its bytes.

The inventory gives each resource's data as a Struct, a tree of small messages. Walking it through
protobuf's Python objects takes three times as long as reading its bytes, and google's own
conversion to a dict five times. Keys and short values repeat in every asset: they are decoded once
and shared, which halves the memory of a large estate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import unpack_from
from sys import intern
from typing import Any

STRING = 0x1A  # the tag of Value.string_value
SHORT = 64  # bytes of a string that is worth remembering
MOST = 20_000  # strings remembered


@dataclass(eq=False, slots=True)
class Reader:
    """Turns Structs into dicts. One reader for a whole listing, so that it shares its strings."""

    keys: dict[bytes, str] = field(default_factory=dict)
    known: dict[bytes, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def same(self, name: str) -> str:
        """The one string that stands for all that are equal to it."""
        return self.names.setdefault(name, name)

    def text(self, raw: bytes) -> str:
        found = self.known.get(raw)
        if found is None:
            found = raw.decode("utf-8", "replace")
            if len(raw) <= SHORT and len(self.known) < MOST:
                self.known[raw] = found
        return found

    def struct(self, raw: bytes, at: int, end: int) -> dict[str, Any]:
        """Struct.fields: a map, whose entries are messages of a key (1) and a value (2).

        Sizes below 128 take one byte, and most values are strings: both are read in place.
        """
        found: dict[str, Any] = {}
        keys = self.keys
        while at < end:
            size = raw[at + 1]
            at += 2
            if size > 127:
                size, at = number(raw, at - 1)
            stop = at + size
            size = raw[at + 1]
            at += 2
            if size > 127:
                size, at = number(raw, at - 1)
            name = raw[at : at + size]
            key = keys.get(name)
            if key is None:
                key = keys[name] = intern(name.decode("utf-8", "replace"))
            at += size
            size = raw[at + 1]
            at += 2
            if size > 127:
                size, at = number(raw, at - 1)
            if size and raw[at] == STRING:
                size = raw[at + 1]
                at += 2
                if size > 127:
                    size, at = number(raw, at - 1)
                found[key] = self.text(raw[at : at + size])
            else:
                found[key] = self.value(raw, at, at + size)
            at = stop
        return found

    def value(self, raw: bytes, at: int, end: int) -> Any:
        """Value: its one field tells the type."""
        if at == end:
            return None
        tag = raw[at]
        at += 1
        if tag == STRING:
            size = raw[at]
            at += 1
            if size > 127:
                size, at = number(raw, at - 1)
            return self.text(raw[at : at + size])
        if tag == 0x2A:  # struct_value = 5
            size, at = number(raw, at)
            return self.struct(raw, at, at + size)
        if tag == 0x32:  # list_value = 6
            size, at = number(raw, at)
            return self.items(raw, at, at + size)
        if tag == 0x20:  # bool_value = 4
            return raw[at] != 0
        if tag == 0x11:  # number_value = 2
            (amount,) = unpack_from("<d", raw, at)
            return int(amount) if amount.is_integer() else amount
        return None

    def items(self, raw: bytes, at: int, end: int) -> list[Any]:
        """ListValue.values."""
        found: list[Any] = []
        while at < end:
            size, at = number(raw, at + 1)
            found.append(self.value(raw, at, at + size))
            at += size
        return found


def number(raw: bytes, at: int) -> tuple[int, int]:
    """A varint, and where what follows it starts."""
    found = raw[at]
    at += 1
    if found < 128:
        return found, at
    found &= 127
    shift = 7
    while True:
        part = raw[at]
        at += 1
        found |= (part & 127) << shift
        if part < 128:
            return found, at
        shift += 7
