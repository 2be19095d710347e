"""What is asked for: a request, and what follows from it before anything is read."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrascan import __version__
from infrascan.collect.provider import Selection
from infrascan.collect.recording import Replay
from infrascan.model import Category, InputError, Kind, Severity
from infrascan.providers import PLANES, PROVIDERS, configured
from infrascan.providers import load as load_provider
from infrascan.providers.estate import joined
from infrascan.reason.model.choice import ModelChoice

DEMO = "acme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to scan and how. Empty tuples mean "all that is there"."""

    providers: tuple[str, ...] = ()  # empty: each one that has credentials
    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # as in `Selection`
    secrets: bool = False
    rule_folders: tuple[Path, ...] = ()  # besides the shipped ones
    categories: tuple[Category, ...] = ()
    severity: Severity | None = None  # this one and worse
    record: Path | None = None
    replay: Path | None = None
    resume: bool = False
    call_seconds: float = 30.0  # one attempt of one call
    deadline_seconds: float = float("inf")  # the whole collection
    question: str = ""
    kinds: tuple[str, ...] = ()  # only these
    processes: int = 0  # that read; 0: one for each core, where that is worth it
    live: bool = False  # also the kinds that are read only when asked for: events and the like
    model: ModelChoice | None = None  # what reads the findings once they are judged


def all_kinds(names: Sequence[str] = (*PROVIDERS, *PLANES)) -> dict[str, Kind]:
    """Every kind of every provider and plane, by name, with the edges between them. Reads nothing."""
    selection = Selection(observed=now())
    return joined(
        {
            kind.name: kind
            for name in names
            for kind in load_provider(name)(selection).kinds.values()
        }
    )


def provider_names(request: Request, replay: Replay | None) -> tuple[str, ...]:
    """The providers to read. Raises `InputError` when there is none, or none of that name."""
    for name in request.providers:
        load_provider(name)
    if replay:
        recorded = tuple(replay.manifest["providers"])
        for name in request.providers:
            if name not in recorded:
                raise InputError(
                    f"provider {name} is not in the recording, which has {', '.join(recorded)}"
                )
        return request.providers or recorded
    if request.providers:
        for name in request.scopes:
            if name not in request.providers:
                raise InputError(
                    f"a part of {name} is named ({request.scopes[name][0]}), but --providers leaves {name} out"
                )
    found = request.providers or tuple(dict.fromkeys((*configured(), *request.scopes)))
    if not found:
        raise InputError(
            "no provider has credentials here; see what each one needs with: infrascan providers, "
            "or try the demo estate: infrascan run --demo"
        )
    return found


def selected(request: Request, observed: datetime) -> Selection:
    return Selection(
        observed=observed,
        profiles=request.profiles,
        regions=request.regions,
        contexts=request.contexts,
        scopes=request.scopes,
        secrets=request.secrets,
    )


def manifest(selection: Selection, names: Sequence[str]) -> dict[str, Any]:
    """What a recording needs, besides its answers, to be read again."""
    return {
        "version": __version__,
        "providers": list(names),
        "selection": {**asdict(selection), "observed": stamp(selection.observed)},
    }


def replayed(replay: Replay) -> Selection:
    """The selection that a recording was made with. Raises `InputError` when it has none."""
    try:
        providers: list[str] = replay.manifest["providers"]
        kept = dict(replay.manifest["selection"])
        observed = datetime.fromisoformat(kept.pop("observed"))
        secrets = kept.pop("secrets", False)
        scopes = {name: tuple(parts) for name, parts in kept.pop("scopes", {}).items()}
        lists = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
        words = [word for value in (providers, *lists.values(), *scopes.values()) for word in value]
        if not (isinstance(providers, list) and providers and observed.tzinfo):
            raise ValueError("providers or observed")
        if len(lists) < len(kept) or not all(isinstance(word, str) for word in words):
            raise ValueError("selection")
        return Selection(observed=observed, secrets=bool(secrets), scopes=scopes, **lists)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{replay.folder}: its manifest cannot be used: {error!r}") from error


def scope_of(request: Request, names: Sequence[str], selection: Selection) -> dict[str, Any]:
    """What was asked for, as plain data: shown in reports, and compared by resume and diff."""
    more: dict[str, Any] = {"kinds": list(request.kinds)} if request.kinds else {}
    if request.live:
        more["live"] = True
    return {
        "providers": list(names),
        "profiles": list(selection.profiles),
        "regions": list(selection.regions),
        "contexts": list(selection.contexts),
        "scopes": {name: list(parts) for name, parts in sorted(selection.scopes.items())},
        "secrets": selection.secrets,
        "rule_folders": [str(folder) for folder in request.rule_folders],
        "categories": [str(category) for category in request.categories],
        "severity": str(request.severity or ""),
        **more,
    }


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id(moment: datetime) -> str:
    """A scan id that sorts by time: `20261121T093000Z-5f3a`."""
    return f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
