"""What a question names: a namespace, a window, a share, a thing. Read from its text alone.

What was recognised is masked (`<percent>`), so that a question resembles its examples whatever the
numbers and names in it are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from infrascan.question import PROVIDER_WORDS

NAME = r"[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?"
UNITS = {"m": 60, "min": 60, "h": 3600, "hr": 3600, "d": 86400, "w": 604800, "mo": 2592000, "s": 1}
UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|quarter|year|fortnight|m|h|d|s)"
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "twelve": 12, "fifteen": 15, "thirty": 30, "sixty": 60, "ninety": 90, "couple of": 2, "few": 3}  # fmt: skip
COUNT = rf"(?:\d+(?:\.\d+)?|{'|'.join(NUMBERS)})"

ENVIRONMENTS = {
    **dict.fromkeys(("production", "prod", "prd"), "production"),
    **dict.fromkeys(("staging", "stage", "stg"), "staging"),
    **dict.fromkeys(("development", "dev"), "development"),
    "qa": "qa",
}
# Words before "namespace" or "cluster" that name none.
NO_NAMES = (
    "the a an my our your each every all any which what this that same of in per by kubernetes k8s eks gke aks doks"
    " managed and one other whole its has have does do are is how many new old default-ish for list show every"
    " many other another single specific given ecs redshift kafka failing healthy and-the aws gcp azure"
    " hetzner github docker cloudflare digitalocean"
)
GENERIC = frozenset(NO_NAMES.split())


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, and how the question put it."""

    seconds: float
    said: str

    @property
    def span(self) -> timedelta:
        return timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """What a question names. None and empty where it does not."""

    percent: float | None = None
    window: Window | None = None
    limit: int | None = None
    lines: int | None = None
    namespace: str = ""
    cluster: str = ""
    environment: str = ""
    region: str = ""
    providers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # surely names: quoted, or with a hyphen, dot, slash or digit
    maybe: tuple[str, ...] = ()  # words of no example: names, or just words
    everything: bool = False  # "all namespaces", "across clusters"

    def said(self) -> dict[str, Any]:
        """As JSON values: only what was named."""
        found: dict[str, Any] = {
            "percent": self.percent,
            "window_seconds": self.window and self.window.seconds,
            "limit": self.limit,
            "lines": self.lines,
            "namespace": self.namespace,
            "cluster": self.cluster,
            "environment": self.environment,
            "region": self.region,
            "providers": list(self.providers),
            "names": list(self.names or self.maybe),
        }
        return {name: value for name, value in found.items() if value not in (None, "", [])}


@dataclass(slots=True)
class Reading:
    """A question being read: what is left of its text, and what was found."""

    text: str
    found: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def take(self, pattern: str, use: Callable[[re.Match[str]], str | None]) -> None:
        """Let `use` look at each match; what it returns stands in the match's place."""

        def replaced(match: re.Match[str]) -> str:
            said = use(match)
            return match.group() if said is None else f" {said} "

        self.text = re.sub(pattern, replaced, self.text)


def read_slots(question: str) -> tuple[Slots, str]:
    """What the question names, and its text with that masked."""
    reading = Reading(f" {question.strip().lower()} ")
    for step in (quoted, windows, shares, counts, places, environments, regions, named):
        step(reading)
    everything = bool(
        re.search(r"\b(?:all|every|across|each)\s+(?:the\s+|my\s+|our\s+)?(?:namespaces?|clusters?|accounts?|regions?|providers?)\b", reading.text)
    )  # fmt: skip
    return (
        Slots(
            **reading.found,
            providers=providers_in(question),
            names=tuple(dict.fromkeys(reading.names)),
            everything=everything,
        ),
        " ".join(reading.text.split()),
    )


def providers_in(question: str) -> tuple[str, ...]:
    """Providers that are named as such: "aws", "on hetzner"; not by what they offer."""
    plain = {"aws", "amazon", "gcp", "google", "azure", "cloudflare", "hetzner", "digitalocean", "github", "docker", "kubernetes", "k8s"}  # fmt: skip
    asked = set(re.findall(r"[a-z0-9]+", question.lower())) & plain
    return tuple(name for name, named in PROVIDER_WORDS.items() if asked & named)


def quoted(reading: Reading) -> None:
    def use(match: re.Match[str]) -> str:
        reading.names.append(match.group(1).strip())
        return "<name>"

    reading.take(r"[\"“`]([^\"”`]{1,200})[\"”`]", use)
    reading.take(r"(?<=\s)'([^']{1,200})'(?=[\s?.,!])", use)


def windows(reading: Reading) -> None:
    def use(match: re.Match[str]) -> str:
        number = match.group("n") or "1"
        half = 0.5 if match.group("half") else 1.0
        count = float(NUMBERS.get(number.strip(), 0) or number)
        seconds = count * half * unit_seconds(match.group("unit"))
        reading.found.setdefault("window", Window(seconds, " ".join(match.group().split())))
        return "<window>"

    begin = r"(?:(?:in|over|during|within|for|from)\s+)?(?:the\s+)?(?:last|past|previous|next|coming|trailing)\s+"
    reading.take(
        rf"\b{begin}(?P<half>half\s+(?:an?\s+)?)?(?:(?P<n>{COUNT})\s*)?(?P<unit>{UNIT})\b(?!\s*deploy)",
        use,
    )
    reading.take(
        rf"\b(?:within|in|over|for)\s+(?P<half>half\s+(?:an?\s+)?)?(?P<n>{COUNT})\s*(?P<unit>{UNIT})\b",
        use,
    )
    reading.take(r"(?P<half>\bhalf\s+an?\s+)(?P<n>)(?P<unit>hour|day)\b", use)
    reading.take(rf"\b(?P<half>)(?P<n>\d+)\s*(?P<unit>{UNIT})\b(?:\s+ago)?", use)

    def day(match: re.Match[str]) -> str:
        days = {"yesterday": 2, "today": 1, "this week": 7, "this month": 30, "overnight": 0.5}
        said = match.group("day")
        seconds = 86400.0 * days.get(said, 1)
        reading.found.setdefault("window", Window(seconds, match.group().strip()))
        return "<window>"

    reading.take(
        r"\b(?:since\s+)?(?P<day>yesterday|overnight|this week|this month)\b|\b(?:so far|earlier)\s+(?P<other>today)\b",
        day,
    )


def unit_seconds(unit: str) -> float:
    special = {"quarter": 7776000.0, "year": 31536000.0, "fortnight": 1209600.0}
    if unit in special:
        return special[unit]
    if unit.startswith("mo"):
        return float(UNITS["mo"])
    return float(UNITS[unit[0]])


def shares(reading: Reading) -> None:
    def use(match: re.Match[str]) -> str:
        reading.found.setdefault("percent", float(match.group(1)))
        return "<percent>"

    reading.take(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(?:%|percent\b|per cent\b|pct\b)", use)


def counts(reading: Reading) -> None:
    def lines(match: re.Match[str]) -> str:
        reading.found.setdefault("lines", int(match.group(1)))
        return "<lines> log"

    def limit(match: re.Match[str]) -> str:
        reading.found.setdefault("limit", int(match.group(1)))
        return "<limit>"

    reading.take(r"\b(?:last\s+|tail\s+(?:-n\s*)?)?(\d+)\s+(?:log\s+)?lines\b", lines)
    reading.take(r"\b(?:tail|last)\s+(\d+)\b(?=.*\blogs?\b)", lines)
    reading.take(r"\b(?:top|first|limit(?:ed)?\s+to)\s+(\d{1,4})\b", limit)
    reading.take(r"\b(\d{1,4})(?=\s+(?:most|biggest|largest|heaviest|costliest|oldest)\b)", limit)


def places(reading: Reading) -> None:
    def namespace(match: re.Match[str]) -> str | None:
        name = match.group("n")
        if name in GENERIC or name.startswith("<"):
            return None
        reading.found.setdefault("namespace", name)
        return "<namespace>"

    def cluster(match: re.Match[str]) -> str | None:
        name = match.group("n")
        if name in GENERIC or name.startswith("<"):
            return None
        if name in ENVIRONMENTS:
            reading.found.setdefault("environment", ENVIRONMENTS[name])
            return "<environment>"
        reading.found.setdefault("cluster", name)
        return "<cluster>"

    reading.take(
        rf"\b(?:namespace|ns)\s*[:=]?\s+(?:called\s+|named\s+)?(?P<n>{NAME})\b(?!\s+namespace)",
        lambda m: None if not likely_name(m.group("n")) else namespace(m),
    )
    reading.take(rf"(?<!\S)-n\s+(?P<n>{NAME})\b", namespace)
    reading.take(rf"\b(?P<n>{NAME})\s+(?:namespace|ns)\b", namespace)
    reading.take(
        rf"\bcluster\s+(?:called\s+|named\s+)?(?P<n>{NAME})\b",
        lambda m: cluster(m) if particular(m.group("n")) else None,
    )
    reading.take(r"\b(?P<n>[a-z0-9][a-z0-9-]*-cluster|cluster-[a-z0-9-]+)\b", cluster)
    reading.take(
        rf"\b(?P<n>{NAME})\s+cluster\b",
        lambda m: cluster(m) if particular(m.group("n")) else None,
    )


# What may follow "namespace" or "cluster" without being its name.
AFTER_THEM = (
    "and or is are has have do does using use currently running run at on in with to from right now healthy ok nodes"
    " node pods pod exist exists version versions memory cpu currently doing was were usage utilization that it look"
    " services service deployments names name size type types upgrade-ready health status right"
)
FOLLOWING = GENERIC | frozenset(AFTER_THEM.split())


def particular(word: str) -> bool:
    """Whether a word beside "cluster" is its name: another could be any word of the sentence."""
    return word in ENVIRONMENTS or bool(re.search(r"[a-z0-9][-_.]?[0-9-]", word))


def likely_name(word: str) -> bool:
    return word not in FOLLOWING and not word.startswith("<")


def environments(reading: Reading) -> None:
    def use(match: re.Match[str]) -> str:
        reading.found.setdefault("environment", ENVIRONMENTS[match.group(1)])
        return "<environment>"

    listed = "|".join(ENVIRONMENTS)
    reading.take(rf"(?<![\w/.-])({listed})(?![\w/.-])", use)


def regions(reading: Reading) -> None:
    def use(match: re.Match[str]) -> str:
        reading.found.setdefault("region", match.group(1))
        return "<region>"

    reading.take(
        r"(?<![\w-])((?:us|eu|ap|sa|ca|me|af|il|mx)-(?:gov-)?(?:north|south|east|west|central){1,2}-?\d)(?![\w-])",
        use,
    )


# Hyphenated or numbered words that are no names of anybody's.
PLAIN = re.compile(
    r"[a-z]+-(?:readable|writable|facing|managed|wide|based|level|only|prone)|(?:multi|single|cross|re|non|un|auto|in|on|up|read|high|low|long|short|out)-[a-z]+(?:-[a-z]+)?"
    r"|load-balancers?|branch-protection|instance-types?|node-count|crash-loop(?:ing)?|e\.g|i\.e|vs\.?"
    r"|real-time|end-to-end|follow-up|least-privilege|24/7|cost-optimi[sz]ation|db-load|response-times?"
    r"|k8s|s3|ec2|route53|r2|p9\d|5xx|4xx|oom-?killed|app-?sec|and/or|day-to-day|pull-requests?|d1|o11y"
    r"|\d+(?:\.\d+)?"
)


def named(reading: Reading) -> None:
    """Words that can only be names: with a hyphen, dot, slash, underscore or digit inside."""

    def use(match: re.Match[str]) -> str | None:
        word = match.group().rstrip(".")
        if PLAIN.fullmatch(word):
            return word.replace("-", " ") if "-" in word else None
        reading.names.append(word.removesuffix("'s"))
        return "<name>"

    reading.take(
        r"(?<![<\w-])(?:arn:[\w:/.*-]+|(?=[a-z0-9._/:-]*(?:[-._/:][a-z0-9]|\d))[a-z0-9][a-z0-9._/:*-]*[a-z0-9*])(?![>\w])",
        use,
    )


def with_previous(slots: Slots, previous: Mapping[str, Any]) -> dict[str, Any]:
    """The slots' values with those of an earlier question where this one says nothing."""
    return {**previous, **slots.said()}
