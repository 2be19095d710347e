"""What is added to resources so that rules can ask for it: plain functions of the data.

Each takes the data of a resource and its address, and adds fields of ours to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Shape = Callable[[dict[str, Any], str], None]


def address(text: str) -> str:
    """From "projects/" on: what two spellings of one self link share."""
    return text[max(text.find("projects/"), 0) :]


ALL_PORTS = (0, 65535)
# Cloud Asset Inventory gave these names in its first years, and still does for old snapshots.
RENAMED = {
    "disk": "disks",
    "networkInterface": "networkInterfaces",
    "accessConfig": "accessConfigs",
    "externalIp": "natIP",
    "ipAddress": "networkIP",
    "serviceAccount": "serviceAccounts",
    "scope": "scopes",
    "sourceRange": "sourceRanges",
    "sourceTag": "sourceTags",
    "targetTag": "targetTags",
    "ipProtocol": "IPProtocol",
    "port": "ports",
}


def location(text: str) -> str:
    """The location in "projects/p/locations/l/…"."""
    return text.partition("/locations/")[2].partition("/")[0]


def dicts(found: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; nothing where there is none. Raises `TypeError` for anything else."""
    for item in listed(found):
        if not isinstance(item, dict):
            raise TypeError(f"an object was expected, and there is {type(item).__name__}")
        yield item


def strings(found: Any) -> list[str]:
    """The texts of a list; nothing where there is none. Raises `TypeError` for anything else."""
    for item in listed(found):
        if not isinstance(item, str):
            raise TypeError(f"a text was expected, and there is {type(item).__name__}")
    return listed(found)


def listed(found: Any) -> list[Any]:
    if found is None:
        return []
    if not isinstance(found, list):
        raise TypeError(f"a list was expected, and there is {type(found).__name__}")
    return found


def rename(data: dict[str, Any]) -> None:
    """Give old names of fields the names that the service's API has."""
    for name in RENAMED.keys() & data.keys():
        data.setdefault(RENAMED[name], data.pop(name))


def instance(data: dict[str, Any], _: str) -> None:
    """Network tags as a list, and what firewall rules may name the machine by."""
    rename(data)
    emails = []
    for part in dicts(data.get("serviceAccounts")):
        rename(part)
        emails.append(str(part.get("email", "")))
    tags = data.get("own_tags")
    data["network_tags"] = strings(tags.get("items")) if isinstance(tags, dict) else []
    keys: list[str] = []
    for nic in dicts(data.get("networkInterfaces")):
        rename(nic)
        for access in dicts(nic.get("accessConfigs")):
            rename(access)
        network = address(str(nic.get("network", "")))
        keys += [
            network,
            *(f"{network}#{tag}" for tag in data["network_tags"]),
            *(f"{network}@{email}" for email in emails),
        ]
    data["firewall_keys"] = list(dict.fromkeys(keys))
    labels = data.get("labels")
    if isinstance(labels, dict) and labels.get("goog-k8s-node-pool-name"):
        names = ("goog-k8s-cluster-location", "goog-k8s-cluster-name", "goog-k8s-node-pool-name")
        data["node_pool_key"] = "/".join(str(labels.get(name, "")) for name in names)
    metadata = data.get("metadata")
    for item in dicts(metadata.get("items") if isinstance(metadata, dict) else None):
        if item.get("key") == "created-by":
            data["created_by"] = item.get("value")


def firewall(data: dict[str, Any], _: str) -> None:
    """Which machines the rule is for, in the words of `instance`, and the ports it opens."""
    rename(data)
    for part in (*dicts(data.get("allowed")), *dicts(data.get("denied"))):
        rename(part)
    network = address(str(data.get("network", "")))
    tags = strings(data.get("targetTags"))
    accounts = strings(data.get("targetServiceAccounts"))
    data["applies_to"] = [
        *(f"{network}#{tag}" for tag in tags),
        *(f"{network}@{email}" for email in accounts),
    ] or [network]
    data["opens"] = [opening for part in dicts(data.get("allowed")) for opening in openings(part)]


def openings(part: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The port ranges of one entry: every port where it names none. Raises `ValueError`."""
    protocol = str(part.get("IPProtocol", "all")).lower()
    protocol = {"6": "tcp", "17": "udp", "1": "icmp"}.get(protocol, protocol)
    for ports in strings(part.get("ports")) or ["{}-{}".format(*ALL_PORTS)]:
        first, _, last = ports.partition("-")
        yield {"protocol": protocol, "from": int(first), "to": int(last or first)}


def group(data: dict[str, Any], where: str) -> None:
    """What the members' `created_by` ends in, and the address of the group that backends name."""
    data["group_key"] = where.split("/", 2)[2] if where.count("/") > 2 else where
    data["instance_group_id"] = address(str(data.get("instanceGroup", "")))


def node_pool(data: dict[str, Any], where: str) -> None:
    """The cluster of the pool, and what the labels of its machines say."""
    if found := re.search(
        r"(projects/[^/]+/(?:locations|zones)/([^/]+)/clusters/([^/]+))/nodePools/([^/]+)", where
    ):
        data["cluster_id"] = found[1].replace("/zones/", "/locations/")
        data["node_pool_key"] = f"{found[2]}/{found[3]}/{found[4]}"


def account_key(data: dict[str, Any], where: str) -> None:
    """The account of the key, by its e-mail address or its number, and the key's id."""
    name = str(data.get("name") or where)
    if found := re.search(r"serviceAccounts/([^/]+)/keys/([^/]+)", name):
        data["service_account_key"], data["key_id"] = found[1], found[2]


def run_service(data: dict[str, Any], where: str) -> None:
    """The location, which a service has in its address, or in a label of Google's."""
    metadata = data.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    given = labels.get("cloud.googleapis.com/location") if isinstance(labels, dict) else None
    if found := given or location(where):
        data["location"] = found


def node(data: dict[str, Any], _: str) -> None:
    """The policy of a project, folder or organisation turned round: who has which roles."""
    policy = data.get("iam_policy")
    if not isinstance(policy, dict):
        return
    roles: dict[str, list[str]] = {}
    for binding in dicts(policy.get("bindings")):
        for member in strings(binding.get("members")):
            roles.setdefault(member, []).append(str(binding.get("role", "")))
    data["iam_members"] = [
        {"member": member, "roles": sorted(set(found))} for member, found in sorted(roles.items())
    ]


SHAPES: Mapping[str, Shape] = {
    "gcp.compute.instance": instance,
    "gcp.compute.firewall": firewall,
    "gcp.compute.instance_group_manager": group,
    "gcp.container.node_pool": node_pool,
    "gcp.iam.service_account_key": account_key,
    "gcp.run.service": run_service,
}
