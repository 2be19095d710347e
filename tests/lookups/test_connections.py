"""Connections that stay open give each question what one made for it alone would give."""

from __future__ import annotations

import pytest
import trio

from infrascan.lookups.connections import Connections
from infrascan.pipeline import DEMO, Request, look
from infrascan.shipped import shipped

ACME = Request(replay=shipped("estates") / DEMO)
ASKED = (
    ("k8s.cluster", "aws.eks.cluster", "gcp.container.cluster"),
    ("gcp.storage.bucket", "aws.s3.bucket", "azure.storage.storage_account"),
    ("github.repository", "github.workflow"),
    ("gcp.compute.instance", "hetzner.server", "digitalocean.droplet"),
    ("terraform.resource", "terraform.state"),
    ("cloudflare.zone", "cloudflare.dns.record"),
    ("gcp.iam.service_account", "terraform.state", "github.webhook"),
    ("docker.container", "azure.compute.virtual_machine"),
)


def test_looks_at_once_see_what_each_sees_alone():
    async def all_at_once() -> dict[tuple[str, ...], list[str]]:
        connections = Connections(ACME)
        found: dict[tuple[str, ...], list[str]] = {}

        async def one(kinds: tuple[str, ...]) -> None:
            for _ in range(2):  # the second time over what the first had opened
                seen = await connections.look(ACME, kinds)
            found[kinds] = [*map(str, seen.gaps), *(r.key for r in seen.resources)]

        async with trio.open_nursery() as nursery:
            for kinds in ASKED:
                nursery.start_soon(one, kinds)
        connections.close()
        return found

    async def alone() -> dict[tuple[str, ...], list[str]]:
        scans = {kinds: await look(ACME, kinds) for kinds in ASKED}
        return {k: [*map(str, s.gaps), *(r.key for r in s.resources)] for k, s in scans.items()}

    expected = trio.run(alone)
    assert all(any("/" in line for line in lines) for lines in expected.values())
    assert trio.run(all_at_once) == expected


@pytest.mark.parametrize("kinds", ASKED)
def test_reading_again_over_what_is_open_sees_the_same(kinds: tuple[str, ...]):
    """As with a network: nothing is remembered of what was read."""

    async def several() -> list[list[str]]:
        connections = Connections(ACME)
        found: list[list[str]] = []

        async def one() -> None:
            seen = await connections.seen(ACME, kinds, 60, await connections.replay())
            found.append([*map(str, seen.gaps), *(r.key for r in seen.resources)])

        await one()
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(one)
        connections.close()
        return found

    first, *others = trio.run(several)
    assert first
    assert others == [first] * 3


def test_what_one_asker_does_to_its_resources_no_other_sees():
    async def twice() -> tuple[list[str], list[str]]:
        connections = Connections(ACME)
        first = await connections.look(ACME, ASKED[0])
        before = [resource.key for resource in first.resources]
        for resource in first.resources:
            resource.data.clear()
            resource.id = "gone"
        second = await connections.look(ACME, ASKED[0])
        connections.close()
        assert all(resource.data for resource in second.resources)
        return before, [resource.key for resource in second.resources]

    before, after = trio.run(twice)
    assert before == after
