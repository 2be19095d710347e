"""`infrascan demo`: three live facts and five findings of the recorded estate, in seconds.

Everything it prints is computed from the recording as it would be from the network: the facts by
the catalogue's question, the findings by the shipped rules.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import trio

from infrascan import cli, redact
from infrascan.evaluate import evaluate
from infrascan.model import Finding
from infrascan.pipeline import DEMO, Request, look
from infrascan.pricing import saving
from infrascan.questions import MOCK, Answer, Who, ask
from infrascan.questions.functions.flagged import reads_of, rules_of
from infrascan.render.inert import short, visible
from infrascan.shipped import shipped

QUESTION = "what should I know before I deploy?"
# One rule for each fault that a newcomer should see found, from the gravest to the mildest.
RULES = (
    "aws.rds.instance-open-to-internet",
    "aws.autoscaling.worker-pool-idle",
    "aws.elasticache.replication-group-without-failover",
    "aws.s3.backups-grow-unbounded",
    "aws.apigateway.stage-without-rate-limit",
)


def demo(options: argparse.Namespace) -> int:
    """Print the facts and the findings. Reads the recording alone, and keeps nothing."""
    answer, findings = trio.run(shown)
    said = {
        "mock": MOCK,
        "facts": facts(answer),
        "findings": [finding(one) for one in findings],
        "observed_at": answer.observed_at,
    }
    said = redact.scrub(said)
    if options.json:
        sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=True) + "\n")
    else:
        sys.stdout.write(text(said))
    return cli.CLEAN


async def shown() -> tuple[Answer, list[Finding]]:
    request = Request(replay=shipped("estates") / DEMO)
    with tempfile.TemporaryDirectory(prefix="infrascan-") as folder:
        answer = await ask(Path(folder), QUESTION, request=request, who=Who(client="demo"))
    reads = await trio.to_thread.run_sync(reads_of, RULES)
    scan = await look(request, tuple(reads))
    verdicts = await trio.to_thread.run_sync(
        partial(
            evaluate,
            rules_of(RULES),
            scan.resources,
            scan.gaps,
            now=datetime.fromisoformat(scan.observed),
            price=saving,
        )
    )
    return answer, [first for rule in RULES for first in of(rule, verdicts.findings)]


def of(rule: str, findings: Sequence[Finding]) -> list[Finding]:
    """The finding of a rule that saves most, or its first; none where it flags nothing."""
    own = [one for one in findings if one.rule == rule]
    return sorted(own, key=lambda f: (-f.saving.monthly if f.saving else 0.0, f.resource))[:1]


def facts(answer: Answer) -> list[dict[str, Any]]:
    """The degraded caches, the database that serves most queries, what was deployed last."""
    rows: list[dict[str, Any]] = answer.data["rows"]
    found = [
        {"name": row["name"], "state": "DEGRADED", "value": row["reason"]}
        for row in rows
        if row["section"] == "caches" and row.get("healthy") is False
    ]
    busy = [row for row in rows if row.get("queries_a_second") is not None]
    if busy:
        first = max(busy, key=lambda row: float(row["queries_a_second"]))
        value = f"{first['queries_a_second']:,.0f} queries a second"
        found.append({"name": first["name"], "state": "busy", "value": value})
    deployed = [row for row in rows if row["section"] == "last deployment"][:1]
    found += [{"name": r["name"], "state": "deployed last", "value": r["what"]} for r in deployed]
    return found


def finding(one: Finding) -> dict[str, Any]:
    monthly = round(one.saving.monthly, 2) if one.saving else None
    return {
        "severity": one.severity.value,
        "name": one.name,
        "title": one.title,
        "saving": monthly,
        "rule": one.rule,
        "evidence": [{"path": e.path, "value": e.value} for e in one.evidence],
        "fix": one.fix,
    }


def text(said: dict[str, Any]) -> str:
    lines = [said["mock"], "", f'Live facts (infrascan ask --demo "{QUESTION}"):']
    lines += [
        f"  {fact['name']:<18} {fact['state']}: {short(fact['value'], 200)}"
        for fact in said["facts"]
    ]
    lines += ["", "Findings (all of them: infrascan run --demo):"]
    for one in said["findings"]:
        saves = f"; saves ${one['saving']:,.2f} a month" if one["saving"] else ""
        lines.append(f"  {one['severity'].upper():<9} {one['name']}: {one['title']}{saves}")
        first = [f"{e['path']} = {short(json.dumps(e['value']), 60)}" for e in one["evidence"][:2]]
        lines.append(f"  {'':<9} {'; '.join(first)}")
    lines += ["", f"As of {said['observed_at']}."]
    return "\n".join(visible(line) for line in lines) + "\n"
