"""The loopback API server is held to exchanges recorded with a real one."""

from __future__ import annotations

import gzip
import json
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.servers.kubernetes import ApiServer, User
from tests.servers.kubernetes_answers import WIRE, token_of

SCANNER = User(
    "scanner", admin=False, cluster=frozenset({("", "pods"), ("", "nodes"), ("", "namespaces")})
)
# Headers that differ from call to call, or from server to server.
VOLATILE = {
    "audit-id",
    "date",
    "server",
    "content-length",
    "transfer-encoding",
    "etag",
    "x-kubernetes-pf-flowschema-uid",
    "x-kubernetes-pf-prioritylevel-uid",
}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Exchange:
    def __init__(self, status: int, headers: dict[str, str], raw: bytes) -> None:
        self.status = status
        self.headers = headers
        self.raw = raw
        self.body: Any = json.loads(raw)


def recorded(name: str) -> tuple[str, Exchange]:
    lines = (WIRE / f"{name}.headers").read_text().splitlines()
    headers = dict(line.split(": ", 1) for line in lines[2:] if ": " in line)
    status = int(lines[1].split()[0])
    return lines[0], Exchange(status, headers, (WIRE / f"{name}.body").read_bytes())


def ask(
    server: ApiServer,
    request: str,
    *,
    token: str = "admin",
    accept: str = "application/json",
    body: Any = None,
) -> Exchange:
    method, path = request.split(" ", 1)
    connection = HTTPConnection(*server.http.server_address[:2], timeout=10)
    headers = {"Accept": accept}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    exchange = Exchange(answer.status, found, answer.read())
    connection.close()
    return exchange


@pytest.fixture(scope="module")
def server():
    pods = json.loads((WIRE / "list-pods-limit3.body").read_bytes())["items"]
    nodes = json.loads((WIRE / "nodes-limit2.body").read_bytes())["items"]
    objects = [{"apiVersion": "v1", "kind": "Pod", **pod} for pod in pods]
    objects += [{"apiVersion": "v1", "kind": "Node", **node} for node in nodes]
    for number in range(5):  # so that there is more than a page
        spare = {"name": f"zz-{number}", "namespace": "zz"}
        objects.append({"apiVersion": "v1", "kind": "Pod", "metadata": spare, "spec": {}})
        objects.append({"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"zz-{number}"}})
    users = {"admin": User("admin"), "scanner": SCANNER}
    with ApiServer(objects, users=users) as found:
        yield found


# name of the recording -> how we ask: token, Accept
ASKED: dict[str, dict[str, Any]] = {
    "401": {"token": "wrong"},
    "403-unknown-group-as-scanner": {"token": "scanner"},
    "404-pod": {},
    "406": {"accept": "text/html"},
    "anon-403": {"token": ""},
    "discovery-aggregated": {"accept": AGGREGATED},
    "discovery-legacy": {},
    "list-pods-limit3": {},
    "list-secrets-403": {"token": "scanner"},
    "nodes-limit2": {},
    "partialmetadata": {"accept": PARTIAL},
    "table": {"accept": TABLE},
    "version": {},
}


def same_shape(ours: Any, real: Any, where: str = "") -> None:
    """Same keys and types all the way down; values may differ. Lists are compared by their first."""
    assert type(ours) is type(real), where
    if isinstance(real, dict):
        assert list(ours) == list(real), where
        for key in real:
            same_shape(ours[key], real[key], f"{where}.{key}")
    elif isinstance(real, list) and real:
        assert ours, where
        same_shape(ours[0], real[0], f"{where}[0]")


@pytest.mark.parametrize("name", ASKED)
def test_status_headers_and_shape_are_those_of_a_real_server(server: ApiServer, name: str):
    request, real = recorded(name)
    ours = ask(server, request, **ASKED[name])
    assert ours.status == real.status
    steady = {k: v for k, v in real.headers.items() if k not in VOLATILE}
    assert {k: v for k, v in ours.headers.items() if k not in VOLATILE} == steady
    assert ("content-length" in ours.headers) == ("content-length" in real.headers)
    if name.startswith("discovery"):
        for key in ("kind", "apiVersion", "groupVersion"):
            assert ours.body.get(key) == real.body.get(key)
    elif name == "table":
        names = [column["name"] for column in real.body["columnDefinitions"]]
        assert [column["name"] for column in ours.body["columnDefinitions"]] == names
        same_shape({**ours.body, "columnDefinitions": 0}, {**real.body, "columnDefinitions": 0})
    elif name == "406":
        assert list(ours.body) == list(real.body)
        assert ours.body["reason"] == real.body["reason"]
    else:
        same_shape(ours.body, real.body)


@pytest.mark.parametrize(
    "name", ["401", "403-unknown-group-as-scanner", "anon-403", "list-secrets-403"]
)
def test_refusals_are_word_for_word(server: ApiServer, name: str):
    request, real = recorded(name)
    assert ask(server, request, **ASKED[name]).raw == real.raw


def test_a_page_is_byte_for_byte_what_was_recorded_but_for_its_place(server: ApiServer):
    real = recorded("list-pods-limit3")[1].body
    ours = ask(server, "GET /api/v1/pods?limit=3").body
    assert ours["items"] == real["items"]
    assert ours["metadata"]["remainingItemCount"] == 5
    assert all("kind" not in item and "apiVersion" not in item for item in ours["items"])


def test_pages_keep_the_revision_of_the_first(server: ApiServer):
    first = ask(server, "GET /api/v1/pods?limit=3").body["metadata"]
    server.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "aa", "namespace": "zz"}})
    second = ask(server, f"GET /api/v1/pods?limit=3&continue={first['continue']}").body
    assert second["metadata"]["resourceVersion"] == first["resourceVersion"]
    assert "aa" not in [item["metadata"]["name"] for item in second["items"]]
    last = ask(server, f"GET /api/v1/pods?limit=3&continue={second['metadata']['continue']}").body
    assert "continue" not in last["metadata"]
    assert "remainingItemCount" not in last["metadata"]


def test_an_expired_page_token_brings_a_new_one(server: ApiServer):
    _, real = recorded("list-pods-410-expired-continue")
    server.compacted = 500
    old = token_of(400, "bad/a")
    ours = ask(server, f"GET /api/v1/pods?limit=3&continue={old}")
    server.compacted = 0
    assert ours.status == real.status == 410
    same_shape(ours.body, real.body)
    assert ours.body["message"] == real.body["message"]
    rest = ask(server, f"GET /api/v1/pods?limit=3&continue={ours.body['metadata']['continue']}")
    assert rest.status == 200
    assert rest.body["items"]


def test_a_made_up_page_token_is_a_bad_request(server: ApiServer):
    request, real = recorded("list-pods-400-bad-continue")
    ours = ask(server, request)
    assert (ours.status, ours.body["reason"]) == (real.status, real.body["reason"])
    assert ours.body["message"].startswith("invalid continue token: ")


def test_the_rules_review_has_the_recorded_shape(server: ApiServer):
    request, real = recorded("ssrr")
    body = {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {"namespace": "zz"},
    }
    ours = ask(server, request, token="scanner", body=body)
    assert ours.status == real.status == 201
    same_shape(ours.body, real.body)
    listed = [rule["resources"] for rule in ours.body["status"]["resourceRules"]]
    assert ["pods"] in listed
    assert ["secrets"] not in listed


def test_an_access_review_answers_what_the_list_call_would(server: ApiServer):
    for resource, allowed in (("pods", True), ("secrets", False)):
        body = {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": {"verb": "list", "resource": resource}},
        }
        path = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        assert ask(server, path, token="scanner", body=body).body["status"]["allowed"] is allowed


def test_an_unknown_group_is_plain_text_to_an_administrator(server: ApiServer):
    connection = HTTPConnection(*server.http.server_address[:2], timeout=10)
    headers = {"Authorization": "Bearer admin"}
    connection.request("GET", "/apis/nope.io/v1/foos", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 404
    assert answer.getheader("content-type") == "text/plain; charset=utf-8"
    assert answer.read() == b"404 page not found\n"
    connection.close()


def test_large_answers_are_compressed_for_those_who_take_it():
    objects = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"c{n}"},
            "data": {"x": "y" * 900},
        }
        for n in range(200)
    ]
    with ApiServer(objects) as server:
        connection = HTTPConnection(*server.http.server_address[:2], timeout=10)
        connection.request("GET", "/api/v1/configmaps", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        assert answer.getheader("content-encoding") == "gzip"
        assert len(json.loads(gzip.decompress(answer.read()))["items"]) == 200
        connection.close()
