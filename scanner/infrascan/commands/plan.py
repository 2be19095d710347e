"""What an operator is shown before deciding: what would happen, how to look first, how to go back.

Nothing is run to make a plan. Looking first (a diff, a dry run) happens when an operator asks.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from infrascan.commands.blast import Blast
from infrascan.commands.files import Bound
from infrascan.commands.nouns import Effect, Parsed

Plan = dict[str, Any]
UNDOABLE = ("deployment", "deploy", "statefulset", "sts", "daemonset", "ds")
DRY = {  # kubectl verbs that the API server tries out without keeping the result
    "create", "apply", "delete", "replace", "patch", "scale", "autoscale", "label", "annotate",
    "taint", "expose", "run", "set image", "set env", "set resources", "set selector",
    "set serviceaccount", "set subject", "cordon", "uncordon", "drain", "rollout undo",
}  # fmt: skip
OPPOSITES = {
    ("kubectl", "cordon"): "uncordon",
    ("kubectl", "uncordon"): "cordon",
    ("kubectl", "drain"): "uncordon",
    ("kubectl", "rollout pause"): "rollout resume",
    ("kubectl", "rollout resume"): "rollout pause",
    ("aws", "ec2 start-instances"): "ec2 stop-instances",
    ("aws", "ec2 stop-instances"): "ec2 start-instances",
    ("aws", "rds start-db-instance"): "rds stop-db-instance",
    ("aws", "rds stop-db-instance"): "rds start-db-instance",
    ("aws", "cloudwatch disable-alarm-actions"): "cloudwatch enable-alarm-actions",
    ("aws", "cloudwatch enable-alarm-actions"): "cloudwatch disable-alarm-actions",
    ("gcloud", "compute instances start"): "compute instances stop",
    ("gcloud", "compute instances stop"): "compute instances start",
    ("az", "vm start"): "vm deallocate",
    ("az", "vm stop"): "vm start",
    ("az", "vm deallocate"): "vm start",
    ("docker", "start"): "stop",
    ("docker", "stop"): "start",
    ("docker", "pause"): "unpause",
    ("docker", "unpause"): "pause",
    ("hcloud", "server poweron"): "server shutdown",
    ("hcloud", "server poweroff"): "server poweron",
    ("hcloud", "server shutdown"): "server poweron",
    ("gh", "workflow disable"): "workflow enable",
    ("gh", "workflow enable"): "workflow disable",
}


def planned(
    parsed: Parsed,
    target: Mapping[str, str],
    files: Sequence[Bound],
    blast: Blast,
    warnings: Sequence[str],
) -> Plan:
    """The plan as JSON."""
    back, note = rollback(parsed, blast)
    return {
        "summary": summary(parsed, target),
        "command": shlex.join(parsed.vector),
        "effect": parsed.effect.value,
        "target": dict(target),
        "files": [{"path": f.path, "sha256": f.sha256, "bytes": f.size} for f in files],
        "preview": preview(parsed),
        "blast_radius": blast.as_dict(),
        "rollback": {"command": list(back), "note": note},
        "warnings": [*parsed.notes, *unknown(parsed), *warnings],
    }


def summary(parsed: Parsed, target: Mapping[str, str]) -> str:
    """One sentence: what the command does, to what, where."""
    what = " ".join(parsed.operands[:6]) if parsed.operands else ""
    files = " ".join(parsed.files)
    where = ", ".join(f"{name} {value}" for name, value in target.items() if name != "as")
    doing = {
        Effect.READ: "reads",
        Effect.WRITE: "changes",
        Effect.DESTRUCTIVE: "may destroy",
    }[parsed.effect]
    said = " ".join(part for part in (parsed.tool, parsed.verb, what, files) if part)
    if what.startswith(parsed.verb):
        said = " ".join(part for part in (parsed.tool, what, files) if part)
    return f"{said}: {doing} {where or 'what the tool is set to by default'}"


def unknown(parsed: Parsed) -> list[str]:
    return [f"{flag} is not in the grammar: look at it closely" for flag in parsed.unknown]


def preview(parsed: Parsed) -> Plan:
    """The command that shows what would change, and whether the operator has had it run."""
    vector, kind = look(parsed)
    if not vector:
        return {"kind": "none", "command": [], "ran": False, "note": "this tool has no dry run"}
    note = "run by the operator, before deciding; it changes nothing"
    return {"kind": kind, "command": list(vector), "ran": False, "note": note}


def look(parsed: Parsed) -> tuple[tuple[str, ...], str]:
    """The vector of a dry run, and what to call it. Only such as change nothing."""
    vector = parsed.vector
    if parsed.effect is Effect.READ:
        return (), ""
    if parsed.tool == "kubectl":
        if parsed.verb == "apply":
            kept = [w for w in vector if w not in {"--wait", "--overwrite"}]
            words = tuple("diff" if word == "apply" else word for word in kept)
            simple = {"filename", "namespace", "context", "server-side", "selector"}
            if set(parsed.flags) <= simple:
                return words, "diff"
        if (
            parsed.verb in DRY or parsed.verb.startswith("create ")
        ) and "dry-run" not in parsed.flags:
            return inserted(vector, "--dry-run=server"), "dry run"
    if parsed.tool == "helm" and parsed.verb in {"install", "upgrade", "rollback", "uninstall"}:
        return inserted(vector, "--dry-run"), "dry run"
    if parsed.tool == "aws" and parsed.verb.startswith("ec2 ") and "no-dry-run" not in parsed.flags:
        return inserted(vector, "--dry-run"), "dry run"
    return (), ""


def inserted(vector: tuple[str, ...], flag: str) -> tuple[str, ...]:
    """The vector with a flag ahead of what belongs to another program."""
    at = vector.index("--") if "--" in vector else len(vector)
    return (*vector[:at], flag, *vector[at:])


def rollback(parsed: Parsed, blast: Blast) -> tuple[tuple[str, ...], str]:
    """The command that takes this one back, and what to know of it."""
    if parsed.effect is Effect.READ:
        return (), "it changes nothing"
    if other := OPPOSITES.get((parsed.tool, parsed.verb)):
        keep = tuple(w for w in parsed.vector[1:] if not taken_back(parsed, w))
        verb = tuple(parsed.verb.split())
        rest = tuple(w for i, w in enumerate(keep) if not (w in verb and keep.index(w) == i))
        return (parsed.tool, *other.split(), *rest), ""
    if parsed.tool == "kubectl":
        return kubernetes(parsed, blast)
    if parsed.tool == "helm":
        return helm(parsed)
    if parsed.effect is Effect.DESTRUCTIVE:
        return (), "none: what it destroys cannot be brought back by a command"
    if parsed.tool == "terraform":
        return (), "apply the configuration as it was before this change"
    return (), "none that is known; note the present settings before approving"


def taken_back(parsed: Parsed, word: str) -> bool:
    """True for a flag that only the command itself has, such as those of a drain."""
    return parsed.verb == "drain" and word.startswith("--") and not word.startswith("--context")


def place(parsed: Parsed) -> tuple[str, ...]:
    """The flags that aim another kubectl or helm command at the same place."""
    flag = "--kube-context" if parsed.tool == "helm" else "--context"
    given = parsed.target.get("context")
    namespace = parsed.target.get("namespace")
    return (
        *((f"{flag}={given}",) if given else ()),
        *((f"--namespace={namespace}",) if namespace and namespace != "*" else ()),
    )


def kubernetes(parsed: Parsed, blast: Blast) -> tuple[tuple[str, ...], str]:
    operands = list(parsed.operands)
    where = place(parsed)
    verb = parsed.verb
    if verb == "scale":
        before = blast.replicas
        if before is None:
            return (), "scale back to the number of replicas there is now; no scan has it"
        return ("kubectl", "scale", *operands, f"--replicas={before}", *where), "as last scanned"
    if verb in {"label", "annotate", "taint"}:
        names = [f"{w.partition('=')[0]}-" if "=" in w else w for w in operands]
        return ("kubectl", verb, *names, *where), "values that were there before are not known"
    if verb == "rollout undo":
        return ("kubectl", "rollout", "undo", *operands, *where), "undoing twice leads back"
    if verb in {"rollout restart", "patch", "set image", "set env", "set resources"}:
        objects = [w for w in operands if not (verb.startswith("set ") and "=" in w)]
        kind = objects[0].partition("/")[0] if objects else ""
        if kind.rstrip("s") in UNDOABLE or kind in UNDOABLE:
            return ("kubectl", "rollout", "undo", *objects, *where), "to the revision before"
        return (), "none: note the object as it is before approving"
    if verb.startswith("create") or verb in {"expose", "run", "autoscale"}:
        files = tuple(f"--filename={path}" for path in parsed.files)
        made = verb.removeprefix("create").split()[:1] or {"run": ["pod"]}.get(verb, [])
        name = parsed.flag("name") or (operands[-1] if operands and verb != "autoscale" else "")
        if files:
            return ("kubectl", "delete", *files, *where), "deletes what it made"
        if made and name:
            return ("kubectl", "delete", *made, name, *where), "deletes what it made"
        return (), "delete what it made"
    if verb == "apply":
        workloads = [f"{kind}/{name}" for kind, name in blast.objects if kind in UNDOABLE]
        if workloads:
            return ("kubectl", "rollout", "undo", workloads[0], *where), (
                "for each workload; for the rest, apply the manifests as they were before"
            )
        return (), "apply the manifests as they were before"
    if parsed.effect is Effect.DESTRUCTIVE:
        return (), "none: create it again from its manifest; data of volumes may be gone"
    return (), "none that is known; note the present settings before approving"


def helm(parsed: Parsed) -> tuple[tuple[str, ...], str]:
    where = place(parsed)
    release = parsed.operands[0] if parsed.operands else ""
    if parsed.verb == "install" and release:
        return ("helm", "uninstall", release, *where), ""
    if parsed.verb in {"upgrade", "rollback"} and release:
        return ("helm", "rollback", release, *where), "to the revision before"
    if parsed.verb == "uninstall":
        if "keep-history" in parsed.flags:
            return ("helm", "rollback", release, *where), ""
        return (), "none: install the release again with its values"
    return (), "none that is known"
