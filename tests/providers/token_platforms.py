"""Connecting and reading a platform of one token directly: each call is sent once, nothing retried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import trio

from infrascan import redact
from infrascan.collect.provider import Call
from infrascan.model import Identity, ReadError, Resource
from infrascan.providers.rest.contexts import Contexts
from tests.providers.rest_faults import Outcome, read


def asking(provider: Contexts, kept: list[Any] | None = None) -> Any:
    """The `Ask` that scrubs as the engine does, and keeps the answers."""

    async def ask(call: Call) -> Any:
        try:
            answer = redact.scrub(await provider.send(call))
        except ReadError as error:
            error.call = error.call or call.api
            raise
        if kept is not None:
            kept.append(answer)
        return answer

    return ask


def connect(provider: Contexts, kept: list[Any] | None = None) -> Sequence[Identity]:
    async def run() -> Sequence[Identity]:
        found = await provider.connect(asking(provider, kept))
        for client in provider.clients.values():
            client.close()
        return found

    return trio.run(run)


def everything(provider: Contexts) -> tuple[list[Resource], list[ReadError]]:
    """All resources of all kinds, and what failed."""
    found: list[Resource] = []
    errors: list[ReadError] = []
    for listing in provider.tables:
        outcome = one_kind(provider, listing.kind)
        found += outcome.resources
        errors += [outcome.error] if outcome.error else []
    return found, errors


def one_kind(provider: Contexts, kind: str) -> Outcome:
    outcome = Outcome()
    trio.run(read, provider, kind, outcome)
    return outcome
