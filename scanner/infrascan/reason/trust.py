"""Whom a role lets take it on: the reading of trust policies, for identities that are roles too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infrascan.evaluate import policy

# Conditions that whoever runs as the trusted role meets: it chooses these, or its program has them.
MET = frozenset({"sts:externalid", "sts:rolesessionname", "sts:sourceidentity"})
SAYS_WHO = "aws:principalarn"
POSITIVE = frozenset({"stringequals", "stringlike", "arnequals", "arnlike"})


def admitted(rows: Sequence[Mapping[str, Any]], arn: str, action: str) -> tuple[int, bool] | None:
    """(the first statement that admits the role, whether it names it and not its account alone).

    None where no statement does, or one takes it back. Conditions that cannot be judged from
    here, such as MFA, which no role has, count as not met.
    """
    names = {arn: True, root_of(arn): False, account_of(arn): False, "*": False}
    found: list[tuple[bool, int]] = []
    for i, row in enumerate(rows):
        if not policy.acts(row, action):
            continue
        direct = [names[name] for name in trusted(row) if name in names]
        if not direct:
            continue
        if row.get("Effect") == "Deny" and meets(row, arn):
            return None
        if row.get("Effect") == "Allow" and meets(row, arn):
            found.append((any(direct), i))
    if not found:
        return None
    direct_one, place = max(found, key=lambda one: (one[0], -one[1]))
    return place, direct_one


def trusted(row: Mapping[str, Any]) -> Iterator[str]:
    """Whom a statement names in AWS: roles, accounts, or everyone as `*`."""
    return (name for kind, name in policy.principals(row.get("Principal")) if kind == "AWS")


def meets(row: Mapping[str, Any], arn: str) -> bool:
    condition = row.get("Condition")
    if not condition:
        return True
    if not isinstance(condition, dict):
        return False
    for operator, keys in condition.items():
        for key, wanted in keys.items() if isinstance(keys, dict) else (("", ""),):
            name = key.lower()
            if name in MET:
                continue
            patterns = policy.texts(wanted)
            if name != SAYS_WHO or operator.lower() not in POSITIVE:
                return False
            if not any(policy.glob(pattern, arn) for pattern in patterns):
                return False
    return True


def account_of(arn: str) -> str:
    return policy.account_of(arn)


def root_of(arn: str) -> str:
    return ":".join((*arn.split(":")[:5], "root"))
