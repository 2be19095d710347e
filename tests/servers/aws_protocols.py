"""Which AWS operation a request is, and how each protocol writes an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.model import ServiceModel

from infrascan.providers.aws.models import loader, operations

SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
# Services whose name in signatures is not botocore's name of the client.
NAMES = {
    "elasticloadbalancing": ("elbv2", "elb"),
    "elasticfilesystem": ("efs",),
    "monitoring": ("cloudwatch",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "s3": ("s3", "s3control"),
}


@dataclass(frozen=True)
class Route:
    """How the requests of an operation of a REST protocol look."""

    api: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    literal: int  # characters of the path that are not parameters


@dataclass(frozen=True)
class Request:
    """An HTTP request to AWS."""

    method: str
    target: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    @property
    def region(self) -> str:
        found = SCOPE.search(self.headers.get("authorization", ""))
        return found[1] if found else ""

    @property
    def services(self) -> tuple[str, ...]:
        found = SCOPE.search(self.headers.get("authorization", ""))
        name = found[2] if found else ""
        return NAMES.get(name, (name,))

    @property
    def api(self) -> str:
        """The operation: "s3.GetBucketAcl"; "" when it cannot be told."""
        path = urlsplit(self.target).path
        if target := self.headers.get("x-amz-target"):
            return f"{self.services[0]}.{target.rpartition('.')[2]}"
        if self.headers.get("smithy-protocol"):
            return f"{self.services[0]}.{path.rpartition('/')[2]}"
        if self.method == "POST" and b"Action=" in self.body:
            form = parse_qs(self.body.decode())
            service = self.services[0]
            if service == "elbv2" and form["Version"] == ["2012-06-01"]:
                service = "elb"
            return f"{service}.{form['Action'][0]}"
        return self.routed(path)

    def routed(self, path: str) -> str:
        query = set(parse_qs(urlsplit(self.target).query, keep_blank_values=True))
        fits = [
            route
            for route in routes()
            if route.api.partition(".")[0] in self.services
            and route.method == self.method
            and route.query <= query
            and route.path.fullmatch(unquote(path))
        ]
        best = max(fits, key=lambda route: (len(route.query), route.literal), default=None)
        return best.api if best else ""


@cache
def models() -> dict[str, dict]:
    found = loader()
    return {name: found.load_service_model(name, "service-2") for name in operations()}


@cache
def protocol(service: str) -> str:
    """The protocol that botocore speaks with a service; some have several."""
    return ServiceModel(models()[service], service).resolved_protocol


@cache
def routes() -> tuple[Route, ...]:
    """The routes of every REST operation that a scan can call."""
    found = []
    ours = operations()
    for service, model in models().items():
        if not protocol(service).startswith("rest"):
            continue
        for name, operation in model["operations"].items():
            # Deprecated operations share the routes of those that replaced them.
            if ours[service] and name not in ours[service]:
                continue
            path, _, query = operation["http"]["requestUri"].partition("?")
            pattern = re.sub(r"\\{[^}]*\\+\\}", ".+", re.escape(path))
            pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", pattern)
            found.append(
                Route(
                    f"{service}.{name}",
                    operation["http"]["method"],
                    re.compile(pattern + "/?"),
                    frozenset(parse_qs(query, keep_blank_values=True)),
                    len(re.sub(r"\{[^}]*\}", "", path)),
                )
            )
    return tuple(found)


def error(api: str, status: int, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    """An error answer in the protocol of an operation's service."""
    service = api.partition(".")[0]
    kind = protocol(service)
    if kind == "smithy-rpc-v2-cbor":
        body = bytes([0xA2])
        for text in ("__type", f"com.amazonaws.{service}#{code}", "message", message):
            body += cbor(text)
        headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, headers, body
    if kind == "json":
        body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": message})
        return status, {"content-type": "application/x-amz-json-1.1"}, body.encode()
    if kind == "rest-json":
        headers = {"content-type": "application/json", "x-amzn-errortype": code}
        return status, headers, json.dumps({"message": message}).encode()
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    if service == "ec2":
        body = (
            f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>r</RequestID></Response>"
        )
    elif service == "s3":
        body = f"<Error>{inner}<RequestId>r</RequestId></Error>"
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
            "<RequestId>r</RequestId></ErrorResponse>"
        )
    return status, {"content-type": "text/xml"}, f'<?xml version="1.0"?>{body}'.encode()


def cbor(text: str) -> bytes:
    raw = text.encode()
    return (bytes([0x60 + len(raw)]) if len(raw) < 24 else bytes([0x78, len(raw)])) + raw
