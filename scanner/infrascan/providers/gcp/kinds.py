"""From the tables: kinds, the paths that their data can have, and the permissions of a scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infrascan.model import Kind
from infrascan.providers.gcp import (
    balancing,
    caching,
    computing,
    identity,
    networking,
    overseeing,
    running,
    storing,
    trailing,
)
from infrascan.providers.gcp.tables import Asset
from infrascan.providers.rest.kinds import calls as services
from infrascan.providers.rest.kinds import trees

FIELDS = Path(__file__).with_name("fields.json.gz")

TABLES: tuple[Asset, ...] = (
    *overseeing.TABLES,
    *identity.TABLES,
    *computing.TABLES,
    *networking.TABLES,
    *balancing.TABLES,
    *storing.TABLES,
    *caching.TABLES,
    *running.TABLES,
    *trailing.TABLES,
)
ASSETS: Mapping[str, Asset] = {table.kind: table for table in TABLES}
BY_TYPE: Mapping[str, str] = {name: table.kind for table in TABLES for name in table.types}
# The nodes of the hierarchy: only they carry organisation policies.
NODES = tuple(f"gcp.cloudresourcemanager.{noun}" for noun in ("organization", "folder", "project"))

LIST = "cloudasset.assets.listResource"
POLICY = "cloudasset.assets.listIamPolicy"
ORG_POLICY = "cloudasset.assets.listOrgPolicy"
SERIES = "monitoring.timeSeries.list"
INVENTORY = "cloudasset.ListAssets"
TIME_SERIES = "GET monitoring.googleapis.com/v3/projects/{project}/timeSeries"
RECOMMENDATIONS = (
    "GET recommender.googleapis.com/v1/projects/{project}/locations/{location}"
    "/recommenders/{recommender}/recommendations"
)
STATISTICS = ("average", "maximum", "minimum", "sum", "first", "last", "growth", "days")


class Tree(Mapping[str, Any]):
    """The field tree of a kind, made when it is first looked into: only rule checks need it."""

    __slots__ = ("_paths", "asset")

    def __init__(self, asset: Asset) -> None:
        self.asset = asset
        self._paths: dict[str, Any] | None = None

    @property
    def paths(self) -> dict[str, Any]:
        if self._paths is None:
            self._paths = paths(self.asset)
        return self._paths

    def __getitem__(self, name: str) -> Any:
        return self.paths[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def paths(asset: Asset) -> dict[str, Any]:
    """What the data of a kind can hold: the API's own fields, then those that we add."""
    own = trees(FIELDS)
    found = {**(own.get(asset.kind) or {}), **asset.adds}
    if asset.rest:
        found |= {name: {} for name in asset.rest.adds}
    if "tags" in found:
        found["own_tags"] = found["tags"]
    found |= {"ancestors": {"[]": {}}, "tags": {"*": {}}}
    if asset.policy:
        found["iam_policy"] = own[""]["iam_policy"]
    if asset.kind in NODES:
        found["org_policies"] = {"*": own[""]["org_policy"]}
        found["iam_members"] = {"[]": {"member": {}, "roles": {"[]": {}}}}
    if asset.metrics:
        summary: dict[str, Any] = {name: {} for name in (*STATISTICS, "datapoints")}
        found["metrics"] = {metric.name: summary for metric in asset.metrics}
    if asset.recommenders:
        found["recommendations"] = {"[]": own[""]["recommendation"]}
    for relation in asset.relations:
        if relation.missing:
            found[relation.missing] = {"[]": {}}
    return found


def kind(asset: Asset) -> Kind:
    """What the rest of infrascan sees of a table."""
    return Kind(
        name=asset.kind,
        title=asset.title,
        provider="gcp",
        relations=asset.relations,
        permissions=dict(permissions(asset)),
        calls=calls(asset),
        fields=Tree(asset),
        live=asset.live,
    )


def permissions(asset: Asset) -> Iterator[tuple[str, str]]:
    """Pairs of field and permission; the field of the list call is ""."""
    if asset.types:
        yield "", LIST
    elif asset.rest:
        yield "", asset.rest.permission
    if asset.policy:
        yield "iam_policy", POLICY
    if asset.kind in NODES:
        yield "org_policies", ORG_POLICY
    if asset.metrics:
        yield "metrics", SERIES
    if asset.recommenders:
        yield "recommendations", recommending(asset.recommenders[0])


def calls(asset: Asset) -> dict[str, str]:
    """Field -> operation that gives it; "" has the list call. The inventory is asked first, and
    the service itself where that is off or denied: a scan does not note which of them answered."""
    found: dict[str, str] = {}
    if asset.rest:
        found = services(asset.rest)
    if asset.types:
        found[""] = " or ".join(filter(None, (INVENTORY, found.get(""))))
    if asset.policy:
        found["iam_policy"] = " or ".join(filter(None, (INVENTORY, found.get("iam_policy"))))
    if asset.kind in NODES:
        found["org_policies"] = INVENTORY
    if asset.metrics:
        found["metrics"] = TIME_SERIES
    if asset.recommenders:
        found["recommendations"] = RECOMMENDATIONS
    return found


def recommending(recommender: str) -> str:
    """The permission to list a recommender's recommendations."""
    words = recommender.removeprefix("google.").split(".")
    words[-1] = words[-1].removesuffix("Recommender")
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return f"recommender.{joined[:1].lower()}{joined[1:]}Recommendations.list"


def needed(assets: Sequence[Asset]) -> list[str]:
    """Every permission that reading these tables takes, sorted."""
    found = {
        "cloudasset.assets.listIamPolicy",
        "cloudasset.assets.listOrgPolicy",
        "cloudasset.assets.listResource",
        "resourcemanager.projects.get",
        "serviceusage.services.use",
    }
    for asset in assets:
        found |= {permission for _, permission in permissions(asset)}
        found |= {recommending(name) for name in asset.recommenders}
        if asset.rest:
            calls = (asset.rest, *asset.rest.parents, *asset.rest.details)
            found |= {call.permission for call in calls}
    return sorted(found - {""})


def role(assets: Sequence[Asset]) -> dict[str, Any]:
    """The custom role with these permissions: `gcloud iam roles create infrascan --file`."""
    return {
        "title": "infrascan",
        "description": "Reads configuration, metrics and recommendations; changes nothing",
        "stage": "GA",
        "includedPermissions": needed(assets),
    }
