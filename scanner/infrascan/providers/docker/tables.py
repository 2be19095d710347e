"""The kinds of a Docker engine. Operations and fields as in the Engine API's reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrascan.model import Relation
from infrascan.providers.docker.arrival import IMAGE_INSPECTED, INSPECTED
from infrascan.providers.rest.tables import NULL, Batch, Detail, Listing, Paging

NOT_A_MANAGER = "not-swarm"  # the engine is in no swarm: there are no services, nodes and secrets


def engine(info: dict[str, Any]) -> dict[str, Any]:
    """The insecure registries by name, less those on the engine's own machine."""
    registries = info.get("RegistryConfig") or {}
    indexes = registries.get("IndexConfigs") or {}
    plain = [n for n, index in indexes.items() if index and not index.get("Secure", True)]
    ranges = [r for r in registries.get("InsecureRegistryCIDRs") or [] if not own(r)]
    return {**info, "insecure_registries": sorted([n for n in plain if not own(n)] + ranges)}


def own(place: str) -> bool:
    return place.startswith(("127.", "localhost", "::1", "[::1]"))


def disk_usage(df: dict[str, Any]) -> dict[str, Any]:
    """Bytes in total, and bytes that nothing uses: what `docker system df` prints."""
    images, caches = df.get("Images") or [], df.get("BuildCache") or []
    containers, volumes = df.get("Containers") or [], df.get("Volumes") or []
    unused = [image for image in images if image.get("Containers") == 0]
    stopped = [c for c in containers if c.get("State") not in {"running", "paused", "restarting"}]
    loose = [v for v in volumes if (v.get("UsageData") or {}).get("RefCount") == 0]
    idle = [cache for cache in caches if not cache.get("InUse") and not cache.get("Shared")]
    return {
        "images": len(images),
        "images_unused": len(unused),
        "layers_bytes": df.get("LayersSize"),
        # Layers that other images share would stay, so this is the least that removal gives back.
        "images_unused_bytes": sum(
            image["Size"] - max(image.get("SharedSize", 0), 0) for image in unused
        ),
        "containers_stopped": len(stopped),
        "containers_stopped_bytes": sum(c.get("SizeRw") or 0 for c in stopped),
        "volumes_unused": len(loose),
        "volumes_unused_bytes": sum(max(v["UsageData"].get("Size", 0), 0) for v in loose),
        "build_cache_bytes": sum(cache["Size"] for cache in caches if not cache.get("Shared")),
        "build_cache_unused_bytes": sum(cache["Size"] for cache in idle),
    }


def container(data: dict[str, Any]) -> dict[str, Any]:
    """The container's own name, and the networks it is in."""
    names = [name[1:] for name in data.get("Names") or [] if name.count("/") == 1]
    found = {**data, "container_name": names[0] if names else data["Id"][:12]}
    if "NetworkSettings" in data:
        networks = (data["NetworkSettings"] or {}).get("Networks") or {}
        found["network_ids"] = [n["NetworkID"] for n in networks.values() if n.get("NetworkID")]
    return found


def used(sample: dict[str, Any]) -> dict[str, Any]:
    """A sample with the memory in use as `docker stats` counts it: without the file cache."""
    memory = sample["memory_stats"]
    if "usage" not in memory:
        return {**sample, "memory_used_bytes": None, "memory_used_percent": None}
    inside = memory.get("stats") or {}
    cache = inside.get("total_inactive_file", inside.get("inactive_file", inside.get("cache", 0)))
    bytes_used = memory["usage"] - cache if cache < memory["usage"] else memory["usage"]
    limit = memory.get("limit") or 0
    share = round(100 * bytes_used / limit, 2) if limit else None
    return {**sample, "memory_used_bytes": bytes_used, "memory_used_percent": share}


def image(data: dict[str, Any]) -> dict[str, Any]:
    """Whether nothing names the image any more."""
    tags = [tag for tag in data.get("RepoTags") or [] if tag != "<none>:<none>"]
    digests = [d for d in data.get("RepoDigests") or [] if d != "<none>@<none>"]
    return {
        **data,
        "RepoTags": tags,
        "RepoDigests": digests,
        "dangling": not tags and not digests,
        "image_name": tags[0] if tags else digests[0] if digests else data["Id"][:19],
    }


def plain(*names: str) -> dict[str, Any]:
    """A tree of scalars."""
    return {name: {} for name in names}


DISK_FIELDS: Mapping[str, Any] = {name: {} for name in disk_usage({})}
STATS_FIELDS: Mapping[str, Any] = {
    "read": {},
    "memory_used_bytes": {},
    "memory_used_percent": {},
    "pids_stats": {"current": {}, "limit": {}},
    "memory_stats": {"usage": {}, "max_usage": {}, "failcnt": {}, "limit": {}, "stats": {"*": {}}},
    "cpu_stats": {
        "cpu_usage": {"total_usage": {}, "usage_in_kernelmode": {}, "usage_in_usermode": {}},
        "system_cpu_usage": {},
        "online_cpus": {},
        "throttling_data": {"periods": {}, "throttled_periods": {}, "throttled_time": {}},
    },
}

TABLES: tuple[Listing, ...] = (
    Listing(
        kind="docker.engine",
        title="Docker engine",
        api="GET /info",
        id="{ID}",
        name=("Name",),
        shape=engine,
        adds={"connection": "{way}"},
        permission="GET /info",
        details=(
            Detail(
                field="version",
                api="GET /version",
                permission="GET /version",
                fields={
                    **plain("Version", "ApiVersion", "MinAPIVersion", "Os", "Arch"),
                    **plain("KernelVersion", "GoVersion", "GitCommit", "BuildTime"),
                    "Platform": {"Name": {}},
                    "Components": {"[]": {"Name": {}, "Version": {}, "Details": {"*": {}}}},
                },
            ),
            Detail(
                field="disk_usage",
                api="GET /system/df",
                permission="GET /system/df",
                shape=disk_usage,
                fields=DISK_FIELDS,
            ),
        ),
    ),
    Listing(
        kind="docker.container",
        title="Docker container",
        api="GET /containers/json",
        params={"all": True},
        items="[]",
        id="{container_name}",
        name=("container_name",),
        shape=container,
        tags="Labels",
        permission="GET /containers/json",
        details=(
            Detail(
                field="",
                api="GET /containers/{Id}/json",
                permission="GET /containers/{Id}/json",
                fields=dict.fromkeys(INSPECTED),
            ),
            Detail(
                field="stats",
                api="GET /containers/{Id}/stats",
                params={"stream": False, "one-shot": True},
                when="State.Status=running",
                permission="GET /containers/{Id}/stats",
                shape=used,
                fields=STATS_FIELDS,
            ),
        ),
        relations=(
            Relation(
                name="image",
                path="Image",
                to="docker.image",
                by="Id",
                reverse="containers",
                within="account",
            ),
            Relation(
                name="volumes",
                path="Mounts[].Name",
                to="docker.volume",
                by="Name",
                reverse="containers",
                within="account",
            ),
            Relation(
                name="networks",
                path="network_ids[]",
                to="docker.network",
                by="Id",
                reverse="containers",
                within="account",
            ),
        ),
    ),
    Listing(
        kind="docker.image",
        title="Docker image",
        api="GET /images/json",
        items="[]",
        id="{Id}",
        name=("image_name",),
        shape=image,
        tags="Labels",
        permission="GET /images/json",
        details=(
            Detail(
                field="",
                api="GET /images/{Id}/json",
                permission="GET /images/{Id}/json",
                fields=dict.fromkeys(IMAGE_INSPECTED),
            ),
        ),
    ),
    Listing(
        kind="docker.volume",
        title="Docker volume",
        api="GET /volumes",
        items="Volumes[]",
        optional=NULL,  # null where there are none
        paging=Paging(warns="Warnings"),  # of drivers that could not list theirs
        id="{Name}",
        name=("Name",),
        tags="Labels",
        permission="GET /volumes",
        details=(
            Batch(
                field="usage",
                api="GET /system/df",
                params={"type": "volume"},  # older engines give everything
                result="Volumes[]",
                by="Name",
                match="{Name}",
                value="UsageData",
                permission="GET /system/df",
                fields={"Size": {}, "RefCount": {}},
            ),
        ),
    ),
    Listing(
        kind="docker.network",
        title="Docker network",
        api="GET /networks",
        items="[]",
        id="{Id}",
        name=("Name",),
        tags="Labels",
        permission="GET /networks",
    ),
    Listing(
        kind="docker.service",
        title="Swarm service",
        api="GET /services",
        items="[]",
        id="{ID}",
        name=("Spec.Name",),
        tags="Spec.Labels",
        absent=(NOT_A_MANAGER,),
        permission="GET /services",
        relations=(
            Relation(
                name="secrets",
                path="Spec.TaskTemplate.ContainerSpec.Secrets[].SecretID",
                to="docker.secret",
                by="ID",
                reverse="services",
                within="account",
            ),
        ),
    ),
    Listing(
        kind="docker.node",
        title="Swarm node",
        api="GET /nodes",
        items="[]",
        id="{ID}",
        name=("Description.Hostname",),
        tags="Spec.Labels",
        absent=(NOT_A_MANAGER,),
        permission="GET /nodes",
    ),
    Listing(
        kind="docker.secret",
        title="Swarm secret (its name, never its value)",
        api="GET /secrets",
        items="[]",
        id="{ID}",
        name=("Spec.Name",),
        tags="Spec.Labels",
        absent=(NOT_A_MANAGER,),
        permission="GET /secrets",
    ),
)
