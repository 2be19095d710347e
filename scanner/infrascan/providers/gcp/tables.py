"""The vocabulary of Google Cloud's tables. Plain data: no I/O.

Most kinds are read from Cloud Asset Inventory, which lists every asset of a project, folder or
organisation in pages of a thousand. An `Asset` names the inventory's types of a kind, and how the
service itself is asked when the inventory is off or denied.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from infrascan.model import Relation
from infrascan.providers.rest.tables import Listing, Paging

PAGED = Paging(param="pageToken", token="nextPageToken")  # noqa: S106 (names of fields)

# The last part of a resource's address, from `projects/` on: with it, the two spellings of a
# self link (www.googleapis.com, compute.googleapis.com) and a full resource name lead to one id.
ADDRESS = r"(projects/.+)$"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric of Cloud Monitoring; `by` is the label that holds what `match` fills to."""

    name: str  # in the resource's data: metrics.<name>
    type: str  # "compute.googleapis.com/instance/cpu/utilization"
    resource: str  # type of the monitored resource: "gce_instance"
    by: str  # label of the series, or "a/b" of two joined: "resource.instance_id"
    match: str  # template from the resource's data
    aligners: tuple[str, ...] = ("ALIGN_MEAN",)  # a call each; values of one day
    reducer: str = "REDUCE_MEAN"
    days: int = 14


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One kind of resource. Without `types` it is only read by `rest`."""

    kind: str
    title: str
    types: tuple[str, ...] = ()  # asset types, "compute.googleapis.com/Instance"
    id: str = ""  # template from the data; "" takes the address in the asset's name
    schema: str = ""  # of its fields: discovery document and schema, "compute:v1:Instance"
    name: tuple[str, ...] = ("{name!base}",)  # paths or templates; the first that holds something
    labels: str = "labels"
    relations: tuple[Relation, ...] = ()
    metrics: tuple[Metric, ...] = ()
    recommenders: tuple[str, ...] = ()  # whose recommendations are about resources of this kind
    rest: Listing | None = None
    policy: bool = True  # whether resources of this kind carry an IAM policy of their own
    adds: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # field -> tree, documented
    leaves: str = ""  # what `rest` leaves out without a word, where that is known
    container: str = ""  # kind without which there are none: then `rest` is not asked
    drop: tuple[str, ...] = ()  # paths that hold secrets
    live: bool = False  # as in `Kind`
    blank: tuple[str, ...] = ()  # maps and lists of variables, whose values may be secrets


def address(
    name: str, path: str, to: str, reverse: str = "", missing: str = "", *, shared: bool = False
) -> Relation:
    """A relation whose key is the address of the target, which names its project.

    `shared` is for targets that other projects use too: their reverse is complete only when all
    projects were read.
    """
    return Relation(
        name=name,
        path=path,
        to=to,
        by="id",
        reverse=reverse,
        within="anywhere" if shared else "account",
        matching=ADDRESS,
        missing=missing,
    )


def account(path: str, reverse: str = "", name: str = "service_account") -> Relation:
    """A relation to the service account whose e-mail address ends what is at the path."""
    return Relation(
        name=name,
        path=path,
        to="gcp.iam.service_account",
        by="email",
        reverse=reverse,
        within="anywhere",
        matching=r"([^/:]+@[^/]+)$",
    )


def key(path: str, reverse: str = "") -> Relation:
    """A relation to the KMS key at the path, which may name a version of it."""
    return Relation(
        name="kms_key",
        path=path,
        to="gcp.cloudkms.crypto_key",
        by="id",
        reverse=reverse,
        within="anywhere",
        matching=r"(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+)",
    )
