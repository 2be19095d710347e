"""The operator's policy: `home/policy.yaml`, written by hand, private to its user.

```yaml
expires_minutes: 60          # how long a proposal waits for an operator
elicitation: off             # notify: a client shows its user what waits; approve: a yes counts
rate: {calls: 120, seconds: 60}
deny:
  - id: nothing-is-deleted-in-prod
    why: Production is changed through its repository.
    tool: [kubectl, helm]    # each is a pattern, or a list of them; what is left out is anything
    verb: [delete, "drain*"]
    effect: destructive
    kind: [deployment, statefulset]
    namespace: prod-*
    context: "*prod*"
    client: "*"
```

A policy that cannot be read denies everything: it may have held the one rule that mattered.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from infrascan.commands.nouns import RefusedError
from infrascan.model import InputError

NAME = "policy.yaml"
MATCHED = ("tool", "verb", "effect", "kind", "namespace", "context", "client")
KEYS = frozenset({"expires_minutes", "elicitation", "rate", "deny"})
LARGEST = 256 * 1024
# A resource's kind in any of kubectl's spellings.
SHORT = {
    "po": "pod", "deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "svc": "service",
    "ns": "namespace", "cm": "configmap", "no": "node", "rs": "replicaset", "ing": "ingress",
    "pv": "persistentvolume", "pvc": "persistentvolumeclaim", "sa": "serviceaccount",
    "cj": "cronjob", "hpa": "horizontalpodautoscaler", "crd": "customresourcedefinition",
    "netpol": "networkpolicy", "pdb": "poddisruptionbudget", "ep": "endpoints", "ev": "event",
    "quota": "resourcequota", "limits": "limitrange", "sc": "storageclass", "rc": "replicationcontroller",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a rule is held against. An empty or missing value is not known, and matches any rule."""

    tool: str
    verb: str = ""
    effect: str = ""
    kinds: Sequence[str] = ()
    namespaces: Sequence[str] = ()  # "*" is all of them
    context: str = ""
    client: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """One rule: it denies what matches all of its patterns."""

    id: str
    why: str = ""
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, subject: Subject) -> bool:
        values = {
            "tool": (subject.tool,),
            "verb": (subject.verb,),
            "effect": (subject.effect,),
            "kind": tuple(map(singular, subject.kinds)),
            "namespace": tuple(subject.namespaces),
            "context": (subject.context,),
            "client": (subject.client,),
        }
        return all(fits(name, pats, values[name]) for name, pats in self.patterns.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    expires_minutes: float = 60.0
    elicitation: bool = False  # a client's answer to an elicitation approves
    notifies: bool = False  # a client is asked to show its user what waits
    calls: int = 120
    seconds: float = 60.0
    deny: tuple[Deny, ...] = ()

    def check(self, subject: Subject) -> None:
        """Raises `RefusedError`, with the rule's id, where a rule denies it."""
        for rule in self.deny:
            if rule.holds(subject):
                why = f": {rule.why}" if rule.why else ""
                raise RefusedError(
                    f"denied by rule {rule.id} of the operator's policy{why}", rule.id
                )


def fits(name: str, patterns: Sequence[str], values: Sequence[str]) -> bool:
    """True where a value matches, is not known, or is all there are."""
    if name == "kind":
        patterns = tuple(map(singular, patterns))
    if not values or "" in values or (name == "namespace" and "*" in values):
        return True
    return any(fnmatchcase(value.lower(), each.lower()) for value in values for each in patterns)


def singular(kind: str) -> str:
    """`deploy`, `Deployments` and `deployments.apps` as `deployment`; patterns stay as they are."""
    name = kind.lower().partition(".")[0]
    if name in SHORT:
        return SHORT[name]
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    if name.endswith(("sses", "xes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "endpoints")) else name


def policy(home: Path) -> Policy:
    """The policy of this home; the default where there is no file. Raises `RefusedError`."""
    path = home / NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Policy()
    except OSError as error:
        raise RefusedError(
            f"{path} cannot be read, so nothing is allowed: {error.strerror}"
        ) from error
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise RefusedError(f"{path} is not a file, so nothing is allowed")
    with os.fdopen(descriptor, "rb") as file:
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o077:
            raise RefusedError(f"{path} must be yours alone: chmod 600 {path}")
        raw = file.read(LARGEST + 1)
    try:
        return parsed(raw)
    except InputError as error:
        raise RefusedError(f"{path}: {error}; until it is right, nothing is allowed") from error


def parsed(raw: bytes) -> Policy:
    """A policy from the text of its file. Raises `InputError` with what is wrong."""
    import yaml

    if len(raw) > LARGEST:
        raise InputError(f"it is larger than {LARGEST:,} bytes")
    try:
        data = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise InputError(f"it is not YAML (line {line})" if line else "it is not YAML") from error
    data = checked({} if data is None else data, KEYS, "the policy")
    rate = checked(data.get("rate", {}), {"calls", "seconds"}, "rate")
    elicitation = data.get("elicitation", "off")
    if elicitation is False:  # YAML's own reading of the word
        elicitation = "off"
    if elicitation not in {"off", "notify", "approve"}:
        raise InputError("elicitation is off, notify or approve")
    rules = data.get("deny", [])
    if not isinstance(rules, list):
        raise InputError("deny is a list of rules")
    denied = tuple(rule(each, number) for number, each in enumerate(rules, 1))
    return Policy(
        expires_minutes=positive(data.get("expires_minutes", 60.0), "expires_minutes"),
        elicitation=elicitation == "approve",
        notifies=elicitation != "off",
        calls=max(1, int(positive(rate.get("calls", 120), "rate.calls"))),
        seconds=positive(rate.get("seconds", 60.0), "rate.seconds"),
        deny=denied,
    )


def rule(data: Any, number: int) -> Deny:
    fields = checked(data, {"id", "why", *MATCHED}, f"rule {number}")
    name = fields.get("id")
    if not isinstance(name, str) or not name:
        raise InputError(f"rule {number} has no id")
    patterns = {}
    for key in MATCHED:
        if key in fields:
            value = fields[key]
            found = value if isinstance(value, list) else [value]
            if not found or not all(isinstance(each, str) and each for each in found):
                raise InputError(f"{key} of rule {name} is a pattern or a list of patterns")
            patterns[key] = tuple(found)
    if not patterns:
        raise InputError(f"rule {name} names nothing; to deny everything, say tool: '*'")
    return Deny(id=name, why=str(fields.get("why", "")), patterns=patterns)


def checked(data: Any, known: set[str] | frozenset[str], what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InputError(f"{what} is a map")
    if strange := [str(key) for key in data if key not in known]:
        raise InputError(f"{what} has no {strange[0]!r}: {', '.join(sorted(known))}")
    return data


def positive(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise InputError(f"{what} is a number above 0")
    return float(value)
