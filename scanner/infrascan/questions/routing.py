"""From words to a question of the catalogue, or to "I don't know"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from infrascan.questions.catalogue import Catalogue, Question
from infrascan.questions.ranking import Index
from infrascan.questions.slots import Slots, read_slots
from infrascan.questions.words import words

# Below these a question counts as not understood. Tuned on the examples of the catalogue against
# one another; tests/questions measures them on phrasings that are in no example.
CONFIDENT = 0.5
UNCERTAIN = 0.34  # enough where nothing else comes near
MARGIN = 1.25

WRITES = "restart reboot bounce delete remove destroy terminate drop scale resize deploy redeploy apply rollback revert undo create provision launch install upgrade patch edit change set update rotate drain cordon uncordon evict kill stop start enable disable attach detach push merge fix remediate purge flush truncate revoke grant promote failover run execute exec"  # fmt: skip
POLITE = r"(?:please|can you|could you|would you|will you|kindly|just|now|then|go ahead and|i want you to|i need you to|let's|lets|you should|immediately|,|\s)*"
IMPERATIVE = re.compile(rf"^\s*{POLITE}\s*(?:to\s+)?(?P<verb>roll\s+(?:back|out)|{'|'.join(WRITES.split())})\b(?!\s*(?:s\b|history|events?\b|counts?\b|changes?\b|polic|of\b|status\b|(?:an?\s+|the\s+)?(?:full\s+|deep\s+|whole\s+)?(?:scan|report|check|audit|research|analysis)\b))", re.IGNORECASE)  # fmt: skip
AFTERWARDS = re.compile(rf"\b(?:and|then)\s+(?:then\s+|please\s+)?(?P<verb>roll\s+(?:back|out)|{'|'.join(WRITES.split())})\s+(?:it|them|those|that|all|the|any|every|each|pods?|whatever)\b", re.IGNORECASE)  # fmt: skip
HANDED_OUT = re.compile(
    r"(?i)\b(?:print|show|dump|reveal|display|echo|cat|read|give|send|tell|output|paste|what(?:'s| is| are)|export|list)\b"
    r"[^?.]{0,40}?(?:(?:aws|gcp|google|azure|github|api|access|secret|private|ssh|signing|encryption)\s+(?:access\s+|secret\s+|api\s+)*keys?\b(?!\s+(?:that|which|older|age|rotation|with|without|policy|policies|in))"
    r"|\bkubeconfig\b|\bcredentials?\b(?!\s+report)|\bpasswords?\b(?!\s+polic)|\b(?:bearer |access |session |auth |github |api |the |my |our )tokens?\b"
    r"|~?/?\.(?:aws|kube|ssh|env)\b|\bsecret (?:values?|contents?|data)\b|\bvalues? of (?:the )?secrets?\b|config view --raw)|\bconfig view --raw"
)
PRONOUN = re.compile(
    r"(?i)\b(?:its|it|it's|they|their|them|those|that|this|same)\b(?:\s+(?:one|pod|service|cluster|deployment|database|bucket|instance|namespace))?"
)
CONTINUES = re.compile(r"(?i)^\s*(?:and|or|also|what about|how about|now|but|same for|ok|then)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A question of the catalogue and how well it fits: 1 is an example word for word."""

    question: Question
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What was understood. `question` is None where nothing fits."""

    text: str
    slots: Slots
    question: Question | None
    nearest: tuple[Match, ...]
    confidence: float = 0.0
    write: str = ""  # a verb that asks for an act
    asks_for_secret: bool = False
    follows: bool = False  # it goes on from the question before


class Router:
    """The catalogue, ready to be asked."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.owners: list[Question] = []
        documents: list[list[str]] = []
        for question in catalogue.questions:
            for example in question.examples:
                self.owners.append(question)
                documents.append(example_words(example))
        self.index = Index(documents)
        self.documents = documents
        whole: dict[str, list[str]] = {}
        for owner, document in zip(self.owners, documents, strict=True):
            whole.setdefault(owner.id, words(owner.answers)).extend(document)
        self.ids = list(whole)
        needing = (q.id for q in catalogue.questions if q.slots.get("name") == "required")
        self.about_one = frozenset(needing)  # unlikely where nothing is named
        self.whole = Index(list(whole.values()))

    @property
    def vocabulary(self) -> Mapping[str, float]:
        return self.index.weight

    def route(self, text: str, previous: Mapping[str, Any] | None = None) -> Routed:
        slots, masked = read_slots(text)
        asked = words(masked)
        imperative = IMPERATIVE.search(text)
        later = AFTERWARDS.search(text)
        write = (imperative or later).group("verb").lower() if imperative or later else ""  # type: ignore[union-attr]
        maybe = tuple(raw for raw, word in raw_words(masked) if word not in self.vocabulary)
        slots = replaced(slots, maybe)
        follows = bool(previous) and self.goes_on(text, asked, slots)
        matches = self.matches(asked, follows)
        best = matches[0] if matches else None
        question = best.question if best and self.fits(matches) else None
        if follows and previous and self.only_names(asked):
            question, best = self.catalogue[previous["route"]], None
        if imperative:
            question = None
        return Routed(
            text=text,
            slots=slots,
            question=question,
            nearest=matches[:3],
            confidence=round(best.confidence, 3) if best else float(question is not None),
            write=write,
            asks_for_secret=bool(HANDED_OUT.search(text)),
            follows=follows,
        )

    def goes_on(self, text: str, asked: list[str], slots: Slots) -> bool:
        if self.only_names(asked) and CONTINUES.search(text):
            return True
        return bool(PRONOUN.search(text)) and not slots.names

    def only_names(self, asked: list[str]) -> bool:
        """Whether nothing but names is in the question: "what about staging?"."""
        return all(word.startswith("<") or word not in self.vocabulary for word in asked)

    @staticmethod
    def fits(matches: tuple[Match, ...]) -> bool:
        best = matches[0].confidence
        if best >= CONFIDENT:
            return True
        second = matches[1].confidence if len(matches) > 1 else 0.0
        return best >= UNCERTAIN and best >= MARGIN * second

    def matches(self, asked: list[str], follows: bool = False) -> tuple[Match, ...]:
        """The questions that share words with this one, the nearest first."""
        unknown = [word for word in asked if word not in self.vocabulary]
        known = [word for word in asked if word in self.vocabulary]
        ways = [known]
        if (unknown or follows) and "<name>" not in known:
            ways.append([*known, "<name>"])
        best: dict[str, float] = {}
        for way in ways:
            scored = self.confidences(way, len(unknown), "<name>" in way)
            for one, confidence in scored.items():
                best[one] = max(best.get(one, 0.0), confidence)
        ordered = sorted(best.items(), key=lambda item: (-round(item[1], 6), item[0]))
        return tuple(Match(question=self.catalogue[one], confidence=c) for one, c in ordered[:8])

    def confidences(self, way: list[str], unknown: int, taken: bool) -> dict[str, float]:
        """For each question: how much of this is in its nearest example and how much of that here,
        with a share for all its examples together."""
        if all(word.startswith("<") for word in way):
            return {}  # names alone say nothing of what is asked
        strange = max(0, unknown - (1 if taken else 0)) * STRANGE
        worth = self.index.worth(way) + strange
        present = set(way)
        together = self.whole.scores(way)
        top = max(together.values(), default=1.0)
        found: dict[str, float] = {}
        for place in self.index.scores(way):
            document = self.documents[place]
            shared = sum(self.index.weight[word] for word in present & set(document))
            here = shared / worth if worth else 0.0
            there = shared / self.index.worth(document)
            nearest = 2 * here * there / (here + there) if here + there else 0.0
            owner = self.owners[place].id
            found[owner] = max(found.get(owner, 0.0), nearest)
        share = {one: together.get(at, 0.0) / top for at, one in enumerate(self.ids)}
        if not taken and "<name>" not in present:
            share = {one: s * (0.5 if one in self.about_one else 1.0) for one, s in share.items()}
            found = {one: s * (0.8 if one in self.about_one else 1.0) for one, s in found.items()}
        return {one: 0.75 * near + 0.25 * near**0.5 * share[one] for one, near in found.items()}


STRANGE = 4.0  # what a word of no example weighs: less than a rare one of an example


def replaced(slots: Slots, maybe: tuple[str, ...]) -> Slots:
    from dataclasses import replace

    return replace(slots, maybe=maybe)


def raw_words(masked: str) -> list[tuple[str, str]]:
    """(the word as it stands, its plain form) of each word that means something."""
    found = []
    for raw in re.findall(r"<[a-z]+>|[a-z0-9]+(?:[-_.][a-z0-9]+)*", masked):
        plain = words(raw)
        if plain and not raw.startswith("<"):
            found.append((raw, plain[0]))
    return found


BRACES = re.compile(r"\{([^{}]*)\}")
PLACED = re.compile(
    r"\b(?P<before>namespace|cluster)\s+\{[^{}]*\}|\{[^{}]*\}\s+(?P<after>namespace|cluster)\b"
)


def example_words(example: str) -> list[str]:
    """An example as words, with what stands in braces as a name."""
    placed = PLACED.sub(lambda m: f" <{m.group('before') or m.group('after')}> ", example)
    _, masked = read_slots(BRACES.sub(" <name> ", placed))
    return words(masked)


@cache
def shipped_router() -> Router:
    from infrascan.questions.catalogue import shipped_catalogue

    return Router(shipped_catalogue())
