"""What an argument vector means: which verb of which tool, aimed at what, and what it does to it.

A vector is never a shell's line, and nothing here runs anything. What is not in the tables is a
write; what could redirect a tool, lend it another identity, let it run programs, or have it read
and write files of this machine is refused.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, Words

TOOLS = (
    "kubectl",
    "helm",
    "aws",
    "gcloud",
    "az",
    "terraform",
    "docker",
    "gh",
    "doctl",
    "hcloud",
)
FILES = re.compile(r"(?:^-+|-)files?$|-from-files?|^--file-(?!system|share|cache)")
WORDS = 200  # of a vector
LENGTH = 8_192  # characters of a word


def tool(name: str) -> Tool:
    """The grammar of a tool in `TOOLS`."""
    found: Tool = importlib.import_module(f"infrascan.commands.tools.{name}").TOOL
    return found


def parse(vector: Sequence[str], *, pinned: bool = False) -> Parsed:
    """What the vector means; with `pinned`, it may not choose a context itself.

    Never raises: what cannot be understood is a write that is refused.
    """
    words = tuple(vector)
    if why := malformed(words):
        return Parsed(vector=words, tool="", refused=why)
    name = words[0]
    if name not in TOOLS:
        return Parsed(vector=words, tool=name[:60], refused=stranger(name))
    grammar = tool(name)
    read = Words(grammar, words)
    read.run()
    verb = " ".join(read.verb.words) if read.verb else " ".join(read.operands[:2])
    effect = read.verb.effect if read.verb else Effect.WRITE
    if read.verb is None:
        known = f"{name} {verb[:60]!r} is not a verb in the grammar"
        if not grammar.open:
            read.refuse(known)
    if read.unknown and effect is Effect.READ:
        effect = Effect.WRITE
    if grammar.open and (named := [flag for flag in read.unknown if FILES.search(flag)]):
        read.refuse(f"flag {named[0]} is refused: it reads or writes files of this machine")
    if pinned:
        for flag in grammar.pinning:
            if flag in read.values:
                read.refuse(f"flag --{flag} is refused: the target is given beside the command")
    parsed = Parsed(
        vector=words,
        tool=name,
        verb=verb,
        effect=effect,
        target={
            what: read.values[flag][-1]
            for flag, what in grammar.target.items()
            if flag in read.values
        },
        flags={flag: tuple(values) for flag, values in read.values.items()},
        operands=tuple(read.operands),
        files=tuple(value for flag in grammar.files for value in read.values.get(flag, ())),
        unknown=tuple(read.unknown),
        refused=read.refused,
    )
    if read.verb and read.verb.operands is not None and len(parsed.operands) > read.verb.operands:
        extra = parsed.operands[read.verb.operands]
        parsed = refusing(parsed, f"{extra[:60]!r} is one operand too many for {name} {verb}")
    return grammar.review(parsed) if grammar.review else parsed


def refusing(parsed: Parsed, why: str) -> Parsed:
    """The same command, refused; the first reason stays."""
    return replace(parsed, refused=parsed.refused or why)


def malformed(words: tuple[str, ...]) -> str:
    if not words or not all(isinstance(word, str) for word in words):
        return "a command is a list of words, the tool first"
    if len(words) > WORDS or any(len(word) > LENGTH for word in words):
        return f"a command has at most {WORDS} words of {LENGTH:,} characters"
    for word in words:
        if any(ord(each) < 32 and each not in "\n\t" for each in word) or "\x7f" in word:
            return "a word of the command holds a control character"
        if any(0xD800 <= ord(each) <= 0xDFFF for each in word):
            return "a word of the command is not text"
    if any(not word.isprintable() and not set("\n\t") & set(word) for word in words[1:]):
        return "a word of the command holds an invisible character"
    return ""


def stranger(name: str) -> str:
    if PurePath(name).name == "infrascan":
        return "infrascan itself is never run by a command: approving is for an operator's terminal"
    if "/" in name:
        return f"{name[:60]!r} is a path; name the tool alone"
    if " " in name.strip():
        return f"{name[:60]!r} is a line; give each word by itself"
    return f"{name[:60]!r} is not one of the tools: {', '.join(TOOLS)}"
