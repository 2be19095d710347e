"""From a document to resources: what is counted, and what each is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infrascan.model import Gap, Partition, Reason, Resource
from infrascan.providers.terraform.types import ACCESS, STATEFUL

KNOWN = frozenset({"sensitive", ""})  # classes that only repeat the provider's mark


def emitted(
    partition: Partition, place: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[Resource]:
    if partition.kind == "terraform.state":
        found = named(partition, partition.account, partition.account, state(place, document))
        found.unread.update(unread(found, document))
        yield found
    elif partition.kind == "terraform.plan":
        yield named(partition, partition.account, partition.account, plan(document))
    elif partition.kind == "terraform.resource":
        for item in document["resources"]:
            unique = item["address"] + (f" (deposed {item['deposed']})" if item["deposed"] else "")
            data = {**item, "lineage": document["lineage"], "stateful": item["type"] in STATEFUL}
            yield named(partition, unique, item["address"], data)
    else:
        for item in (*document["changes"], *document["drift"]):
            about = {
                "stateful": item["type"] in STATEFUL,
                "access": item["type"].startswith(ACCESS),
            }
            deposed = f" (deposed {item['deposed']})" if item["deposed"] else ""
            unique = f"{item['phase']} {item['address']}{deposed}"
            yield named(partition, unique, item["address"], {**item, **about})


def unread(resource: Resource, document: Mapping[str, Any]) -> Iterator[tuple[str, Gap]]:
    """What could not be read beside the state, each with its gap."""
    for name, why in document.get("unread", {}).items():
        yield (
            name,
            Gap(
                provider=resource.provider,
                account=resource.account,
                kind=resource.kind,
                call=why["call"],
                reason=Reason(why["reason"]),
                detail=why["detail"],
                permission=why["permission"],
                resource=resource.key,
                field=name,
            ),
        )


def named(partition: Partition, unique: str, name: str, data: dict[str, Any]) -> Resource:
    return Resource(
        kind=partition.kind,
        id=unique,
        name=name,
        provider=partition.provider,
        account=partition.account,
        data=data,
    )


def state(place: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    resources = document["resources"]
    managed = [item for item in resources if item["mode"] == "managed"]
    held = [item for item in resources if telling(item)]
    kept = {
        k: document[k] for k in ("encryption", "kms_key", "versioned", "modified") if k in document
    }
    return {
        **{
            name: document.get(name)
            for name in ("version", "terraform_version", "serial", "lineage", "outputs")
        },
        **kept,
        "encrypted": False,
        "backend": {"type": place["backend"], **place["config"], "locking": place["locking"]},
        **({} if "lock" in document.get("unread", {}) else {"lock": document.get("lock")}),
        "size_bytes": document.get("size_bytes"),
        "resource_count": len(managed),
        "data_count": len(resources) - len(managed),
        "tainted_count": sum(item["tainted"] for item in managed),
        "deposed_count": sum(bool(item["deposed"]) for item in managed),
        "secrets_count": len(held),
        "secret_addresses": sorted(item["address"] for item in held)[:20],
        "providers": sorted({item["provider"] for item in resources if item["provider"]}),
    }


def telling(item: Mapping[str, Any]) -> bool:
    """Whether a resource's attributes hold something that is a secret beyond the provider's mark."""
    return any(secret["class"] not in KNOWN for secret in item["secrets"])


def plan(document: Mapping[str, Any]) -> dict[str, Any]:
    actions = [change["actions"] for change in document["changes"]]
    return {
        **{
            name: document.get(name)
            for name in ("terraform_version", "timestamp", "errored", "complete", "size_bytes")
        },
        "to_create": sum(found == ["create"] for found in actions),
        "to_update": sum(found == ["update"] for found in actions),
        "to_replace": sum(len(found) > 1 for found in actions),
        "to_delete": sum(found == ["delete"] for found in actions),
        "drifted": len(document["drift"]),
    }
