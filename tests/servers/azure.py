"""Azure on loopback: sign-in, Resource Graph and Resource Manager, out of plain data.

    with AzureServer(estate) as server:
        server.environment()  # the variables that lead the real provider here

An `Estate` is subscriptions, resources (items of Resource Manager, by id) and parts: what lies at
a path below them. A part that is not given is what a new resource has: an empty list, or the
answer in `NEW`. Resource Graph is a small interpreter for the two queries that are sent to it.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

TENANT = "7d3f6c1e-0000-4000-8000-00000000ac3e"
CLIENT = "c11e47aa-0000-4000-8000-00000000ac3e"
SECRET = "loopback-client-secret"  # of nothing
TYPES = re.compile(r"resources \| where type in~ \(([^)]*)\) \| (.*)")
COUNT = "summarize rows = count() by subscriptionId | order by subscriptionId asc"
PROJECT = re.compile(r"project ([\w, ]+) \| order by id asc")
# What Resource Manager says of a part that nobody has configured.
NEW: Mapping[str, Mapping[str, Any]] = {
    "blobservices/default": {"properties": {"deleteRetentionPolicy": {"enabled": False}}},
    "fileservices/default": {"properties": {"shareDeleteRetentionPolicy": {"enabled": False}}},
    "auditingsettings/default": {"properties": {"state": "Disabled", "retentionDays": 0}},
    "securityalertpolicies/default": {"properties": {"state": "Disabled"}},
    "encryptionprotector/current": {"properties": {"serverKeyType": "ServiceManaged"}},
    "transparentdataencryption/current": {"properties": {"state": "Enabled"}},
    "backupshorttermretentionpolicies/default": {"properties": {"retentionDays": 7}},
    "backuplongtermretentionpolicies/default": {"properties": {"weeklyRetention": "PT0S"}},
    "config/web": {"properties": {"minTlsVersion": "1.2", "ftpsState": "FtpsOnly"}},
    "config/authsettingsv2": {"properties": {"platform": {"enabled": False}}},
    "backupconfig/vaultconfig": {"properties": {"softDeleteFeatureState": "Enabled"}},
}
ABSENT = ("managementpolicies/default", "vulnerabilityassessments/default")
LISTS = (
    *("containers", "keys", "secrets", "firewallrules", "administrators", "configurations"),
    *("diagnosticsettings", "pricings", "securitycontacts", "activitylogalerts", "budgets"),
    *("resourcegroups", "roleassignments", "roledefinitions", "policyassignments", "locks"),
    *("backupprotecteditems", "backupinstances", "recommendations", "dnszones", "recordsets"),
    *("customdomains", "securitypolicies", "routes", "deployments"),
    *("basicpublishingcredentialspolicies", "values"),
)
READER = [{"actions": ["*/read"], "notActions": []}]


@dataclass(eq=False)
class Estate:
    subscriptions: dict[str, str]  # id -> name
    resources: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, Any] = field(default_factory=dict)  # path, any case -> a list or an answer
    rights: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)  # management group -> ids
    metrics: dict[tuple[str, str], list[float]] = field(default_factory=dict)  # (id, name), lower
    denied: dict[str, str] = field(default_factory=dict)  # end of a path -> the action it takes

    def __post_init__(self) -> None:
        self.parts = {path.lower(): part for path, part in self.parts.items()}


def token(seconds: float = 3600, **claims: Any) -> str:
    """A token as Entra ID makes them, but for the signature."""
    told = {"tid": TENANT, "appid": CLIENT, "oid": "0b1ec7", "exp": int(time.time() + seconds)}
    parts = ({"alg": "none"}, {**told, **claims}, {"loopback": True})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


def refused(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    return json_answer({"error": {"code": code, "message": message}}, status, headers)


def unauthorized(action: str, scope: str) -> Answer:
    told = (
        f"The client '{CLIENT}' with object id '0b1ec7' does not have authorization to perform action "
        f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials."
    )
    return refused(403, "AuthorizationFailed", told)


@dataclass(eq=False)
class AzureServer:
    estate: Estate
    page: int = 1000  # items of a list, and the most rows of a query
    latency: float = 0.0
    lifetime: float = 3600.0  # of tokens
    quota: tuple[str, str] | None = None  # remaining, resets after
    rest: RestServer = field(init=False)

    def __post_init__(self) -> None:
        self.rest = RestServer(self.answer, tls=True, latency=self.latency)

    def __enter__(self) -> Self:
        self.rest.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.rest.__exit__(*exc)

    @property
    def url(self) -> str:
        return self.rest.url

    @property
    def fault(self) -> Callable[[Request], Answer | None] | None:
        return self.rest.fault

    @fault.setter
    def fault(self, fault: Callable[[Request], Answer | None] | None) -> None:
        self.rest.fault = fault

    @property
    def requests(self) -> list[Request]:
        return self.rest.requests

    def environment(self) -> dict[str, str]:
        """The variables with which the provider signs in and reads here."""
        return {
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_CLIENT_SECRET": SECRET,
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_RESOURCE_MANAGER_ENDPOINT": self.url,
            "SSL_CERT_FILE": self.rest.authority,
            "REQUESTS_CA_BUNDLE": self.rest.authority,
        }

    def answer(self, request: Request) -> Answer:
        if request.path.startswith(f"/{TENANT}/"):
            return self.signing(request)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.holds(bearer):
            return refused(
                401, "ExpiredAuthenticationToken", "The access token expiry UTC time has passed."
            )
        if request.path == "/providers/Microsoft.ResourceGraph/resources":
            return self.graph(request.json)
        return self.manager(request)

    def holds(self, bearer: str) -> bool:
        try:
            claims = bearer.split(".")[1]
            told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        except (IndexError, ValueError):
            return False
        return bool(told["exp"] > time.time())

    def signing(self, request: Request) -> Answer:
        if request.path.endswith("/.well-known/openid-configuration"):
            place = f"{self.url}/{TENANT}"
            return json_answer(
                {
                    "issuer": f"{place}/v2.0",
                    "authorization_endpoint": f"{place}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{place}/oauth2/v2.0/token",
                }
            )
        form = dict(parse_qsl(request.seen.body.decode()))
        if form.get("client_secret") != SECRET:
            told = (
                "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client "
                "secret value, not the client secret ID. Trace ID: 0 Correlation ID: 0"
            )
            return json_answer({"error": "invalid_client", "error_description": told}, 401)
        given = token(self.lifetime)
        return json_answer(
            {"token_type": "Bearer", "expires_in": int(self.lifetime), "access_token": given}
        )

    def graph(self, asked: Mapping[str, Any]) -> Answer:
        found = TYPES.fullmatch(asked["query"])
        if not found:
            return refused(400, "BadRequest", "Query is invalid.")
        types = set(re.findall(r"'([^']*)'", found[1]))
        allowed = set(asked["subscriptions"]) & self.estate.subscriptions.keys()
        rows = [
            item
            for item in self.estate.resources
            if item["type"].lower() in types and subscription_of(item) in allowed
        ]
        if found[2] == COUNT:
            counts: dict[str, int] = {}
            for row in rows:
                counts[subscription_of(row)] = counts.get(subscription_of(row), 0) + 1
            rows = [{"subscriptionId": one, "rows": n} for one, n in sorted(counts.items())]
        else:
            project = PROJECT.fullmatch(found[2])
            if not project:
                return refused(400, "BadRequest", "Query is invalid.")
            columns = project[1].split(", ")
            rows = sorted(
                (
                    {**{name: row.get(name) for name in columns}, "type": row["type"].lower()}
                    for row in rows
                ),
                key=lambda row: row["id"],
            )
        options = asked["options"]
        start = int(str(options.get("$skipToken") or "after:0").partition(":")[2])
        end = start + min(options["$top"], self.page)
        answer = {
            "totalRecords": len(rows),
            "count": len(rows[start:end]),
            "resultTruncated": "false",
            "facets": [],
            "data": rows[start:end],
        }
        if end < len(rows):
            answer["$skipToken"] = f"after-the-row-with-number:{end}"
        remaining, resets = self.quota or ("14", "00:00:05")
        return json_answer(
            answer,
            headers={
                "x-ms-user-quota-remaining": remaining,
                "x-ms-user-quota-resets-after": resets,
            },
        )

    def manager(self, request: Request) -> Answer:
        path = request.path.lower()
        if request.method != "GET" or "api-version" not in request.query:
            return refused(400, "MissingApiVersionParameter")
        for end, action in self.estate.denied.items():
            if path.endswith(end.lower()):
                return unauthorized(action, request.path)
        if path == "/subscriptions":
            return self.listed(
                request, [account(*one) for one in self.estate.subscriptions.items()]
            )
        if found := request.match(
            "GET /providers/Microsoft.Management/managementGroups/{group}/descendants"
        ):
            if found["group"] not in self.estate.groups:
                return unauthorized(
                    "Microsoft.Management/managementGroups/descendants/read", request.path
                )
            return self.listed(
                request,
                [
                    {"id": f"/subscriptions/{one}", "name": one, "type": "/subscriptions"}
                    for one in self.estate.groups[found["group"]]
                ],
            )
        subscription = path.split("/")[2] if path.startswith("/subscriptions/") else ""
        if subscription not in self.estate.subscriptions:
            return refused(
                404,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found.",
            )
        if path == f"/subscriptions/{subscription}":
            return json_answer(account(subscription, self.estate.subscriptions[subscription]))
        if path.endswith("/providers/microsoft.authorization/permissions"):
            return json_answer({"value": self.estate.rights.get(subscription, READER)})
        if path.endswith("/providers/microsoft.insights/metrics"):
            return self.metrics(path.partition("/providers/microsoft.insights/")[0], request)
        return self.part(path, request)

    def part(self, path: str, request: Request) -> Answer:
        known = self.estate.parts.get(path)
        if known is None and path.rpartition("/")[2] == "dnszones":
            known = self.zones(path)
        if isinstance(known, Answer):
            return known
        if isinstance(known, dict):
            return json_answer(known)
        if known is not None or path.rpartition("/")[2] in LISTS:
            return self.listed(request, known or [])
        for end, new in NEW.items():
            if path.endswith(f"/{end}"):
                return json_answer({"id": request.path, "name": end.partition("/")[2], **new})
        return refused(404, "ResourceNotFound", f"The Resource '{path}' was not found.")

    def zones(self, path: str) -> list[dict[str, Any]]:
        subscription = path.split("/")[2]
        return [
            item
            for item in self.estate.resources
            if item["type"].lower() == "microsoft.network/dnszones"
            and subscription_of(item) == subscription
        ]

    def metrics(self, resource: str, request: Request) -> Answer:
        wanted = request.query["metricnames"].split(",")
        kinds = [kind.lower() for kind in request.query["aggregation"].split(",")]
        return json_answer({"value": [self.series(resource, name, kinds) for name in wanted]})

    def series(self, resource: str, name: str, kinds: list[str]) -> dict[str, Any]:
        values = self.estate.metrics.get((resource, name.lower()), [1.0])
        points = [
            {"timeStamp": f"2026-11-{7 + at:02d}T00:00:00Z", **dict.fromkeys(kinds, value)}
            for at, value in enumerate(values)
        ]
        return {"name": {"value": name}, "unit": "Percent", "timeseries": [{"data": points}]}

    def listed(self, request: Request, items: list[Any]) -> Answer:
        start = int(request.query.get("$skiptoken", "after:0").partition(":")[2])
        end = start + self.page
        body: dict[str, Any] = {"value": items[start:end]}
        if end < len(items):
            place = urlsplit(request.seen.target)
            query = re.sub(r"&?(%24|\$)skiptoken=[^&]*", "", place.query)
            body["nextLink"] = (
                f"{self.url}{place.path}?{query}&$skiptoken=after-the-item-with-number:{end}"
            )
        return json_answer(body)


def subscription_of(item: Mapping[str, Any]) -> str:
    return str(item["id"].split("/")[2].lower())


def account(id: str, name: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{id}",
        "subscriptionId": id,
        "tenantId": TENANT,
        "displayName": name,
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
    }
