"""Reading an estate with the real provider, with or without the engine's patience."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import trio
import trio.testing
from fixtures.estates import cloudflare_acme
from fixtures.estates.cloudflare_acme import A
from fixtures.estates.cloudflare_acme_zones import SHOP

from infrascan import redact
from infrascan.collect.provider import Call, Selection
from infrascan.model import Identity, Partition, ReadError, Resource
from infrascan.providers.cloudflare import Cloudflare
from tests.servers.cloudflare import Estate

OBSERVED = datetime(2026, 11, 20, 6, tzinfo=UTC)


def provider(*scopes: str) -> Cloudflare:
    return Cloudflare(Selection(observed=OBSERVED, scopes={"cloudflare": scopes}))


def everything() -> Estate:
    """acme without its gaps, and with something behind each call of the tables."""
    found = cloudflare_acme.estate()
    found.refusals = {path: one for path, one in found.refusals.items() if path.endswith("/cors")}
    phase = "http_request_firewall_managed"
    one = {"id": "aa", "name": "root", "kind": "root", "phase": phase, "version": "1"}
    found.put(f"{A}/rulesets", [one, {**one, "id": "bb", "kind": "managed"}])
    found.put(f"{A}/rulesets/aa", {**one, "rules": [{"id": "r", "enabled": True}]})
    limits = {"id": "cc", "kind": "zone", "phase": "http_ratelimit", "name": "default"}
    found.results[f"/zones/{SHOP}/rulesets"].append(limits)
    found.put(f"/zones/{SHOP}/rulesets/cc", {**limits, "rules": []})
    for zone in found.results["/zones"]:
        found.put(f"/zones/{zone['id']}/acm/total_tls", {"enabled": False})
    found.put(f"{A}/registrar/domains", [{"id": "d1", "name": "acme-shop.com", "locked": True, "auto_renew": True, "expires_at": "2027-08-01T00:00:00Z", "registrant_contact": {"email": "maria@acme.example"}}])  # fmt: skip
    return found


@dataclass
class Read:
    identities: Sequence[Identity] = ()
    partitions: Sequence[Partition] = ()
    resources: list[Resource] = field(default_factory=list)
    errors: dict[str, ReadError] = field(default_factory=dict)  # by kind
    answers: dict[str, Any] = field(default_factory=dict)  # by digest: a recording

    def of(self, kind: str) -> list[Resource]:
        return [one for one in self.resources if one.kind == kind]

    def one(self, kind: str, name: str) -> Resource:
        return next(one for one in self.of(kind) if one.name == name)


def read(
    found: Cloudflare, kinds: Sequence[str] = (), answers: dict[str, Any] | None = None
) -> Read:
    """Connect and read, each call once; from `answers` alone when they are given."""
    outcome = Read()

    async def ask(call: Call) -> Any:
        if answers is not None:
            answer = answers[call.digest]
            if isinstance(answer, ReadError):
                raise answer
            return answer
        try:
            outcome.answers[call.digest] = redact.scrub(await found.send(call))
        except ReadError as error:
            error.call = error.call or call.api
            outcome.answers[call.digest] = error
            raise
        return outcome.answers[call.digest]

    async def run() -> None:
        outcome.identities = await found.connect(ask)
        outcome.partitions = await found.partitions(ask)
        for partition in outcome.partitions:
            if kinds and partition.kind not in kinds:
                continue
            try:
                await found.read(partition, ask, outcome.resources.append)
            except ReadError as error:
                outcome.errors[partition.kind] = error

    async def run_and_close() -> None:
        try:
            await run()
        finally:
            found.close()

    trio.run(run_and_close)
    return outcome


def ran(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run with a clock that does not wait."""
    return trio.run(work, clock=trio.testing.MockClock(autojump_threshold=0.05))
