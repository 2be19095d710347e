"""What an IAM policy document grants: the reading behind the operator `allows`.

A grant counts when some Allow statement gives it without a condition that narrows who may use
it, and no Deny takes it back. Conditions that narrow by something a caller can meet (a date, TLS,
a prefix) do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from infrascan.evaluate.measures import network

# Conditions on these keys tie a grant to known accounts, networks or callers. Lower case.
NARROWING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:userid",
        "aws:username",
        "aws:vpcsourceip",
        "elasticfilesystem:accesspointarn",
        "elasticfilesystem:accessedviamounttarget",
        "kms:calleraccount",
        "lambda:eventsourcetoken",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
    }
)
ACCOUNT = re.compile(r"[0-9]{12}")
PRINCIPALS = "anyone, other_accounts, account:<id>, service:<name>, federated:<name>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a rule asks of a policy: may `principal` do one of `actions` on `resource`?

    `principal` "" leaves it out, as identity policies do. `unless` names further condition keys
    that narrow the grant.
    """

    principal: str
    actions: tuple[str, ...]
    resource: str = ""
    unless: frozenset[str] = frozenset()


def grant(operand: Any) -> Grant:
    """The operand of `allows`, checked. Raises ValueError with what is wrong."""
    if not isinstance(operand, Mapping):
        raise ValueError("takes a mapping: {principal: anyone, action: 's3:GetObject'}")
    if extra := sorted(set(operand) - {"principal", "action", "resource", "unless"}):
        raise ValueError(
            f"does not know '{extra[0]}'; it takes principal, action, resource, unless"
        )
    actions = texts(operand.get("action"))
    if not actions or not all(a == "*" or ":" in a for a in actions):
        raise ValueError("needs an action such as 's3:GetObject', 's3:*' or '*'")
    principal = operand.get("principal", "")
    if not isinstance(principal, str) or not re.fullmatch(
        r"|anyone|other_accounts|account:[0-9*?]+|(?:service|federated):\S+", principal
    ):
        raise ValueError(f"does not know principal '{principal}'; it takes {PRINCIPALS}")
    resource = operand.get("resource", "")
    if not isinstance(resource, str):
        raise ValueError("takes one resource, as a string")
    unless = frozenset(key.lower() for key in texts(operand.get("unless")))
    return Grant(principal=principal, actions=actions, resource=resource, unless=unless)


def granted(document: Any, wanted: Grant, account: str) -> bool:
    """Whether the document gives what is wanted. `account` is the one the policy belongs to."""
    return granting(document, wanted, account) is not None


def granting(document: Any, wanted: Grant, account: str) -> int | None:
    """The index of the first Allow statement that gives what is wanted; None when none does."""
    rows = list(enumerate(statements(document)))
    denials = [row for _, row in rows if row.get("Effect") == "Deny" and denies(row, wanted)]
    for index, row in rows:
        if row.get("Effect") != "Allow" or narrowed(row, wanted.unless):
            continue
        if not admits(row, wanted.principal, account):
            continue
        for action in wanted.actions:
            if not acts(row, action) or not reaches(row, wanted.resource):
                continue
            if not any(takes_back(denial, row, action, wanted) for denial in denials):
                return index
    return None


def statements(document: Any) -> list[dict[str, Any]]:
    """The statements of a policy, given as JSON text or as data."""
    if isinstance(document, str):
        document = parsed(document)
    rows = document.get("Statement") if isinstance(document, dict) else None
    rows = rows if isinstance(rows, list) else [rows]
    return [row if isinstance(row, dict) else {} for row in rows]


@lru_cache(maxsize=1024)
def parsed(text: str) -> Any:
    if text.lstrip().startswith("%7B"):
        text = unquote(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def admits(row: Mapping[str, Any], wanted: str, account: str) -> bool:
    """Whether the statement's principal takes in the wanted one."""
    if not wanted:
        return True
    if "NotPrincipal" in row:  # all but a few, and those few are not who is asked for
        return wanted in {"anyone", "other_accounts"}
    named = list(principals(row.get("Principal")))
    if ("AWS", "*") in named:
        return wanted in {"anyone", "other_accounts"} or wanted.startswith("account:")
    prefix, _, pattern = wanted.partition(":")
    if prefix == "other_accounts":
        return any(kind == "AWS" and foreign(name, account) for kind, name in named)
    if prefix == "account":
        return any(kind == "AWS" and glob(pattern, account_of(name)) for kind, name in named)
    kinds = {"service": "Service", "federated": "Federated"}
    return any(kind == kinds.get(prefix) and glob(pattern, name) for kind, name in named)


def principals(value: Any) -> Iterator[tuple[str, str]]:
    if value == "*":
        yield "AWS", "*"
    elif isinstance(value, dict):
        for kind, names in value.items():
            for name in texts(names):
                yield ("AWS", "*") if kind == "*" else (kind, name)


def account_of(principal: str) -> str:
    """The account of `123456789012` or of `arn:aws:iam::123456789012:role/x`; "" for none."""
    parts = principal.split(":")
    found = parts[4] if len(parts) > 4 else principal
    return found if ACCOUNT.fullmatch(found) else ""


def foreign(principal: str, account: str) -> bool:
    found = account_of(principal)
    return bool(found) and found != account


def acts(row: Mapping[str, Any], action: str) -> bool:
    action = action.lower()
    if "NotAction" in row:
        return not any(overlap(p.lower(), action) for p in texts(row["NotAction"]))
    return any(glob(p.lower(), action) for p in texts(row.get("Action")))


def reaches(row: Mapping[str, Any], resource: str) -> bool:
    if not resource:
        return True
    if "NotResource" in row:
        return not any(overlap(p, resource) for p in texts(row["NotResource"]))
    return any(glob(p, resource) for p in texts(row.get("Resource")))


def denies(row: Mapping[str, Any], wanted: Grant) -> bool:
    """Whether a Deny holds for everyone, or for everyone but known accounts and networks."""
    if wanted.principal and ("AWS", "*") not in principals(row.get("Principal")):
        return False
    condition = row.get("Condition")
    if not condition:
        return True
    if not wanted.principal or not isinstance(condition, dict):
        return False
    return all(
        negated(operator) and narrows(key, values, wanted.unless)
        for operator, keys in condition.items()
        for key, values in (keys.items() if isinstance(keys, dict) else ())
    )


def takes_back(
    denial: Mapping[str, Any], row: Mapping[str, Any], action: str, wanted: Grant
) -> bool:
    if not acts(denial, action):
        return False
    if wanted.resource:
        return reaches(denial, wanted.resource)
    return all(reaches(denial, resource) for resource in texts(row.get("Resource")) or ("*",))


def narrowed(row: Mapping[str, Any], unless: frozenset[str]) -> bool:
    """Whether a condition ties the statement to known accounts, networks or callers."""
    condition = row.get("Condition")
    if not isinstance(condition, dict):
        return False
    return any(
        affirmed(operator) and narrows(key, values, unless)
        for operator, keys in condition.items()
        for key, values in (keys.items() if isinstance(keys, dict) else ())
    )


def affirmed(operator: str) -> bool:
    """Whether the condition fails for a caller that does not bring the key at all."""
    name = operator.lower()
    if name.startswith("forallvalues:") or name.endswith("ifexists") or name == "null":
        return False
    return "not" not in name


def negated(operator: str) -> bool:
    return "not" in operator.lower() and not operator.lower().startswith("foranyvalue:")


def narrows(key: str, values: Any, unless: frozenset[str]) -> bool:
    key = key.lower()
    if key in unless:
        return True
    if key not in NARROWING:
        return False
    listed = values if isinstance(values, list) else [values]
    return bool(listed) and all(specific(key, str(value)) for value in listed)


def specific(key: str, value: str) -> bool:
    """Whether a condition's value leaves somebody out."""
    if key in {"aws:sourceip", "aws:vpcsourceip"}:
        span = network(value)
        half = 2 ** (31 if span and span.version == 4 else 127)  # two halves are everyone too
        return span is not None and span.high - span.low + 1 < half
    if key == "elasticfilesystem:accessedviamounttarget":
        return value.lower() == "true"
    if not value.strip("*?"):
        return False
    parts = value.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        return True
    return "*" not in parts[4] if parts[4] else bool(parts[5].strip("*?"))


def glob(pattern: str, text: str) -> bool:
    """Whether `*` and `?` in the pattern match the text, without backtracking beyond one star."""
    p = t = mark = 0
    star = -1
    while t < len(text):
        if p < len(pattern) and pattern[p] == "*":
            star, mark = p, t
            p += 1
        elif p < len(pattern) and pattern[p] in ("?", text[t]):
            p, t = p + 1, t + 1
        elif star >= 0:
            mark += 1
            p, t = star + 1, mark
        else:
            return False
    return not pattern[p:].strip("*")


def overlap(left: str, right: str) -> bool:
    return glob(left, right) or glob(right, left)
