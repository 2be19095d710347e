"""Diagnoses that state alone gives: a container says by its exit code and reason why it is down.

They are facts, not guesses: each stands on fields of the pod, and holds whatever changed before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infrascan.model import Evidence, Resource
from infrascan.reason.change import Step, at, cited, dicts, mapping, quoted
from infrascan.reason.symptoms import CONFIG, IMAGE

# Images that hold a shell or nothing that keeps running by itself.
SHELLS = re.compile(
    r"^(?:docker\.io/)?(?:library/)?"
    r"(?:busybox|alpine|ubuntu|debian|centos|fedora|amazonlinux|bash|almalinux|rockylinux)(?:[:@]|$)"
)
NOT_FOUND = re.compile(r"(?i)not found|manifest unknown|does not exist|NotFound")
REFUSED = re.compile(
    r"(?i)unauthorized|denied|authentication required|no basic auth|403|401|authorization"
)
LIMITED = re.compile(r"(?i)toomanyrequests|rate limit")
MISSING = re.compile(r'(?i)(configmap|secret) "(?P<name>[^"]{1,253})" not found')
KEYLESS = re.compile(
    r"(?i)couldn't find key (?P<key>\S{1,253}) in (?P<kind>ConfigMap|Secret) (?P<name>\S+)"
)
SIGNALS = {137: "SIGKILL", 143: "SIGTERM", 139: "SIGSEGV", 134: "SIGABRT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing that is known to be wrong, and what it takes."""

    code: str  # "exits-at-once", for programs
    resource: str
    name: str
    says: str
    evidence: tuple[Evidence, ...]
    advice: str
    restart_helps: bool = False  # a restart alone would change nothing, in most cases
    check: str = ""  # a command that only reads


def diagnoses(
    resources: Iterable[Resource], logs: Mapping[str, str] | None = None
) -> list[Diagnosis]:
    """What is known of each pod among these. `logs` are those that were read: pod key -> text."""
    found: list[Diagnosis] = []
    for resource in resources:
        if resource.kind == "k8s.pod":
            found += of_pod(resource, (logs or {}).get(resource.key))
        elif resource.kind == "k8s.deployment":
            found += of_replicas(resource)
    return found


def of_pod(pod: Resource, logs: str | None = None) -> Iterator[Diagnosis]:
    for which, spec in (
        ("containerStatuses", "containers"),
        ("initContainerStatuses", "initContainers"),
    ):
        names = {
            str(container.get("name")): place
            for place, container in dicts(at(pod.data, ("spec", spec)))
        }
        for index, status in dicts(at(pod.data, ("status", which))):
            place = names.get(str(status.get("name")))
            if place is None:
                continue
            one = Container(pod, ("spec", spec, place), ("status", which, index), status, logs)
            if diagnosis := one.diagnosis():
                yield diagnosis
    yield from unscheduled(pod)
    if at(pod.data, ("status", "reason")) == "Evicted":
        yield Diagnosis(
            code="evicted",
            resource=pod.key,
            name=pod.name,
            says=f"pod {pod.name} was evicted: {quoted(at(pod.data, ('status', 'message')) or '')}",
            evidence=cited(pod, ("status", "reason"), ("status", "message")),
            advice="give the pod requests that fit what it uses, or the node more of what ran out",
        )


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod: where it is specified, and what is said of it."""

    pod: Resource
    spec: tuple[Step, ...]
    status: tuple[Step, ...]
    said: Mapping[str, Any]
    logs: str | None

    def diagnosis(self) -> Diagnosis | None:
        waiting = str(mapping(mapping(self.said.get("state")).get("waiting")).get("reason") or "")
        if waiting in IMAGE:
            return self.unpulled()
        if waiting in CONFIG:
            return self.unconfigured(waiting)
        for which in ("state", "lastState"):
            ended = mapping(mapping(self.said.get(which)).get("terminated"))
            if ended and (waiting or which == "state" or self.said.get("restartCount")):
                return self.ended(which, ended, waiting)
        return None

    def made(
        self, code: str, says: str, advice: str, *paths: Sequence[Step], **more: Any
    ) -> Diagnosis:
        return Diagnosis(
            code=code,
            resource=self.pod.key,
            name=self.pod.name,
            says=f"pod {self.pod.name}, container {quoted(self.said.get('name'), 60)}: {says}",
            evidence=cited(self.pod, *paths),
            advice=advice,
            **more,
        )

    def unpulled(self) -> Diagnosis:
        paths = (
            (*self.status, "state", "waiting", "reason"),
            (*self.status, "state", "waiting", "message"),
            (*self.spec, "image"),
        )
        message = str(at(self.pod.data, paths[1]) or "")
        image = quoted(at(self.pod.data, paths[2]), 200)
        if LIMITED.search(message):
            return self.made(
                "image-rate-limit",
                f"the registry limits pulls of image {image}",
                "pull through a cache or with an account of the registry",
                *paths,
            )
        if REFUSED.search(message):
            return self.made(
                "image-refused",
                f"the registry refuses image {image}",
                "check imagePullSecrets, or the node's rights to pull",
                *paths,
            )
        if NOT_FOUND.search(message):
            return self.made(
                "image-not-found",
                f"image {image} is not in its registry",
                "push the image, or name a tag that is there",
                *paths,
            )
        if at(self.pod.data, paths[0]) == "InvalidImageName":
            return self.made(
                "image-invalid", f"{image} is no name of an image", "correct the name", *paths
            )
        return self.made(
            "image-not-pulled",
            f"image {image} could not be pulled, and the message does not say why",
            "describe the pod for the registry's answer",
            *paths,
            check=self.describe(),
        )

    def unconfigured(self, waiting: str) -> Diagnosis:
        message_at = (*self.status, "state", "waiting", "message")
        paths: list[Sequence[Step]] = [(*self.status, "state", "waiting", "reason"), message_at]
        message = str(at(self.pod.data, message_at) or "")
        if match := KEYLESS.search(message):
            says = f"{match['kind']} {quoted(match['name'])} has no key {quoted(match['key'])}"
            return self.made("key-missing", says, "add the key, or correct the reference", *paths)
        if match := MISSING.search(message):
            says = f"{match[1]} {quoted(match['name'])} is not there"
            return self.made("config-missing", says, "create it, or correct the reference", *paths)
        for field, kind in (("missing_config_maps", "ConfigMap"), ("missing_secrets", "Secret")):
            names = self.pod.data.get(field)
            if isinstance(names, list) and names:
                says = f"{kind} {quoted(names[0])} is not there"
                return self.made(
                    "config-missing", says, "create it, or correct the reference", *paths, (field,)
                )
        return self.made(
            "not-created",
            f"the container could not be made ({waiting})",
            "describe the pod for what is missing",
            *paths,
            check=self.describe(),
        )

    def ended(self, which: str, ended: Mapping[str, Any], waiting: str) -> Diagnosis | None:
        code, reason = ended.get("exitCode"), str(ended.get("reason") or "")
        base: list[Sequence[Step]] = [
            (*self.status, which, "terminated", "exitCode"),
            (*self.status, which, "terminated", "reason"),
            (*self.status, "restartCount"),
            (*self.spec, "image"),
        ]
        if waiting:
            base.append((*self.status, "state", "waiting", "reason"))
        count = self.said.get("restartCount") or 0
        if reason == "OOMKilled":
            return self.out_of_memory(base, count)
        if code == 0 and (waiting == "CrashLoopBackOff" or (which == "lastState" and count)):
            return self.exited(base, count)
        if code in {126, 127} or reason in {"ContainerCannotRun", "StartError"}:
            says = f"its command cannot be run (exit code {code}, {count} restarts)"
            paths = (
                *base,
                (*self.spec, "command"),
                (*self.spec, "args"),
                (*self.status, which, "terminated", "message"),
            )
            return self.made("command-not-run", says, "correct the command or the image", *paths)
        if (
            code in SIGNALS
            and (*self.spec, "livenessProbe")
            and at(self.pod.data, (*self.spec, "livenessProbe"))
            and code in {137, 143}
        ):
            says = f"it was stopped by {SIGNALS[code]} ({count} restarts) and has a liveness probe: see whether that failed"
            return self.made(
                "stopped",
                says,
                "read the events of the pod for failed probes",
                *base,
                (*self.spec, "livenessProbe"),
                check=self.describe(),
                restart_helps=True,
            )
        if isinstance(code, int) and code and (waiting or count):
            named = f" ({SIGNALS[code]})" if code in SIGNALS else ""
            says = f"its program ends with exit code {code}{named}, {count} restarts"
            return self.made(
                "exits-with-error", says, "read the log of the run before", *base, check=self.log()
            )
        return None

    def out_of_memory(self, base: list[Sequence[Step]], count: object) -> Diagnosis:
        limit_at = (*self.spec, "resources", "limits", "memory")
        limit = at(self.pod.data, limit_at)
        if limit is None:
            says = f"it was killed for memory ({count} restarts) and has no limit of its own: the node ran out"
            return self.made(
                "out-of-memory",
                says,
                "set a memory request and limit that fit",
                *base,
                restart_helps=True,
            )
        says = f"it needs more memory than its limit of {quoted(limit, 30)}: OOMKilled, {count} restarts"
        return self.made(
            "out-of-memory", says, "find what uses the memory, or raise the limit", *base, limit_at
        )

    def exited(self, base: list[Sequence[Step]], count: object) -> Diagnosis:
        command_at, args_at = (*self.spec, "command"), (*self.spec, "args")
        image = str(at(self.pod.data, (*self.spec, "image")) or "")
        command, args = at(self.pod.data, command_at), at(self.pod.data, args_at)
        silent = "" if self.logs is None or self.logs.strip() else " and logs nothing"
        if command is None and args is None and SHELLS.search(image):
            says = f"container exits 0 immediately{silent}; no long-running command (image {quoted(image, 80)}, {count} restarts)"
            return self.made(
                "exits-at-once",
                says,
                "give it a command that keeps running, or make it a Job; a restart will not help",
                *base,
            )
        says = f"container exits 0{silent}: its program ends by itself, {count} restarts"
        return self.made(
            "exits-at-once",
            says,
            "run what ends in a Job, or keep the program running; a restart will not help",
            *base,
            command_at,
            args_at,
        )

    def describe(self) -> str:
        return read_only(self.pod, "describe", "pod", self.pod.name)

    def log(self) -> str:
        return read_only(
            self.pod,
            "logs",
            self.pod.name,
            "--previous",
            "--tail=100",
            f"--container={self.said.get('name')}",
        )


SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9@:/._=-]*")


def read_only(resource: Resource, *words: str) -> str:
    """A kubectl command on the resource's cluster; "" where a name is not plain."""
    namespace = resource.id.partition("/")[0] if "/" in resource.id else ""
    parts = ["kubectl", f"--context={resource.account}"]
    parts += [f"--namespace={namespace}"] if namespace else []
    parts += words
    if all(SAFE.fullmatch(part.lstrip("-")) for part in parts):
        return " ".join(parts)
    return ""


def unscheduled(pod: Resource) -> Iterator[Diagnosis]:
    for index, condition in dicts(at(pod.data, ("status", "conditions"))):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            place = ("status", "conditions", index)
            message = quoted(condition.get("message") or "no reason given")
            yield Diagnosis(
                code="not-scheduled",
                resource=pod.key,
                name=pod.name,
                says=f"no node takes pod {pod.name}: {message}",
                evidence=cited(pod, (*place, "reason"), (*place, "message")),
                advice="free capacity, add nodes, or ask for less",
            )


def of_replicas(deployment: Resource) -> Iterator[Diagnosis]:
    """A deployment whose pods may not even be made: a quota or a policy is in the way."""
    for index, condition in dicts(at(deployment.data, ("status", "conditions"))):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            place = ("status", "conditions", index)
            yield Diagnosis(
                code="pods-not-made",
                resource=deployment.key,
                name=deployment.name,
                says=f"pods of {deployment.name} are refused: {quoted(condition.get('message') or '')}",
                evidence=cited(deployment, (*place, "reason"), (*place, "message")),
                advice="raise the quota, or satisfy the policy that the message names",
            )
