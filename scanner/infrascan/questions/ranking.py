"""BM25 over a few short documents: which examples a question resembles most.

Robertson and Zaragoza's formula with k1 = 1.2 and b = 0.75, the constants that search engines of
the field use. Documents are examples, so a word counts at most a few times in one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

K1 = 1.2
B = 0.75


class Index:
    """Documents as words, ready to be searched."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.counts = [Counter(document) for document in documents]
        self.lengths = [len(document) for document in documents]
        self.mean = sum(self.lengths) / len(self.lengths) if documents else 0.0
        frequency = Counter(word for counts in self.counts for word in counts)
        total = len(documents)
        self.weight = {
            word: math.log(1 + (total - count + 0.5) / (count + 0.5))
            for word, count in frequency.items()
        }
        self.unseen = math.log(1 + (total + 0.5) / 0.5)
        self.holders: dict[str, list[int]] = {}
        for place, counts in enumerate(self.counts):
            for word in counts:
                self.holders.setdefault(word, []).append(place)

    def scores(self, query: Sequence[str]) -> dict[int, float]:
        """The score of each document that shares a word with the query."""
        found: dict[int, float] = {}
        for word in dict.fromkeys(query):
            for place in self.holders.get(word, ()):
                found[place] = found.get(place, 0.0) + self.score(word, place)
        return found

    def score(self, word: str, place: int) -> float:
        often = self.counts[place][word]
        length = 1 - B + B * self.lengths[place] / self.mean
        return self.weight[word] * often * (K1 + 1) / (often + K1 * length)

    def worth(self, query: Sequence[str]) -> float:
        """What the words of a query weigh together; those in no document weigh most."""
        return sum(self.weight.get(word, self.unseen) for word in dict.fromkeys(query))
