"""The model's part of a scan: cluster, claim, verify, repair once, and say what it cost.

Whatever happens to the model, the scan stays as it is: what is missing is said in a banner.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio
from pydantic import ValidationError

from infrascan.collect.nursery import open_nursery
from infrascan.model import Resource, Scan
from infrascan.model.research import Claim, Research
from infrascan.reason.model.budget import Budget
from infrascan.reason.model.cache import Cache, key_over
from infrascan.reason.model.check import Verdict, judged
from infrascan.reason.model.choice import ModelChoice
from infrascan.reason.model.claims import Claims, Said
from infrascan.reason.model.client import Model, open_model, schema_of, size
from infrascan.reason.model.clusters import Cluster, clusters
from infrascan.reason.model.extract import MOST, read, symptom_of
from infrascan.reason.model.failing import Failure, ModelError
from infrascan.reason.model.pseudonyms import Pseudonyms
from infrascan.reason.model.table import Table, canonical, long_texts, table_of

AT_ONCE = 4  # clusters
MOST_CLAIMS = 12  # of one cluster; a model that says more is babbling
OVERFLOW = "more claims than a cluster can hold"
ENDING = frozenset(  # failures after which asking again is of no use
    {Failure.NO_KEY, Failure.NO_SDK, Failure.REJECTED, Failure.UNREACHABLE, Failure.BUDGET}
)
STOPPED = "stopped by the operator"
PATIENCE = 3  # clusters that may fail one after another
Say = Callable[[str], None]


@dataclass(eq=False)
class Study:
    """One run of a model over a scan."""

    model: Model
    budget: Budget
    cache: Cache
    resources: dict[str, Resource]
    written: frozenset[str]
    claims: dict[str, Claim] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    failures: list[ModelError] = field(default_factory=list)
    failed: int = 0
    skipped: int = 0
    in_a_row: int = 0
    extracted: int = 0
    over: str = ""  # why nothing more is asked
    limit: str = ""  # which limit a call met

    async def run(self, found: Sequence[Cluster]) -> None:
        """Go through the clusters, a few at once, the weightiest first."""
        waiting = list(reversed(found))
        async with open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self.work, waiting)

    async def work(self, waiting: list[Cluster]) -> None:
        while waiting:
            cluster = waiting.pop()
            if self.kept(cluster):
                continue
            if self.over or self.budget.nearly_spent:
                self.skipped += 1
                continue
            table = self.table(cluster)
            if self.too_large(table):
                if len(cluster.findings) < 4:  # a half of it would be no cluster
                    self.skipped += 1
                else:
                    waiting.extend(cluster.halves())
                continue
            try:
                await self.study(table)
                self.in_a_row = 0
            except ModelError as error:
                self.fail(error)

    def fail(self, error: ModelError) -> None:
        if error.failure is Failure.BUDGET:
            self.skipped += 1
            self.limit = self.limit or error.detail
            return
        self.failed += 1
        self.note(error)

    def note(self, error: ModelError) -> None:
        """Give up on a model that fails for good, or several times in a row."""
        self.in_a_row += 1
        self.failures.append(error)
        if error.failure in ENDING or self.in_a_row >= PATIENCE:
            self.over = self.over or error.detail

    def table(self, cluster: Cluster) -> Table:
        return table_of(
            cluster.findings, cluster.edges, self.resources, self.written, cluster.facts
        )

    def too_large(self, table: Table) -> bool:
        return size(read("claims")) + 2 * size(table.write()) > self.model.room(Claims)

    def key(self, table: Table) -> str:
        """Over the table as it is without hints, and over the values behind its texts."""
        evidence = [
            canonical([line.id, line.evidence.resource, line.evidence.path, line.evidence.value])
            for line in table.facts.values()
        ]
        prompt = read("claims") + read("repair")
        return key_over(
            self.model.name, prompt, schema_of(Claims), [*evidence, Table.write(plain(table))]
        )

    def kept(self, cluster: Cluster) -> bool:
        """Take what was said of a cluster that is as it was; False where nothing is known."""
        table = self.table(cluster)
        known = self.cache.get(self.key(table))
        if known is None:
            return False
        try:
            said = [Said.model_validate(each) for each in known["claims"]]
        except (ValidationError, KeyError, TypeError):
            return False
        self.budget.cached("claim", self.model.card)
        self.repaired += int(known.get("repaired", 0))
        for each in said:
            self.take(judged(each, table))
        return True

    async def study(self, table: Table) -> None:
        """Ask, check, have repaired once, and keep. Raises `ModelError`."""
        await self.hint(table)
        messages = [
            {"role": "system", "content": read("claims")},
            {"role": "user", "content": table.write()},
        ]
        said = (await self.model.ask(Claims, messages, step="claim", nameless=True)).claims
        if len(said) > MOST_CLAIMS:
            self.dropped[OVERFLOW] += len(said) - MOST_CLAIMS
            said = said[:MOST_CLAIMS]
        verdicts = [judged(each, table) for each in said]
        good = [each for each, v in zip(said, verdicts, strict=True) if v.claim]
        bad = [(each, v) for each, v in zip(said, verdicts, strict=True) if not v.claim]
        again: list[Said] = []
        whole = True
        if bad and not self.over and not self.budget.nearly_spent:
            try:
                again = await self.repair(messages, bad)
            except ModelError as error:
                self.failures.append(error)
                whole = False
        mended = [each for each in again if judged(each, table).claim]
        lost = [each for each in again if not judged(each, table).claim]
        self.repaired += len(mended)
        for each in (*good, *mended):
            self.take(judged(each, table))
        for _, verdict in bad[len(again) :]:  # those that it did not give again
            self.drop(verdict)
        for each in lost:
            self.drop(judged(each, table))
        if whole:
            kept = [each.model_dump(mode="json") for each in (*good, *mended, *lost)]
            self.cache.put(self.key(table), {"claims": kept, "repaired": len(mended)})

    async def repair(
        self, messages: list[dict[str, str]], bad: Sequence[tuple[Said, Verdict]]
    ) -> list[Said]:
        wrong = "\n".join(
            f"{canonical(said.model_dump(mode='json'))}\nreason: {'; '.join(verdict.faults)}"
            for said, verdict in bad
        )
        mending = [
            *messages,
            {"role": "user", "content": f"{read('repair')}\n{wrong}"},
        ]
        said = (await self.model.ask(Claims, mending, step="repair", nameless=True)).claims
        return said[: len(bad)]

    async def hint(self, table: Table) -> None:
        """Have the long texts of a table read, each by itself, into a word of ours."""
        for mark, text in long_texts(table).items():
            if self.extracted >= MOST or self.budget.nearly_spent:
                return
            self.extracted += 1
            try:
                symptom = await symptom_of(text, self.model, self.budget, self.cache)
            except ModelError as error:
                if error.failure is Failure.BUDGET:
                    return
                self.note(error)
                if self.over:
                    raise
                continue
            self.in_a_row = 0
            table.hints[mark] = symptom.value

    def take(self, verdict: Verdict) -> None:
        if verdict.claim is None:
            self.drop(verdict)
        elif verdict.claim.id in self.claims:
            self.dropped["said before"] += 1
        else:
            self.claims[verdict.claim.id] = verdict.claim

    def drop(self, verdict: Verdict) -> None:
        self.dropped[verdict.faults[0] if verdict.faults else "said before"] += 1

    def result(self, clusters: int) -> Research:
        claims = sorted(
            self.claims.values(), key=lambda c: (not c.confirmed, c.severity.rank, c.title, c.id)
        )
        return Research(
            model=self.model.name,
            banner=self.banner(clusters),
            summary=summary(claims),
            claims=tuple(claims),
            usage=self.budget.usage(),
            accepted=len(claims),
            repaired=self.repaired,
            dropped=dict(sorted(self.dropped.items())),
        )

    def banner(self, clusters: int) -> str:
        """What is missing of the model's part, and why."""
        said = []
        if self.failed:
            why = self.over or self.failures[0].detail
            said.append(f"{why}: {self.failed} of {clusters} groups of findings were not studied")
        if self.skipped and not self.over:
            said.append(
                f"{self.skipped} of {clusters} groups were not begun, to stay within limits"
            )
        elif self.skipped:
            said.append(f"{self.skipped} more were not begun")
        return "; ".join(said)


def plain(table: Table) -> Table:
    """The table without hints, which come from the texts that are in the key already."""
    table.hints.clear()
    return table


def summary(claims: Sequence[Claim]) -> str:
    """One line over the claims, from a template."""
    confirmed = sum(claim.confirmed for claim in claims)
    if not claims:
        return "Nothing that connects the findings held when it was checked."
    open_ones = len(claims) - confirmed
    more = f", {open_ones} open, each with a next check" if open_ones else ""
    return f"{confirmed} connections between findings confirmed{more}."


async def studied(
    scan: Scan,
    choice: ModelChoice,
    home: Path | None,
    say: Say = lambda _: None,
    scope: trio.CancelScope | None = None,
) -> Research:
    """What a model adds to a finished scan. Never raises for what the model does.

    `home` holds keys and the cache. Cancelling `scope` ends it early and keeps what is verified.
    """
    budget = Budget(choice.max_usd, choice.max_tokens, choice.seconds)
    written = frozenset(
        text for r in scan.resources for text in (r.name, r.id, r.account) if text
    ) - frozenset(r.kind for r in scan.resources)
    names = Pseudonyms(written, keep=our_words()) if choice.anonymize else None
    try:
        model = open_model(
            choice.name,
            home=home,
            url=choice.url,
            budget=budget,
            names=names,
            window=choice.window,
        )
    except ModelError as error:
        say(without(error))
        return Research(model=choice.name, banner=without(error))
    if model.warning:
        say(model.warning)
    async with model:
        found = await trio.to_thread.run_sync(clusters, scan)
        study = Study(
            model=model,
            budget=budget,
            cache=Cache(home),
            resources={resource.key: resource for resource in scan.resources},
            written=written,
        )
        with scope or trio.CancelScope() as stopping:
            await study.run(found)
        if stopping.cancelled_caught:
            study.over, study.failed = STOPPED, max(1, study.failed)
        result = study.result(len(found))
    if result.banner:
        say(f"model: {result.banner}")
    return result


def without(error: ModelError) -> str:
    return f"{error.detail}; the report is rule-only"


def our_words() -> frozenset[str]:
    """The words of our own prompts: to hide them would garble the questions and name nobody."""
    texts = (*(read(name) for name in ("claims", "repair", "extract")), schema_of(Claims))
    return frozenset(word for text in texts for word in re.findall(r"[A-Za-z0-9_]+", text))
