"""A small estate with something of every kind that a call leads to, and reading it directly."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrascan import redact
from infrascan.collect.provider import Call, Selection
from infrascan.model import Identity, Partition, ReadError, Resource
from infrascan.providers.gcp import Gcp
from tests.servers.gcp import Estate

OBSERVED = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
RECORDED = Path(__file__).parents[3] / "fixtures" / "gcp" / "assets.jsonl"
PROJECT, NUMBER = "acme-analytics", "200000000001"
ORGANIZATION = "organizations/123456789012"
PLACE = f"projects/{PROJECT}"


def asset(
    kind: str,
    name: str,
    data: dict[str, Any],
    *,
    location: str = "",
    number: str = NUMBER,
    **more: Any,
) -> dict[str, Any]:
    """An asset of a project, in the inventory's JSON form."""
    resource: dict[str, Any] = {"version": "v1", "data": data}
    if location:
        resource["location"] = location
    return {
        "name": name,
        "assetType": kind,
        "ancestors": [f"projects/{number}", ORGANIZATION],
        "resource": resource,
        **more,
    }


def project(name: str, number: str, **more: Any) -> dict[str, Any]:
    return asset(
        "cloudresourcemanager.googleapis.com/Project",
        f"//cloudresourcemanager.googleapis.com/projects/{number}",
        {
            "projectId": name,
            "projectNumber": number,
            "name": name,
            "lifecycleState": "ACTIVE",
            "parent": {"type": "organization", "id": "123456789012"},
            "labels": {"team": "data"},
        },
        number=number,
        **more,
    )


def compute(kind: str, place: str, collection: str, name: str, **data: Any) -> dict[str, Any]:
    where = f"{PLACE}/{place}/{collection}/{name}"
    link = f"https://www.googleapis.com/compute/v1/{where}"
    held = {"name": name, "selfLink": link, **data}
    if place.startswith("zones/"):
        held["zone"] = f"https://www.googleapis.com/compute/v1/{PLACE}/{place}"
    return asset(
        f"compute.googleapis.com/{kind}",
        f"//compute.googleapis.com/{where}",
        held,
        location=place.rpartition("/")[2],
    )


def instance(name: str = "web-1", number: str = "5001", **data: Any) -> dict[str, Any]:
    return compute(
        "Instance",
        "zones/europe-west1-b",
        "instances",
        name,
        **{
            "id": number,
            "status": "RUNNING",
            "labels": {"app": "web"},
            "tags": {"items": ["web"], "fingerprint": "x"},
            "networkInterfaces": [
                {
                    "network": f"https://www.googleapis.com/compute/v1/{PLACE}/global/networks/main",
                    "accessConfigs": [{"natIP": "203.0.113.10"}],
                }
            ],
            "disks": [
                {
                    "source": f"https://compute.googleapis.com/compute/v1/{PLACE}/zones/europe-west1-b/disks/{name}"
                }
            ],
            "serviceAccounts": [{"email": f"app@{PROJECT}.iam.gserviceaccount.com"}],
            "metadata": {
                "items": [
                    {"key": "enable-oslogin", "value": "TRUE"},
                    {"key": "startup-script", "value": "mysql -pcanary-script"},
                ]
            },
            **data,
        },
    )


def policy(*members: str, role: str = "roles/viewer") -> dict[str, Any]:
    return {"bindings": [{"role": role, "members": [*members]}], "etag": "BwU="}


def everything() -> Estate:
    """The estate; a new one each time."""
    email = f"app@{PROJECT}.iam.gserviceaccount.com"
    ring = f"{PLACE}/locations/europe-west1/keyRings/main"
    cluster = f"{PLACE}/locations/europe-west1/clusters/batch"
    assets = [
        project(
            PROJECT,
            NUMBER,
            iamPolicy=policy("user:ada@acme.example", role="roles/owner"),
            orgPolicy=[
                {
                    "constraint": "constraints/compute.requireOsLogin",
                    "booleanPolicy": {"enforced": True},
                }
            ],
        ),
        instance(),
        compute("Disk", "zones/europe-west1-b", "disks", "web-1", sizeGb="10"),
        compute("Network", "global", "networks", "main"),
        compute(
            "Firewall",
            "global",
            "firewalls",
            "ssh",
            network=f"https://www.googleapis.com/compute/v1/{PLACE}/global/networks/main",
            targetTags=["web"],
            allowed=[{"IPProtocol": "tcp", "ports": ["22", "8000-9000"]}, {"IPProtocol": "icmp"}],
        ),
        compute("Snapshot", "global", "snapshots", "old", sourceDisk=f"{PLACE}/zones/x/disks/gone"),
        asset(
            "compute.googleapis.com/Project",
            f"//compute.googleapis.com/{PLACE}",
            {
                "name": PROJECT,
                "commonInstanceMetadata": {"items": [{"key": "k", "value": "canary"}]},
            },
        ),
        asset(
            "storage.googleapis.com/Bucket",
            "//storage.googleapis.com/acme-exports",
            {"name": "acme-exports", "location": "EUROPE-WEST1"},
            location="europe-west1",
            iamPolicy=policy("allUsers", role="roles/storage.objectViewer"),
        ),
        asset(
            "sqladmin.googleapis.com/Instance",
            f"//cloudsql.googleapis.com/{PLACE}/instances/reports",
            {
                "name": "reports",
                "project": PROJECT,
                "region": "europe-west1",
                "rootPassword": "canary-root",
                "settings": {"userLabels": {"team": "data"}},
            },
            location="europe-west1",
        ),
        asset(
            "iam.googleapis.com/ServiceAccount",
            f"//iam.googleapis.com/{PLACE}/serviceAccounts/1001",
            {"name": f"{PLACE}/serviceAccounts/{email}", "email": email, "uniqueId": "1001"},
        ),
        asset(
            "iam.googleapis.com/ServiceAccountKey",
            f"//iam.googleapis.com/{PLACE}/serviceAccounts/1001/keys/aa",
            {"name": f"{PLACE}/serviceAccounts/{email}/keys/aa", "keyType": "USER_MANAGED"},
        ),
        asset(
            "container.googleapis.com/Cluster",
            f"//container.googleapis.com/{cluster}",
            {
                "name": "batch",
                "location": "europe-west1",
                "masterAuth": {"password": "canary-gke", "clientKey": "canary-gke"},
            },
            location="europe-west1",
        ),
        asset(
            "container.googleapis.com/NodePool",
            f"//container.googleapis.com/{cluster}/nodePools/small",
            {"name": "small", "config": {"metadata": {"token": "canary-node"}}},
            location="europe-west1",
        ),
        asset(
            "run.googleapis.com/Service",
            f"//run.googleapis.com/{PLACE}/locations/europe-west1/services/api",
            {
                "metadata": {
                    "name": "api",
                    "labels": {"cloud.googleapis.com/location": "europe-west1"},
                },
                "spec": {
                    "template": {
                        "spec": {"containers": [{"env": [{"name": "DB", "value": "canary-run"}]}]}
                    }
                },
            },
            location="europe-west1",
            iamPolicy=policy("allUsers", role="roles/run.invoker"),
        ),
        asset(
            "cloudfunctions.googleapis.com/CloudFunction",
            f"//cloudfunctions.googleapis.com/{PLACE}/locations/europe-west1/functions/load",
            {
                "name": f"{PLACE}/locations/europe-west1/functions/load",
                "environmentVariables": {"API_KEY": "canary-function"},
            },
            location="europe-west1",
        ),
        asset(
            "bigquery.googleapis.com/Dataset",
            f"//bigquery.googleapis.com/{PLACE}/datasets/sales",
            {"datasetReference": {"projectId": PROJECT, "datasetId": "sales"}, "location": "EU"},
            location="eu",
        ),
        asset(
            "bigquery.googleapis.com/Table",
            f"//bigquery.googleapis.com/{PLACE}/datasets/sales/tables/orders",
            {"tableReference": {"projectId": PROJECT, "datasetId": "sales", "tableId": "orders"}},
            location="eu",
        ),
        asset(
            "pubsub.googleapis.com/Topic",
            f"//pubsub.googleapis.com/{PLACE}/topics/orders",
            {"name": f"{PLACE}/topics/orders"},
        ),
        asset(
            "cloudkms.googleapis.com/KeyRing",
            f"//cloudkms.googleapis.com/{ring}",
            {"name": ring},
            location="europe-west1",
        ),
        asset(
            "cloudkms.googleapis.com/CryptoKey",
            f"//cloudkms.googleapis.com/{ring}/cryptoKeys/data",
            {"name": f"{ring}/cryptoKeys/data"},
            location="europe-west1",
        ),
        asset(
            "dns.googleapis.com/ManagedZone",
            f"//dns.googleapis.com/{PLACE}/managedZones/acme",
            {"name": "acme", "dnsName": "acme.example.", "visibility": "public"},
        ),
        asset(
            "artifactregistry.googleapis.com/Repository",
            f"//artifactregistry.googleapis.com/{PLACE}/locations/europe-west1/repositories/apps",
            {"name": f"{PLACE}/locations/europe-west1/repositories/apps"},
            location="europe-west1",
        ),
        asset(
            "cloudbilling.googleapis.com/ProjectBillingInfo",
            f"//cloudbilling.googleapis.com/{PLACE}/billingInfo",
            {"name": f"{PLACE}/billingInfo", "projectId": PROJECT, "billingEnabled": True},
        ),
    ]
    series = {
        "compute.googleapis.com/instance/cpu/utilization": [
            {
                "resource": {"labels": {"instance_id": "5001"}},
                "points": [{"value": {"doubleValue": 0.04}}, {"value": {"doubleValue": 0.02}}],
            }
        ],
        "storage.googleapis.com/storage/total_bytes": [
            {
                "resource": {"labels": {"bucket_name": "acme-exports"}},
                "points": [{"value": {"int64Value": "1000"}}],
            }
        ],
    }
    idle = "google.compute.instance.IdleResourceRecommender"
    return Estate(
        assets=copy.deepcopy(assets),
        records={"acme": [{"name": "www.acme.example.", "type": "A", "rrdatas": ["203.0.113.10"]}]},
        series=series,
        recommendations={
            idle: [
                {
                    "name": f"projects/{NUMBER}/locations/europe-west1-b/recommenders/{idle}/recommendations/r1",
                    "recommenderSubtype": "STOP_VM",
                    "stateInfo": {"state": "ACTIVE"},
                    "targetResources": [
                        f"//compute.googleapis.com/projects/{NUMBER}/zones/europe-west1-b/instances/web-1"
                    ],
                }
            ]
        },
    )


def recorded() -> Estate:
    """Assets that were recorded, in a project of their own."""
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    number = found[0]["ancestors"][0].removeprefix("projects/")
    held = project("recorded", number)
    held["ancestors"] = found[0]["ancestors"]
    others = [
        a
        for a in found
        if not a["assetType"].endswith("manager.googleapis.com/Project")
        and a["resource"]["data"]  # some were recorded ahead of their making, without any
    ]
    return Estate(assets=[held, *others])


class Reader:
    """One provider; each call is sent once, nothing is retried."""

    def __init__(self, *scopes: str) -> None:
        self.gcp = Gcp(Selection(observed=OBSERVED, scopes={"gcp": scopes}))
        self.calls: list[Call] = []
        self.answers: list[Any] = []

    async def ask(self, call: Call) -> Any:
        self.calls.append(call)
        try:
            answer = redact.scrub(await self.gcp.send(call))
        except ReadError as error:
            error.call = error.call or call.api
            raise
        self.answers.append(answer)
        return answer

    async def ask_local(self) -> Any:
        return await self.ask(Call(provider="gcp", account="", region="", api="local.Credentials"))

    async def connect(self) -> list[Identity]:
        try:
            return [*await self.gcp.connect(self.ask)]
        finally:
            await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connections, which outside of tests the end of the process does."""
        for client in self.gcp.sender.clients.values() if self.gcp.sender else ():
            if client.opened:
                await client.opened.aclose()
                client.opened = None

    async def all(self) -> tuple[list[Resource], dict[str, ReadError]]:
        """Everything there is, and the error of each place that had one."""
        await self.connect()
        found: list[Resource] = []
        errors: dict[str, ReadError] = {}
        for partition in await self.gcp.partitions(self.ask):
            try:
                await self.gcp.read(partition, self.ask, found.append)
            except ReadError as error:
                errors[partition.place] = error
        await self.hang_up()
        self.gcp.close()
        return found, errors

    async def kind(
        self, name: str, account: str = PROJECT
    ) -> tuple[list[Resource], ReadError | None]:
        await self.connect()
        await self.gcp.partitions(self.ask)
        found: list[Resource] = []
        place = Partition(provider="gcp", account=account, region="", kind=name)
        try:
            await self.gcp.read(place, self.ask, found.append)
        except ReadError as error:
            return found, error
        finally:
            await self.hang_up()
            self.gcp.close()
        return found, None
