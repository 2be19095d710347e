"""What is around a thing: edges, settings, who may assume a role, names that lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infrascan.model import Resource
from infrascan.questions.answer import Item, counted, leaves, listed, name
from infrascan.questions.functions.memory import subject
from infrascan.questions.seeing import (
    Context,
    Result,
    meant,
    only_own_gaps,
    several,
    subjects,
    unnamed,
)

FIRST = (
    *("k8s.deployment", "k8s.stateful_set", "k8s.daemon_set", "k8s.service", "aws.rds.db_instance"),
    *("aws.rds.db_cluster", "aws.elasticache.replication_group", "aws.s3.bucket"),
    *("aws.ecs.service", "aws.lambda.function", "aws.elbv2.load_balancer", "aws.iam.role"),
    *("aws.eks.cluster", "k8s.cluster", "aws.ec2.instance", "github.repository"),
)
NOISE = frozenset({"metadata", "changed", "refs", "status", "usage", "metrics", "tags", "Tags", "TagList", "platform_namespace", "monthly_cost", "pod_spec", "latest_runs", "iam_policy", "hosts", "stats"})  # fmt: skip
MOST_SETTINGS = 60


def one_of(context: Context, what: str) -> tuple[Resource | None, Result | None]:
    """The resource in the question; of several kinds with one name the first that people mean."""
    found = subjects(context, ())
    exact = [r for r in found if r.name in context.names() or r.id in context.names()]
    found = exact or found
    if not found:
        return None, unnamed(context, what)
    best = min(place(r) for r in found)
    meant = [r for r in found if place(r) == best]
    if len({r.name for r in meant}) > 1 or (len(meant) > 1 and best == len(FIRST)):
        return None, several(context, what, meant)
    if len(meant) > 1:
        meant = sorted(meant, key=lambda r: r.key)
        context.notes.append(f"{counted(len(meant), 'resource')} have that name; this is {meant[0].key}")  # fmt: skip
    return meant[0], None


def place(resource: Resource) -> int:
    return FIRST.index(resource.kind) if resource.kind in FIRST else len(FIRST)


async def topology(context: Context) -> Result:
    """The edges from and to a thing, as the vendors' documents declare them."""
    resource, problem = one_of(context, "resource")
    if resource is None:
        assert problem
        return problem
    edges = [
        ("to", edge.name, edge.target) for edge in context.scan.edges if edge.source == resource.key
    ] + [
        ("from", edge.name, edge.source) for edge in context.scan.edges if edge.target == resource.key
    ]  # fmt: skip
    by_key = {r.key: r for r in context.scan.resources}
    rows: list[dict[str, Any]] = []
    evidence = context.cite(resource, "name")
    for direction, relation, key in sorted(edges):
        other = by_key.get(key)
        rows.append(
            {
                "resource": key,
                "name": other.name if other else key,
                "kind": other.kind if other else key.partition("/")[0],
                "direction": direction,
                "relation": relation,
                "observed_at": context.scan.observed,
            }
        )
        end = (resource.key, key) if direction == "to" else (key, resource.key)
        evidence.append(
            Item(resource=end[0], path=f"edge {relation}", value=end[1], observed_at=context.scan.observed)
        )  # fmt: skip
        if other:
            evidence += context.cite(other, "name")
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(str(row["kind"]), []).append(str(row["name"]))
    parts = []
    for kind, names in groups.items():
        unique = sorted(set(names))
        parts.append(f"{kind} {listed([name(one) for one in unique], 4)}")
        evidence.append(context.computed(f"count({kind} not named)", max(0, len(unique) - 4)))
    evidence.append(context.computed("count(edges)", len(rows)))
    sentence = f"{name(resource.name)} ({resource.kind}) is connected by {counted(len(rows), 'edge')}: {'; '.join(parts)}."
    if not rows:
        sentence = f"{name(resource.name)} ({resource.kind}) has no edge among what was read."
    return Result(
        sentence=sentence,
        rows=rows,
        evidence=evidence,
        subject=subject(resource),
        state={row["resource"] + "#" + row["relation"]: {"kind": row["kind"]} for row in rows},
    )


def settings(data: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of each scalar in a document, without what moves by itself."""
    if isinstance(data, dict):
        for key, value in data.items():
            if before or key not in NOISE:
                yield from settings(value, f"{before}.{key}" if before else key)
    elif isinstance(data, list):
        for at, value in enumerate(data):
            yield from settings(value, f"{before}[{at}]")
    elif data is not None:
        yield before, data


async def configuration(context: Context) -> Result:
    """The settings of a thing as its vendor spells them, the first of them in the sentence."""
    resource, problem = one_of(context, "resource")
    if resource is None:
        assert problem
        return problem
    only_own_gaps(context, resource)
    found = list(settings(resource.data))
    shown = found[:MOST_SETTINGS]
    rows = [
        {"resource": resource.key, "name": path, "value": value, "observed_at": context.scan.observed}
        for path, value in shown
    ]  # fmt: skip
    evidence = [
        Item(resource=resource.key, path=path, value=value, observed_at=context.scan.observed)
        for path, value in shown
    ]
    unread = sorted(resource.unread)
    evidence += [
        *context.cite(resource, "name"),
        context.computed("count(settings)", len(found)),
        context.computed("count(settings shown)", len(shown)),
        context.computed("count(settings not named)", max(0, len(shown) - 6)),
    ]
    parts = [f"{path} {name(value)}" for path, value in shown[:6]]
    head = f"{name(resource.name)} ({resource.kind}) in {name(resource.region or resource.account)}"
    sentence = f"{head} has {counted(len(found), 'setting')}, among them {listed(parts, 6)}."
    return Result(
        sentence=sentence,
        rows=rows,
        more={"unread": unread, "shown": len(shown), "settings": len(found)},
        evidence=[*evidence, *context.cite(resource, "region"), *context.cite(resource, "account")],
        gaps=[resource.unread[field] for field in unread],
        subject=subject(resource),
        state={resource.key: dict(found)},
    )


async def who_can_assume(context: Context) -> Result:
    """The principals of a role's trust policy, each with its conditions."""
    found = subjects(context, ("aws.iam.role",))
    found = [r for r in found if r.name in context.names()] or found
    if not found:
        return unnamed(context, "role")
    if len(found) > 1:
        return several(context, "role", found)
    (role,) = found
    only_own_gaps(context, role)
    if "AssumeRolePolicyDocument" in role.unread:
        return Result(
            sentence=f"Unknown: the trust policy of {name(role.name)} was not read.",
            gaps=[role.unread["AssumeRolePolicyDocument"]],
            status="unknown",
            needs=[context.question.needs],
        )
    rows: list[dict[str, Any]] = []
    evidence = context.cite(role, "name")
    statements = (role.data.get("AssumeRolePolicyDocument") or {}).get("Statement") or []
    for at, statement in enumerate(statements if isinstance(statements, list) else [statements]):
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            continue
        path = f"AssumeRolePolicyDocument.Statement[{at}]"
        principal = statement.get("Principal")
        pairs = principal.items() if isinstance(principal, dict) else [("any", principal)]
        conditions = [str(leaf) for leaf in leaves(statement.get("Condition"))]
        evidence += [
            Item(resource=role.key, path=f"{path}.{key}", value=statement.get(key), observed_at=context.scan.observed)
            for key in ("Principal", "Action", "Condition")
            if statement.get(key) is not None
        ]  # fmt: skip
        for sort, who in pairs:
            rows += [
                context.row(role, principal=str(one), type=sort, conditions=conditions)
                for one in (who if isinstance(who, list) else [who])
            ]
    evidence.append(context.computed("count(principals)", len(rows), evidence))
    evidence.append(context.computed("count(not named)", max(0, len(rows) - 8)))
    parts = [
        f"{name(row['principal'])}{' under conditions' if row['conditions'] else ''}"
        for row in rows
    ]
    anyone = any(row["principal"] == "*" and not row["conditions"] for row in rows)
    return Result(
        sentence=f"{counted(len(rows), 'principal')} can assume {name(role.name)}: {listed(parts)}.",
        rows=rows,
        evidence=evidence,
        ok=not anyone,
        subject=subject(role),
        state={row["principal"]: {"conditions": row["conditions"]} for row in rows},
    )


VALUES = ("content", "ResourceRecords[].Value", "AliasTarget.DNSName", "records[].value", "data", "rrdatas[]", "properties.ARecords[].ipv4Address", "properties.CNAMERecord.cname", "properties.targetResource.id")  # fmt: skip


async def dns_to(context: Context) -> Result:
    """Records whose name or value is, or holds, what the question names; all without a name."""
    wanted = [word.lower().rstrip(".") for word in context.names()][:1]
    rows, evidence = [], []
    for record in context.of(*context.question.reads):
        facts = [item for path in VALUES for item in context.cite(record, path)]
        values = [str(item.value) for item in facts]
        candidates = [record.name, *values, *(r.name for t in record.links.values() for r in t)]
        if wanted and not any(matches(wanted[0], one) for one in candidates):
            continue
        kind = str(record.data.get("type") or record.data.get("Type") or "")
        rows.append(context.row(record, type=kind.rpartition("/")[2], to=values))
        evidence += [*context.cite(record, "name"), *facts]
    evidence += [
        context.computed("count(records)", len(rows), evidence[:50]),
        context.computed("count(not named)", max(0, len(rows) - 8)),
        *[context.computed("asked for", word) for word in wanted],
    ]
    parts = [
        f"{name(r['name'])} → {listed([name(v) for v in r['to']], 3) or 'nothing'}" for r in rows
    ]
    evidence += [
        context.computed("count(values not named)", max(0, len(r["to"]) - 3)) for r in rows
    ]
    about = f" about {name(wanted[0])}" if wanted else ""
    sentence = f"{counted(len(rows), 'DNS record')}{about}{context.where}: {listed(parts)}."
    if not rows:
        sentence = f"No DNS record{about} was found{context.where}."
    return Result(sentence=sentence, rows=rows, evidence=evidence)


def matches(wanted: str, text: str) -> bool:
    low = text.lower().rstrip(".")
    return low == wanted or low.startswith(wanted + ".") or low.endswith("." + wanted) or low.split(" ")[0] == wanted  # fmt: skip


async def terraform_managed(context: Context) -> Result:
    """What the states manage of what is live; with a name, whether that thing is managed."""
    managed: dict[str, Resource] = {}
    evidence: list[Item] = []
    for one in context.everywhere("terraform.resource"):
        for live in one.links.get("live", []):
            managed[live.key] = one
    kinds = {key.partition("/")[0] for key in managed}
    live_ones = [r for r in context.scan.resources if r.kind in kinds]
    names = set(meant(context, {r.name for r in live_ones}))
    if context.slots.names and not names:
        return unnamed(context, "resource of a kind that Terraform manages here")
    if names:
        live_ones = [r for r in live_ones if r.name in names]
    rows = []
    for r in sorted(live_ones, key=lambda r: (r.key in managed, r.key)):
        by = managed.get(r.key)
        rows.append(context.row(r, managed=by is not None, address=by.id if by else ""))
        evidence += context.cite(r, "name")
        if by:
            evidence += context.cite(by, "address", "live_id")
    outside = [r for r in rows if not r["managed"]]
    evidence += [
        context.computed("count(managed)", len(rows) - len(outside)),
        context.computed("count(unmanaged)", len(outside)),
        context.computed("count(kinds)", len(kinds)),
        context.computed("count(not named)", max(0, len(outside) - 8)),
        context.computed("count(resources)", len(rows)),
    ]
    if not rows:
        return Result(
            sentence="Unknown: no state that was read manages anything that is live here.",
            evidence=evidence,
            status="unknown",
            needs=[context.question.needs],
        )
    sentence = f"Of {counted(len(rows), 'resource')} of {counted(len(kinds), 'kind')} that Terraform manages here, {len(rows) - len(outside)} are in a state that was read and {len(outside)} are not"
    sentence += f": {listed([name(r['name']) for r in outside])}." if outside else "."
    if len(rows) == 1:
        only = rows[0]
        said = f"is managed by Terraform as {name(only['address'])}" if only["managed"] else "is in no Terraform state that was read"  # fmt: skip
        sentence = f"{name(only['name'])} {said}."
    return Result(
        sentence=sentence,
        rows=rows,
        evidence=evidence,
        state={r["resource"]: {"managed": r["managed"]} for r in rows},
    )
