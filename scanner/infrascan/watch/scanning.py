"""The scan of a watch: always of the same scope, also when credentials have gone meanwhile."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from infrascan.collect.engine import Progress
from infrascan.model import InputError, Scan
from infrascan.pipeline import Request, scan
from infrascan.pipeline.request import provider_names
from infrascan.watch.memory import named


def name_of(request: Request) -> str:
    """What is watched, in twelve hex digits: the same scope has the same memory."""
    said = [
        *(request.providers, request.profiles, request.regions, request.contexts),
        sorted((name, list(parts)) for name, parts in request.scopes.items()),
        request.secrets,
        [str(folder.absolute()) for folder in request.rule_folders],
        [str(category) for category in request.categories],
        str(request.severity or ""),
        str(request.replay.absolute()) if request.replay else "",
    ]
    return named((json.dumps(said),))[:12]


def scanner(
    request: Request, home: Path, progress: Progress | None = None
) -> Callable[[tuple[str, ...]], Awaitable[Scan]]:
    """Reads and stores a scan. Providers that were read before are read again: one whose
    credentials are gone is a provider that cannot be read, not one that nobody asked for."""

    async def once(before: tuple[str, ...]) -> Scan:
        if request.replay or request.providers:
            return await scan(request, home, progress)
        try:
            now = provider_names(request, None)
        except InputError:
            if not before:
                raise
            now = ()
        providers = tuple(dict.fromkeys((*before, *now)))
        return await scan(replace(request, providers=providers), home, progress)

    return once
