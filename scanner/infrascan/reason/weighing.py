"""How well a change explains a symptom: by what it is, how near, how recent, how many it explains.

The figures order hypotheses; they are no probabilities, and none is shown as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from infrascan.reason.change import Change, What, moment
from infrascan.reason.symptoms import Sort, Symptom

LEAST = 0.18  # below, a change in the cone is named and explains nothing
LIKELY = 0.40  # from here on, one without a rival is called the likely cause
RIVAL = 0.75  # share of the best's weight from which another is a rival
HALF = timedelta(minutes=45)  # after which a change counts for half
SKEW = timedelta(seconds=45)  # clocks differ, and alarms wait for a period to end
PER_STEP = 0.87

C, O, I, F, S, P, M, E = (  # noqa: E741
    Sort.CRASH, Sort.OOM, Sort.IMAGE, Sort.CONFIG, Sort.SCHEDULE, Sort.PROBE, Sort.MOUNT, Sort.EVICTED,
)  # fmt: skip
L, X, T, U, R = Sort.LATENCY, Sort.ERRORS, Sort.SATURATED, Sort.UNAVAILABLE, Sort.REPORTED

# What a change of each sort can bring about, 0 to 1.
FITS: Mapping[What, Mapping[Sort, float]] = {
    What.ROLLOUT: {C: 0.9, O: 0.75, I: 0.6, F: 0.9, S: 0.5, P: 0.85, M: 0.7, E: 0.4, L: 0.8, X: 0.85, T: 0.7, U: 0.85, R: 0.8},
    What.DEPLOYMENT: {C: 0.8, O: 0.7, I: 0.8, F: 0.7, S: 0.3, P: 0.75, M: 0.4, E: 0.3, L: 0.75, X: 0.8, T: 0.65, U: 0.75, R: 0.75},
    What.RUN: {C: 0.7, O: 0.6, I: 0.7, F: 0.6, S: 0.3, P: 0.65, M: 0.4, E: 0.3, L: 0.65, X: 0.7, T: 0.55, U: 0.65, R: 0.65},
    What.CONFIG: {C: 0.7, O: 0.4, I: 0.3, F: 0.95, S: 0.3, P: 0.65, M: 0.8, E: 0.1, L: 0.6, X: 0.7, T: 0.5, U: 0.6, R: 0.6},
    What.SCALING: {C: 0.1, O: 0.2, I: 0.05, F: 0.05, S: 0.3, P: 0.2, M: 0.05, E: 0.2, L: 0.75, X: 0.5, T: 0.85, U: 0.6, R: 0.5},
    What.MACHINE: {C: 0.3, O: 0.4, I: 0.3, F: 0.1, S: 0.8, P: 0.6, M: 0.6, E: 1.0, L: 0.45, X: 0.5, T: 0.4, U: 0.8, R: 0.5},
    What.NETWORK: {C: 0.5, O: 0.05, I: 0.6, F: 0.05, S: 0.05, P: 0.65, M: 0.4, E: 0.0, L: 0.5, X: 0.75, T: 0.1, U: 0.85, R: 0.6},
    What.ACCESS: {C: 0.6, O: 0.0, I: 0.65, F: 0.3, S: 0.1, P: 0.4, M: 0.5, E: 0.0, L: 0.25, X: 0.75, T: 0.05, U: 0.5, R: 0.5},
    What.CALL: {C: 0.3, O: 0.1, I: 0.2, F: 0.2, S: 0.1, P: 0.3, M: 0.2, E: 0.1, L: 0.3, X: 0.3, T: 0.2, U: 0.3, R: 0.3},
}  # fmt: skip
# What a facet of it makes sure or rules out: (facet, symptom) -> weight.
SURE: Mapping[tuple[str, Sort], float] = {
    ("image", I): 1.0, ("image", C): 0.95, ("image", X): 0.9, ("image", L): 0.85, ("image", O): 0.8,
    ("memory", O): 1.0, ("memory", E): 0.9, ("memory", S): 0.9, ("cpu", S): 0.9, ("cpu", L): 0.95,
    ("cpu", T): 0.95, ("command", C): 1.0, ("args", C): 1.0, ("environment", C): 0.95,
    ("environment", F): 1.0, ("environment", X): 0.9, ("probe", P): 1.0, ("volumes", M): 1.0,
    ("volumes", F): 1.0, ("mounts", M): 1.0, ("placement", S): 1.0, ("pull-secrets", I): 1.0,
    ("account", X): 0.9, ("account", I): 0.8, ("ports", P): 0.95, ("ports", U): 0.95,
    ("database", L): 0.85, ("database", X): 0.85, ("database", U): 0.8, ("database", C): 0.6,
    ("database", P): 0.65, ("cache", L): 0.8, ("cache", X): 0.8, ("secret", X): 0.8,
    ("secret", C): 0.75, ("cordon", S): 0.95, ("node", U): 0.85, ("down", L): 0.85,
    ("down", T): 0.95, ("closed", C): 0.75, ("closed", X): 0.85, ("closed", P): 0.8,
    ("closed", U): 0.9, ("closed", I): 0.7,
}  # fmt: skip
# Facets of which one alone decides what a rollout can do.
ONLY: Mapping[frozenset[str], Mapping[Sort, float]] = {
    frozenset({"image"}): {S: 0.2, M: 0.3, F: 0.7, E: 0.3},
    frozenset({"probe"}): {L: 0.2, X: 0.3, O: 0.05, I: 0.0, S: 0.0},
    frozenset({"memory"}): {L: 0.4, X: 0.5, I: 0.0, F: 0.0, P: 0.4},
    frozenset({"cpu"}): {I: 0.0, F: 0.0, O: 0.1},
    frozenset({"security"}): {L: 0.1, I: 0.1, O: 0.05},
    frozenset({"placement"}): {L: 0.3, I: 0.1, C: 0.2, F: 0.0},
}
# Kinds that can do little of what their sort can.
KINDS: Mapping[str, Mapping[Sort, float]] = {
    "k8s.resource_quota": {S: 0.9, U: 0.5, C: 0.0, L: 0.05, X: 0.05, P: 0.0, F: 0.0, O: 0.0, I: 0.0},
    "k8s.limit_range": {O: 0.8, S: 0.5, C: 0.1, L: 0.2, X: 0.1, P: 0.1, F: 0.0, I: 0.0},
    "k8s.horizontal_pod_autoscaler": {C: 0.05, I: 0.0, F: 0.0, O: 0.2},
    "k8s.persistent_volume_claim": {M: 0.9, L: 0.3, C: 0.4, X: 0.3},
    "k8s.config_map": {I: 0.02, S: 0.02, E: 0.0},
    "k8s.secret": {I: 0.85, S: 0.02, E: 0.0, O: 0.05, L: 0.3},
    "k8s.service_account": {L: 0.1},
}  # fmt: skip
ROUTINE = frozenset({"cert-manager-certificates-issuing", "cert-manager", "external-secrets"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Why a change has its place: each part between 0 and 1."""

    fit: float
    recency: float
    nearness: float
    coverage: float
    signal: float = 1.0  # what the state of the parts says for or against

    @property
    def total(self) -> float:
        spread = 0.6 + 0.4 * self.coverage
        return round(min(1.0, self.fit * self.recency * self.nearness * spread * self.signal), 4)


def fit(change: Change, sort: Sort) -> float:
    """How well a change of this sort can bring about such a symptom."""
    base = FITS.get(change.kind, {}).get(sort, 0.0)
    kind = change.resource.partition("/")[0]
    base = KINDS.get(kind, {}).get(sort, base)
    facets = {facet for facet in change.facets if ":" not in facet}
    if change.kind is What.ROLLOUT:
        base = ONLY.get(frozenset(facets), {}).get(sort, base)
        if not facets:
            base *= 0.6  # nothing that was read differs
    sure = [SURE[facet, sort] for facet in facets if (facet, sort) in SURE]
    found = max([base, *sure])
    if change.kind is What.SCALING and "up" in facets and "down" not in facets:
        found = min(found, 0.12)
    if change.reaction:
        found *= 0.15
    if change.actor in ROUTINE:
        found *= 0.4
    return found


def precedes(change: Change, symptom: Symptom) -> bool:
    """Whether the change was there before the symptom began, as far as either is known."""
    when = moment(change.earliest or change.time)
    return when is not None and when <= symptom.when + SKEW


def recency(change: Change, symptom: Symptom) -> float:
    """1 for a change just before, half after `HALF`, and on."""
    when = moment(change.time)
    if when is None:
        return 0.0
    passed = max(timedelta(0), symptom.when - when)
    return 1 / (1 + passed / HALF)


def nearness(distance: float) -> float:
    found: float = PER_STEP**distance
    return found
