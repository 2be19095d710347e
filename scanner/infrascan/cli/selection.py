"""What a command is to read, out of its options: one meaning for every command that has them."""

from __future__ import annotations

import argparse
from pathlib import Path

from infrascan.cli.parser import SCOPES
from infrascan.model import InputError
from infrascan.pipeline import DEMO, Request
from infrascan.shipped import shipped


def recording(options: argparse.Namespace) -> Path | None:
    """The recording to read instead of the network. Raises `InputError` where two are named."""
    if options.demo and options.replay:
        raise InputError("--demo and --replay both name a recording; give one of them")
    if options.demo:
        return shipped("estates") / DEMO
    return Path(options.replay) if options.replay else None


def request(options: argparse.Namespace, replay: Path | None = None) -> Request:
    """The request that the options for what to read make.

    Raises `InputError` for parts of the network where a recording is read, and for empty names.
    """
    if replay and (named := selecting(options)):
        raise InputError(
            f"a recording holds its own accounts, regions and scopes; leave out {', '.join(named)}"
        )
    return Request(
        providers=names(options.providers, "--providers"),
        profiles=tuple(options.profile or ()),
        regions=names(options.region, "--region"),
        contexts=tuple(options.context or ()),
        scopes=scopes(options.scopes),
        secrets=options.k8s_secrets,
        replay=replay,
    )


def selecting(options: argparse.Namespace) -> list[str]:
    """The options given that choose what to read."""
    given = [name for name in ("profile", "region", "context") if getattr(options, name)]
    return [*(f"--{name}" for name in given), *dict(options.scopes)]


def scopes(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """`[("--project", "a"), ("--folder", "7")]` as {"gcp": ("projects/a", "folders/7")}."""
    spellings = {option: (provider, spelling) for option, _, provider, spelling, _ in SCOPES}
    found: dict[str, dict[str, None]] = {}
    for option, value in pairs:
        provider, spelling = spellings[option]
        found.setdefault(provider, {})[spelling.format(value)] = None
    return {provider: tuple(parts) for provider, parts in found.items()}


def names(given: list[str] | None, option: str) -> tuple[str, ...]:
    """`["aws,k8s", "gcp"]` as ("aws", "k8s", "gcp"), each once. Raises `InputError` for none."""
    parts = (part.strip() for text in given or () for part in text.split(","))
    found = tuple(dict.fromkeys(part for part in parts if part))
    if given and not found:  # an empty variable in a script must not mean "all"
        raise InputError(f"{option} is empty; name at least one, or leave the option out")
    return found
