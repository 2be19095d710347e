"""What turned since the run before. No I/O and no clock: standings and a look in, turns out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from infrascan.model import Finding, Resource, Scan, Severity
from infrascan.store.diff import Change, compared
from infrascan.store.inventory import Compared, InMemory, Seen
from infrascan.watch.degraded import degraded, failing, pod_in, workload
from infrascan.watch.news import (
    Result,
    Stand,
    Standing,
    Standings,
    Subject,
    Transition,
    Turn,
    finding_of,
    kept,
)
from infrascan.watch.sight import nothing, unread

STILL = frozenset({None, Turn.KNOWN, Turn.WORSE, Turn.BETTER})  # a check goes on as it was
SCAN = "scan"  # key of the one subject that stands for the whole scan
Found = Callable[[Collection[str]], Mapping[str, Seen]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one run saw. `scan` is None where there was none, for the reason in `failure`."""

    at: str
    scan: Scan | None
    failure: str = ""
    results: tuple[Result, ...] = ()


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How everything stands after a run, and what turned in it, the worst first."""

    standings: Standings
    transitions: list[Transition] = field(default_factory=list)
    baseline: bool = False


@dataclass(frozen=True, slots=True)
class Sides:
    """The resources of the scan before, by a look-up, and of this one; their documents are not compared."""

    earlier: Found
    now: InMemory

    def compared(self) -> Compared:
        return Compared([], [], [], 0)

    def before(self, keys: Collection[str]) -> Mapping[str, Seen]:
        return self.earlier(keys)

    def after(self, keys: Collection[str]) -> Mapping[str, Seen]:
        return self.now.after(keys)


def nothing_seen(_: Collection[str]) -> Mapping[str, Seen]:
    return {}


def compare(
    standings: Standings,
    look: Look,
    before: Scan | None,
    seen: Found = nothing_seen,
    *,
    first: bool,
    on: Severity,
) -> Outcome:
    """What turned from how it stood to what this look saw.

    `before` is the last scan, without resources, and `seen` finds those of it; both may be missing,
    when it was deleted: what stood is known from `standings`. `first` makes a baseline: findings
    are taken down, and no one is told of them one by one. Findings below `on` turn silently.
    """
    after = Outcome(standings=dict(standings), baseline=first and look.scan is not None)
    comparison = Comparison(look, after, on)
    comparison.of_scan()
    if look.scan is not None:
        comparison.of_providers(look.scan)
        if first:
            comparison.baseline(look.scan)
        else:
            comparison.of_findings(look.scan, before or nothing(look.scan), seen)
    comparison.of_checks()
    after.transitions.sort(key=lambda transition: transition.rank)
    return after


class Comparison:
    """Fills an outcome, subject by subject."""

    def __init__(self, look: Look, after: Outcome, on: Severity) -> None:
        self.look, self.after, self.on = look, after, on
        self.lost: dict[str, str] = {}  # providers that cannot be read now
        self.came: set[str] = set()  # providers that can be read again
        self.newly: set[str] = set()  # providers that could still be read before

    def tell(self, turn: Turn, standing: Standing, title: str, detail: str, **more: object) -> None:
        self.after.transitions.append(
            Transition(
                turn=turn,
                subject=standing.subject,
                key=standing.key,
                severity=standing.severity,
                title=title,
                detail=detail,
                since=standing.since,
                at=self.look.at,
                **more,  # type: ignore[arg-type]
            )
        )

    def put(self, standing: Standing) -> None:
        self.after.standings[standing.subject, standing.key] = standing

    def drop(self, standing: Standing) -> None:
        self.after.standings.pop((standing.subject, standing.key), None)

    # The scan, and the providers.

    def of_scan(self) -> None:
        title = "The scan failed"
        self.of_sight(Subject.SCAN, SCAN, title, self.look.failure if not self.look.scan else "")

    def of_providers(self, scan: Scan) -> None:
        self.lost = unread(scan)
        known = {key for subject, key in self.after.standings if subject is Subject.PROVIDER}
        for name in sorted(known | self.lost.keys()):
            stood = (Subject.PROVIDER, name) in self.after.standings
            if stood and name not in self.lost:
                self.came.add(name)
            if not stood:
                self.newly.add(name)
            self.of_sight(Subject.PROVIDER, name, f"{name} cannot be read", self.lost.get(name, ""))

    def of_sight(self, subject: Subject, key: str, title: str, failure: str) -> None:
        """What cannot be seen is told whatever the threshold: everything behind it is unknown."""
        stood = self.after.standings.get((subject, key))
        if failure and not stood:
            stood = Standing(
                subject=subject,
                key=key,
                stand=Stand.OPEN,
                severity=Severity.HIGH,
                since=self.look.at,
                said={"title": title, "detail": failure},
            )
            self.put(stood)
            behind = self.standing_behind(key) if subject is Subject.PROVIDER else 0
            more = f"; {behind} findings are unknown meanwhile" if behind else ""
            if not self.after.baseline:
                self.tell(Turn.FAILED, stood, title, f"{failure}{more}")
        elif stood and not failure:
            self.drop(stood)
            again = "The scan works again" if subject is Subject.SCAN else f"{key} is read again"
            self.tell(Turn.RECOVERED, stood, again, f"it had failed: {stood.said.get('detail')}")

    def standing_behind(self, provider: str) -> int:
        return sum(
            standing.subject is Subject.FINDING and standing.said.get("provider") == provider
            for standing in self.after.standings.values()
        )

    # Findings.

    def baseline(self, scan: Scan) -> None:
        for resource, finding in with_resources(scan.findings, scan):
            self.put(self.opened(finding, resource))

    def opened(self, finding: Finding, resource: Resource | None, since: str = "") -> Standing:
        said = kept(finding)
        if belongs := workload(resource):
            said["workload"] = belongs
        return Standing(
            subject=Subject.FINDING,
            key=finding.id,
            stand=Stand.OPEN,
            severity=finding.severity,
            since=since or self.look.at,
            said=said,
        )

    def of_findings(self, scan: Scan, before: Scan, seen: Found) -> None:
        stood = {
            key: standing
            for (subject, key), standing in self.after.standings.items()
            if subject is Subject.FINDING
        }
        known = {key: finding_of(standing.said) for key, standing in stood.items()}
        sides = Sides(seen, InMemory(nothing(scan), scan))
        found = compared(replace(before, findings=list(known.values())), scan, sides)
        resources = {resource.key: resource for resource in scan.resources}

        come = [*found.new, *found.became_known]
        gone = list(found.fixed)
        for change, standing in successions(come, gone, stood, resources):
            self.drop(standing)
            self.put(
                self.opened(change.finding, resources.get(change.finding.resource), standing.since)
            )
        for change in come:
            self.appeared(change, resources.get(change.finding.resource))
        for change in gone:
            self.ended(Turn.FIXED, stood[change.finding.id], change)
        for change in found.became_unknown:
            self.unknown(stood[change.finding.id], change)
        for change in found.no_longer_scanned:
            if change.finding.provider in self.lost:
                self.unknown(stood[change.finding.id], change)
            else:
                self.ended(Turn.LEFT, stood[change.finding.id], change)
        for finding in scan.findings:
            if before_now := stood.get(finding.id):
                self.stayed(before_now, finding, resources.get(finding.resource))

    def appeared(self, change: Change, resource: Resource | None) -> None:
        standing = self.opened(change.finding, resource)
        self.put(standing)
        if self.loud(standing.severity):
            self.tell_finding(Turn.NEW, standing, change.finding, change.detail, resource)

    def ended(self, turn: Turn, standing: Standing, change: Change) -> None:
        self.drop(standing)
        if self.loud(standing.severity):
            self.tell_finding(turn, standing, change.finding, change.detail, None)

    def unknown(self, standing: Standing, change: Change) -> None:
        if standing.stand is Stand.UNKNOWN:
            return
        self.put(replace(standing, stand=Stand.UNKNOWN))
        if self.loud(standing.severity) and change.finding.provider not in self.lost:
            self.tell_finding(Turn.UNKNOWN, standing, change.finding, change.detail, None)

    def stayed(self, standing: Standing, finding: Finding, resource: Resource | None) -> None:
        """A finding that is in both: it may be seen again, or be more or less severe."""
        now = self.opened(finding, resource, standing.since)
        self.put(now)
        turn, detail = None, ""
        if finding.severity is not standing.severity:
            worse = finding.severity.rank < standing.severity.rank
            turn = Turn.WORSE if worse else Turn.BETTER
            detail = f"severity {standing.severity.value} → {finding.severity.value}"
        elif standing.stand is Stand.UNKNOWN and finding.provider not in self.came:
            turn, detail = Turn.KNOWN, "it could not be judged meanwhile"
        if turn and (self.loud(finding.severity) or self.loud(standing.severity)):
            self.tell_finding(turn, now, finding, detail, resource)

    def loud(self, severity: Severity) -> bool:
        return severity.rank <= self.on.rank

    def tell_finding(
        self,
        turn: Turn,
        standing: Standing,
        finding: Finding,
        detail: str,
        resource: Resource | None,
    ) -> None:
        said = kept(finding)
        about = {
            name: value
            for name, value in said.items()
            if name not in ("title", "severity", "evidence")
        }
        self.tell(
            turn,
            standing,
            finding.title,
            detail,
            about=about,
            evidence=tuple(said["evidence"]),
            degraded=degraded(resource),
        )

    # Checks.

    def of_checks(self) -> None:
        asked = {result.check.name for result in self.look.results}
        for subject, key in list(self.after.standings):
            if subject is Subject.CHECK and asked and key not in asked:
                del self.after.standings[subject, key]
        for result in self.look.results:
            self.of_check(result)

    def of_check(self, result: Result) -> None:
        stood = self.after.standings.get((Subject.CHECK, result.check.name))
        stand = {True: Stand.WELL, False: Stand.OPEN, None: Stand.UNKNOWN}[result.ok]
        concerned = failing(result.data) if stand is Stand.OPEN else []
        turn = self.check_turn(stood, stand, concerned)
        was_open = bool(stood and (stood.stand is Stand.OPEN or stood.said.get("was") == "open"))
        now = Standing(
            subject=Subject.CHECK,
            key=result.check.name,
            stand=stand,
            severity=result.check.severity,
            since=stood.since if stood and turn in STILL else self.look.at,
            said={
                "title": result.check.question,
                "detail": result.answer,
                "was": "open" if was_open and stand is Stand.UNKNOWN else "",
                "failing": concerned,
            },
        )
        self.put(now)
        if turn is None or self.after.baseline:
            return
        began = stood.since if stood and turn is Turn.RECOVERED else now.since
        self.tell(
            turn,
            replace(now, since=began),
            result.check.question,
            result.answer,
            about={"answer": result.answer, "data": result.data, "gaps": list(result.gaps)},
            evidence=tuple(result.evidence),
            degraded=pod_in(result.data) if stand is Stand.OPEN else None,
        )

    def check_turn(self, stood: Standing | None, stand: Stand, concerned: list[str]) -> Turn | None:
        """None where nothing turned: also for a check that is asked for the first time and holds."""
        if stand is Stand.WELL:
            return Turn.RECOVERED if stood and stood.stand is not Stand.WELL else None
        if stand is Stand.UNKNOWN:
            return Turn.UNKNOWN if stood is None or stood.stand is not Stand.UNKNOWN else None
        if stood and stood.stand is Stand.UNKNOWN and stood.said.get("was") == "open":
            return Turn.KNOWN
        if stood is None or stood.stand is not Stand.OPEN:
            return Turn.NEW
        before, now = set(stood.said.get("failing", ())), set(concerned)
        if now - before:
            return Turn.WORSE
        return Turn.BETTER if before - now else None


def with_resources(
    findings: Sequence[Finding], scan: Scan
) -> Iterator[tuple[Resource | None, Finding]]:
    resources = {resource.key: resource for resource in scan.resources}
    for finding in findings:
        yield resources.get(finding.resource), finding


def successions(
    come: list[Change],
    gone: list[Change],
    stood: Mapping[str, Standing],
    resources: Mapping[str, Resource],
) -> Iterator[tuple[Change, Standing]]:
    """Findings on pods that took the place of others with the same finding: nothing turned.

    Each is taken out of `come` and `gone`.
    """
    left: dict[tuple[str, str], list[Change]] = {}
    for change in gone:
        if belongs := stood[change.finding.id].said.get("workload"):
            left.setdefault((change.finding.rule, belongs), []).append(change)
    for change in list(come):
        belongs = workload(resources.get(change.finding.resource))
        if belongs and (before := left.get((change.finding.rule, belongs))):
            predecessor = before.pop()
            come.remove(change)
            gone.remove(predecessor)
            yield change, stood[predecessor.finding.id]
