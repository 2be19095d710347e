"""Names that stand for names: what a model sees under `--anonymize`, and how it is put back.

Account ids, ARNs, names of resources, domains, addresses and mail addresses each get one
pseudonym for a whole run, so that a model can still tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

KINDS = ("name", "arn", "account", "mail", "uuid", "ip", "host", "other")
EDGE_BEFORE, EDGE_AFTER = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
OURS = rf"(?:{'|'.join(KINDS)})_\d{{3,}}"
PATTERNS = (
    ("other", OURS),  # text that looks like a pseudonym already
    ("arn", r"arn:aws[a-z-]*:[^\s\"',;)\]}]+"),
    ("mail", r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    ("uuid", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ("ip", r"(?!0\.0\.0\.0)(?:\d{1,3}\.){3}\d{1,3}"),
    ("ip", r"(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4})+"),
    ("account", r"\d{12}"),
    ("host", r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.)+[A-Za-z]{2,24}"),
)
PATTERN = re.compile(
    f"{EDGE_BEFORE}(?:{'|'.join(f'(?P<p{i}>{p})' for i, (_, p) in enumerate(PATTERNS))}){EDGE_AFTER}"
)
RESTORED = re.compile(f"{EDGE_BEFORE}({OURS}){EDGE_AFTER}")


@dataclass(eq=False)
class Pseudonyms:
    """`known` are names that no pattern would find; `keep` are words of ours that stay."""

    known: Iterable[str] = ()
    keep: frozenset[str] = frozenset()
    given: dict[str, str] = field(default_factory=dict)  # original -> pseudonym
    meant: dict[str, str] = field(default_factory=dict)  # the other way

    @cached_property
    def names(self) -> list[str]:
        """The longest first, so that a name within another does not break it."""
        return sorted(
            {n for n in self.known if n and n not in self.keep}, key=lambda n: (-len(n), n)
        )

    def hide(self, text: str) -> str:
        """The text with every name in it replaced."""
        present = [name for name in self.names if name in text]
        if not present:
            return PATTERN.sub(self.of_pattern, text)
        own = "|".join(map(re.escape, present))
        both = re.compile(f"{EDGE_BEFORE}(?:(?P<own>{own})){EDGE_AFTER}|{PATTERN.pattern}")
        return both.sub(self.of_pattern, text)

    def of_pattern(self, match: re.Match[str]) -> str:
        found = match.groupdict()
        if found.get("own") is not None:
            return self.pseudonym("name", match[0])
        if match[0] in self.keep:
            return match[0]
        index = next(i for i in range(len(PATTERNS)) if found[f"p{i}"] is not None)
        return self.pseudonym(PATTERNS[index][0], match[0])

    def pseudonym(self, kind: str, original: str) -> str:
        if original not in self.given:
            made = f"{kind}_{len(self.given) + 1:03}"
            self.given[original], self.meant[made] = made, original
        return self.given[original]

    def restore(self, text: str) -> str:
        """The text with every pseudonym of ours replaced by what it stands for."""
        return RESTORED.sub(lambda match: self.meant.get(match[0], match[0]), text)
