"""How command lines are read: flags, their values and operands, exactly as the tools read them.

An allow-list: a flag that is not in the grammar is never guessed at. Where the tools themselves
are ambiguous (a value that looks like a flag, a flag ahead of its verb), the command is refused
and the reason says how to write it without doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from infrascan.commands.nouns import Effect, Parsed

Style = Literal["pflag", "go", "argparse"]
Refusal = str  # why, "" where there is no objection


@dataclass(frozen=True, slots=True)
class Flag:
    name: str
    value: bool  # takes one; without, it is a switch, or has a value only as `--flag=value`


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb: its words, what it does, its flags. `why` refuses it altogether."""

    words: tuple[str, ...]
    effect: Effect
    flags: str = ""
    why: str = ""
    rest: bool = False  # what follows `--`, or the first operand, belongs to another program
    operands: int | None = None  # the most there can be


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """The grammar of one command-line tool."""

    name: str
    provider: str
    style: Style = "pflag"
    common: str = ""  # flags of every verb, ahead of it too
    pinning: tuple[str, ...] = ()  # flags that choose the target, refused where it is given
    target: Mapping[str, str] = field(default_factory=dict)  # flag -> what it names
    refused: Mapping[str, str] = field(default_factory=dict)  # flag -> why, in any form
    verbs: tuple[Verb, ...] = ()
    open: bool = False  # has more verbs and flags than can be listed: those unknown are writes
    files: tuple[str, ...] = ()  # flags whose values are local files
    review: Callable[[Parsed], Parsed] | None = None  # what tables cannot say
    stops: bool = False  # flags end at the first operand


def read(words: str, flags: str = "", *, operands: int | None = None) -> Verb:
    return Verb(words=tuple(words.split()), effect=Effect.READ, flags=flags, operands=operands)


def write(words: str, flags: str = "", *, rest: bool = False) -> Verb:
    return Verb(words=tuple(words.split()), effect=Effect.WRITE, flags=flags, rest=rest)


def destroy(words: str, flags: str = "", *, rest: bool = False) -> Verb:
    return Verb(words=tuple(words.split()), effect=Effect.DESTRUCTIVE, flags=flags, rest=rest)


def refuse(words: str, why: str) -> Verb:
    return Verb(words=tuple(words.split()), effect=Effect.WRITE, why=why)


@cache
def flags(spec: str) -> Mapping[str, Flag]:
    """Flags by each of their spellings: "selector/l= all-namespaces/A" (`=` takes a value)."""
    found: dict[str, Flag] = {}
    for word in spec.split():
        names = word.removesuffix("=").split("/")
        for name in names:
            found[name] = Flag(names[0], word.endswith("="))
    return found


@dataclass(slots=True)
class Words:
    """A vector on its way to be understood."""

    tool: Tool
    vector: tuple[str, ...]
    at: int = 1
    known: dict[str, Flag] = field(default_factory=dict)
    verb: Verb | None = None
    values: dict[str, list[str]] = field(default_factory=dict)
    operands: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    refused: str = ""

    def refuse(self, why: str) -> None:
        self.refused = self.refused or why

    def run(self) -> None:
        self.known = dict(flags(self.tool.common))
        self.find_verb()
        if self.verb:
            self.known |= flags(self.verb.flags)
            if self.verb.why:
                self.refuse(f"{self.tool.name} {' '.join(self.verb.words)}: {self.verb.why}")
        while self.at < len(self.vector):
            word = self.vector[self.at]
            self.at += 1
            if self.others():
                self.operands += self.vector[self.at - 1 :]
                return
            if word == "--":
                self.terminated()
                return
            if word.startswith("-") and word != "-":
                if self.tool.style == "go" and self.operands:
                    self.refuse("flags come ahead of what they apply to")
                self.flag(word)
            else:
                self.operands.append(word)
        self.parted()

    def others(self) -> bool:
        """True from the first operand on, where it names what runs the rest: `docker exec web ls`."""
        return bool(self.tool.stops and self.verb and self.verb.rest and self.operands)

    def parted(self) -> None:
        """Refuse a longer verb whose words are parted by flags: `create -n shop token builder`."""
        if not self.verb:
            return
        size = len(self.verb.words)
        for verb in self.tool.verbs:
            if verb.words[:size] == self.verb.words and set(verb.words[size:]) & set(self.operands):
                self.refuse(f"put the words of `{' '.join(verb.words)}` ahead of its flags")

    def terminated(self) -> None:
        """`--`: what follows belongs to the program that the verb runs, if it runs one."""
        if self.verb and self.verb.rest:
            self.operands += self.vector[self.at - 1 :]
            return
        self.refuse("`--` is not accepted here")
        # Go on as if it were not there, so that each flag after it is judged as well.
        for word in self.vector[self.at :]:
            if word.startswith("-"):
                self.judge(word.lstrip("-").partition("=")[0], word)
        self.at = len(self.vector)

    def find_verb(self) -> None:
        """The longest verb of the grammar that the vector begins with, common flags apart."""
        words: list[str] = []
        best: tuple[Verb, int] | None = None
        prefixes = {
            verb.words[:size] for verb in self.tool.verbs for size in range(len(verb.words))
        }
        by_words = {verb.words: verb for verb in self.tool.verbs}
        values: dict[str, list[str]] = {}
        while self.at < len(self.vector):
            word = self.vector[self.at]
            if word.startswith("-"):
                # A tool knows no flags but the common ones before it knows its verb.
                if word == "--" or tuple(words) in by_words:
                    break
                self.at += 1
                self.flag(word)
                if self.unknown:
                    self.refuse(f"flag {word[:60]!r} stands ahead of the verb")
                continue
            words.append(word)
            self.at += 1
            if (found := by_words.get(tuple(words))) is not None:
                best = (found, self.at)
                values = {name: list(each) for name, each in self.values.items()}
            if tuple(words) not in prefixes:
                break
        self.verb, self.at = best or (None, 1)
        self.values = values

    def flag(self, word: str) -> None:
        if self.tool.style == "pflag" and not word.startswith("--"):
            self.shorts(word[1:], word)
            return
        name, joined, value = word.lstrip("-").partition("=")
        if self.tool.style == "argparse" and not word.startswith("--") and len(name) > 1:
            # argparse joins a letter and its value, and several letters that have none.
            if (short := self.known.get(name[0])) and short.value and not joined:
                self.take(short, name[1:])
                return
            self.refuse(f"{word!r} may be several flags in one; write each by itself")
            return
        found = self.judge(name, word)
        if found is None:
            if joined:
                self.values.setdefault(name, []).append(value)
            return
        if joined:
            self.take(found, value)
        elif found.value:
            self.next_value(found, word)
        else:
            self.take(found, "true")

    def shorts(self, rest: str, word: str) -> None:
        """A cluster of one-letter flags, as pflag takes it apart: -As=x is -A and -s=x."""
        while rest:
            letter, rest = rest[0], rest[1:]
            found = self.judge(letter, word)
            if found is None:
                return
            if rest.startswith("=") and len(rest) > 1:
                self.take(found, rest[1:])
                return
            if not found.value:
                self.take(found, "true")
                continue
            if rest:
                self.take(found, rest)
            else:
                self.next_value(found, word)
            return

    def next_value(self, found: Flag, word: str) -> None:
        if self.at >= len(self.vector):
            self.refuse(f"{word} has no value")
            return
        value = self.vector[self.at]
        if value.startswith("-") and value != "-":
            self.refuse(f"the value of {word} begins with a dash; write {word}={value[:50]}")
            return
        self.at += 1
        self.take(found, value)

    def take(self, found: Flag, value: str) -> None:
        self.values.setdefault(found.name, []).append(value)

    def judge(self, name: str, word: str) -> Flag | None:
        """The flag of that name, or None with a reason kept: refused, or unknown."""
        plain = name.replace("_", "-") if self.tool.style == "pflag" else name
        shown = f"--{name}" if word.startswith("--") else f"-{name}"
        if found := self.known.get(name):
            return found
        for refused, why in self.tool.refused.items():
            star = refused.endswith("*") and plain.startswith(refused[:-1])
            # argparse takes any unmistakable beginning of a flag for the flag
            abbreviated = self.tool.style == "argparse" and plain and refused.startswith(plain)
            if plain == refused or star or abbreviated:
                self.refuse(f"flag {shown[:60]} is refused: {why}")
                return None
        self.unknown.append(shown[:60])
        if self.tool.style == "argparse" and any(each.startswith(name) for each in self.known):
            self.refuse(f"flag {shown[:60]} may be short for another; write it in full")
        if self.tool.open and not self.verb and len(self.operands) < 2:
            self.refuse(f"flag {shown[:60]} stands ahead of the verb")
        if not self.tool.open or not word.startswith("--"):
            verb = " ".join(self.verb.words) if self.verb else "this verb"
            self.refuse(f"flag {shown[:60]} is not in the grammar of {self.tool.name} {verb}")
        return None
