"""Scans that are kept on this machine: their findings, paths, differences, inventory."""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any

import mcp_types as types
import trio
from pydantic import BaseModel, Field

from infrascan import queries
from infrascan.mcp_server import answers, researched
from infrascan.mcp_server.door import Door, result
from infrascan.model import InputError
from infrascan.store.scans import read

# Functions whose answer is another each time.
MOVING = re.compile(
    r"(?i)\b(?:now|today|random|uuid|current_\w+|get_current\w*|gen_random\w*|setseed)\b"
)
BUCKETS = ("new", "fixed", "changed", "became_unknown", "became_known", "no_longer_scanned")


class ScansAnswer(BaseModel):
    """Stored scans, the latest first."""

    total: int
    scans: list[dict[str, Any]]
    cursor: str = Field(description="For the next page; empty on the last")


class FindingAnswer(BaseModel):
    """One finding in full, and the resource it is about."""

    scan: str
    finding: dict[str, Any]
    resource: dict[str, Any] | None
    also: list[dict[str, Any]] = Field(description="What else is wrong with the resource")
    connected: list[dict[str, Any]]
    unread: list[dict[str, Any]] = Field(description="What of the resource was not read")


class DiffAnswer(BaseModel):
    """What differs between two scans."""

    before: str
    after: str
    summary: dict[str, Any]
    findings: dict[str, list[dict[str, Any]]]
    findings_left_out: dict[str, int] = {}
    coverage: list[dict[str, Any]] = []


class RowsAnswer(BaseModel):
    """The rows of a SELECT."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    notes: list[str]


class PathsAnswer(BaseModel):
    """Attack paths, and the fewest changes that end them."""

    scan: str
    total: int
    paths: list[researched.PathAnswer]
    cuts: list[researched.CutAnswer]
    issues: list[researched.IssueAnswer]
    left_out: int
    notes: list[str] = []


def add(door: Door) -> None:
    space = door.workspace

    @door.tool("stored", "Stored scans", live=False)
    async def list_scans(
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        cursor: Annotated[str, Field(description="Of the page before")] = "",
    ) -> Annotated[types.CallToolResult, ScansAnswer]:
        """History of scans kept on this machine, the latest first: ids, when each ran, which
        providers, how many findings, what share could be read.
        """
        found = await space.stored(queries.list_scans, limit=limit, cursor=cursor)
        rows = [f"{s['id']}  {s.get('findings', '?')} findings" for s in found["scans"]]
        text = "\n".join([f"{found['total']} stored scans.", *rows])
        return result(ScansAnswer.model_validate(found), text)

    @door.tool("stored", "Findings of a scan", live=False)
    async def get_findings(
        scan: Annotated[str, Field(description="Id of a stored scan, or latest")] = "latest",
        severity: Annotated[str, Field(description="This severity and worse")] = "",
        category: Annotated[str, Field(description="cost, security or reliability")] = "",
        provider: str = "",
        account: str | int = "",
        region: str = "",
        kind: Annotated[str, Field(description="Such as aws.s3.bucket, k8s.pod")] = "",
        rule: str = "",
        text: Annotated[str, Field(description="In names, ids, titles and rules")] = "",
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        cursor: Annotated[str, Field(description="Of the page before")] = "",
    ) -> Annotated[types.CallToolResult, answers.FindingsAnswer]:
        """Findings of a stored scan, page by page, filtered by severity, category (security, cost,
        reliability), account, kind or rule: those that an answer left out.

        Worst first, each with evidence, fix and dollars saved a month. `unknown` counts verdicts
        that could not be reached for the same filters.
        """
        found = await space.stored(
            queries.get_findings,
            scan=scan,
            severity=severity,
            category=category,
            provider=provider,
            account=str(account),
            region=region,
            kind=kind,
            rule=rule,
            text=text,
            limit=limit,
            cursor=cursor,
        )
        answer = answers.FindingsAnswer.model_validate(found)
        lines = [f"{len(answer.findings)} of {answer.total} findings of {answer.scan}."]
        lines += [
            f"- {f['severity'].upper()} {f['title']}: {answers.quoted(f['name'])} ({f['id']})"
            for f in answer.findings
        ]
        if answer.unknown:
            lines.append(f"{answer.unknown} verdicts are unknown, which is not a pass.")
        return result(answer, "\n".join([*lines, *answer.notes]))

    @door.tool("stored", "One finding explained", live=False)
    async def explain_finding(
        finding: Annotated[
            str, Field(description="Id of the finding, or how it begins", min_length=4)
        ],
        scan: Annotated[str, Field(description="Id of a stored scan, or latest")] = "latest",
    ) -> Annotated[types.CallToolResult, FindingAnswer]:
        """Explain one finding by its id: the evidence behind it, why it matters, how to fix it, the
        resource's whole configuration, and what is connected to it.
        """
        found = await space.stored(queries.get_finding, finding, scan=scan)
        answer = FindingAnswer.model_validate(found)
        f = answer.finding
        facts = [f"  {e['path']} = {e['value']!r}" for e in f["evidence"][:10]]
        lines = [
            f"{f['severity'].upper()} {f['title']}: {answers.quoted(f['name'])}",
            *(("Evidence:", *facts) if facts else ()),
            f"Why: {f['why']}",
            f"Fix: {f['fix']}",
        ]
        return result(answer, "\n".join(lines))

    @door.tool("stored", "Difference of two scans", live=False)
    async def diff_scans(
        before: Annotated[str, Field(description="Id of the earlier scan")] = "latest~1",
        after: Annotated[str, Field(description="Id of the later scan")] = "latest",
        limit: Annotated[int, Field(ge=1, le=100, description="Findings of each sort")] = 20,
    ) -> Annotated[types.CallToolResult, DiffAnswer]:
        """Compare two stored scans: which findings are new, fixed or changed between them, and why.

        What could not be read the second time became unknown; it is never called fixed.
        """
        found = await space.stored(queries.diff_scans, before=before, after=after)
        answer = DiffAnswer(
            before=found["before"],
            after=found["after"],
            summary=found["summary"],
            findings={name: found["findings"][name][:limit] for name in BUCKETS},
            findings_left_out={
                name: len(found["findings"][name]) - limit
                for name in BUCKETS
                if len(found["findings"][name]) > limit
            },
            coverage=found["coverage"][:limit],
        )
        counts = ", ".join(
            f"{n} {name.replace('_', ' ')}" for name, n in answer.summary["findings"].items()
        )
        return result(answer, f"From {answer.before} to {answer.after}: {counts}.")

    @door.tool("stored", "SQL over the inventory", live=False)
    async def query_inventory(
        sql: Annotated[str, Field(description="One SELECT", min_length=6, max_length=20_000)],
        scan: Annotated[str, Field(description="Id of a stored scan, latest, or all")] = "latest",
        limit: Annotated[int, Field(ge=1, le=1000, description="Rows")] = 100,
    ) -> Annotated[types.CallToolResult, RowsAnswer]:
        """Run a read-only SQL SELECT over the stored inventory: counts, joins, groupings.

        Tables: resources (key, kind, name, provider, account, region, tags, monthly_cost; data and
        metrics are JSON: data->>'InstanceType'), edges, findings, unknowns, gaps, coverage, scans.
        DESCRIBE shows columns. Nothing can be written.
        """
        named: dict[str, Any] = {"scan": scan, "untrusted": True, "rows": limit}
        if MOVING.search(sql):
            found = await trio.to_thread.run_sync(partial(queries.query, space.home, sql, **named))
        else:
            found = await space.stored(queries.query, sql, **named)
        answer = RowsAnswer.model_validate(found)
        head = " | ".join(answer.columns)
        rows = [" | ".join(str(cell)[:80] for cell in row) for row in answer.rows[:20]]
        more = f"… {len(answer.rows) - 20} more rows" if len(answer.rows) > 20 else ""
        return result(answer, "\n".join(filter(None, [head, *rows, more, *answer.notes])))

    @door.tool("stored", "Attack paths", live=False)
    async def get_paths(
        scan: Annotated[str, Field(description="Id of a stored scan, or latest")] = "latest",
        path: Annotated[str, Field(description="Id of one path, or how it begins")] = "",
        text: Annotated[str, Field(description="In titles and keys of the steps")] = "",
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
    ) -> Annotated[types.CallToolResult, PathsAnswer]:
        """Attack paths from the internet over identities to data, step by step with evidence, their
        blast radius, and the smallest set of changes that cuts most of them.
        """
        stored = await space.stored(read, scan, with_resources=False)
        chosen = [
            one
            for one in stored.paths
            if one.id.startswith(path)
            and text.lower() in " ".join((one.title, *(s.target for s in one.steps))).lower()
        ]
        if path and not chosen:
            raise InputError(f"scan {stored.id} has no path {path[:40]!r}")
        gaps = [f"{len(stored.gaps)} places were not read: paths through them are not known"]
        answer = PathsAnswer(
            scan=stored.id,
            total=len(chosen),
            paths=[researched.path_answer(one) for one in chosen[:limit]],
            cuts=[researched.cut_answer(one) for one in stored.cuts[:limit]],
            issues=[researched.issue_answer(one) for one in stored.issues[:limit]],
            left_out=max(0, len(chosen) - limit),
            notes=[*(gaps if stored.gaps else []), *stored.path_notes],
        )
        lines = [f"{answer.total} paths in {answer.scan}."]
        lines += [f"- {p.severity.upper()} {p.title} ({p.id})" for p in answer.paths]
        if answer.cuts:
            cut = answer.cuts[0]
            lines.append(f"These end {cut.paths_ended} of them: {'; '.join(cut.changes)}")
        return result(answer, "\n".join([*lines, *answer.notes]))
