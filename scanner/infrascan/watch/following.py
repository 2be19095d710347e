"""What follows a pod that fell ill: look closer, now, and propose what may help. Runs nothing.

The changes before it are read and ranked; where one explains it, what takes it back is proposed,
else the restart of what the pod belongs to, with a warning where that will not mend it. An operator
decides on a terminal. Text of the estate is in no command but as names that the command's own
grammar takes.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from getpass import getuser
from pathlib import Path
from typing import Any

import trio

from infrascan.commands.nouns import Requester
from infrascan.commands.proposing import propose
from infrascan.model import InputError, Resource, Scan
from infrascan.pipeline import Request, look
from infrascan.reason.causes import KINDS, explain
from infrascan.render.inert import visible
from infrascan.watch.degraded import workload
from infrascan.watch.news import Transition, Turn

MOST = 5  # pods of one run that are looked at more closely
ILL = frozenset({Turn.NEW, Turn.WORSE})
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
RESTARTED = {"ReplicaSet": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset"}

Followed = Callable[[Sequence[Transition]], Awaitable[Mapping[str, Mapping[str, Any]]]]


def follower(home: Path, request: Request) -> Followed:
    """Gives for each transition, by its key, what was found and proposed."""

    async def follow(transitions: Sequence[Transition]) -> Mapping[str, Mapping[str, Any]]:
        ill = {t.key: pod for t in transitions if t.turn in ILL and (pod := pod_key(t))}
        if not ill:
            return {}
        try:
            scan = await look(request, KINDS)
        except InputError as error:
            said = {"verdict": f"not looked at more closely: {error}"}
            return dict.fromkeys(ill, said)
        found: dict[str, Mapping[str, Any]] = {}
        for pod in list(dict.fromkeys(ill.values()))[:MOST]:
            found[pod] = await trio.to_thread.run_sync(partial(closer, home, scan, pod))
        return {key: found[pod] for key, pod in ill.items() if pod in found}

    return follow


def pod_key(transition: Transition) -> str:
    """The key of the pod that a transition is about; "" for none."""
    pod = transition.degraded or {}
    names = [str(pod.get(name, "")) for name in ("cluster", "namespace", "pod")]
    return "k8s.pod/{}/global/{}/{}".format(*names) if all(names) else ""


def closer(home: Path, scan: Scan, key: str) -> dict[str, Any]:
    """Why the pod is ill, with evidence, and the proposal that is queued for it, if one is."""
    try:
        explanation = explain(scan, key)
    except InputError as error:  # it is gone since, or was not read
        return {"verdict": f"not known: {error}"}
    said: dict[str, Any] = {
        "verdict": explanation.verdict,
        "status": explanation.status,
        "needs": list(explanation.needs),
    }
    best = explanation.hypotheses[0] if explanation.hypotheses else None
    if explanation.status in {"likely", "competing"} and best and best.rollback:
        vector: Sequence[str] = best.rollback.vector
    else:
        vector = restart(next((r for r in scan.resources if r.key == key), None))
    if vector:
        said["proposal"] = queued(home, vector, f"{explanation.name}: {explanation.verdict}")
    return said


def restart(pod: Resource | None) -> list[str]:
    """The restart of what a pod belongs to; nothing where its names are no plain ones."""
    cluster, _, rest = workload(pod).rpartition("/")[0].partition("/")
    namespace, _, kind = rest.partition("/")
    name = workload(pod).rpartition("/")[2]
    whole = all(NAME.fullmatch(part) for part in (namespace, name))
    if pod is None or kind not in RESTARTED or not whole or not cluster:
        return []
    return [
        *("kubectl", "--context", pod.account, "-n", namespace),
        *("rollout", "restart", f"{RESTARTED[kind]}/{name}"),
    ]


def queued(home: Path, vector: Sequence[str], reason: str) -> dict[str, Any]:
    """The proposal that waits for an operator, or why there is none."""
    who = Requester(client="infrascan watch", user=getuser())
    try:
        found = propose(home, vector, visible(reason)[:1_000], who)
    except InputError as error:
        return {"status": "refused", "why": str(error)}
    return {
        "status": found.status.value,
        "approval_id": found.id,
        "vector": list(found.vector),
        "expires_at": found.expires,
        "warnings": list(found.plan.get("warnings", ())),
    }
