"""What a provider is to the engine: partitions to read, and one method that does I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from infrascan.model import Identity, Kind, Partition, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to an API, as plain data: it can be recorded, replayed and counted.

    `api` is the vendor's name of the operation: "s3.GetBucketAcl", "GET /api/v1/pods".
    `params` are JSON values; a page token is one of them, so each page is a call of its own.
    `family` groups calls that share a quota; "" means the part of `api` before the dot.
    """

    provider: str
    account: str  # what selects the credentials: AWS profile, kubeconfig context
    region: str
    api: str
    params: Mapping[str, Any] = field(default_factory=dict)
    family: str = ""

    @property
    def quota(self) -> tuple[str, str, str, str]:
        """The limit this call counts against: (provider, account, region, family)."""
        family = self.family or self.api.partition(".")[0]
        return (self.provider, self.account, self.region, family)

    @property
    def digest(self) -> str:
        """Names the call in a recording; equal calls have equal digests."""
        text = json.dumps(
            [self.provider, self.account, self.region, self.api, self.params], sort_keys=True
        )
        return hashlib.sha256(text.encode()).hexdigest()[:24]


Ask: TypeAlias = Callable[[Call], Awaitable[Any]]
"""Makes a call and returns its answer as JSON values. Raises `ReadError`.

It paces, retries, bounds by a deadline, counts, records or replays. Providers ask; they never
retry by themselves.
"""

Emit: TypeAlias = Callable[[Resource], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user chose to read; every provider takes it and `observed` to be built.

    `provider = Class(selection)`. Empty tuples mean the provider's own default.
    """

    observed: datetime  # aware, UTC: "now" for metrics windows; the recording's time on replay
    profiles: tuple[str, ...] = ()  # AWS
    regions: tuple[str, ...] = ()  # AWS
    contexts: tuple[str, ...] = ()  # Kubernetes; ("all",) for each context of the kubeconfig
    # provider -> which parts of it, in its own words: {"gcp": ("projects/shop-prod",)}
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    secrets: bool = False  # Kubernetes: also list Secrets, by name and type


class Provider(Protocol):
    """A platform whose resources can be read. Building one does no I/O.

    Every fact from outside comes through `ask`, local ones too: which profiles or contexts there
    are is the answer to a `Call` whose api starts with "local." ("local.Profiles"). So a replay
    needs no credentials, no kubeconfig and no special case. Local calls are neither limited nor
    retried. `InputError` for a name that does not exist may come from `connect`.
    """

    @property
    def name(self) -> str: ...

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Every kind this provider can read, from its tables; needs no credentials."""
        ...

    def permissions(self) -> Mapping[str, Any]:
        """The least privilege that reading needs, in the platform's own form (IAM policy, role)."""
        ...

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """As whom each account is read. Failures are identities too; raises nothing expected."""
        ...

    async def partitions(self, ask: Ask) -> Sequence[Partition]:
        """What there is to read, after `connect`. Raises `ReadError` when nothing can be."""
        ...

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        """Read one partition. Raises `ReadError` when its list call fails.

        A detail that fails is put in the resource's `unread`; the resource is emitted all the
        same. What was emitted before an error counts: the partition is then partial.
        """
        ...

    async def send(self, call: Call) -> Any:
        """Make one call, live. The only method that touches the SDK.

        Translates the SDK's errors to `ReadError`, drops secrets from the answer, and returns
        JSON values. Everything slow runs in a thread.
        """
        ...

    def close(self) -> None:
        """Give back sockets and threads; never raises, never waits."""
        ...
