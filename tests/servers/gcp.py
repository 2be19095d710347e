"""Google Cloud on loopback: Cloud Asset Inventory over gRPC, the services over REST, tokens.

    with GcpServer(Estate(assets)) as server:
        environment = server.environment(folder)

An estate is a list of assets in the inventory's JSON form. `ListAssets` pages through them; the
services' lists are made of the same assets, in the form that Google documents for them
(`fixtures/gcp/methods.json`). Both give refusals as Google does: a gRPC status with details, a
JSON error with the same details.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

from tests.servers import rest
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

METHODS = Path(__file__).parents[2] / "fixtures" / "gcp" / "methods.json"
LIST = "/google.cloud.asset.v1.AssetService/ListAssets"


@cache
def methods() -> dict[str, Any]:
    """The lists of the services: what is asked, and the form of the answer."""
    found: dict[str, Any] = json.loads(METHODS.read_text(encoding="utf-8"))
    return found


# Which assets a list of a service is made of, where its answer's field does not tell.
LISTED: Mapping[str, tuple[str, ...]] = {
    "GET storage.googleapis.com/storage/v1/b": ("storage.googleapis.com/Bucket",),
    "GET sqladmin.googleapis.com/v1/projects/{project}/instances": (
        "sqladmin.googleapis.com/Instance",
    ),
    "GET iam.googleapis.com/v1/projects/{project}/serviceAccounts": (
        "iam.googleapis.com/ServiceAccount",
    ),
    "GET iam.googleapis.com/v1/projects/{project}/serviceAccounts/{email}/keys": (
        "iam.googleapis.com/ServiceAccountKey",
    ),
    "GET container.googleapis.com/v1/projects/{project}/locations/-/clusters": (
        "container.googleapis.com/Cluster",
    ),
    "GET pubsub.googleapis.com/v1/projects/{project}/topics": ("pubsub.googleapis.com/Topic",),
    "GET dns.googleapis.com/dns/v1/projects/{project}/managedZones": (
        "dns.googleapis.com/ManagedZone",
    ),
    "GET bigquery.googleapis.com/bigquery/v2/projects/{project}/datasets": (
        "bigquery.googleapis.com/Dataset",
    ),
    "GET run.googleapis.com/v1/projects/{project}/locations/-/services": (
        "run.googleapis.com/Service",
    ),
    "GET cloudfunctions.googleapis.com/v1/projects/{project}/locations/-/functions": (
        "cloudfunctions.googleapis.com/CloudFunction",
    ),
}


@dataclass(frozen=True)
class Refusal:
    """A refusal in Google's form: a status and what an ErrorInfo or RetryInfo adds."""

    status: str  # "PERMISSION_DENIED"
    message: str = "refused"
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry: float | None = None
    old: str = ""  # `reason` in the older form of the JSON error


def disabled(service: str, project: str) -> Refusal:
    """What every service answers that is not switched on."""
    return Refusal(
        "PERMISSION_DENIED",
        f"{service} has not been used in project {project} before or it is disabled.",
        "SERVICE_DISABLED",
        {"service": service, "consumer": f"projects/{project}"},
    )


def denied(permission: str, where: str) -> Refusal:
    return Refusal("PERMISSION_DENIED", f"Permission '{permission}' denied on resource '{where}'")


@dataclass
class Estate:
    """What the server has, as plain data."""

    assets: list[dict[str, Any]] = field(default_factory=list)
    records: dict[str, list[Any]] = field(default_factory=dict)  # zone -> record sets
    series: dict[str, list[Any]] = field(default_factory=dict)  # metric type -> time series
    recommendations: dict[str, list[Any]] = field(default_factory=dict)  # recommender -> them
    activity: dict[str, list[Any]] = field(default_factory=dict)  # project -> entries, newest first
    unknown_types: frozenset[str] = frozenset()  # types that the inventory does not list
    off: set[str] = field(default_factory=set)  # hosts of services that are switched off
    unlogged: set[str] = field(default_factory=set)  # projects whose logs are denied
    blind: set[str] = field(default_factory=set)  # scopes whose inventory is denied

    def project(self, name: str) -> dict[str, Any] | None:
        """The project with this id or number."""
        for asset in self.assets:
            data = asset.get("resource", {}).get("data", {})
            if not asset["assetType"].endswith("/Project") or "projectId" not in data:
                continue
            if name in (data["projectId"], str(data.get("projectNumber"))):
                return data
        return None

    def within(self, parent: str) -> list[dict[str, Any]]:
        """The assets of a project, folder or organisation."""
        if parent.startswith("projects/"):
            found = self.project(parent.removeprefix("projects/"))
            parent = f"projects/{found['projectNumber']}" if found else parent
        return [asset for asset in self.assets if parent in asset.get("ancestors", ())]

    def of(self, project: str, *types: str) -> list[dict[str, Any]]:
        return [a for a in self.within(f"projects/{project}") if a["assetType"] in types]


Fault = Callable[[Mapping[str, Any]], Refusal | None]
CONTENTS = ("", "RESOURCE", "IAM_POLICY", "ORG_POLICY")


@dataclass(eq=False)
class GcpServer:
    estate: Estate
    page: int = 1000  # assets of a page at most
    fault: Fault | None = None  # of ListAssets, given its request
    rest_fault: Callable[[Request], Answer | None] | None = None
    endless: bool = False  # the inventory's last page leads back to the first
    listed: list[dict[str, Any]] = field(default_factory=list)  # requests of ListAssets
    tokens: int = 0  # tokens that were given out
    valid: str = ""  # the token that is taken; "" takes any
    grant: Answer | None = None  # what the token endpoint answers instead
    grpc: Any = None
    port: int = 0
    rest: RestServer = field(init=False)

    def __post_init__(self) -> None:
        self.rest = RestServer(self.answer)

    def __enter__(self) -> Self:
        # A command that tests start with fewer rights is forked, which gRPC's threads do not survive.
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
        import grpc

        self.rest.fault = self.rest_fault
        self.rest.__enter__()
        options = [("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]
        self.grpc = grpc.server(ThreadPoolExecutor(64), options=options)
        self.grpc.add_generic_rpc_handlers((self.handler(),))
        self.port = self.grpc.add_insecure_port("localhost:0")
        self.grpc.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.grpc.stop(None)
        self.rest.__exit__(*exc)

    def environment(self, folder: Path) -> dict[str, str]:
        """Credentials and endpoints with which a client reads this server."""
        return {
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.key(folder)),
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
            "NO_GCE_CHECK": "true",
            **self.endpoints(),
        }

    def endpoints(self) -> dict[str, str]:
        calls = methods()
        hosts = {api.partition(" ")[2].partition(".")[0] for api in calls}
        found = {
            f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name.upper()}": f"{self.rest.url}/at-{name}"
            for name in sorted(hosts)
        }
        found["CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDASSET"] = f"localhost:{self.port}"
        return found

    def key(self, folder: Path, **changes: Any) -> Path:
        """A service account's key, made now: its token comes from this server."""
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / "service-account.json"
        content = {
            "type": "service_account",
            "project_id": "acme-analytics",
            "private_key_id": "0" * 40,
            "private_key": private_key(),
            "client_email": "infrascan@acme-analytics.iam.gserviceaccount.com",
            "client_id": "100000000000000000001",
            "token_uri": f"{self.rest.url}/oauth2/token",
            **changes,
        }
        place.write_text(json.dumps(content), encoding="utf-8")
        return place

    # gRPC

    def handler(self) -> Any:
        import grpc
        from google.cloud.asset_v1.types import asset_service

        owner = self

        class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
            def service(self, details: Any) -> Any:
                if details.method != LIST:
                    return None
                return grpc.unary_unary_rpc_method_handler(
                    owner.list_assets,
                    request_deserializer=asset_service.ListAssetsRequest.deserialize,
                    response_serializer=lambda message: message.SerializeToString(
                        deterministic=True
                    ),
                )

        return Handler()

    def list_assets(self, request: Any, context: Any) -> Any:
        asked = {
            "parent": request.parent,
            "types": list(request.asset_types),
            "content": CONTENTS[int(request.content_type)]
            if int(request.content_type) < 3
            else "ORG_POLICY",
            "token": request.page_token,
            "size": request.page_size,
            "metadata": dict(context.invocation_metadata()),
        }
        self.listed.append(asked)
        time.sleep(rest.LATENCY)
        if refusal := self.refused(asked):
            abort(context, refusal)
        found = [
            asset
            for asset in self.estate.within(request.parent)
            if asset["assetType"] in asked["types"] and has(asset, asked["content"])
        ]
        start = int(request.page_token or 0)
        end = start + min(request.page_size or 100, self.page)
        following = str(end) if end < len(found) else ""
        if self.endless and not following:
            following = "0"
        return message(found[start:end], asked["content"], following)

    def refused(self, asked: Mapping[str, Any]) -> Refusal | None:
        token = str(asked["metadata"].get("authorization", ""))
        if not token.startswith("Bearer ") or (self.valid and token != f"Bearer {self.valid}"):
            return Refusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if self.fault and (found := self.fault(asked)):
            return found
        if "cloudasset.googleapis.com" in self.estate.off:
            return disabled("cloudasset.googleapis.com", asked["parent"].rpartition("/")[2])
        name = asked["parent"].removeprefix("projects/")
        lost = asked["parent"].startswith("projects/") and not self.estate.project(name)
        if asked["parent"] in self.estate.blind or lost:
            return denied("cloudasset.assets.listResource", asked["parent"])
        if unknown := self.estate.unknown_types & set(asked["types"]):
            return Refusal("INVALID_ARGUMENT", f"Invalid asset types: {sorted(unknown)}")
        return None

    # REST

    def answer(self, request: Request) -> Answer:
        if request.path == "/oauth2/token":
            self.tokens += 1
            given = {"access_token": self.valid or "ya29.made-up", "expires_in": 3600}
            return self.grant or json_answer({**given, "token_type": "Bearer"})
        service, _, path = request.path.removeprefix("/at-").partition("/")
        host = f"{service}.googleapis.com"
        bearer = request.headers.get("authorization", "")
        if not bearer.startswith("Bearer ") or (self.valid and bearer != f"Bearer {self.valid}"):
            return error(Refusal("UNAUTHENTICATED", "Request had invalid credentials."), 401)
        if host in self.estate.off:
            return error(disabled(host, "acme"), 403)
        for api in methods():
            slots = matched(api, request.method, f"{host}/{path}")
            if slots is not None:
                return self.list(api, slots, request)
        return Answer(404, {"content-type": "text/html"}, b"<!DOCTYPE html><title>404</title>")

    def list(self, api: str, slots: Mapping[str, str], request: Request) -> Answer:
        query, estate = request.query, self.estate
        project = slots.get("project", query.get("project", ""))
        if api.endswith("/projects:search"):
            return json_answer({"projects": self.projects()})
        if api.endswith(("/v3/projects", "/v3/folders")):
            return json_answer(self.children(query["parent"], api.rpartition("/")[2]))
        if api.endswith("/entries:list"):
            asked = request.json
            (project,) = (name.removeprefix("projects/") for name in asked["resourceNames"])
            if f"projects/{project}" in estate.unlogged:
                return error(denied("logging.logEntries.list", f"projects/{project}"), 403)
            return self.paged("entries", estate.activity.get(project, []), asked)
        if "cloudresourcemanager" in api:
            return self.node(project, policy=api.startswith("POST"))
        if not estate.project(project) and project:
            return error(denied("resourcemanager.projects.get", f"projects/{project}"), 403)
        if "/timeSeries" in api:
            found = re.search(r'metric\.type="([^"]+)"', query["filter"])
            return self.paged("timeSeries", estate.series.get(found[1] if found else "", []), query)
        if "/recommenders/" in api:
            held = [
                item
                for item in estate.recommendations.get(slots["recommender"], [])
                if f"/locations/{slots['location']}/" in item["name"]
            ]
            return self.paged("recommendations", held, query)
        if api.endswith("/rrsets"):
            return self.paged("rrsets", estate.records.get(slots["managedZone"], []), query)
        if api.endswith("/locations"):
            return json_answer(
                {"locations": [{"locationId": place} for place in self.places(project)]}
            )
        if api.endswith("/iam") or ":getIamPolicy" in api:
            return self.policy(slots)
        return self.collection(api, slots, project, query)

    def collection(
        self, api: str, slots: Mapping[str, str], project: str, query: Mapping[str, str]
    ) -> Answer:
        """A list, or a single thing, of what the assets of a type hold."""
        from infrascan.providers.gcp.kinds import TABLES

        types = LISTED.get(api) or next(
            (table.types for table in TABLES if table.rest and table.rest.api == api), ()
        )
        found = self.estate.of(project, *types)
        if "email" in slots:
            found = [a for a in found if f"/{slots['email']}/" in a["resource"]["data"]["name"]]
        if "dataset" in slots:
            found = self.estate.of(project, "bigquery.googleapis.com/Dataset")
            wanted = slots["dataset"]
            found = [
                a for a in found if a["resource"]["data"]["datasetReference"]["datasetId"] == wanted
            ]
            return json_answer(found[0]["resource"]["data"])
        if "location" in slots:
            found = [a for a in found if f"/locations/{slots['location']}/" in a["name"]]
        if "ring" in slots:
            found = [a for a in found if f"/keyRings/{slots['ring']}/" in a["name"]]
        if "cluster" in slots:
            found = [a for a in found if f"/clusters/{slots['cluster']}/" in a["name"]]
        held = [asset["resource"]["data"] for asset in found]
        if "/aggregated/" in api:
            return self.aggregated(api.rpartition("/")[2], found)
        if api.endswith(("/v1/projects/{project}", "/billingInfo")):
            return json_answer(held[0]) if held else error(Refusal("NOT_FOUND", "not found"), 404)
        answer = methods()[api]["answer"]
        items = next(
            name for name in answer if name in ("items", api.rpartition("/")[2], "accounts")
        )
        return self.paged(items, held, query)

    def paged(self, items: str, held: list[Any], query: Mapping[str, str]) -> Answer:
        start = int(query.get("pageToken") or 0)
        end = start + self.page
        found: dict[str, Any] = {items: held[start:end]} if held else {}
        if end < len(held):
            found["nextPageToken"] = str(end)
        return json_answer(found)

    def aggregated(self, collection: str, assets: list[dict[str, Any]]) -> Answer:
        empty = {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "no results"}}
        places: dict[str, Any] = {"zones/europe-north1-a": empty, "global": empty}
        for asset in assets:
            found = re.search(r"/((?:zones|regions)/[^/]+)/", asset["name"])
            place = found[1] if found else "global"
            if "warning" in places.get(place, empty):
                places[place] = {collection: []}
            places[place][collection].append(asset["resource"]["data"])
        return json_answer({"items": places})

    def policy(self, slots: Mapping[str, str]) -> Answer:
        name = slots.get("bucket") or slots.get("service") or ""
        for asset in self.estate.assets:
            if asset["name"].endswith(f"/{name}") and "iamPolicy" in asset:
                return json_answer(asset["iamPolicy"])
        return json_answer({"etag": "ACAB"})

    def node(self, name: str, *, policy: bool) -> Answer:
        found = self.estate.project(name)
        if not found:
            return error(denied("resourcemanager.projects.get", f"projects/{name}"), 403)
        if policy:
            for asset in self.estate.assets:
                if asset.get("resource", {}).get("data") is found:
                    return json_answer(asset.get("iamPolicy", {}))
        return json_answer(modern(found))

    def projects(self) -> list[dict[str, Any]]:
        return [
            modern(asset["resource"]["data"])
            for asset in self.estate.assets
            if asset["assetType"].endswith("/Project") and "cloudresourcemanager" in asset["name"]
        ]

    def children(self, parent: str, what: str) -> dict[str, Any]:
        if what == "folders":
            return {}
        return {"projects": [p for p in self.projects() if p["parent"] == parent]}

    def places(self, project: str) -> list[str]:
        found = (
            re.search(r"/locations/([^/]+)/", a["name"])
            for a in self.estate.within(f"projects/{project}")
        )
        return sorted({match[1] for match in found if match})


def modern(project: Mapping[str, Any]) -> dict[str, Any]:
    """A project as version 3 of the resource manager spells it."""
    parent = project.get("parent") or {}
    return {
        "name": f"projects/{project['projectNumber']}",
        "projectId": project["projectId"],
        "displayName": project.get("name", ""),
        "state": project.get("lifecycleState", "ACTIVE"),
        "parent": f"{parent.get('type', 'organization')}s/{parent.get('id', '')}",
        "labels": project.get("labels", {}),
    }


def matched(api: str, method: str, place: str) -> dict[str, str] | None:
    """The slots of an API's spelling filled from a request, or None when it is another."""
    from urllib.parse import unquote

    ours, _, path = api.partition(" ")
    if ours != method:
        return None
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/:]+)", re.escape(path))
    found = re.fullmatch(pattern, unquote(place))
    return found.groupdict() if found else None


def has(asset: Mapping[str, Any], content: str) -> bool:
    parts = {"RESOURCE": "resource", "IAM_POLICY": "iamPolicy", "ORG_POLICY": "orgPolicy"}
    return parts.get(content, "name") in asset


def message(assets: list[dict[str, Any]], content: str, following: str) -> Any:
    """A page as the SDK's own message."""
    from google.cloud.asset_v1.types import asset_service
    from google.protobuf.json_format import ParseDict

    kept = {"RESOURCE": "resource", "IAM_POLICY": "iamPolicy", "ORG_POLICY": "orgPolicy"}[content]
    found = {
        "assets": [
            {k: v for k, v in asset.items() if k in {"name", "assetType", "ancestors", kept}}
            for asset in assets
        ],
        "nextPageToken": following,
    }
    return ParseDict(found, asset_service.ListAssetsResponse.pb()())


def abort(context: Any, refusal: Refusal) -> None:
    """End a call with a status whose details say what Google's do."""
    import grpc
    from google.protobuf import any_pb2, duration_pb2
    from google.rpc import error_details_pb2, status_pb2

    code = getattr(grpc.StatusCode, refusal.status)
    details = []
    if refusal.reason:
        info = error_details_pb2.ErrorInfo(
            reason=refusal.reason, domain="googleapis.com", metadata=refusal.metadata
        )
        details.append(info)
    if refusal.retry is not None:
        delay = duration_pb2.Duration(seconds=int(refusal.retry))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = []
    for detail in details:
        wrapped = any_pb2.Any()
        wrapped.Pack(detail)
        packed.append(wrapped)
    status = status_pb2.Status(code=code.value[0], message=refusal.message, details=packed)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, refusal.message)


def error(refusal: Refusal, status: int) -> Answer:
    """A refusal as the REST APIs give it."""
    details: list[dict[str, Any]] = []
    if refusal.reason:
        details.append(
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": refusal.reason,
                "domain": "googleapis.com",
                "metadata": dict(refusal.metadata),
            }
        )
    if refusal.retry is not None:
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        details.append({"@type": kind, "retryDelay": f"{refusal.retry}s"})
    body: dict[str, Any] = {"code": status, "message": refusal.message, "status": refusal.status}
    if details:
        body["details"] = details
    if refusal.old:
        body.pop("status")
        body["errors"] = [{"message": refusal.message, "domain": "global", "reason": refusal.old}]
    return json_answer({"error": body}, status)


def private_key() -> str:
    """A key of its own for each process: none is kept in the repository."""
    global _key
    if not _key:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        _key = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    return _key


_key = ""
