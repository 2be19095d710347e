"""What was read for one question: the resources in its scope, and what could not be seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from infrascan.lookups.connections import Connections
from infrascan.model import Connection, Gap, Resource, Scan, State
from infrascan.pipeline import Request
from infrascan.questions.answer import Item, cite, counted, listed, name
from infrascan.questions.catalogue import Question
from infrascan.questions.slots import Slots

STEMS = {"production": ("prod", "prd", "live"), "staging": ("stag", "stg"), "development": ("dev",), "qa": ("qa",)}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Result:
    """What was computed for a question, before it is checked and recorded."""

    sentence: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)  # other data, besides the rows
    evidence: list[Item] = field(default_factory=list)
    ok: bool | None = None
    status: str = ""  # set where it is not what the gaps say
    gaps: list[Gap] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    subject: dict[str, Any] = field(default_factory=dict)  # for the questions that follow
    state: Any = None  # what "has it changed" is about; None for rows without their times


@dataclass(slots=True, kw_only=True)
class Context:
    """One question being answered."""

    question: Question
    text: str
    slots: Slots
    request: Request
    home: Path
    scan: Scan
    now: datetime
    connections: Connections | None = None
    previous: Mapping[str, Any] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)  # in scope
    where: str = ""  # the scope in words: " in namespace shop of cluster acme-prod"
    notes: list[str] = field(default_factory=list)
    accounts: set[tuple[str, str]] | None = None  # those in scope; None for all
    absent: str = ""  # what the question names and nothing has: "namespace production"
    candidates: list[str] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Resource]:
        wanted = frozenset(kinds)
        return [r for r in self.resources if r.kind in wanted]

    def everywhere(self, *kinds: str) -> list[Resource]:
        wanted = frozenset(kinds)
        return [r for r in self.scan.resources if r.kind in wanted]

    def cite(self, resource: Resource, *paths: str) -> list[Item]:
        return [item for path in paths for item in cite(resource, path, self.scan.observed)]

    def computed(self, path: str, value: Any, of: Iterable[Item] = ()) -> Item:
        ids = tuple(dict.fromkeys(item.id for item in of))
        return Item(resource="", path=path, value=value, observed_at=self.scan.observed, of=ids)

    def row(self, resource: Resource, **columns: Any) -> dict[str, Any]:
        found: dict[str, Any] = {"resource": resource.key, "name": resource.name}
        if namespace := namespace_of(resource):
            found["namespace"] = namespace
        found |= {"provider": resource.provider, "account": resource.account}
        if resource.region:
            found["region"] = resource.region
        return found | columns | {"observed_at": self.scan.observed}

    def names(self) -> tuple[str, ...]:
        return self.slots.names or self.slots.maybe

    def number(self, slot: str, fallback: float) -> float:
        given = getattr(self.slots, slot)
        return float(given if given is not None else self.question.slots.get(slot, fallback))

    def limit(self) -> int | None:
        given = self.slots.limit or self.question.slots.get("limit")
        return int(given) if given else None

    def seconds(self, minutes: float) -> float:
        if self.slots.window:
            return self.slots.window.seconds
        return 60.0 * float(self.question.slots.get("window", minutes))


def namespace_of(resource: Resource) -> str:
    metadata = resource.data.get("metadata")
    found = metadata.get("namespace") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else ""


def narrowed(context: Context) -> None:
    """Leave in the context what lies in the question's scope, and say what that is."""
    slots, scope = context.slots, context.question.scope
    context.resources = list(context.scan.resources)
    steps = (
        ("cluster", slots.cluster, by_cluster),
        ("namespace", slots.namespace, by_namespace),
        ("environment", slots.environment, by_environment),
        ("region", slots.region, by_region),
    )
    for part, value, by in steps if context.question.reads else ():
        if value and part in scope and not context.absent:
            by(context, value)
    if "provider" in scope and slots.providers:
        named = [p for p in slots.providers if p in context.question.providers]
        if named:
            context.resources = [r for r in context.resources if r.provider in named]
            context.where += f" on {listed(named)}"
    context.gaps = relevant(context)


def by_cluster(context: Context, wanted: str) -> None:
    accounts = {r.account for r in context.resources if r.provider == "k8s"}
    accounts |= {i.account for i in context.scan.identities if i.provider == "k8s" and i.account}
    others = {r.name for r in context.resources if r.kind in MANAGED}
    found = nearest(wanted, accounts | others)
    if len(found) != 1:
        missing(context, f"cluster {name(wanted)}", sorted(accounts | others), found)
        return
    (one,) = found
    if one != wanted:
        context.notes.append(f"no cluster is named {name(wanted)}; {name(one)} is the one like it")
    context.resources = [
        r
        for r in context.resources
        if (r.provider == "k8s" and r.account == one) or (r.provider != "k8s" and belongs(r, one))
    ]
    context.accounts = {(r.provider, r.account) for r in context.resources} | {("k8s", one)}
    context.where += f" in cluster {name(one)}"


MANAGED = frozenset(
    {
        "aws.eks.cluster",
        "gcp.container.cluster",
        "azure.containerservice.managed_cluster",
        "digitalocean.kubernetes_cluster",
    }
)


def belongs(resource: Resource, cluster: str) -> bool:
    """Whether a cloud's resource is a cluster of this name, or says that it is of one."""
    data = resource.data
    return cluster in {resource.name, data.get("clusterName"), data.get("cluster_name")}


def by_namespace(context: Context, wanted: str) -> None:
    known = {namespace_of(r) or r.name for r in context.resources if r.kind == "k8s.namespace"}
    known |= {found for r in context.resources if (found := namespace_of(r))}
    if wanted not in known:
        missing(context, f"namespace {name(wanted)}", sorted(known), [])
        return
    context.resources = [r for r in context.resources if r.provider != "k8s" or within(r, wanted)]
    if context.accounts is None:
        clusters = {c.partition.account for c in context.scan.coverage}
        context.accounts = {("k8s", account) for account in clusters}
    of_cluster = context.where.replace(" in cluster", " of cluster")
    context.where = f" in namespace {name(wanted)}{of_cluster}"


def within(resource: Resource, namespace: str) -> bool:
    """Whether an object is in a namespace, is it, or is of the whole cluster."""
    own = namespace_of(resource)
    if resource.kind == "k8s.namespace":
        return resource.name == namespace
    return own == namespace or (not own and resource.kind in {"k8s.node", "k8s.cluster"})


def by_environment(context: Context, wanted: str) -> None:
    """In clusters by a namespace of that name, else by the cluster's own; elsewhere by the names
    of accounts and by tags."""
    stems = STEMS.get(wanted, (wanted,))
    places = {
        (i.provider, i.account)
        for i in context.scan.identities
        if any(says(word, stem) for stem in stems for word in (i.account, i.source))
    }
    spaces = {namespace_of(r) for r in context.resources} & {wanted, *stems}
    space = min(spaces) if spaces and "namespace" in context.question.scope else ""
    found = [
        r
        for r in context.resources
        if (within(r, space) if space and r.provider == "k8s" else (r.provider, r.account) in places or tagged(r, stems))
    ]  # fmt: skip
    if not found:
        known = sorted({r.account for r in context.resources})
        missing(context, f"{wanted} environment", known, [])
        return
    context.resources = found
    context.accounts = places | {(r.provider, r.account) for r in found}
    seen = sorted({r.account for r in found if r.provider != "k8s" or not space})
    said = [*([f"namespace {name(space)}"] if space else []), *(name(account) for account in seen)]
    only = [f"namespace {name(space)}"]
    context.where += f" in {only[0]}" if said == only else f" in {wanted} ({listed(said)})"


def says(word: str, stem: str) -> bool:
    return bool(re.search(rf"(?:^|[^a-z]){stem}", word.lower()))


def tagged(resource: Resource, stems: Sequence[str]) -> bool:
    tags = resource.data.get("tags")
    if not isinstance(tags, dict):
        return False
    for key in ("env", "environment", "Environment", "Env", "stage"):
        value = tags.get(key)
        if isinstance(value, str) and value.lower().startswith(tuple(stems)):
            return True
    return False


def by_region(context: Context, wanted: str) -> None:
    known = {r.region for r in context.resources} | {
        c.partition.region for c in context.scan.coverage
    }
    if wanted not in known:
        missing(context, f"region {wanted}", sorted(known - {""}), [])
        return
    context.resources = [r for r in context.resources if r.region == wanted]
    context.where += f" in {wanted}"


def missing(context: Context, what: str, known: Sequence[str], found: Sequence[str]) -> None:
    context.absent = what
    context.candidates = list(found or known)
    context.resources = []


def nearest(wanted: str, known: Iterable[str]) -> list[str]:
    """The names that are meant: the same, else those that begin so, else those with its words."""
    names = sorted(set(known))
    low = wanted.lower()
    for test in (
        lambda one: one.lower() == low,
        lambda one: one.lower().startswith(low.rstrip("*")),
        lambda one: parts(wanted) <= parts(one),
        lambda one: low in one.lower(),
    ):
        if found := [one for one in names if test(one)]:
            return found
    return []


def parts(text: str) -> set[str]:
    """The words of a name, without those that say only what sort of thing it is."""
    found = set(re.split(r"[^a-z0-9]+", text.lower())) - {""}
    return (found - {"cluster", "service", "pod", "the", "db", "database"}) or found


def relevant(context: Context) -> list[Gap]:
    """The gaps that matter to this question: of its kinds, and of the fields it needs."""
    reads, scope = context.question.reads, context.accounts
    providers = set(context.question.providers)
    found = []
    for gap in context.scan.gaps:
        if gap.provider not in providers or gap.reason.value == "out_of_scope":
            continue
        if gap.kind and gap.kind not in reads:
            continue
        if gap.field and gap.field not in reads.get(gap.kind, ()):
            continue
        if scope is not None and gap.account and (gap.provider, gap.account) not in scope:
            continue
        found.append(gap)
    told = {(gap.provider, gap.account) for gap in found}
    for one in context.scan.identities:
        if one.state is not Connection.ERROR or one.provider not in providers:
            continue
        if scope is not None and (one.provider, one.account) not in scope and one.account:
            continue
        if (one.provider, one.account) not in told and (one.provider, "") not in told:
            found.append(
                Gap(
                    provider=one.provider,
                    account=one.account,
                    reason=one.reason,
                    detail=one.detail,
                    permission=one.remedy,
                )
            )
    return found


def read_at_all(context: Context) -> bool:
    """Whether anything that the question is about was read: its places alone are not."""
    kinds = set(context.question.reads) - PLACES
    return not kinds or any(
        entry.state is not State.UNREAD and entry.partition.kind in kinds
        for entry in context.scan.coverage
    )


PLACES = frozenset({"k8s.namespace"})


def meant(context: Context, known: Iterable[str]) -> list[str]:
    """Which of these names the question means: by what is surely a name, else by words that no
    example has, else by a word that is one of the names. An earlier question's subject is meant
    where this one names none."""
    names = set(known)
    wanted = [*context.slots.names, *(() if context.slots.names else context.slots.maybe)]
    for word in wanted:
        if found := nearest(word, names):
            return found
    if context.slots.names:
        return []
    places = {context.slots.namespace, context.slots.cluster, context.slots.region}
    if exact := [word for word in WORDS.findall(context.text) if word in names - places]:
        return exact[:1]
    earlier = context.previous.get("subject", {}).get("name")
    return nearest(str(earlier), names) if earlier else []


WORDS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")


def subjects(context: Context, kinds: Sequence[str]) -> list[Resource]:
    """The resources of these kinds, or of all, that the question names: the best fit only,
    several where it fits several."""
    pool = context.of(*kinds) if kinds else list(context.resources)
    known: dict[str, list[Resource]] = {}
    for resource in pool:
        for alias in {resource.name, resource.id}:
            known.setdefault(alias, []).append(resource)
    unique = {r.key: r for alias in meant(context, known) for r in known[alias]}
    return [unique[key] for key in sorted(unique)]


def only_own_gaps(context: Context, *resources: Resource) -> None:
    """Leave the gaps of these resources: an answer about one thing does not lack another."""
    keys = {resource.key for resource in resources}
    context.gaps = [gap for gap in context.gaps if gap.resource in keys]


def unnamed(context: Context, what: str) -> Result:
    """The answer where nothing has the name that was asked for, or none was given."""
    asked = context.names()
    if not asked:
        return Result(
            sentence=f"Which {what} do you mean? The question names none.",
            status="unknown",
            needs=[f"the name of the {what}"],
        )
    return Result(
        sentence=f"No {what} named {name(asked[0])} was found{context.where}.",
        status="unknown",
        needs=[f"the exact name of the {what}, as `infrascan ask` shows it in a list"],
    )


def several(context: Context, what: str, found: Sequence[Resource]) -> Result:
    """The answer where the name fits more than one thing."""
    shown = [name(f"{r.account}/{r.id}" if r.provider == "k8s" else r.name) for r in found]
    evidence = [item for r in found for item in context.cite(r, "name")]
    return Result(
        sentence=f"{counted(len(found), what)} fit that name: {listed(shown)}. Which one?",
        rows=[context.row(r) for r in found],
        evidence=[*evidence, context.computed(f"count({what})", len(found), evidence)],
        status="unknown",
        needs=[f"the full name of the {what}, and its namespace or cluster"],
    )
