"""Which model to use, and how much it may take: plain data, from the command line or an agent."""

from __future__ import annotations

from dataclasses import dataclass

MAX_USD = 1.0
MAX_TOKENS = 500_000
SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """`name` is VENDOR/MODEL. The limits hold for all calls together."""

    name: str
    max_usd: float = MAX_USD
    max_tokens: int = MAX_TOKENS
    seconds: float = SECONDS
    url: str = ""  # where it is served, when that is not the vendor's own address
    anonymize: bool = False  # account ids, names, domains and addresses go as pseudonyms
    window: int = 0  # tokens, of a model whose window is not known
