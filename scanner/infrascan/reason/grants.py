"""What an identity may do, from the policies that were read: the permission behind a step.

Each way of writing permissions down has a reader here. All of an identity's statements are read
together, so that a Deny in one policy takes back what another allows.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from infrascan.evaluate import policy
from infrascan.evaluate.interpret import trimmed
from infrascan.model import Evidence, Gap, Resource
from infrascan.packing import repacked
from infrascan.paths import values
from infrascan.reason.path_rules import Grants
from infrascan.reason.trust import account_of, admitted, root_of, trusted

SLOT = re.compile(r"\{([^{}]+)\}")
AWS_OWNED = re.compile(r"^arn:[a-z-]+:iam::aws:policy/(?:.*/)?([^/]+)$")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of an identity's policies, and where it stands."""

    row: Mapping[str, Any]
    holder: Resource  # the role, or the policy attached to it
    path: str

    def fact(self) -> Evidence:
        if self.path.startswith("AttachedManagedPolicies"):  # AWS's own: its name is the evidence
            return Evidence(
                resource=self.holder.key,
                path=self.path,
                value=next(iter(concrete(self.holder, self.path)), None),
            )
        return Evidence(resource=self.holder.key, path=self.path, value=trimmed(dict(self.row)))


@dataclass(frozen=True, slots=True)
class Allowed:
    """That something is allowed: the evidence, what grants it, and what was not read."""

    evidence: tuple[Evidence, ...]
    holder: Resource
    label: str = ""  # distinguishes statements: which one it was
    unsure: tuple[Gap, ...] = ()


@dataclass(slots=True)
class Permissions:
    """Answers, remembered by identity. `policies` are those that AWS keeps and no call gives."""

    policies: Mapping[str, Any]
    statements: dict[int, list[Statement]] = field(default_factory=dict)
    bounds: dict[int, tuple[list[Statement] | None, tuple[Gap, ...]]] = field(default_factory=dict)
    unread: dict[tuple[str, str], Gap] = field(default_factory=dict)  # kind, field -> a gap
    unknown: dict[str, set[str]] = field(default_factory=dict)  # policy of AWS -> roles with it
    spelled: dict[tuple[str, str, str], list[tuple[str, int]]] = field(default_factory=dict)
    members: dict[str, dict[str, list[int]]] = field(default_factory=dict)  # kind -> member

    def allowed(self, grants: Grants, who: Resource, what: Resource | None) -> Allowed | None:
        """Whether `who` has the permission on `what`; None for `what` is on everything."""
        if grants.by == "gcp":
            return bound(grants, who, what)
        resource = template(grants.resource, what) if what is not None else grants.resource
        if grants.resource and not resource:
            return None
        if grants.trust and what is not None:
            return self.by_trust(grants, who, what, resource)
        if what is not None and what.account != who.account:
            return None  # the other account's own policy would have to admit it too
        return self.by_statements(grants, who, resource)

    def candidates(
        self, grants: Grants, who: Resource, kind: str, targets: Sequence[Resource]
    ) -> Iterator[Resource]:
        """Of these resources of one kind, those that the policies may be about, in their order:
        so few that asking costs about what they allow, and not what there is."""
        if grants.by == "gcp":
            places = self.bound_to(who, kind, targets)
        elif grants.trust:
            places = self.trusting(grants, who, kind, targets)
        else:
            places = self.named_by(grants, who, kind, targets)
        for place in sorted(places):
            yield targets[place]

    def bound_to(self, who: Resource, kind: str, targets: Sequence[Resource]) -> set[int]:
        if kind not in self.members:
            found: dict[str, list[int]] = {}
            for place, target in enumerate(repacked(targets)):
                self.note(target, "iam_policy")
                for member in set(values(target.data, "iam_policy.bindings[].members[]")):
                    found.setdefault(str(member), []).append(place)
            self.members[kind] = found
        member = f"serviceAccount:{who.data.get('email', '')}"
        places = set(self.members[kind].get(member, ()))
        self.note(who, "project")
        for project in who.links.get("project", ()):
            self.note(project, "iam_policy")
            if member in values(project.data, "iam_policy.bindings[].members[]"):
                places |= {i for i, t in enumerate(targets) if t.account == who.account}
        return places

    def named_by(
        self, grants: Grants, who: Resource, kind: str, targets: Sequence[Resource]
    ) -> set[int]:
        """Those whose name begins as a statement's resource does, up to its first wildcard."""
        account = "" if grants.trust else who.account  # trust may come from another account
        key = (kind, account, grants.resource)
        if key not in self.spelled:
            self.spelled[key] = sorted(
                (template(grants.resource, target), place)
                for place, target in enumerate(repacked(targets))
                if account in ("", target.account)
            )
        names = self.spelled[key]
        places: set[int] = set()
        for row in (statement.row for statement in self.of(who)):
            if row.get("Effect") != "Allow" or not any(policy.acts(row, a) for a in grants.actions):
                continue
            for start in beginnings(row):
                for name, place in islice(names, bisect_left(names, (start, -1)), None):
                    if not name.startswith(start):
                        break
                    places.add(place)
        return places

    def trusting(
        self, grants: Grants, who: Resource, kind: str, targets: Sequence[Resource]
    ) -> set[int]:
        """Those whose trust policy names the identity, or its account where it has the permission."""
        key = f"{kind} {grants.trust}"
        if key not in self.members:
            found: dict[str, list[int]] = {}
            for place, target in enumerate(repacked(targets)):
                self.note(target, grants.trust)
                rows = policy.statements(target.data.get(grants.trust))
                for name in {name for row in rows for name in trusted(row)}:
                    found.setdefault(name, []).append(place)
            self.members[key] = found
        known, arn = self.members[key], name_of(who)
        wide = {p for name in ("*", account_of(arn), root_of(arn)) for p in known.get(name, ())}
        if wide:
            wide &= self.named_by(grants, who, kind, targets)
        return wide.union(known.get(arn, ()))

    def by_trust(
        self, grants: Grants, who: Resource, what: Resource, resource: str
    ) -> Allowed | None:
        """Whether both sides allow it. In one account it is enough that the trust policy names the
        identity itself; what names an account leaves it to the account's own policies."""
        rows = list(spread(what.data.get(grants.trust), what, grants.trust))
        found = admitted([s.row for s in rows], name_of(who), grants.actions[0])
        if found is None:
            return None
        place, direct = found
        own = self.by_statements(grants, who, resource)
        proof = rows[place].fact()
        if own:
            return Allowed((proof, *own.evidence), own.holder, own.label, own.unsure)
        wanted = policy.Grant(principal="", actions=grants.actions, resource=resource)
        limit, gaps = self.boundary(who)
        barred = limit is not None and not policy.granted(
            {"Statement": [s.row for s in limit]}, wanted, who.account
        )
        if not direct or what.account != who.account or barred or self.forbids(who, wanted):
            return None
        return Allowed((proof,), what, f"{what.key} {rows[place].path}", gaps)

    def forbids(self, who: Resource, wanted: policy.Grant) -> bool:
        """Whether a Deny of the identity's own policies takes the permission back."""
        allowing = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        rows = [allowing, *(s.row for s in self.of(who) if s.row.get("Effect") == "Deny")]
        return not policy.granted({"Statement": rows}, wanted, who.account)

    def by_statements(self, grants: Grants, who: Resource, resource: str) -> Allowed | None:
        rows = self.of(who)
        wanted = policy.Grant(principal="", actions=grants.actions, resource=resource)
        index = policy.granting({"Statement": [s.row for s in rows]}, wanted, who.account)
        if index is None:
            return None
        limit, gaps = self.boundary(who)
        if limit is not None and not policy.granted(
            {"Statement": [s.row for s in limit]}, wanted, who.account
        ):
            return None
        found = rows[index]
        return Allowed((found.fact(),), found.holder, f"{found.holder.key} {found.path}", gaps)

    def of(self, who: Resource) -> list[Statement]:
        """Every statement of the policies of a role or user."""
        if id(who) not in self.statements:
            self.statements[id(who)] = list(self.gathered(who))
        return self.statements[id(who)]

    def gathered(self, who: Resource) -> Iterator[Statement]:
        for name in ("RolePolicyList", "UserPolicyList"):
            listed = who.data.get(name)
            for i, inline in enumerate(listed if isinstance(listed, list) else ()):
                document = inline.get("PolicyDocument") if isinstance(inline, dict) else None
                yield from spread(document, who, f"{name}[{i}].PolicyDocument")
        for attached in who.links.get("policies", ()):
            yield from current(attached)
        listed = who.data.get("AttachedManagedPolicies")
        for i, entry in enumerate(listed if isinstance(listed, list) else ()):
            arn = str(entry.get("PolicyArn", "")) if isinstance(entry, dict) else ""
            if match := AWS_OWNED.match(arn):
                if match[1] not in self.policies:
                    self.unknown.setdefault(match[1], set()).add(who.key)
                path = f"AttachedManagedPolicies[{i}].PolicyArn"
                for row in policy.statements(self.policies.get(match[1])):
                    yield Statement(row, who, path)
            elif arn not in {attached.id for attached in who.links.get("policies", ())}:
                self.note(who, "policies")

    def note(self, resource: Resource, name: str) -> None:
        """Remember that what decides a permission was not read: a grant may hide there."""
        if gap := resource.unread.get(name):
            self.unread.setdefault((resource.kind, name), gap)

    def boundary(self, who: Resource) -> tuple[list[Statement] | None, tuple[Gap, ...]]:
        """The statements that bound the identity; None for no bound, or one that was not read."""
        if id(who) not in self.bounds:
            self.bounds[id(who)] = self.read_boundary(who)
        return self.bounds[id(who)]

    def read_boundary(self, who: Resource) -> tuple[list[Statement] | None, tuple[Gap, ...]]:
        arn = next(values(who.data, "PermissionsBoundary.PermissionsBoundaryArn"), "")
        if not arn:
            return None, ()
        for limit in who.links.get("boundary", ()):
            return list(current(limit)), ()
        match = AWS_OWNED.match(str(arn))
        if match and match[1] in self.policies:
            rows = policy.statements(self.policies[match[1]])
            return [Statement(row, who, "PermissionsBoundary") for row in rows], ()
        gap = who.unread.get("boundary")
        return None, (gap,) if gap else ()


def name_of(who: Resource) -> str:
    return str(who.data.get("Arn") or who.id)


def beginnings(row: Mapping[str, Any]) -> set[str]:
    """What the names begin with that a statement is about; "" for any."""
    if "NotResource" in row:
        return {""}
    return {re.split(r"[*?]", text, maxsplit=1)[0] for text in policy.texts(row.get("Resource"))}


def current(attached: Resource) -> Iterator[Statement]:
    """The statements of the version of a managed policy that is in force."""
    versions = attached.data.get("PolicyVersionList")
    for i, version in enumerate(versions if isinstance(versions, list) else ()):
        if isinstance(version, dict) and version.get("IsDefaultVersion"):
            yield from spread(version.get("Document"), attached, f"PolicyVersionList[{i}].Document")


def spread(document: Any, holder: Resource, path: str) -> Iterator[Statement]:
    """The statements of a document. One given as text is evidence as a whole."""
    rows = policy.statements(document)
    for i, row in enumerate(rows):
        if not isinstance(document, dict):
            yield Statement(row, holder, path)
        elif isinstance(document.get("Statement"), list):
            yield Statement(row, holder, f"{path}.Statement[{i}]")
        else:
            yield Statement(row, holder, f"{path}.Statement")


def bound(grants: Grants, who: Resource, what: Resource | None) -> Allowed | None:
    """Whether a service account of Google Cloud has one of the roles, on the resource itself or
    on its own project; None for the resource is the project alone."""
    member = f"serviceAccount:{who.data.get('email', '')}"
    holders = [what] if what else []
    if what is None or what.account == who.account:
        holders += who.links.get("project", ())
    for holder in holders:
        bindings = next(values(holder.data, "iam_policy.bindings"), None)
        for i, binding in enumerate(bindings if isinstance(bindings, list) else ()):
            if not isinstance(binding, dict) or binding.get("role") not in grants.actions:
                continue
            members = binding.get("members")
            if isinstance(members, list) and member in members and not binding.get("condition"):
                path = f"iam_policy.bindings[{i}]"
                facts = (
                    Evidence(
                        resource=holder.key, path=f"{path}.role", value=trimmed(binding["role"])
                    ),
                    Evidence(
                        resource=holder.key,
                        path=f"{path}.members[{members.index(member)}]",
                        value=member,
                    ),
                )
                return Allowed(facts, holder, f"{holder.key} {binding['role']}")
    return None


def template(text: str, resource: Resource) -> str:
    """`{Arn}/*` with the resource's values; "" when one is missing."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name = match[1]
        if name in ("id", "name", "account", "region"):
            return str(getattr(resource, name))
        found = next((v for v in values(resource.data, name) if isinstance(v, str | int)), None)
        missing = missing or found is None
        return str(found)

    done = SLOT.sub(value, text)
    return "" if missing else done


def concrete(resource: Resource, path: str) -> Iterator[Any]:
    """The value at a path with indexes: `AttachedManagedPolicies[0].PolicyArn`."""
    here: Any = resource.data
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if index:
            here = here[int(index)] if isinstance(here, list) and int(index) < len(here) else None
        else:
            here = here.get(name) if isinstance(here, dict) else None
    if here is not None:
        yield here
