"""Rule files as YAML nodes, so that every complaint carries its file, line and column.

The files are anyone's: anchors, tags, merge keys, duplicate keys, deep nesting and big files are
refused, and plain scalars mean what YAML 1.2 says (`yes`, `22:22` and `2026-01-01` are not magic).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infrascan.model import InputError

SIZE_CAP = 256 * 1024
EXAMPLES = re.compile(r"(?m)^examples:\n(?:[ #].*\n|\n)*\Z")  # at the end of a file
DEPTH_CAP = 100
# libyaml composes by recursion in C: nesting beyond this is counted before it is composed.
NESTING_SAFE = 1000
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
REAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
CORE = "tag:yaml.org,2002:"
BOOLEAN = f"{CORE}bool"
MERGE = f"{CORE}merge"
PLAIN_TAGS = {f"{CORE}{name}" for name in ("str", "int", "float", "null", "bool", "timestamp")}

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, order=True)
class RuleError:
    """One thing that is wrong with a rule file. Line and column count from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


class RuleErrors(InputError):  # noqa: N818 - it holds many
    """All that is wrong with the rule files of one load, in order of file and line."""

    def __init__(self, errors: Sequence[RuleError]) -> None:
        self.errors = sorted(errors)
        super().__init__("\n".join(map(str, self.errors)))


@dataclass(slots=True)
class Document:
    """A file being read: its text, and what has been found wrong with it so far."""

    path: str
    text: str = ""
    errors: list[RuleError] = field(default_factory=list)

    def wrong(self, node: Any, message: str) -> None:
        mark = node.start_mark if isinstance(node, yaml.Node) else node
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self.errors.append(RuleError(self.path, line, column, message))

    def entries(self, node: Any, what: str) -> list[tuple[str, Any, Any]]:
        """(key, key's node, value's node) of a mapping; keys are strings and occur once."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, f"{what} must be a mapping, not {sort(node)}")
            return []
        found: dict[str, tuple[str, Any, Any]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.wrong(key, f"a key of {what} must be a string, not {sort(key)}")
            elif key.tag == MERGE and not key.style:
                self.wrong(key, "merge keys (<<) are not accepted; write the keys out")
            elif key.value in found:
                first = found[key.value][1].start_mark.line + 1
                self.wrong(key, f"'{key.value}' is given twice; the first is on line {first}")
            else:
                found[key.value] = (key.value, key, value)
        return list(found.values())

    def items(self, node: Any, what: str) -> list[Any]:
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, f"{what} must be a list, not {sort(node)}")
            return []
        return list(node.value)

    def string(self, node: Any, what: str) -> str:
        value = self.value(node)
        if not isinstance(value, str) or not value.strip():
            said = "an empty string" if isinstance(value, str) else sort(node)
            self.wrong(node, f"{what} must be a string, not {said}")
            return ""
        return value.strip()

    def strings(self, node: Any, what: str) -> tuple[str, ...]:
        return tuple(self.string(item, f"each of {what}") for item in self.items(node, what))

    def value(self, node: Any) -> Any:
        """The node as JSON data."""
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(value) for key, _, value in self.entries(node, "this")}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        return self.scalar(node)

    def scalar(self, node: Any) -> Any:
        text: str = node.value
        if node.style:  # quoted, or a block
            return text
        if text in WORDS:
            return WORDS[text]
        if node.tag == BOOLEAN:
            self.wrong(node, f"write '{text}' in quotes, or true or false")
            return text
        if INTEGER.fullmatch(text):
            return int(text)
        return float(text) if REAL.fullmatch(text) else text


def sort(node: Any) -> str:
    """What a node is, in words."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"'{node.value}'" if node.value else "nothing"


def compose(path: Path, shown: str, *, examples: bool = True) -> tuple[Document, Any]:
    """The file's document and its root node; None for the node when it cannot be read.

    Without `examples`, those that end the file, most of its text, are passed over.
    """
    document = Document(shown)
    try:
        with path.open("rb") as file:
            raw = file.read(SIZE_CAP + 1)
        if len(raw) > SIZE_CAP:
            document.wrong(None, f"the file is larger than {SIZE_CAP // 1024} KB")
            return document, None
        document.text = raw.decode("utf-8-sig")
    except OSError as error:
        document.wrong(None, f"cannot be read: {error.strerror or error}")
        return document, None
    except UnicodeDecodeError as error:
        document.wrong(None, f"is not UTF-8: byte {error.start} cannot be decoded")
        return document, None
    text = document.text if examples else EXAMPLES.sub("examples: []\n", document.text)
    return document, root(document, text)


def root(document: Document, text: str) -> Any:
    try:
        if nests_too_deep(text):
            document.wrong(None, f"is nested more than {DEPTH_CAP} levels deep")
            return None
        node = Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        problem = " ".join(part for part in (error.context, error.problem) if part)
        document.wrong(error.problem_mark or error.context_mark, f"is not YAML: {problem}")
        return None
    except yaml.YAMLError as error:
        document.wrong(None, f"is not YAML: {' '.join(str(error).split())}")
        return None
    if node is None:
        document.wrong(None, "is empty")
        return None
    return node if sound(document, node) else None


def nests_too_deep(text: str) -> bool:
    """Whether composing would recurse dangerously. Events are read without recursion, at the cost
    of a second parse, so they are read only where brackets or columns allow such depth."""
    widest = max(map(len, text.split("\n")))
    if text.count("[") + text.count("{") + widest < NESTING_SAFE:
        return False
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH_CAP:
            return True
    return False


def sound(document: Document, root: Any) -> bool:
    """Refuse what a rule file has no use for: aliases (bombs), tags, deep nesting."""
    seen: set[int] = set()
    pending = [(root, 1)]
    before = len(document.errors)
    while pending:
        node, depth = pending.pop()
        if id(node) in seen:
            document.wrong(node, "anchors and aliases (& and *) are not accepted; write it out")
            continue
        seen.add(id(node))
        if depth > DEPTH_CAP:
            document.wrong(node, f"is nested more than {DEPTH_CAP} levels deep")
            return False
        if isinstance(node, yaml.MappingNode):
            pending += [(part, depth + 1) for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            pending += [(part, depth + 1) for part in node.value]
        elif node.tag not in PLAIN_TAGS and node.tag != MERGE and node.tag != f"{CORE}value":
            document.wrong(node, f"tags such as {node.tag} are not accepted")
        if not isinstance(node, yaml.ScalarNode) and node.tag not in {f"{CORE}map", f"{CORE}seq"}:
            document.wrong(node, f"tags such as {node.tag} are not accepted")
    return len(document.errors) == before
