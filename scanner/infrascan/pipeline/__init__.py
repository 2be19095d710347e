"""The one module that knows the order: rules, collect, link, price, evaluate, store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import trio

from infrascan import __version__
from infrascan.collect.engine import Collected, Collection, Progress, Read, Silent
from infrascan.collect.nursery import open_nursery
from infrascan.collect.provider import Selection
from infrascan.collect.recording import Recorder, Replay
from infrascan.evaluate import ESTATE, RuleSet, evaluate, load
from infrascan.graph import link
from infrascan.model import InputError, Kind, Partition, Reason, Resource, Scan, Severity
from infrascan.model.research import Research
from infrascan.pipeline.live import identities, live, look, put_together
from infrascan.pipeline.request import (
    DEMO,
    Request,
    all_kinds,
    manifest,
    new_id,
    now,
    provider_names,
    replayed,
    scope_of,
    selected,
    stamp,
)
from infrascan.pricing import count_once, price_all, saving
from infrascan.providers import load as load_provider
from infrascan.reason.model.choice import ModelChoice
from infrascan.reason.spending import spending
from infrascan.shipped import shipped
from infrascan.store.journal import Journal
from infrascan.store.parquet import loaded
from infrascan.store.scans import growing, scans, write
from infrascan.workers.job import Job
from infrascan.workers.sharing import Worker, cores, shared_out

__all__ = [
    "DEMO",
    "NotStoredError",
    "Request",
    "all_kinds",
    "chosen_rules",
    "identities",
    "judged",
    "live",
    "look",
    "manifest",
    "new_id",
    "now",
    "put_together",
    "replayed",
    "scan",
    "stamp",
]

GRAPH = "infrascan.graph"  # where a link comes from: two resources that were read
LASTING = frozenset({Reason.DENIED, Reason.DISABLED, Reason.OUT_OF_SCOPE})


class NotStoredError(InputError):
    """The scan is through but could not be stored; `scan` holds it."""

    def __init__(self, detail: str, scan: Scan) -> None:
        super().__init__(detail)
        self.scan = scan


async def scan(
    request: Request,
    home: Path,
    progress: Progress | None = None,
    started: Callable[[Collection], None] = lambda _: None,
) -> Scan:
    """Run one scan and store it. Raises `InputError` when the request cannot be carried out.

    It is a `NotStoredError` when only storing failed. `started` gets the running collection, whose `stop` ends reading early and keeps the rest.
    """
    began = now()
    replay = Replay.open(request.replay) if request.replay else None
    selection = replayed(replay) if replay else selected(request, began)
    names = provider_names(request, replay)
    scope = scope_of(request, names, selection)
    kinds = all_kinds(names)
    ready = Ready()
    if request.rule_folders:  # a mistake in them is said before anything is read
        await ready.make(request, kinds)

    shown = progress or Silent()
    recorder = journal = None
    if not replay:
        about = {"started": stamp(began)}
        journal = Journal.begin(home, scope, resume=request.resume, about=about)
        began = datetime.fromisoformat(journal.about["started"])
        selection = replace(selection, observed=began)
    with ExitStack() as stack:
        if journal:
            stack.callback(journal.leave)
        if request.record:
            recorder = Recorder.create(request.record, manifest(selection, names))
        resumed = kept(journal) if journal else {}
        if request.resume:
            shown.said(f"resuming: {len(resumed)} partitions are read already")
        local = bool(replay or recorder)  # which one process reads, or writes
        own, *others = shared_out(names, 1 if local else request.processes or cores())
        collection = Collection(
            providers=[load_provider(name)(selection) for name in own],
            elsewhere=[Worker(job_of(request, selection, group)) for group in others],
            progress=shown,
            recorder=recorder,
            replay=replay,
            sink=journal,
            resumed=resumed,
            attempt_seconds=request.call_seconds,
            seconds=request.deadline_seconds,
            only=frozenset(request.kinds) or None,
            live=request.live,
        )
        started(collection)
        try:
            async with open_nursery() as nursery:
                nursery.start_soon(ready.make, request, kinds)
                collected = await collection.run()
        finally:
            if recorder:
                recorder.close()
        rules = ready.rules

        result = await trio.to_thread.run_sync(
            judged,
            *(collected, rules, kinds, selection.observed, request.rule_folders),
            abandon_on_cancel=True,
        )
        result.scope = scope
        result.question = request.question
        if replay:
            put_times_of(replay, rules, result)
        else:
            result.id, result.started = new_id(now()), stamp(began)
            result.finished = stamp(now())
        if recorder:
            recorder.seal(
                id=result.id, started=result.started, finished=result.finished, rules=rules.digest
            )
        if request.model and not result.interrupted:
            result.research = await researched(result, request.model, home, collection, shown)
        await trio.to_thread.run_sync(stored, result, home, replay)
        if journal and not result.interrupted:
            journal.discard()
    return result


async def researched(
    result: Scan, choice: ModelChoice, home: Path, collection: Collection, shown: Progress
) -> Research:
    """What the user's model makes of the findings. Stopping the collection ends this too."""
    from infrascan.reason.model.study import studied  # what it imports, few scans need

    collection.scope = trio.CancelScope()
    return await studied(result, choice, home, shown.said, collection.scope)


def job_of(request: Request, selection: Selection, names: tuple[str, ...]) -> Job:
    return Job(
        providers=names,
        selection=selection,
        attempt_seconds=request.call_seconds,
        seconds=request.deadline_seconds,
        only=frozenset(request.kinds) or None,
        live=request.live,
    )


def stored(result: Scan, home: Path, replay: Replay | None) -> None:
    """Store a scan. Raises `NotStoredError`.

    A replay has the recorded scan's id; where its result is another, because the recording was
    cut or infrascan has changed, it gets an id of its own.
    """
    try:
        try:
            write(result, home)
        except InputError:
            if not replay or result.id not in {scan.id for scan in scans(home)}:
                raise
            result.id = f"{result.id}-{secrets.token_hex(2)}"
            write(result, home)
    except InputError as error:
        raise NotStoredError(str(error), result) from error


def kept(journal: Journal) -> dict[Partition, Read]:
    """What an earlier run of the same scan had read. What failed for the moment is tried again."""
    return {
        partition: Read(resources=saved.resources, gaps=saved.gaps, coverage=saved.coverage)
        for partition, saved in journal.finished().items()
        if all(gap.reason in LASTING for gap in saved.gaps)
    }


@dataclass(eq=False)
class Ready:
    """What judging and storing need. Reading begins with calls that wait for one another, so
    there is time to make it meanwhile."""

    rules: RuleSet = field(default_factory=RuleSet)
    made: bool = False

    async def make(self, request: Request, kinds: dict[str, Kind]) -> None:
        if not self.made:
            self.made = True
            self.rules = await trio.to_thread.run_sync(chosen_rules, request, kinds)
            await trio.to_thread.run_sync(loaded, abandon_on_cancel=True)


def judged(
    collected: Collected,
    rules: RuleSet,
    kinds: dict[str, Kind],
    observed: datetime,
    own: Sequence[Path] = (),
) -> Scan:
    """Link, price and evaluate what was read, and find what connects it. No I/O but the shipped
    rules and those in the user's `own` folders, and no clock but `observed`."""
    with growing():
        edges = link(collected.resources, kinds, collected.gaps, collected.coverage)
        total, unpriced = price_all(collected.resources)
        verdicts = evaluate(rules, collected.resources, collected.gaps, now=observed, price=saving)
        findings = count_once(verdicts.findings, collected.resources)
    result = Scan(
        id="",
        version=__version__,
        started="",
        finished="",
        observed=stamp(observed),
        scope={},
        identities=collected.identities,
        resources=collected.resources,
        edges=edges,
        findings=findings,
        unknowns=verdicts.unknowns,
        gaps=collected.gaps,
        coverage=collected.coverage,
        rules=verdicts.rules,
        monthly_cost=total,
        unpriced=unpriced,
        interrupted=collected.interrupted,
        calls=calls_of(collected.resources, kinds),
    )
    from infrascan.reason.connect import connect  # which --help and plan do without

    with growing():
        connect(result, kinds, observed, own)
    result.spending = spending(result)
    return result


def calls_of(resources: Sequence[Resource], kinds: dict[str, Kind]) -> dict[str, dict[str, str]]:
    """Which operation gave each field, for the kinds that are there: the ledger names it."""
    found = {resource.kind: dict[str, str]() for resource in resources}
    for kind in kinds.values():
        for relation in kind.relations:
            for name, whose in ((relation.name, kind.name), (relation.reverse, relation.to)):
                if name and whose in found:
                    found[whose][name] = GRAPH
    return {
        name: {**own, **kinds[name].calls} for name, own in sorted(found.items()) if name in kinds
    }


def chosen_rules(request: Request, kinds: dict[str, Kind]) -> RuleSet:
    """The shipped rules and the user's, for the providers at hand and the filters given.

    Paths in shipped rules were checked when they were tested; to load the vendors' schemas for each
    scan would cost more than all rules do. The user's own are checked in full. Raises `RuleErrors`.
    """
    providers = {kind.provider for kind in kinds.values()}
    folders = [shipped("rules") / name for name in sorted({*providers, ESTATE})]
    bare = {name: replace(kind, fields=None) for name, kind in kinds.items()}
    rules = load([folder for folder in folders if folder.is_dir()], bare, partial=True)
    if request.rule_folders:
        from infrascan.reason.connect import checked

        known = all_kinds()
        rules = rules.joined(load(request.rule_folders, known))
        checked(request.rule_folders, known)
    worst = request.severity.rank if request.severity else len(Severity)
    return rules.only(
        lambda rule: (
            not providers.isdisjoint(rule.providers)
            and providers.issuperset(rule.company)
            and (not request.categories or rule.category in request.categories)
            and rule.severity.rank <= worst
        )
    )


def put_times_of(replay: Replay, rules: RuleSet, result: Scan) -> None:
    """Give a replay the recorded scan's id and times, so that its report is the same, byte by byte.

    With other rules than the recorded scan had, the result is another, and so is its id.
    """
    recorded = replay.manifest.get("scan", {})
    original = recorded.get("id", replay.folder.name)
    same = recorded.get("rules") == rules.digest
    result.id = original if same else f"{original}-{rules.digest[:6]}"
    result.started = recorded.get("started", result.observed)
    result.finished = recorded.get("finished", result.observed)
