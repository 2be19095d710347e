"""Which models there are: their vendors, keys, addresses, windows and prices.

Reads the environment and one folder of keys; imports no vendor's client.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from infrascan.model import InputError

TABLE = Path(__file__).with_name("models.csv")
NONE = "none"
SMALL_WINDOW = 8_192  # tokens, of a model that the table does not know: what most can hold
OLLAMA_WINDOW = 4_096  # Ollama cuts longer prompts without a word, where nobody sets another
OUTPUT = 4_096  # tokens of an answer
OVERHEAD = 1_200  # tokens that vendors add around tools and roles; more than any was seen to
OLLAMA_OVERHEAD = 200  # it puts the schema into a grammar, not into the prompt
READABLE_BY_OTHERS = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Whose model it is, and where its client looks for a key and an address."""

    name: str
    keys: tuple[str, ...]  # environment variables, the first that is set counts
    url_variable: str
    url: str
    package: str  # what must be installed
    extra: str  # `pip install "infrascan[<extra>]"`
    keyless: bool = False


VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor
    for vendor in (
        Vendor(
            name="anthropic",
            keys=("ANTHROPIC_API_KEY",),
            url_variable="ANTHROPIC_BASE_URL",
            url="https://api.anthropic.com",
            package="anthropic",
            extra="anthropic",
        ),
        Vendor(
            name="openai",
            keys=("OPENAI_API_KEY",),
            url_variable="OPENAI_BASE_URL",
            url="https://api.openai.com/v1",
            package="openai",
            extra="openai",
        ),
        Vendor(
            name="google",
            keys=("GOOGLE_API_KEY", "GEMINI_API_KEY"),
            url_variable="GOOGLE_GEMINI_BASE_URL",
            url="https://generativelanguage.googleapis.com",
            package="google.genai",
            extra="google",
        ),
        Vendor(
            name="cohere",
            keys=("CO_API_KEY", "COHERE_API_KEY"),
            url_variable="CO_API_URL",
            url="https://api.cohere.com",
            package="cohere",
            extra="cohere",
        ),
        Vendor(
            name="ollama",
            keys=("OLLAMA_API_KEY",),
            url_variable="OLLAMA_HOST",
            url="http://localhost:11434",
            package="openai",
            extra="ollama",
            keyless=True,
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is known of a model. Prices are USD for a million tokens; None where nobody says."""

    vendor: Vendor
    name: str  # as the vendor spells it: "claude-opus-4-6"
    window: int
    output: int = OUTPUT
    overhead: int = OVERHEAD
    input_usd: float | None = None
    output_usd: float | None = None
    responses: bool = False  # offered on OpenAI's Responses API only
    source: str = ""
    date: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.vendor.name}/{self.name}"

    @property
    def priced(self) -> bool:
        return self.input_usd is not None and self.output_usd is not None

    def usd(self, input_tokens: int, output_tokens: int) -> float | None:
        """What so many tokens cost, or None where the model has no known price."""
        if self.input_usd is None or self.output_usd is None:
            return None
        return (input_tokens * self.input_usd + output_tokens * self.output_usd) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key, where it came from, and what is to be said of it."""

    value: str
    source: str
    warning: str = ""

    def __repr__(self) -> str:  # a key never gets into a message by chance
        return f"Key(source={self.source!r})"


def parsed(name: str) -> tuple[Vendor, str]:
    """`anthropic/claude-opus-4-6` as vendor and model. Raises `InputError`."""
    vendor, slash, model = name.strip().partition("/")
    if not slash or not model:
        raise InputError(
            f"--model {name!r}: give VENDOR/MODEL, such as anthropic/claude-opus-4-6, or none"
        )
    if vendor not in VENDORS:
        near = get_close_matches(vendor, VENDORS, n=1)
        meant = f"did you mean {near[0]}/{model}? " if near else ""
        raise InputError(f"--model {name!r}: {meant}there are {', '.join(VENDORS)}")
    return VENDORS[vendor], model


@cache
def rows() -> tuple[Mapping[str, str], ...]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def card(name: str, environment: Mapping[str, str], url: str = "", window: int = 0) -> Card:
    """What is known of a model, by its name and by where it is served.

    A model that the table lacks has no price, but on this very machine it costs nothing. Its
    window is one that most hold, unless the user says more. Raises `InputError`.
    """
    vendor, model = parsed(name)
    fitting = (row for row in rows() if row["vendor"] == vendor.name and same(row["model"], model))
    if row := max(fitting, key=lambda row: len(row["model"]), default=None):
        return Card(
            vendor=vendor,
            name=model,
            window=window or int(row["window"]),
            input_usd=float(row["input_usd"]),
            output_usd=float(row["output_usd"]),
            responses=row["api"] == "responses",
            source=row["source"],
            date=row["date"],
        )
    nothing = 0.0 if loopback(address(vendor, environment, url)) else None
    ollama = vendor.name == "ollama"
    if ollama:
        window = window or whole(environment.get("OLLAMA_CONTEXT_LENGTH", "")) or OLLAMA_WINDOW
    size = window or SMALL_WINDOW
    return Card(
        vendor=vendor,
        name=model,
        window=size,
        output=min(OUTPUT, size // 4),
        overhead=OLLAMA_OVERHEAD if ollama else OVERHEAD,
        input_usd=nothing,
        output_usd=nothing,
        source="runs on this machine" if nothing is not None else "",
    )


def same(known: str, model: str) -> bool:
    """Is it this model, perhaps with the date of its release?"""
    return model == known or model.startswith((f"{known}-20", f"{known}-preview"))


def whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def address(vendor: Vendor, environment: Mapping[str, str], url: str = "") -> str:
    """Where the model is served: as given, as the vendor's own variable says, or by default."""
    found = url or environment.get(vendor.url_variable, "") or vendor.url
    if vendor.name != "ollama":
        return found
    if "://" not in found:  # OLLAMA_HOST is often "0.0.0.0:11434", which is where it listens
        found = f"http://{found}"
    found = found.replace("://0.0.0.0", "://127.0.0.1").rstrip("/")
    if urlsplit(found).port is None and urlsplit(found).scheme == "http":
        found = f"{found}:11434"
    return found if found.endswith("/v1") else f"{found}/v1"


def loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def key_of(vendor: Vendor, environment: Mapping[str, str], home: Path | None) -> Key | None:
    """The key of a vendor: from the environment, or from `<home>/keys/<vendor>`."""
    for variable in vendor.keys:
        if value := environment.get(variable, "").strip():
            return Key(value=value, source=variable)
    path = home / "keys" / vendor.name if home else None
    if path is None or not path.is_file():
        return None
    try:
        value, mode = path.read_text(encoding="utf-8").strip(), path.stat().st_mode
    except (OSError, UnicodeDecodeError):
        return None
    if not value:
        return None
    open_to = mode & READABLE_BY_OTHERS
    warning = f"{path} can be read by other users; chmod 600 {path}" if open_to else ""
    return Key(value=value, source=str(path), warning=warning)
