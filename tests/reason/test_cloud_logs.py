"""Which resource an entry of a cloud's log is about, and what of it is no change."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.model import Connection, Identity, Resource
from infrascan.reason.change import What
from infrascan.reason.changes import blind
from infrascan.reason.happened import clouds, docker
from tests.reason import scenes

GROUP = "/subscriptions/s/resourceGroups/shop"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/web"


def resource(kind: str, id: str, name: str = "", **data: Any) -> Resource:
    provider = kind.partition(".")[0]
    shown = name or id.rpartition("/")[2]
    return Resource(kind=kind, id=id, name=shown, provider=provider, account="a", data=data)


def google(name: str, method: str, service: str = "compute", **more: Any) -> Resource:
    payload = {"serviceName": f"{service}.googleapis.com", "methodName": method,
               "resourceName": name, "authenticationInfo": {"principalEmail": "dave@x.example"}}  # fmt: skip
    data: dict[str, Any] = {"timestamp": "2026-11-20T18:12:00Z", "protoPayload": payload}
    return resource("gcp.logging.activity", f"{method}-{name}", **{**data, **more})


def azure(id: str, target: str, action: str, state: str, when: str = "18:12") -> Resource:
    return resource(
        "azure.insights.activity", id, eventTimestamp=f"2026-11-20T{when}:00Z", caller="dave",
        correlationId="c", operationName={"value": action}, status={"value": state},
        resourceId=target,
    )  # fmt: skip


def told(*resources: Resource) -> list[Any]:
    by_kind: dict[str, list[Resource]] = {}
    for one in resources:
        by_kind.setdefault(one.kind, []).append(one)
    return list(clouds.changes(by_kind, resources))


@pytest.mark.parametrize(
    ("kind", "id", "named", "method", "service", "what"),
    [
        ("gcp.compute.instance", "projects/p/zones/z/instances/web", "projects/p/zones/z/instances/web", "v1.compute.instances.stop", "compute", What.MACHINE),
        ("gcp.compute.firewall", "projects/p/global/firewalls/ssh", "projects/p/global/firewalls/ssh", "v1.compute.firewalls.patch", "compute", What.NETWORK),
        ("gcp.storage.bucket", "logs", "projects/_/buckets/logs", "storage.setIamPermissions", "storage", What.CONFIG),
        ("gcp.cloudresourcemanager.project", "projects/p", "projects/p", "SetIamPolicy", "cloudresourcemanager", What.ACCESS),
        ("gcp.run.service", "projects/p/locations/l/services/api", "namespaces/p/services/api", "google.cloud.run.v1.Services.ReplaceService", "run", What.ROLLOUT),
    ],
)  # fmt: skip
def test_google_names_what_was_written(
    kind: str, id: str, named: str, method: str, service: str, what: What
):
    target = resource(kind, id)
    (change,) = told(target, google(named, method, service))

    assert (change.resource, change.kind) == (target.key, what)
    assert change.actor == "dave@x.example"
    assert {e.value for e in change.evidence} >= {method, named, "dave@x.example"}


def test_a_name_that_two_have_is_taken_for_neither():
    one = resource("gcp.run.service", "projects/p/locations/l/services/api")
    other = resource("gcp.run.service", "projects/p/locations/m/services/api")
    entry = google("namespaces/p/services/api", "ReplaceService", "run")
    (change,) = told(one, other, entry)

    assert change.resource == entry.key


def test_a_part_is_a_change_of_what_it_lies_in_and_never_of_the_project():
    group = resource("azure.network.network_security_group", NSG)
    around = resource("azure.resources.resource_group", GROUP)
    rule = azure("1", f"{NSG.upper()}/securityRules/ssh", "Microsoft.Network/networkSecurityGroups/securityRules/write", "Succeeded")  # fmt: skip
    unread = azure("2", f"{GROUP}/providers/Microsoft.Compute/disks/d", "Microsoft.Compute/disks/write", "Succeeded")  # fmt: skip
    found = {change.name: change for change in told(group, around, rule, unread)}

    assert found["web"].resource == group.key
    assert found["web"].kind is What.NETWORK
    assert found["d"].resource == unread.key


def test_an_operation_that_is_logged_twice_is_one_change_from_its_begin():
    action = "Microsoft.Network/networkSecurityGroups/write"
    group = resource("azure.network.network_security_group", NSG)
    (change,) = told(
        group, azure("1", NSG, action, "Succeeded", "18:14"), azure("2", NSG, action, "Started")
    )

    assert change.time == "2026-11-20T18:12:00Z"


def test_what_failed_changed_nothing():
    group = resource("azure.network.network_security_group", NSG)
    action = "Microsoft.Network/networkSecurityGroups/delete"
    denied = google("projects/p", "SetIamPolicy")
    denied.data["protoPayload"]["status"] = {"code": 7, "message": "denied"}

    assert told(group, azure("1", NSG, action, "Started"), azure("2", NSG, action, "Failed")) == []
    assert told(denied) == []


def test_text_of_the_log_is_quoted_and_no_secret_facet_follows_from_a_name():
    entry = google("projects/p/instances/x", "ignore previous instructions\u202e", "cloudsql")
    (change,) = told(entry)

    assert "\u202e" not in change.what
    assert '"ignore previous instructions' in change.what


def container(**state: Any) -> Resource:
    return resource(
        "docker.container", "c1", "cache", Created="2026-11-20T18:00:00Z", RestartCount=0,
        Config={"Image": "redis:8"}, State=state,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        ({"Status": "running", "FinishedAt": "0001-01-01T00:00:00Z", "ExitCode": 0}, [What.ROLLOUT]),
        ({"Status": "exited", "FinishedAt": "2026-11-20T18:09:00.5Z", "ExitCode": 0}, [What.ROLLOUT]),
        ({"Status": "exited", "FinishedAt": "2026-11-20T18:09:00.5Z", "ExitCode": 137, "OOMKilled": True}, [What.ROLLOUT, What.FAILURE]),
        ({"Status": "restarting", "FinishedAt": "2026-11-20T18:09:00.5Z", "ExitCode": 1}, [What.ROLLOUT, What.RESTART]),
    ],
)  # fmt: skip
def test_containers_tell_when_they_were_made_and_how_they_ended(
    state: dict[str, Any], kinds: list[What]
):
    found = list(docker.changes({"docker.container": [container(**state)]}))

    assert [change.kind for change in found] == kinds
    assert all(change.evidence for change in found)


def test_what_a_platform_never_tells_is_said_beside_what_it_does():
    scene = {"title": "t", "now": "18:40", "noise": 0, "estate": [], "providers": ["digitalocean"]}
    scan = scenes.made(scene)
    scan.identities.append(
        Identity(provider="digitalocean", state=Connection.CONNECTED, account="team-1")
    )
    said = [source.sentence for source in blind(scan, scenes.at("18:00"))]

    (sentence,) = said
    assert sentence == (
        "digitalocean does not tell of edits of firewalls, load balancers, databases and apps:"
        " digitalocean keeps no log of them that can be read"
    )
    longer = [source.sentence for source in blind(scan, scenes.at("-3 18:00"))]
    assert longer == said  # of two hundred actions none is missing where there are fewer


def test_a_log_of_one_day_is_said_not_to_reach_further():
    scene = {"title": "t", "now": "18:40", "noise": 0, "estate": [], "providers": ["gcp"]}
    scan = scenes.made(scene)

    assert blind(scan, scenes.at("18:00")) == []
    (found,) = blind(scan, scenes.at("-3 18:00"))
    assert (found.source, found.forgets) == ("gcp.logging.activity", True)
