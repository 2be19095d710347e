"""Terraform and OpenTofu: what states hold and what plans would change.

States and plans are files, so there is no SDK: files are opened, and remote states fetched with
the credentials that the other providers find. Nothing runs Terraform, and nothing is kept of a
state but what has gone through `secrets.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from infrascan.collect.provider import Ask, Call, Emit, Selection
from infrascan.model import (
    Connection,
    Gap,
    Identity,
    InputError,
    Kind,
    Partition,
    ReadError,
    Reason,
    Resource,
)
from infrascan.providers.terraform import blobs, fetching
from infrascan.providers.terraform.kinds import KINDS, KINDS_OF
from infrascan.providers.terraform.places import Place, find
from infrascan.providers.terraform.reading import emitted

UNREADABLE = "Run terraform show -json > state.json, or tofu show -json, and name that file."
TORN = "Name a whole state or plan: terraform state pull, or terraform show -json, writes one."


@dataclass(eq=False)
class Terraform:
    """The provider of the states and plans that `selection` names; each is an account."""

    selection: Selection
    name: str = "terraform"
    places: dict[str, dict[str, Any]] = field(default_factory=dict)  # connected, as they were told
    found: dict[str, Place] = field(default_factory=dict)  # on this machine; never told
    documents: dict[str, Any] = field(default_factory=dict)
    locks: dict[str, trio.Lock] = field(default_factory=dict)

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return KINDS

    def permissions(self) -> Mapping[str, Any]:
        """Reading the object that the state is, and nothing else."""
        return {
            "files": "read access to the state and plan files",
            "s3": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["s3:GetObject"],
                        "Resource": ["arn:aws:s3:::BUCKET/KEY", "arn:aws:s3:::BUCKET/KEY.tflock"],
                    },
                    {
                        "Effect": "Allow",
                        "Action": ["s3:ListBucket"],  # or a missing lock looks like a forbidden one
                        "Resource": "arn:aws:s3:::BUCKET",
                    },
                    {
                        "Effect": "Allow",
                        "Action": ["kms:Decrypt"],
                        "Resource": "arn:aws:kms:REGION:ACCOUNT:key/KEY of the bucket, if it has one",
                    },
                ],
            },
            "gcs": {"includedPermissions": ["storage.objects.get", "storage.objects.list"]},
            "azurerm": blobs.RIGHT,
            "http": "GET on the address of the state (TF_HTTP_USERNAME, TF_HTTP_PASSWORD)",
        }

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        """One identity per state or plan. Raises `InputError` for a path that is not there."""
        wanted = self.selection.scopes.get("terraform", ())
        try:
            answer = await ask(self.call("", "local.Places", {"wanted": list(wanted)}))
        except ReadError as error:
            return [unread(error)]
        if answer["problem"]:
            raise InputError(str(answer["problem"]))
        if not answer["places"]:
            return [
                Identity(
                    provider=self.name,
                    state=Connection.NOT_CONFIGURED,
                    detail="no state here: no terraform.tfstate and no backend in .terraform"
                    if not wanted
                    else f"no state and no plan in {', '.join(wanted)}",
                    remedy="run in a configuration's folder, or name a folder, a file or s3://BUCKET/KEY",
                )
            ]
        identities = [self.identity(place) for place in answer["places"]]
        self.places = {
            place["name"]: place
            for place, identity in zip(answer["places"], identities, strict=True)
            if identity.state is Connection.CONNECTED
        }
        return identities

    def identity(self, place: Mapping[str, Any]) -> Identity:
        what = place["form"] if place["backend"] in {"file", "local"} else "state"
        source = f"{what} ({place['backend']})"
        if place.get("problem"):
            return Identity(
                provider=self.name,
                state=Connection.ERROR,
                account=place["name"],
                detail=place["problem"],
                reason=Reason(place["reason"]),
                remedy="name what is to be read",
            )
        problem = fetching.refusal(str(place["backend"]))
        if problem:
            return Identity(
                provider=self.name,
                state=Connection.ERROR,
                source=source,
                account=place["name"],
                detail=problem,
                reason=Reason.OUT_OF_SCOPE,
                remedy="run terraform state pull > NAME.tfstate, and name that file",
            )
        return Identity(
            provider=self.name, state=Connection.CONNECTED, source=source, account=place["name"]
        )

    async def partitions(self, ask: Ask) -> Sequence[Partition]:  # noqa: ARG002
        return [
            Partition(provider=self.name, account=name, region="", kind=kind)
            for name, place in sorted(self.places.items())
            for kind in KINDS_OF[place["form"]]
        ]

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        """Emit what one document says of one kind. Raises `ReadError`."""
        place = self.places[partition.account]
        document = await self.document(partition.account, ask)
        if document["form"] == "encrypted":
            error = ReadError(
                Reason.DENIED,
                "OpenTofu has encrypted this state, and the key is not ours to use",
                call="local.Document"
                if place["backend"] in {"file", "local"}
                else place["backend"],
                permission=UNREADABLE,
            )
            if partition.kind != "terraform.state":
                raise error
            emit(sealed(partition, place, document, error))
            return
        if document["form"] != place["form"]:
            raise ReadError(
                Reason.MALFORMED, f"expected a {place['form']}, and there is a {document['form']}"
            )
        for resource in emitted(partition, place, document):
            emit(resource)

    async def document(self, name: str, ask: Ask) -> dict[str, Any]:
        """The document, asked for once however many of its kinds are read."""
        async with self.locks.setdefault(name, trio.Lock()):
            if name not in self.documents:
                place = self.places[name]
                call = self.call(name, fetching.api_of(place["backend"]), {"place": name})
                try:
                    self.documents[name] = await ask(call)
                except ReadError as error:
                    error.call = error.call or call.api
                    if error.reason is Reason.MALFORMED:
                        error.permission = error.permission or TORN
                    self.documents[name] = error
        found = self.documents[name]
        if isinstance(found, ReadError):
            raise found
        document: dict[str, Any] = found
        return document

    async def send(self, call: Call) -> Any:
        """Answer a call live. What leaves has lost its secrets."""
        if call.api == "local.Places":
            return await trio.to_thread.run_sync(
                self.look, tuple(call.params["wanted"]), abandon_on_cancel=True
            )
        return await fetching.fetch(self.found[call.account])

    def look(self, wanted: tuple[str, ...]) -> dict[str, Any]:
        try:
            found, problem = find(wanted)
        except OSError as error:
            raise ReadError(
                Reason.DENIED, f"the folder cannot be read: {error.strerror}"
            ) from error
        self.found = {place.name: place for place in found}
        return {"problem": problem, "places": [place.told() for place in found]}

    def close(self) -> None:
        """There is nothing to give back."""

    def call(self, account: str, api: str, params: Mapping[str, Any]) -> Call:
        return Call(provider=self.name, account=account, region="", api=api, params=params)


def unread(error: ReadError) -> Identity:
    return Identity(
        provider="terraform",
        state=Connection.ERROR,
        detail=error.detail,
        reason=error.reason,
        remedy="name a folder or file that this user may read",
    )


def sealed(
    partition: Partition,
    place: Mapping[str, Any],
    document: Mapping[str, Any],
    error: ReadError,
) -> Resource:
    """An encrypted state: that it is there, and that the rest of it was not read."""
    resource = Resource(
        kind=partition.kind,
        id=partition.account,
        name=partition.account,
        provider=partition.provider,
        account=partition.account,
        data={
            "encrypted": True,
            "backend": {"type": place["backend"], **place["config"], "locking": place["locking"]},
            "serial": document.get("serial"),
            "lineage": document.get("lineage"),
        },
    )
    for name in ("terraform_version", "outputs", "secrets_count", "resource_count"):
        resource.unread[name] = Gap(
            provider=partition.provider,
            account=partition.account,
            kind=partition.kind,
            call=error.call,
            reason=error.reason,
            detail=error.detail,
            permission=error.permission,
            resource=resource.key,
            field=name,
        )
    return resource
