"""The one module that knows the order: rules, collect, link, price, evaluate, store."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from infrascan import __version__
from infrascan.collect.asking import Asker
from infrascan.collect.engine import Collected, Collection, Progress, Read, Silent
from infrascan.collect.limits import Limits
from infrascan.collect.nursery import open_nursery
from infrascan.collect.provider import Provider, Selection
from infrascan.collect.recording import Recorder, Replay
from infrascan.evaluate import ESTATE, RuleSet, evaluate, load
from infrascan.graph import link
from infrascan.model import (
    Category,
    Connection,
    Identity,
    InputError,
    Kind,
    Partition,
    Reason,
    Scan,
    Severity,
)
from infrascan.pricing import count_once, price_all, saving
from infrascan.providers import PROVIDERS, configured
from infrascan.providers import load as load_provider
from infrascan.providers.estate import joined
from infrascan.shipped import shipped
from infrascan.store.journal import Journal
from infrascan.store.parquet import loaded
from infrascan.store.scans import growing, scans, write

DEMO = "acme"
CONNECT_SECONDS = 10.0
LASTING = frozenset({Reason.DENIED, Reason.DISABLED, Reason.OUT_OF_SCOPE})


class NotStoredError(InputError):
    """The scan is through but could not be stored; `scan` holds it."""

    def __init__(self, detail: str, scan: Scan) -> None:
        super().__init__(detail)
        self.scan = scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to scan and how. Empty tuples mean "all that is there"."""

    providers: tuple[str, ...] = ()  # empty: each one that has credentials
    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # as in `Selection`
    secrets: bool = False
    rule_folders: tuple[Path, ...] = ()  # besides the shipped ones
    categories: tuple[Category, ...] = ()
    severity: Severity | None = None  # this one and worse
    record: Path | None = None
    replay: Path | None = None
    resume: bool = False
    call_seconds: float = 30.0  # one attempt of one call
    deadline_seconds: float = float("inf")  # the whole collection
    question: str = ""


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
        collection = Collection(
            providers=[load_provider(name)(selection) for name in names],
            progress=shown,
            recorder=recorder,
            replay=replay,
            sink=journal,
            resumed=resumed,
            attempt_seconds=request.call_seconds,
            seconds=request.deadline_seconds,
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
            judged, collected, rules, kinds, selection.observed, abandon_on_cancel=True
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
        await trio.to_thread.run_sync(stored, result, home, replay)
        if journal and not result.interrupted:
            journal.discard()
    return result


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
    collected: Collected, rules: RuleSet, kinds: dict[str, Kind], observed: datetime
) -> Scan:
    """Link, price and evaluate what was read. No I/O, and no clock but `observed`."""
    with growing():
        edges = link(collected.resources, kinds, collected.gaps, collected.coverage)
        total, unpriced = price_all(collected.resources)
        verdicts = evaluate(rules, collected.resources, collected.gaps, now=observed, price=saving)
        findings = count_once(verdicts.findings, collected.resources)
    return Scan(
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
    )


async def identities(request: Request) -> list[Identity]:
    """As whom each provider would be read, or why it cannot be. Never raises for a provider."""
    names = request.providers or tuple(PROVIDERS)
    selection = selected(request, now())
    found: list[Identity] = []

    async def look(name: str) -> None:
        provider = load_provider(name)(selection)
        with trio.move_on_after(CONNECT_SECONDS) as scope:
            found.extend(await connected(provider))
        if scope.cancelled_caught:
            found.append(
                Identity(
                    provider=name,
                    state=Connection.ERROR,
                    reason=Reason.TIMED_OUT,
                    detail=f"timeout: no answer in {CONNECT_SECONDS:.0f} s",
                )
            )
        provider.close()

    async with open_nursery() as nursery:
        for name in names:
            nursery.start_soon(look, name)
    return sorted(found, key=lambda i: (i.provider, i.account, i.source))


async def connected(provider: Provider) -> Iterable[Identity]:
    asker = Asker(provider, Limits(), Silent(), patient=False)
    try:
        async with open_nursery():
            return await provider.connect(asker)
    except InputError as error:
        return [Identity(provider=provider.name, state=Connection.ERROR, detail=str(error))]


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
        rules = rules.joined(load(request.rule_folders, all_kinds()))
    worst = request.severity.rank if request.severity else len(Severity)
    return rules.only(
        lambda rule: (
            not providers.isdisjoint(rule.providers)
            and providers.issuperset(rule.company)
            and (not request.categories or rule.category in request.categories)
            and rule.severity.rank <= worst
        )
    )


def all_kinds(names: Sequence[str] = tuple(PROVIDERS)) -> dict[str, Kind]:
    """Every kind of every provider, by name, with the edges between them. Reads nothing."""
    selection = Selection(observed=now())
    return joined(
        {
            kind.name: kind
            for name in names
            for kind in load_provider(name)(selection).kinds.values()
        }
    )


def provider_names(request: Request, replay: Replay | None) -> tuple[str, ...]:
    """The providers to read. Raises `InputError` when there is none, or none of that name."""
    for name in request.providers:
        load_provider(name)
    if replay:
        recorded = tuple(replay.manifest["providers"])
        for name in request.providers:
            if name not in recorded:
                raise InputError(
                    f"provider {name} is not in the recording, which has {', '.join(recorded)}"
                )
        return request.providers or recorded
    if request.providers:
        for name in request.scopes:
            if name not in request.providers:
                raise InputError(
                    f"a part of {name} is named ({request.scopes[name][0]}), but --providers leaves {name} out"
                )
    found = request.providers or tuple(dict.fromkeys((*configured(), *request.scopes)))
    if not found:
        raise InputError(
            "no provider has credentials here; see what each one needs with: infrascan providers, "
            "or try the demo estate: infrascan run --demo"
        )
    return found


def selected(request: Request, observed: datetime) -> Selection:
    return Selection(
        observed=observed,
        profiles=request.profiles,
        regions=request.regions,
        contexts=request.contexts,
        scopes=request.scopes,
        secrets=request.secrets,
    )


def manifest(selection: Selection, names: Sequence[str]) -> dict[str, Any]:
    """What a recording needs, besides its answers, to be read again."""
    return {
        "version": __version__,
        "providers": list(names),
        "selection": {**asdict(selection), "observed": stamp(selection.observed)},
    }


def replayed(replay: Replay) -> Selection:
    """The selection that a recording was made with. Raises `InputError` when it has none."""
    try:
        providers: list[str] = replay.manifest["providers"]
        kept = dict(replay.manifest["selection"])
        observed = datetime.fromisoformat(kept.pop("observed"))
        secrets = kept.pop("secrets", False)
        scopes = {name: tuple(parts) for name, parts in kept.pop("scopes", {}).items()}
        lists = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
        words = [word for value in (providers, *lists.values(), *scopes.values()) for word in value]
        if not (isinstance(providers, list) and providers and observed.tzinfo):
            raise ValueError("providers or observed")
        if len(lists) < len(kept) or not all(isinstance(word, str) for word in words):
            raise ValueError("selection")
        return Selection(observed=observed, secrets=bool(secrets), scopes=scopes, **lists)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{replay.folder}: its manifest cannot be used: {error!r}") from error


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


def scope_of(request: Request, names: Sequence[str], selection: Selection) -> dict[str, Any]:
    """What was asked for, as plain data: shown in reports, and compared by resume and diff."""
    return {
        "providers": list(names),
        "profiles": list(selection.profiles),
        "regions": list(selection.regions),
        "contexts": list(selection.contexts),
        "scopes": {name: list(parts) for name, parts in sorted(selection.scopes.items())},
        "secrets": selection.secrets,
        "rule_folders": [str(folder) for folder in request.rule_folders],
        "categories": [str(category) for category in request.categories],
        "severity": str(request.severity or ""),
    }


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id(moment: datetime) -> str:
    """A scan id that sorts by time: `20261121T093000Z-5f3a`."""
    return f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
