"""What is kept of the engine's answers. Programs' words are secrets until proven otherwise:
variables lose their values, and arguments, commands and the output of health checks are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from infrascan import redact

# Of a container in the list: what its inspection does not say, or says in another form.
LISTED = ("Id", "Names", "Ports", "Labels", "Status")
INSPECTED = (
    *("Created", "State", "Image", "RestartCount", "Platform", "AppArmorProfile"),
    *("HostConfig", "Mounts", "Config", "NetworkSettings"),
)
IMAGE_LISTED = ("Id", "RepoTags", "RepoDigests", "Size", "Labels")
IMAGE_INSPECTED = ("Created", "Os", "Architecture", "Author", "Config")
NEVER = "0001-01-01T00:00:00Z"  # Go's zero time
PROGRAM = ("Cmd", "Entrypoint", "OnBuild", "Shell", "Command", "Args")


def kept(api: str, body: Any) -> Any:
    """The answer without what nothing may keep, and without what no rule can use."""
    change = ARRIVALS.get(api)
    return change(body) if change else body


def containers(body: Any) -> Any:
    return [picked(item, LISTED) for item in body] if isinstance(body, list) else body


def images(body: Any) -> Any:
    return [picked(item, IMAGE_LISTED) for item in body] if isinstance(body, list) else body


def picked(item: Any, names: Iterable[str]) -> Any:
    if not isinstance(item, dict):
        return item
    return {name: item[name] for name in names if name in item}


def container(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    found = picked(body, INSPECTED)
    state = found.get("State")
    if isinstance(state, dict):
        found["State"] = state = dict(state)
        for name in ("StartedAt", "FinishedAt"):
            if state.get(name) == NEVER:
                state[name] = None
        if isinstance(state.get("Health"), dict):
            state["Health"] = {k: v for k, v in state["Health"].items() if k != "Log"}
    found["Config"] = settings(found.get("Config"))
    return found


def image(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    found = picked(body, IMAGE_INSPECTED)
    if "Config" in found:
        found["Config"] = settings(found["Config"])
    return found


def settings(config: Any) -> Any:
    """A container's or an image's configuration, without what its program is told."""
    if not isinstance(config, dict):
        return config
    found = {name: value for name, value in config.items() if name not in PROGRAM}
    if "Env" in found:
        found["Env"] = variables(found["Env"])
    check = found.get("Healthcheck")
    if isinstance(check, dict):
        test = check.get("Test")
        found["Healthcheck"] = {**check, "Test": test[:1] if isinstance(test, list) else None}
    return found


def variables(env: Any) -> Any:
    """Variables without values: `DB_PASSWORD=[redacted:password]`, `PATH=[redacted]`."""
    if not isinstance(env, list):
        return None
    found = []
    for entry in env:
        name, equals, value = str(entry).partition("=")
        found.append(f"{name}={redact.blank(name, value)}" if equals else name)
    return found


def volumes(body: Any) -> Any:
    if not isinstance(body, dict) or not isinstance(body.get("Volumes"), list):
        return body
    return {**body, "Volumes": [volume(item) for item in body["Volumes"]]}


def volume(item: Any) -> Any:
    """A volume; its mount options may hold the password of a network share."""
    if not isinstance(item, dict):
        return item
    found = dict(item)
    if isinstance(found.get("Options"), dict):
        found["Options"] = {k: v for k, v in found["Options"].items() if k in {"type", "device"}}
    return found


def services(body: Any) -> Any:
    return [service(item) for item in body] if isinstance(body, list) else body


def service(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    found = {k: v for k, v in item.items() if k != "PreviousSpec"}
    spec: Any = found.get("Spec")
    task: Any = spec.get("TaskTemplate") if isinstance(spec, dict) else None
    inside: Any = task.get("ContainerSpec") if isinstance(task, dict) else None
    if isinstance(inside, dict):
        found["Spec"] = {**spec, "TaskTemplate": {**task, "ContainerSpec": settings(inside)}}
    return found


def secrets(body: Any) -> Any:
    if not isinstance(body, list):
        return body
    return [without_data(item) for item in body]


def without_data(item: Any) -> Any:
    if isinstance(item, dict) and isinstance(item.get("Spec"), dict):
        return {**item, "Spec": {k: v for k, v in item["Spec"].items() if k != "Data"}}
    return item


def info(body: Any) -> Any:
    """The engine; without the swarm's certificates and the proxies, which may hold a login."""
    if not isinstance(body, dict):
        return body
    gone = {"HttpProxy", "HttpsProxy", "NoProxy", "SystemTime", "NFd", "NGoroutines", "Plugins"}
    found = {name: value for name, value in body.items() if name not in gone}
    if isinstance(found.get("Swarm"), dict) and isinstance(found["Swarm"].get("Cluster"), dict):
        cluster = {k: v for k, v in found["Swarm"]["Cluster"].items() if k != "TLSInfo"}
        if isinstance(cluster.get("Spec"), dict):  # which has the key that signs certificates
            cluster["Spec"] = {k: v for k, v in cluster["Spec"].items() if k != "CAConfig"}
        found["Swarm"] = {**found["Swarm"], "Cluster": cluster}
    return found


def nodes(body: Any) -> Any:
    """The nodes, without their certificates and the plugins they have."""
    return [node(item) for item in body] if isinstance(body, list) else body


def node(item: Any) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("Description"), dict):
        return item
    about = {k: v for k, v in item["Description"].items() if k != "TLSInfo"}
    if isinstance(about.get("Engine"), dict):
        about["Engine"] = {k: v for k, v in about["Engine"].items() if k != "Plugins"}
    return {**item, "Description": about}


def disk(body: Any) -> Any:
    """Sizes and numbers of uses. What images and layers are called is said by other calls."""
    if not isinstance(body, dict):
        return body
    return {
        "LayersSize": body.get("LayersSize"),
        "Images": sizes(body.get("Images"), ("Id", "Size", "SharedSize", "Containers")),
        "Containers": sizes(body.get("Containers"), ("Id", "SizeRw", "State")),
        "Volumes": sizes(body.get("Volumes"), ("Name", "UsageData")),
        "BuildCache": sizes(body.get("BuildCache"), ("ID", "Size", "InUse", "Shared")),
    }


def sizes(items: Any, names: tuple[str, ...]) -> Any:
    return [picked(item, names) for item in items] if isinstance(items, list) else items


def stats(body: Any) -> Any:
    """One sample of what a container uses, reduced to memory, processor time and processes."""
    if not isinstance(body, dict):
        return body
    found = picked(body, ("read", "cpu_stats", "memory_stats", "pids_stats"))
    memory = found.get("memory_stats")
    if isinstance(memory, dict):
        inside = picked(
            memory.get("stats") or {}, ("cache", "inactive_file", "total_inactive_file")
        )
        found["memory_stats"] = {**picked(memory, ("usage", "max_usage", "failcnt", "limit"))}
        found["memory_stats"]["stats"] = inside
    return found


def logs(body: Any) -> Any:
    """What a container wrote, as lines. Without a terminal it comes in frames, each with the
    stream it was written to and its length in eight bytes before it.
    """
    raw = body.encode("latin-1") if isinstance(body, str) else b""
    parts = []
    place = 0
    while (
        raw[place : place + 1] in {b"\0", b"\1", b"\2"} and raw[place + 1 : place + 4] == b"\0\0\0"
    ):
        size = int.from_bytes(raw[place + 4 : place + 8], "big")
        parts.append(raw[place + 8 : place + 8 + size])
        place += 8 + size
    return {"text": (b"".join(parts) if parts else raw).decode("utf-8", "replace")}


ARRIVALS: Mapping[str, Callable[[Any], Any]] = {
    "GET /info": info,
    "GET /system/df": disk,
    "GET /containers/json": containers,
    "GET /containers/{Id}/json": container,
    "GET /containers/{Id}/stats": stats,
    "GET /containers/{Id}/logs": logs,
    "GET /images/json": images,
    "GET /images/{Id}/json": image,
    "GET /volumes": volumes,
    "GET /services": services,
    "GET /nodes": nodes,
    "GET /secrets": secrets,
}
