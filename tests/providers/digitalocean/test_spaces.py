"""Buckets of Spaces: those of every region, and what is said where they cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infrascan.model import Reason
from infrascan.providers.digitalocean import DigitalOcean
from infrascan.providers.digitalocean.spaces import REGIONS
from tests.providers.rest_faults import Outcome
from tests.providers.token_platforms import asking, one_kind
from tests.servers.rest import RestServer
from tests.servers.spaces import ALL, KEY, SECRET, Bucket, Store, error

Open = Callable[[], DigitalOcean]
KIND = "digitalocean.spaces_bucket"
ANYONE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::acme-media/*"}]}  # fmt: skip


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Two buckets of one name in two regions, and the keys for them."""
    found = Store(
        {
            "fra1": {
                "acme-media": Bucket(public=("READ",), policy=ANYONE, origins=(("*", "PUT"),))
            },
            "nyc3": {"acme-media": Bucket(versioned=False, expire=0)},
        }
    )
    monkeypatch.setenv("SPACES_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("SPACES_SECRET_ACCESS_KEY", SECRET)
    # What is AWS's must not count.
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "canary-of-aws")
    with RestServer(found.answer) as server:
        monkeypatch.setenv("SPACES_ENDPOINT_URL", server.url.replace("localhost", "127.0.0.1"))
        found.server = server  # type: ignore[attr-defined]
        yield found


def requests(store: Store) -> list[Any]:
    found: list[Any] = store.server.requests  # type: ignore[attr-defined]
    return found


def buckets(provider: DigitalOcean) -> Outcome:
    try:
        return one_kind(provider, KIND)
    finally:
        provider.buckets.close()


def test_every_region_is_asked(opened: Open, store: Store) -> None:
    outcome = buckets(opened())

    assert outcome.error is None
    by_region = {one.region: one for one in outcome.resources}
    assert by_region.keys() == {"fra1", "nyc3"}
    assert not [one.unread for one in outcome.resources if one.unread]
    media = by_region["fra1"].data
    assert media["host"] == "acme-media.fra1.digitaloceanspaces.com"
    assert media["acl"]["Grants"] == [
        {"Grantee": {"Type": "Group", "URI": ALL}, "Permission": "READ"}
    ]
    assert json.loads(media["policy"]) == ANYONE
    assert media["versioning"] == {"Status": "Enabled"}
    assert media["lifecycle"][0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert media["cors"][0]["AllowedOrigins"] == ["*"]
    other = by_region["nyc3"].data
    assert (other["policy"], other["lifecycle"], other["cors"]) == (None, None, None)
    assert "Status" not in other["versioning"]
    assert sum(request.path == "/" for request in requests(store)) == len(REGIONS)
    assert {request.method for request in requests(store)} == {"GET"}
    assert not [r for r in requests(store) if "x-amz-security-token" in r.headers]


@pytest.mark.parametrize(
    "names",
    [
        ("SPACES_ACCESS_KEY_ID",),
        ("SPACES_ACCESS_KEY_ID", "SPACES_SECRET_ACCESS_KEY"),
    ],
)
def test_without_keys_the_buckets_are_a_gap(
    opened: Open, store: Store, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    for name in names:
        monkeypatch.delenv(name)
    outcome = buckets(opened())
    assert not outcome.resources
    assert outcome.error is not None
    assert outcome.error.reason is Reason.OUT_OF_SCOPE
    assert outcome.error.detail.endswith(f"set {' and '.join(names)}")
    assert not requests(store)


def test_keys_of_one_team_are_not_used_for_two(opened: Open, store: Store) -> None:
    provider = opened()
    provider.accounts["other"] = {}
    outcome = buckets(provider)
    assert outcome.error is not None
    assert outcome.error.reason is Reason.OUT_OF_SCOPE
    assert "2 are read: choose one" in outcome.error.detail


def test_a_region_that_is_denied_hides_no_other(opened: Open, store: Store) -> None:
    store.denied = frozenset({"ams3"})
    outcome = buckets(opened())
    assert len(outcome.resources) == 2
    assert outcome.error is not None
    assert outcome.error.reason is Reason.DENIED
    assert f"1 of {len(REGIONS)} lists failed, the first for ams3" in outcome.error.detail
    assert "full access" in outcome.error.permission


def test_wrong_keys(opened: Open, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACES_ACCESS_KEY_ID", "DO00OTHER")
    outcome = buckets(opened())
    assert outcome.error is not None
    assert outcome.error.reason is Reason.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("query", "field"),
    [("acl", "acl"), ("policy", "policy"), ("versioning", "versioning"), ("lifecycle", "lifecycle"), ("cors", "cors")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "AccessDenied", Reason.DENIED),
        (503, "SlowDown", Reason.THROTTLED),
        (404, "NoSuchBucket", None),
    ],
)
def test_a_detail_that_fails_is_unread(
    opened: Open,
    store: Store,
    query: str,
    field: str,
    status: int,
    code: str,
    reason: Reason | None,
) -> None:
    server = store.server  # type: ignore[attr-defined]
    server.fault = lambda request: error(status, code) if query in request.query else None
    for one in buckets(opened()).resources:
        assert field not in one.data
        assert reason in {None, one.unread[field].reason}


def test_a_recording_gives_the_same(opened: Open, store: Store) -> None:
    kept: list[Any] = []
    provider = opened()
    ask = asking(provider, kept)
    import trio

    from infrascan.model import Partition

    found: list[Any] = []
    place = Partition(provider="digitalocean", account="default", region="", kind=KIND)
    trio.run(provider.read, place, ask, found.append)
    provider.close()
    text = json.dumps(kept)
    assert len(found) == 2
    assert KEY not in text
    assert SECRET not in text
    assert "127.0.0.1" not in text
