"""A model's own sentences: published only where each word and number of them is backed.

A true fact can be cited for a wrong sentence, so a sentence may use only the words of the findings
and facts that it cites, and words that join them. Everything else a report says is rendered by us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

CITED = re.compile(r"\[(E\d+)\]")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
WORD = re.compile(r"[a-z]+")
IDS = re.compile(r"\b([RFLTA]\d+)\b")
# What a sentence about findings never needs: commands, code, links, markup.
SUSPECT = re.compile(r"[`$<>{}|\\]|https?:|www\.|--\w|\b(?:sudo|rm|curl|wget|kubectl|helm)\b")
LONGEST = 240
# Words that join, and say nothing by themselves. No negation, which turns what is cited round, and
# no cause: that one thing brings about another is for the rules and paths to say.
JOINS = (
    "a an and are as at be been both but by each for from has have in into is it its of on one or "
    "same that the their them these they this those to together two was were which while with "
    "within also other there resource resources finding findings fact facts account accounts "
    "shows show shown holds hold month monthly usd"
)
DENIES = "no not never none without cannot neither nor nobody nothing isn doesn"
JOINING, NEGATIONS = frozenset(JOINS.split()), frozenset(DENIES.split())
SHORTEST = 4  # letters of a word's beginning that make it the same word: "exposed", "exposes"


def fault_of(sentence: str, cited: set[str], numbers: Iterable[str]) -> str:
    """Why a sentence makes its claim false, or "". `cited` are the claim's facts."""
    if len(sentence) > LONGEST or SUSPECT.search(sentence) or "\n" in sentence:
        return "prose with markup, a link or a command"
    citations = set(CITED.findall(sentence))
    if not citations:
        return "prose without a citation"
    if not citations <= cited:
        return "prose cites what the claim does not"
    spoken = IDS.sub(" ", CITED.sub(" ", sentence))
    known = set(numbers)
    if any(number.replace(",", "").rstrip(".") not in known for number in NUMBER.findall(spoken)):
        return "number without evidence"
    return ""


def backed(sentence: str, sources: Iterable[str]) -> bool:
    """Does a sentence use no word that its sources do not?"""
    spoken = set(WORD.findall(IDS.sub(" ", CITED.sub(" ", sentence)).lower()))
    if spoken & NEGATIONS:
        return False
    words = {word for source in sources for word in WORD.findall(split_words(source).lower())}
    begun = {word[:SHORTEST] for word in words if len(word) >= SHORTEST}
    return all(
        word in JOINING or word in words or (len(word) > SHORTEST and word[:SHORTEST] in begun)
        for word in spoken
    )


def split_words(text: str) -> str:
    """ "PubliclyAccessible" as "Publicly Accessible"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)


def numbers_in(texts: Iterable[str]) -> set[str]:
    """The numbers that facts hold, as a sentence may spell them."""
    found = {number.replace(",", "") for text in texts for number in NUMBER.findall(text)}
    return found | {n[:-2] for n in found if n.endswith(".0")}
