"""Questions that the catalogue does not understand, read by a model of the user's.

The model sees the question and what can be asked, and nothing of the estate. It names a question of
the catalogue with its slots, or writes one SELECT; both are checked, and the answer is rendered from
rows as any other. Nothing that it writes is shown but the SELECT.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import trio
from pydantic import BaseModel, Field

from infrascan.model import InputError, Kind, Scan
from infrascan.pipeline import Request, all_kinds, look
from infrascan.questions.answer import Item, counted, listed, name
from infrascan.questions.catalogue import Catalogue, Question
from infrascan.questions.ranking import Index
from infrascan.questions.routing import Routed
from infrascan.questions.seeing import Result
from infrascan.questions.slots import ENVIRONMENTS, Window
from infrascan.questions.words import words
from infrascan.reason.model import Budget, ModelError, open_model
from infrascan.reason.model.choice import ModelChoice
from infrascan.store.scans import write
from infrascan.store.sql import Limits, query

NEAR_KINDS = 60  # kinds that the model is told of: those whose titles share words, then the usual
MOST_KINDS = 12  # that one SELECT may read
ROWS = 200
SHOWN = 5
USUAL = (
    *("k8s.pod", "k8s.node", "k8s.deployment", "k8s.service", "k8s.namespace", "k8s.ingress"),
    *("k8s.persistent_volume_claim", "aws.ec2.instance", "aws.s3.bucket", "aws.rds.db_instance"),
    *("aws.lambda.function", "aws.iam.role", "aws.iam.user", "aws.ec2.security_group"),
    *("aws.ec2.volume", "gcp.compute.instance", "azure.compute.virtual_machine"),
    *("hetzner.server", "digitalocean.droplet", "cloudflare.dns.record", "github.repository"),
    *("docker.container", "terraform.resource"),
)
LIMITS = Limits(rows=ROWS, seconds=10.0, megabytes=512)


class Choice(BaseModel):
    """What a model makes of a question."""

    action: Literal["question", "sql", "unknown"] = Field(
        description="question: one of the list answers it. sql: a SELECT over the tables does. "
        "unknown: neither, or it asks for an act or a secret"
    )
    question: str = Field(default="", description="id from the list, for action question")
    name: str = Field(default="", description="the thing named in the question, in its own words")
    namespace: str = ""
    cluster: str = ""
    environment: str = ""
    window_minutes: float | None = None
    percent: float | None = None
    limit: int | None = None
    sql: str = Field(default="", description="one SELECT, for action sql")
    kinds: list[str] = Field(default=[], description="kinds that the SELECT reads, from the list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What came of asking a model. One of `routed` with a question, `result`, or neither."""

    routed: Routed
    result: Result | None = None
    scan: Scan | None = None
    sql: str = ""
    model: str = ""
    usage: tuple[dict[str, Any], ...] = ()
    failed: str = ""


INSTRUCTIONS = """\
You route questions about an infrastructure to what can answer them. You answer nothing yourself.

Questions that can be answered (id: what it answers):
{questions}

Else write one DuckDB SELECT over these tables, filled with what is read for it:
- resources(key, kind, id, name, provider, account, region, tags, monthly_cost, metrics, unread, data)
  tags, metrics, unread and data are JSON text: data->>'$.spec.nodeName' (in brackets before =)
- edges(source, name, target): keys of resources
Give the column key where a row is about one resource. Kinds that can be read:
{kinds}

Choose unknown when neither fits, when the question asks to change something, or for a secret.
"""


async def choose(
    home: Path,
    routed: Routed,
    request: Request,
    catalogue: Catalogue,
    model: ModelChoice | str,
) -> Chosen:
    """Ask the model what to do with a question. Never raises for what the model does."""
    wish = ModelChoice(name=model) if isinstance(model, str) else model
    budget = Budget(wish.max_usd, wish.max_tokens, wish.seconds)
    kinds = await trio.to_thread.run_sync(all_kinds)
    messages = [
        {"role": "system", "content": instructions(catalogue, kinds, routed.text)},
        {"role": "user", "content": routed.text},
    ]
    failed = ""
    found = Chosen(routed=routed)
    try:
        opened = open_model(wish.name, home=home, url=wish.url, budget=budget, window=wish.window)
        async with opened as client:

            async def ask(sent: list[dict[str, str]]) -> Choice:
                return await client.ask(Choice, sent, step="route")

            found = await acted(ask, messages, routed, request, catalogue, kinds)
    except ModelError as error:
        failed = str(error)
    usage = tuple(
        {
            "step": line.step,
            "model": line.model,
            "calls": line.calls,
            "input_tokens": line.input_tokens,
            "output_tokens": line.output_tokens,
            "usd": line.usd,
        }
        for line in budget.usage()
    )
    return replace(found, model=wish.name, usage=usage, failed=failed or found.failed)


async def acted(
    ask: Callable[[list[dict[str, str]]], Awaitable[Choice]],
    messages: list[dict[str, str]],
    routed: Routed,
    request: Request,
    catalogue: Catalogue,
    kinds: dict[str, Kind],
) -> Chosen:
    """Follow the model's choice; a SELECT that fails may be written once more."""
    choice = await ask(messages)
    for last in (False, True):
        if choice.action == "question":
            question = next((q for q in catalogue.questions if q.id == choice.question), None)
            if question is None:
                return Chosen(
                    routed=routed, failed="the model named a question that does not exist"
                )
            return Chosen(routed=with_slots(routed, question, choice))
        if choice.action == "unknown":
            return Chosen(routed=routed)
        try:
            return await selecting(routed, request, choice, kinds)
        except InputError as error:
            if last:
                return Chosen(routed=routed, sql=choice.sql, failed=f"its SELECT failed: {error}")
            choice = await ask(
                [
                    *messages,
                    {"role": "assistant", "content": choice.model_dump_json()},
                    {"role": "user", "content": f"The SELECT failed: {error}. Choose again."},
                ]
            )
    return Chosen(routed=routed)


def with_slots(routed: Routed, question: Question, choice: Choice) -> Routed:
    """The question with the slots that the model read, where they stand in the question's text."""
    text = routed.text.lower()

    def said(value: str) -> str:
        return value if value and value.lower() in text else ""

    own = routed.slots
    found: dict[str, Any] = {
        "namespace": own.namespace or said(choice.namespace),
        "cluster": own.cluster or said(choice.cluster),
        "environment": own.environment or ENVIRONMENTS.get(said(choice.environment).lower(), ""),
        "names": own.names or ((choice.name,) if said(choice.name) else ()),
        "percent": own.percent if own.percent is not None else told(choice.percent, text),
        "limit": own.limit or told(choice.limit, text),
    }
    if own.window is None and choice.window_minutes and choice.window_minutes > 0:
        minutes = choice.window_minutes
        found["window"] = Window(minutes * 60, f"the last {minutes:g} minutes")
    return replace(routed, question=question, slots=replace(own, **found), write="")


def told(number: Any, text: str) -> Any:
    """A number that stands in the question; None for one that the model made up."""
    return number if number is not None and f"{number:g}" in text else None


async def selecting(
    routed: Routed, request: Request, choice: Choice, kinds: dict[str, Kind]
) -> Chosen:
    """Run the model's SELECT over a fresh reading, in the sandbox for SQL of others. Raises
    `InputError`."""
    wanted = list(dict.fromkeys(choice.kinds))[:MOST_KINDS]
    if unknown := [kind for kind in wanted if kind not in kinds]:
        raise InputError(f"there is no kind {unknown[0]!r}")
    if not wanted:
        raise InputError("name the kinds that the SELECT reads")
    scan = replace(await look(request, wanted), id="fresh")

    def run() -> Any:
        with tempfile.TemporaryDirectory(prefix="infrascan-") as folder:
            write(scan, Path(folder))
            return query(Path(folder), choice.sql, untrusted=True, limits=LIMITS)

    rows = await trio.to_thread.run_sync(run)
    result = rendered(scan, rows.columns, rows.rows, rows.truncated)
    return Chosen(routed=routed, result=result, scan=scan, sql=choice.sql)


def rendered(scan: Scan, columns: list[str], rows: list[list[Any]], truncated: bool) -> Result:
    """Rows as an answer: how many, and the first of them, each value with its place."""
    known = {resource.key for resource in scan.resources}
    found, evidence = [], []
    for at, row in enumerate(rows):
        values = dict(zip(columns, row, strict=True))
        key = next((str(values[c]) for c in ("key", "resource") if values.get(c) in known), "")
        found.append({"resource": key, **values, "observed_at": scan.observed})
        evidence += [
            Item(
                resource=key,
                path=column if key else f"row[{at}].{column}",
                value=value,
                observed_at=scan.observed,
            )
            for column, value in values.items()
            if value is not None
        ]
    evidence += [
        Item(resource="", path="count(rows)", value=len(rows), observed_at=scan.observed),
        Item(
            resource="",
            path="count(not named)",
            value=max(0, len(rows) - SHOWN),
            observed_at=scan.observed,
        ),
        Item(resource="", path="columns", value=columns, observed_at=scan.observed),
    ]
    shown = [
        ", ".join(f"{c} {name(v)}" for c, v in row.items() if c in columns and c not in ("key", "scan"))
        for row in found
    ]  # fmt: skip
    sentence = f"{counted(len(rows), 'row')}: {listed(shown, SHOWN)}." if rows else "No row."
    notes = ["there are more rows"] if truncated else []
    return Result(sentence=sentence, rows=found, evidence=evidence, notes=notes)


def instructions(catalogue: Catalogue, kinds: dict[str, Kind], text: str) -> str:
    questions = "\n".join(f"- {q.id}: {q.answers}{slots_said(q)}" for q in catalogue.questions)
    listed_kinds = "\n".join(f"- {k}: {kinds[k].title}" for k in near(kinds, text))
    return INSTRUCTIONS.format(questions=questions, kinds=listed_kinds)


def slots_said(question: Question) -> str:
    known = [*question.slots, *question.scope]
    return f" [{', '.join(known)}]" if known else ""


def near(kinds: dict[str, Kind], text: str) -> list[str]:
    """Kinds whose names and titles share words with the question, then those usually meant."""
    ordered = sorted(kinds)
    documents = [
        words(f"{k.replace('.', ' ').replace('_', ' ')} {kinds[k].title}") for k in ordered
    ]
    index = Index(documents)
    scores = index.scores(words(text))
    best = [ordered[at] for at in sorted(scores, key=lambda at: (-scores[at], ordered[at]))]
    return list(dict.fromkeys([*best[: NEAR_KINDS - len(USUAL)], *USUAL]))
