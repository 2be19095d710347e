"""Google Cloud: one listing of Cloud Asset Inventory for everything, the services where it is off.

The inventory gives every asset of a project, folder or organisation in pages of a thousand, with
its IAM and organisation policies, so a whole organisation takes fewer calls than one project would
service by service. It is asked with google-cloud-asset over gRPC; Recommender, Monitoring and the
services themselves are asked over REST. `sending` is the only module that calls Google, and it is
imported with the first call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio

from infrascan.collect.provider import Ask, Call, Emit, Selection
from infrascan.model import Connection, Identity, Kind, Partition, ReadError, Reason
from infrascan.providers.gcp import scopes
from infrascan.providers.gcp.inventory import Inventory
from infrascan.providers.gcp.kinds import ASSETS, TABLES, kind, role
from infrascan.providers.gcp.reading import Read
from infrascan.providers.gcp.scopes import Scope

if TYPE_CHECKING:
    from infrascan.providers.gcp.sending import Sender

# Kinds that also stand above projects, at an organisation.
ABOVE = (
    "gcp.cloudresourcemanager.organization",
    "gcp.cloudresourcemanager.folder",
    "gcp.essentialcontacts.contact",
    "gcp.iam.role",
    "gcp.logging.log_bucket",
    "gcp.logging.log_sink",
)
NOWHERE = frozenset(ABOVE[:2])  # and never in one


@dataclass(eq=False)
class Gcp:
    """The projects that the credentials open, or the chosen part of them."""

    selection: Selection
    homes: dict[str, Scope] = field(default_factory=dict)  # by account
    scopes: list[Scope] = field(default_factory=list)
    sender: Sender | None = None
    name: str = "gcp"

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Every kind the tables describe."""
        return {table.kind: kind(table) for table in TABLES}

    def permissions(self) -> dict[str, Any]:
        """The custom role that a whole scan needs, for `gcloud iam roles create`."""
        return role(TABLES)

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """As whom each chosen scope is read; one that cannot be does not hinder the others."""
        local = await ask(Call(provider="gcp", account="", region="", api="local.Credentials"))
        names = scopes.chosen(self.selection.scopes.get("gcp", ()))
        if not local.get("source"):
            remedy = str(local.get("remedy") or "run gcloud auth application-default login")
            detail = "no application default credentials"
            return [
                Identity(
                    provider="gcp",
                    state=Connection.NOT_CONFIGURED,
                    detail=detail,
                    remedy=remedy,
                )
            ]
        if local.get("error"):
            wrong = ReadError(Reason.UNAUTHENTICATED, str(local["error"]))
            return [scopes.failed("", local, wrong)]
        try:
            names = names or await self.default(ask, local)
        except ReadError as error:
            return [scopes.failed("", local, error)]
        if not names:
            blind = ReadError(Reason.DENIED, "the credentials see no project")
            return [scopes.failed("", local, blind)]
        found = {name: Scope(name) for name in names}
        async with trio.open_nursery() as nursery:
            for scope in found.values():
                nursery.start_soon(scopes.explore, ask, scope)
        for scope in found.values():
            await scopes.known(ask, scope)
        self.scopes += [scope for scope in found.values() if scope.closed is None]
        return [scopes.identity(scope, local) for scope in found.values()]

    async def default(self, ask: Ask, local: Mapping[str, Any]) -> list[str]:
        """The project of the credentials, or every project they see. Raises `ReadError`."""
        if project := local.get("project"):
            return [f"projects/{project}"]
        return sorted(f"projects/{found['projectId']}" for found in await scopes.visible(ask))

    async def partitions(self, ask: Ask) -> Sequence[Partition]:  # noqa: ARG002
        """Each kind of each project; those of an organisation, where one is read."""
        found: list[Partition] = []
        for scope in sorted(self.scopes, key=lambda scope: scope.name):
            places = self.places(scope)
            only = scope.projects[0] if scope.name.startswith("projects/") else ""
            if scope.off is None:
                scope.inventory = Inventory(
                    scope.name,
                    scope.accounts,
                    planned=frozenset((place.account, place.kind) for place in places),
                    only=only,
                )
            found += places
        return found

    def places(self, scope: Scope) -> list[Partition]:
        """The partitions of a scope; a project that another scope holds is read there."""
        found: list[Partition] = []
        for project in scope.projects:
            if self.homes.setdefault(project, scope) is scope:
                found += [
                    Partition(provider="gcp", account=project, region="", kind=table.kind)
                    for table in TABLES
                    if table.kind not in NOWHERE
                ]
        above = [] if scope.name.startswith("projects/") or scope.off else scope.above
        for organization in above:
            if self.homes.setdefault(organization, scope) is scope:
                found += [
                    Partition(provider="gcp", account=organization, region="", kind=name)
                    for name in ABOVE
                ]
        return found

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        """Read one kind of one project."""
        scope = self.homes.get(partition.account)
        if scope is None or partition.kind not in ASSETS:
            raise ReadError(
                Reason.UNAUTHENTICATED, f"the credentials do not open {partition.account}"
            )
        await Read(partition, scope, ask, emit, self.selection.observed).run()

    async def send(self, call: Call) -> Any:
        """Make one call, live."""
        from infrascan.providers.gcp import sending

        if self.sender is None:
            self.sender = sending.Sender()
        if call.api == "local.Credentials":
            return await trio.to_thread.run_sync(self.sender.credentials.describe)
        return await self.sender.send(call)

    def close(self) -> None:
        """Give back the connections."""
        if self.sender:
            self.sender.close()
