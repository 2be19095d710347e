"""Why something is wrong: changes that came before it, in what it depends on, set against each other.

Everything here is a hypothesis but the diagnoses, which state alone gives. A change outside the
cone of what the resource depends on is no candidate, however near in time; when nothing qualifies,
or what would tell was not read, the answer is "inconclusive".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from infrascan.model import InputError, Scan
from infrascan.reason import checking, weighing
from infrascan.reason.change import Change, What, moment, stamp
from infrascan.reason.changes import Blind, blind, everything, instant, order
from infrascan.reason.diagnosis import Diagnosis, diagnoses
from infrascan.reason.explanation import Explanation, Hypothesis
from infrascan.reason.happened import clouds, planes
from infrascan.reason.symptoms import Sort, Symptom, symptoms
from infrascan.reason.upstream import Graph, Reached
from infrascan.reason.weighing import Weight

WINDOW = timedelta(hours=2)  # how long before a symptom a change may have been
# What is read to explain anything: what happens, what it happens to, and what that depends on.
KINDS = (
    *("k8s.namespace", "k8s.node", "k8s.pod", "k8s.deployment", "k8s.replica_set"),
    *("k8s.stateful_set", "k8s.daemon_set", "k8s.job", "k8s.cron_job", "k8s.service"),
    *("k8s.endpoint_slice", "k8s.ingress", "k8s.network_policy", "k8s.config_map"),
    *("k8s.service_account", "k8s.role", "k8s.role_binding", "k8s.persistent_volume_claim"),
    *("k8s.persistent_volume", "k8s.resource_quota", "k8s.limit_range", "k8s.event"),
    *("k8s.horizontal_pod_autoscaler", "k8s.cluster"),
    *("aws.ec2.instance", "aws.ec2.security_group", "aws.ec2.subnet", "aws.ec2.route_table"),
    *("aws.autoscaling.group", "aws.elbv2.load_balancer", "aws.elbv2.listener"),
    *("aws.elbv2.target_group", "aws.rds.db_instance", "aws.rds.db_cluster"),
    *("aws.elasticache.cluster", "aws.elasticache.replication_group", "aws.ecs.service"),
    *("aws.ecs.task_definition", "aws.lambda.function", "aws.sqs.queue", "aws.iam.role"),
    *("aws.ecr.repository", "aws.secretsmanager.secret", "aws.route53.record_set"),
    *("aws.dynamodb.table", "aws.cloudwatch.alarm", "aws.cloudtrail.event"),
    *("github.repository", "github.workflow", "github.deployment", "github.workflow_run"),
    *clouds.KINDS,
    *planes.STATES,
)
AFTER = timedelta(minutes=10)  # how long after the time asked for a symptom may begin
SAME = timedelta(minutes=15)  # between a deployment, the run that made it, and its rollout
SHIPS = frozenset({What.DEPLOYMENT, What.RUN, What.ROLLOUT})
SHIPPED = frozenset({"k8s.pod", "aws.ecs.task_definition", "aws.lambda.function"})
SHOWN = 5
# Diagnoses that say what to mend; the others only say how it shows.
SURE = frozenset(
    {
        *("config-missing", "key-missing", "image-not-found", "image-refused", "image-invalid"),
        *("image-rate-limit", "command-not-run", "not-scheduled", "pods-not-made", "evicted"),
        *("exits-at-once", "out-of-memory"),
    }
)
ELSEWHERE = frozenset(
    {"staging", "stage", "dev", "development", "test", "qa", "preview", "sandbox"}
)


@dataclass(eq=False, kw_only=True)
class Case:
    """What one explanation works with."""

    graph: Graph
    start: str
    asked: datetime
    since: datetime
    changes: Sequence[Change]
    symptoms: list[Symptom] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    cone: Mapping[str, Reached] = field(default_factory=dict)
    relayed: Sequence[Symptom] = ()  # of what it depends on

    def distance(self, change: Change) -> Reached | None:
        near = [self.cone[key] for key in change.keys if key in self.cone]
        return min(near, key=lambda reached: reached.distance, default=None)


def explain(
    scan: Scan,
    resource: str,
    at: datetime | str | None = None,
    *,
    since: timedelta | datetime | str | None = None,
    extra: Iterable[Change] = (),
    logs: Mapping[str, str] | None = None,
) -> Explanation:
    """Why the resource of this key is unwell, at a time or now. Raises `InputError`.

    `since` is when to begin looking for changes, or how long before the symptoms. `logs` are those
    of pods that were read, by key.
    """
    graph = Graph.of(scan)
    if resource not in graph.resources:
        raise InputError(f"no resource has the key {resource!r} in this scan")
    asked = instant(at if at is not None else scan.observed)
    told = everything(scan, extra=extra)
    case = Case(graph=graph, start=resource, asked=asked, since=asked - WINDOW, changes=told)
    case.parts = graph.parts(resource)
    case.symptoms = [
        symptom for symptom in symptoms(graph, case.parts, told) if symptom.when <= asked + AFTER
    ]
    known = diagnoses([graph.resources[key] for key in case.parts if key in graph.resources], logs)
    if not case.symptoms and at is not None:
        case.symptoms = [reported(graph, resource, asked)]
    case.since = beginning(since, case)
    if not case.symptoms:
        return well(scan, case, known)
    return weighed(scan, case, known)


def beginning(since: timedelta | datetime | str | None, case: Case) -> datetime:
    """When to begin: so long before the earliest symptom that may be of this incident."""
    if isinstance(since, str | datetime):
        return instant(since)
    span = since if since is not None else WINDOW
    recent = [s.when for s in case.symptoms if s.when >= case.asked - span]
    return min([*recent, case.asked]) - span


def reported(graph: Graph, key: str, when: datetime) -> Symptom:
    name = graph.resources[key].name
    says = f"{name} was reported to be unwell; what was read shows nothing of it"
    return Symptom(sort=Sort.REPORTED, resource=key, name=name, since=stamp(when), says=says)


def well(scan: Scan, case: Case, known: Sequence[Diagnosis]) -> Explanation:
    name = case.graph.resources[case.start].name
    unread = blind(scan)
    verdict = f"nothing that was read says that {name} is unwell"
    if unread:
        verdict += f"; {len(unread)} sources were not read to their end"
    return Explanation(
        resource=case.start,
        name=name,
        at=stamp(case.asked),
        since=stamp(case.since),
        status="inconclusive" if unread else "well",
        verdict=verdict,
        diagnoses=tuple(known),
        blind=tuple(unread),
    )


def weighed(scan: Scan, case: Case, known: Sequence[Diagnosis]) -> Explanation:
    case.cone = case.graph.cone(
        [*case.parts, *{s.resource for s in case.symptoms if s.resource not in case.parts}]
    )
    ahead = [key for key, reached in case.cone.items() if reached.distance > 0]
    case.relayed = symptoms(case.graph, ahead, case.changes)
    inside: list[Change] = []
    unrelated = later = elsewhere = 0
    for change in case.changes:
        when = moment(change.time)
        if change.is_symptom or when is None or when < case.since:
            continue
        if when > case.asked + AFTER:
            continue
        if case.distance(change) is None:
            unrelated += 1
        elif not any(weighing.precedes(change, symptom) for symptom in case.symptoms):
            later += 1
        elif in_another_environment(change, case):
            elsewhere += 1
        else:
            inside.append(change)
    ranked, weak = rank(case, inside)
    unread = [source for source in blind(scan, case.since) if concerns(source, case)]
    status, verdict = judged(case, ranked, known, unread)
    return Explanation(
        resource=case.start,
        name=case.graph.resources[case.start].name,
        at=stamp(case.asked),
        since=stamp(case.since),
        status=status,
        verdict=verdict,
        symptoms=tuple(case.symptoms),
        relayed=tuple(s for s in case.relayed if s.when >= case.since),
        diagnoses=tuple(known),
        hypotheses=tuple(ranked),
        weak=tuple(weak),
        unrelated=unrelated,
        later=later,
        elsewhere=elsewhere,
        timeline=tuple(sorted(within(case), key=order)),
        blind=tuple(unread),
        needs=tuple(needs(unread)) if status != "likely" else (),
    )


def within(case: Case) -> Iterable[Change]:
    """What happened in the cone in the window, symptoms of the parts among it."""
    own = {symptom.resource for symptom in case.symptoms}
    for change in case.changes:
        when = moment(change.time)
        if not when or not case.since <= when <= case.asked + AFTER:
            continue
        if case.distance(change) is not None or own & set(change.keys):
            yield change


def in_another_environment(change: Change, case: Case) -> bool:
    """A deployment to an environment that is by its name another than where this runs."""
    places = [facet[12:].lower() for facet in change.facets if facet.startswith("environment:")]
    words = {word for place in places for word in place.replace("_", "-").split("-")}
    if not words & ELSEWHERE:
        return False
    start = case.graph.resources[case.start]
    here = f"{start.account} {start.id}".lower().replace("/", "-").replace(" ", "-").split("-")
    return not words & set(here)


def concerns(source: Blind, case: Case) -> bool:
    """Whether a source could tell of anything in the cone. What is shipped comes from GitHub, also
    where nothing that was read leads there."""
    provider = source.source.partition(".")[0]
    inside = [r for key in case.cone if (r := case.graph.resources.get(key))]
    if provider == "github":
        return any(resource.kind in SHIPPED for resource in inside)
    account = source.place.partition("/")[0]
    return any(
        resource.provider == provider and account in {"", resource.account} for resource in inside
    )


def rank(case: Case, inside: Sequence[Change]) -> tuple[list[Hypothesis], list[Change]]:
    """The hypotheses, best first, and the changes that explain too little."""
    groups = grouped(case, inside)
    found: list[tuple[float, datetime, Hypothesis]] = []
    weak: list[Change] = []
    for group in groups:
        hypothesis = supposed(case, group)
        if hypothesis.weight.total >= weighing.LEAST:
            when = moment(hypothesis.change.time)
            assert when is not None
            found.append((-hypothesis.weight.total, when, hypothesis))
        else:
            weak += group
    found.sort(key=lambda entry: (entry[0], -entry[1].timestamp(), entry[2].change.resource))
    best = [h for _, _, h in found[:SHOWN]]
    ranked = [replace(hypothesis, rank=place) for place, hypothesis in enumerate(best, 1)]
    return ranked, sorted(weak, key=order)


def grouped(case: Case, inside: Sequence[Change]) -> list[list[Change]]:
    """Changes that are one: a deployment, the run that made it and the rollout it led to."""
    rollouts = [c for c in inside if c.kind is What.ROLLOUT]
    groups: list[list[Change]] = [[rollout] for rollout in rollouts]
    rest: list[list[Change]] = []
    for change in sorted(inside, key=order):
        if change.kind is What.ROLLOUT:
            continue
        home = next((g for g in (*groups, *rest) if belongs(case, change, g[0])), None)
        if home is None:
            rest.append([change])
        else:
            home.append(change)
    return [*groups, *rest]


def belongs(case: Case, change: Change, first: Change) -> bool:
    when, then = moment(change.time), moment(first.time)
    assert when is not None
    assert then is not None
    if abs(when - then) > SAME:
        return False
    if change.kind in SHIPS and first.kind in SHIPS and change.source != first.source:
        if change.after and first.after and change.after[:7] in first.after:
            return True
        here, there = set(change.keys), set(first.keys)
        if here & there:
            return True
        return first.kind is What.ROLLOUT and leads(case, first, here)
    return (
        change.kind is What.SCALING
        and first.kind is What.ROLLOUT
        and change.resource == first.resource
        and change.reaction
    )


def leads(case: Case, rollout: Change, keys: set[str]) -> bool:
    """Whether what was rolled out is built from one of these: its way on leads there."""
    ahead = case.graph.cone(case.graph.parts(rollout.resource), 3.0)
    return any(key in ahead for key in keys)


def supposed(case: Case, group: Sequence[Change]) -> Hypothesis:
    change, *also = group
    reached = min((r for c in group if (r := case.distance(c))), key=lambda r: r.distance)
    weights: list[tuple[float, float, Symptom]] = []
    for symptom in case.symptoms:
        parts = [
            (max(weighing.fit(c, symptom.sort) for c in group), weighing.recency(c, symptom))
            for c in group
            if weighing.precedes(c, symptom)
        ]
        if parts:
            fit, recent = max(parts, key=lambda p: p[0] * p[1])
            weights.append((fit, recent, symptom))
    able = [w for w in weights if w[0] >= 0.25]
    fit, recent, _ = max(weights, key=lambda w: w[0] * w[1], default=(0.0, 0.0, None))
    signals = checking.signals(case.graph, change, case.parts, case.symptoms)
    factor = 1.0
    for signal in signals:
        factor *= signal.factor
    relay = through(case, reached, change)
    if relay:
        factor *= checking.FOR
    weight = Weight(
        fit=round(fit, 3),
        recency=round(recent, 3),
        nearness=round(weighing.nearness(reached.distance), 3),
        coverage=round(len(able) / len(case.symptoms), 3),
        signal=round(factor, 3),
    )
    reasons = [*(signal.says for signal in signals)]
    facts = [fact for signal in signals for fact in signal.evidence]
    if relay:
        reasons.append(f"for: {relay.name}, between the two, is unwell since {relay.since[11:16]}")
        facts += relay.evidence
    missed = [w[2] for w in weights if w[0] < 0.25]
    early = [s for s in case.symptoms if not weighing.precedes(change, s)]
    if early:
        reasons.append(f"against: {early[0].name} was unwell before it, at {early[0].since[11:16]}")
    elif missed:
        reasons.append(f"leaves unexplained: {missed[0].says}")
    return Hypothesis(
        rank=0,
        change=change,
        also=tuple(also),
        weight=weight,
        explains=tuple(w[2].says for w in able),
        hops=reached.hops,
        reasons=tuple(reasons),
        facts=tuple(facts),
        check=checking.check(case.graph, change),
        rollback=checking.rollback(case.graph, change),
    )


def through(case: Case, reached: Reached, change: Change) -> Symptom | None:
    """A symptom, after the change, of something between what failed and what changed."""
    on_way = {hop.target for hop in reached.hops} | set(change.keys)
    began, ended = moment(change.time), case.symptoms[-1].when + weighing.SKEW
    for symptom in case.relayed:
        if symptom.resource in on_way and began and began <= symptom.when <= ended:
            return symptom
    return None


def judged(
    case: Case, ranked: Sequence[Hypothesis], known: Sequence[Diagnosis], unread: Sequence[Blind]
) -> tuple[str, str]:
    """Status and verdict."""
    name = case.graph.resources[case.start].name
    sure = next((found for found in known if found.code in SURE), None)
    fact = f"{sure.says}. " if sure else ""
    without = "diagnosed" if sure else "inconclusive"
    if not ranked:
        said = f"{fact}No change in what {name} depends on, in the window, explains it"
        if unread:
            said += f"; {len(unread)} sources were not read to their end"
        return without, f"{said}."
    best = ranked[0]
    rivals = [h for h in ranked[1:] if h.weight.total >= weighing.RIVAL * best.weight.total]
    told = f"at {best.change.time[11:16]}: {best.change.what}"
    if best.weight.total < weighing.LIKELY:
        return without, f"{fact}No change explains it well; the nearest is, {told}."
    if rivals:
        many = f"{1 + len(rivals)} changes explain it about as well"
        return "competing", f"{fact}{many}; first, {told}."
    return "likely", f"{fact}Likely, {told}."


def needs(unread: Sequence[Blind]) -> Iterable[str]:
    """What would tell more."""
    for source in unread:
        yield source.sentence
    if not unread:
        yield (
            "every source of changes was read: look outside what is scanned, such as a service of"
            " another company, or load"
        )
