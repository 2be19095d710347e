"""The record of an incident: what was shipped, what it hit, by how much, and the way back.

Every figure is one that an API gave. The way back is a command to be approved, not one that ran.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from infrascan.model import Evidence, Scan
from infrascan.reason.change import cited
from infrascan.reason.explanation import Explanation, Hypothesis
from infrascan.reason.symptoms import Sort

POINT = re.compile(r"(-?\d+(?:\.\d+)?(?:E-?\d+)?) \(\d\d/\d\d/\d\d \d\d:\d\d:\d\d\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """How a metric moved, as the alarm on it tells."""

    alarm: str
    metric: str
    before: float
    after: float
    before_is: str  # "the earliest datapoint the alarm looked at", or "the alarm's threshold"
    evidence: tuple[Evidence, ...]

    @property
    def delta(self) -> float:
        return round(self.after - self.before, 6)


def deltas(scan: Scan, explanation: Explanation) -> list[Delta]:
    """For each alarm among the symptoms, how far its metric moved; latency first."""
    by_key = {r.key: r for r in scan.resources if r.kind == "aws.cloudwatch.alarm"}
    found: list[tuple[bool, Delta]] = []
    for symptom in explanation.symptoms:
        alarm = by_key.get(symptom.resource)
        if alarm is None:
            continue
        points = datapoints(alarm.data)
        threshold = alarm.data.get("Threshold")
        if not points:
            continue
        after, earliest = points[0], points[-1]
        if len(points) > 1 and earliest != after:
            before, named = earliest, "the earliest datapoint the alarm looked at"
        elif isinstance(threshold, int | float):
            before, named = float(threshold), "the alarm's threshold"
        else:
            continue
        facts = cited(
            alarm, ("StateReason",), ("StateReasonData",), ("Threshold",), ("MetricName",)
        )
        delta = Delta(
            alarm=alarm.name,
            metric=str(alarm.data.get("MetricName") or ""),
            before=before,
            after=after,
            before_is=named,
            evidence=facts,
        )
        found.append((symptom.sort is not Sort.LATENCY, delta))
    return [delta for _, delta in sorted(found, key=lambda pair: (pair[0], pair[1].alarm))]


def datapoints(data: dict[str, Any]) -> list[float]:
    """The values the alarm was judged by, newest first."""
    text = data.get("StateReasonData")
    if isinstance(text, str):
        try:
            kept = json.loads(text)
        except ValueError:
            kept = None
        points = kept.get("recentDatapoints") if isinstance(kept, dict) else None
        if isinstance(points, list):  # oldest first
            numbers = [float(p) for p in points if isinstance(p, int | float)]
            if numbers:
                return numbers[::-1]
    return [float(match[1]) for match in POINT.finditer(str(data.get("StateReason") or ""))]


def record(scan: Scan, explanation: Explanation) -> dict[str, Any]:
    """The record as plain data: what a ticket needs."""
    best = explanation.hypotheses[0] if explanation.hypotheses else None
    likely = best if explanation.status in {"likely", "competing"} else None
    return {
        "title": f"{explanation.name} is unwell",
        "status": explanation.status,
        "verdict": explanation.verdict,
        "affected_service": explanation.name,
        "resource": explanation.resource,
        "began": explanation.symptoms[0].since if explanation.symptoms else "",
        "deployment_sha": (likely.sha if likely else "") or None,
        "change": changed(likely) if likely else None,
        "deltas": [
            {
                "alarm": delta.alarm,
                "metric": delta.metric,
                "before": delta.before,
                "after": delta.after,
                "delta": delta.delta,
                "before_is": delta.before_is,
                "evidence": facts(delta.evidence),
            }
            for delta in deltas(scan, explanation)
        ],
        "suggested_rollback": back(likely),
    }


def changed(hypothesis: Hypothesis) -> dict[str, Any]:
    change = hypothesis.change
    return {
        "time": change.time,
        "what": change.what,
        "actor": change.actor,
        "source": change.source,
    }


def back(hypothesis: Hypothesis | None) -> dict[str, Any] | None:
    """The way back of the likeliest change: a vector for `run_command`, which asks for approval."""
    if hypothesis is None or hypothesis.rollback is None:
        return None
    return {
        "vector": list(hypothesis.rollback.vector),
        "says": hypothesis.rollback.says,
        "status": "not run: needs the approval of an operator",
    }


def facts(evidence: tuple[Evidence, ...]) -> list[dict[str, Any]]:
    return [{"resource": e.resource, "path": e.path, "value": e.value} for e in evidence]
