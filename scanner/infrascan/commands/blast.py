"""What else a command would touch: the resources that lead to its target, from the latest scan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrascan.commands.nouns import Parsed
from infrascan.commands.policy import singular
from infrascan.commands.syntax import Tool
from infrascan.model import InputError
from infrascan.store.manifest import ScanInfo
from infrascan.store.scans import resolve
from infrascan.store.sql import asked

MOST = 50
HOPS = 4
# A restart helps with none of these: the same image and command start again.
IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "CreateContainerConfigError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blast:
    """`known` is False where no scan says anything: that is no promise that nothing depends on it."""

    known: bool = False
    note: str = ""
    scan: str = ""
    resources: Sequence[str] = ()
    dependents: Sequence[Mapping[str, str]] = ()
    total: int = 0
    objects: Sequence[tuple[str, str]] = ()  # kind and name of those in manifests
    replicas: int | None = None
    warnings: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "known": self.known,
            "note": self.note,
            "scan": self.scan,
            "resources": list(self.resources),
            "dependents": [dict(each) for each in self.dependents],
            "total": self.total,
        }


def blast(
    home: Path, tool: Tool, parsed: Parsed, objects: Sequence[Mapping[str, Any]] = ()
) -> Blast:
    """What the latest scan says of the command's target and of what leads there."""
    in_files = [named(each) for each in objects]
    pairs = [(kind, name) for kind, name, _ in in_files]
    try:
        scan = resolve(home, "latest")
    except InputError:
        return Blast(note="no scan is stored, so what depends on it is not known", objects=pairs)
    words = sorted({*tokens(parsed), *(name for _, name, _ in in_files if name)})[:200]
    if not words:
        return Blast(note="the command names no resource", scan=scan.id, objects=pairs)
    rows = asked(
        scan,
        "SELECT key, kind, id, name, account, data FROM resources WHERE provider = ? AND"
        " (list_contains(?::VARCHAR[], id) OR list_contains(?::VARCHAR[], name)"
        "  OR list_contains(?::VARCHAR[], regexp_extract(id, '[^/:]+$')))"
        " ORDER BY key LIMIT 200",
        [tool.provider, words, words, words],
    )
    found = [row for row in rows if fits(row, parsed, in_files)]
    found = [row for row in found if row["account"] in here(found, parsed)][:MOST]
    if not found:
        return Blast(
            note=f"scan {scan.id} has no such resource, so what depends on it is not known",
            scan=scan.id,
            objects=pairs,
        )
    keys = [row["key"] for row in found]
    reached = asked(
        scan,
        "WITH RECURSIVE up(key, name, depth) AS ("
        " SELECT source, name, 1 FROM edges WHERE list_contains(?::VARCHAR[], target)"
        " UNION SELECT target, name, 1 FROM edges WHERE name = 'pods' AND source LIKE 'k8s.%'"
        "  AND list_contains(?::VARCHAR[], source)"
        " UNION SELECT edges.source, edges.name, depth + 1 FROM edges JOIN up ON edges.target ="
        " up.key WHERE depth < ?)"
        " SELECT key, min(name) AS relation, min(depth) AS distance FROM up"
        " WHERE NOT list_contains(?::VARCHAR[], key)"
        " AND NOT regexp_matches(key, '^k8s\\.(event|endpoint_slice|network_policy)/') GROUP BY key ORDER BY distance, key",
        [keys, keys, HOPS, keys],
    )
    return Blast(
        known=True,
        note=doubts(scan, found),
        scan=scan.id,
        resources=keys,
        dependents=[
            {"resource": row["key"], "relation": row["relation"], "distance": str(row["distance"])}
            for row in reached[:MOST]
        ],
        total=len(reached),
        objects=pairs,
        replicas=replicas(found),
        warnings=restarting(scan, parsed, found),
    )


def tokens(parsed: Parsed) -> set[str]:
    """The words of a command that may name a resource."""
    found: set[str] = set()
    values = [value for values in parsed.flags.values() for value in values]
    for word in (*parsed.operands, *values):
        for part in word.replace("/", " / ").replace(",", " ").split():
            found.add(part.partition("=")[2] or part)
        found.add(word)
    if namespace := parsed.target.get("namespace"):
        found |= {f"{namespace}/{word}" for word in list(found)}
        found.discard(namespace)
    return {word for word in found if 1 < len(word) < 500 and word not in {"true", "false"}}


def named(item: Mapping[str, Any]) -> tuple[str, str, str]:
    meta = item.get("metadata")
    about = meta if isinstance(meta, dict) else {}
    return (
        str(item.get("kind", "")).lower(),
        str(about.get("name", "")),
        str(about.get("namespace", "")),
    )


def fits(row: Mapping[str, Any], parsed: Parsed, objects: Sequence[tuple[str, str, str]]) -> bool:
    """True where a Kubernetes resource is of a kind and namespace that the command names."""
    if parsed.tool != "kubectl":
        return True
    kind = row["kind"].rpartition(".")[2].replace("_", "")
    namespace = row["id"].rpartition("/")[0]
    wanted = parsed.target.get("namespace")
    if wanted and wanted != "*" and namespace and namespace != wanted:
        return False
    if any(kind == each[0] and row["name"] == each[1] for each in objects):
        return True
    kinds = {singular(word.partition("/")[0]) for word in parsed.operands}
    if parsed.verb in {"cordon", "uncordon", "drain"}:
        kinds = {"node"}
    if parsed.verb in {"exec", "logs"}:
        kinds |= {"pod"}
    return kind in kinds


def here(found: Sequence[Mapping[str, Any]], parsed: Parsed) -> set[str]:
    """The accounts that the command may be about: its context, where a scan knows one so named."""
    accounts = {str(row["account"]) for row in found}
    named = accounts & {
        parsed.target.get(name, "") for name in ("context", "project", "subscription")
    }
    return named or accounts


def doubts(scan: ScanInfo, found: Sequence[Mapping[str, Any]]) -> str:
    """What keeps the answer from being the whole truth, "" for nothing."""
    accounts = sorted({str(row["account"]) for row in found})
    said = []
    if scan.coverage_percent < 100:
        said.append(f"{scan.coverage_percent:.0f} % of the estate was read; there may be more")
    if accounts[1:]:
        said.append(f"several places have one so named: {', '.join(accounts)}")
    return "; ".join(said)


def replicas(found: Sequence[Mapping[str, Any]]) -> int | None:
    if len(found) != 1:
        return None
    spec = json.loads(found[0]["data"]).get("spec")
    value = spec.get("replicas") if isinstance(spec, dict) else None
    return value if isinstance(value, int) else None


def restarting(
    scan: ScanInfo, parsed: Parsed, found: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """What a restart will not mend: an image or a command that fails each time it is started."""
    if (parsed.tool, parsed.verb) not in {
        ("kubectl", "rollout restart"),
        ("kubectl", "delete"),
        ("docker", "restart"),
        ("docker", "start"),
    }:
        return ()
    said: list[str] = []
    for row in found:
        if row["kind"] == "docker.container":
            said += container(row)
    pods = asked(
        scan,
        "SELECT name, data FROM resources WHERE kind = 'k8s.pod' AND (list_contains($1, key)"
        " OR key IN (SELECT target FROM edges WHERE name = 'pods' AND list_contains($1, source)"
        "  AND source NOT LIKE 'k8s.service/%')"
        " OR key IN (SELECT source FROM edges WHERE list_contains($1, target)"
        "  AND name IN ('replica_set', 'stateful_set', 'daemon_set'))) ORDER BY name LIMIT 200",
        [[row["key"] for row in found]],
    )
    for row in pods:
        said += pod(row["name"], json.loads(row["data"]))
    return tuple(said[:10])


def pod(name: str, data: Mapping[str, Any]) -> list[str]:
    said = []
    for status in (data.get("status") or {}).get("containerStatuses") or []:
        state = status.get("state") or {}
        waiting = (state.get("waiting") or {}).get("reason", "")
        last = (status.get("lastState") or {}).get("terminated") or state.get("terminated") or {}
        code = last.get("exitCode")
        which = f"pod {name}, container {status.get('name', '')}"
        if waiting in IMAGE:
            said.append(
                f"{which} is in {waiting}: a restart uses the same image, and will not fix it"
            )
        elif waiting == "CrashLoopBackOff" and (why := command(code, last)):
            said.append(f"{which} {why}: a restart runs the same command, and will not fix it")
    return said


def container(row: Mapping[str, Any]) -> list[str]:
    state = json.loads(row["data"]).get("State")
    code = state.get("ExitCode") if isinstance(state, dict) and not state.get("Running") else None
    why = command(code, {})
    said = f"container {row['name']} {why}: a restart runs the same command, and will not fix it"
    return [said] if why else []


def command(code: Any, last: Mapping[str, Any]) -> str:
    """What an exit code says of a container's command, "" where a restart may help."""
    match code:
        case 0:
            return "ends by itself with exit code 0 (it has no process that keeps running)"
        case 126 | 127:
            return f"ends with exit code {code} (its command cannot be run)"
        case 128 if last.get("reason") in {"StartError", "ContainerCannotRun"}:
            return "cannot start its command"
    return ""
