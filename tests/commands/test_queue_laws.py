"""Whatever agents and operators do, in whatever order: nothing runs but what was approved, and once."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from infrascan.commands import RefusedError, Status, propose, queue
from infrascan.commands.approving import approve, deny
from infrascan.store import audit
from tests.commands.conftest import ALICE, BOB, Machine

WHO = st.sampled_from([ALICE, BOB])
NAMES = st.sampled_from(["web", "db", "cache"])


class Life(RuleBasedStateMachine):
    """Two agents, one queue, an operator; `expected` is what each proposal should be by now."""

    @initialize()
    def begin(self) -> None:
        self.machine = Machine(Path(tempfile.mkdtemp()))
        for name in ("home", "work", "bin"):
            (self.machine.root / name).mkdir()
        self.machine.tool("docker", 'case "$*" in *db*) exit 1;; esac')
        path = f"{self.machine.root / 'bin'}:/usr/bin:/bin"
        self.variables = mock.patch.dict(
            os.environ, PATH=path, HOME=str(self.machine.root / "home")
        )
        self.variables.start()
        self.expected: dict[str, Status] = {}
        self.about: dict[str, tuple[str, str, str]] = {}
        self.runs: list[str] = []

    def teardown(self) -> None:
        if hasattr(self, "variables"):
            self.variables.stop()
            shutil.rmtree(self.machine.root)

    @rule(name=NAMES, who=WHO, late=st.booleans())
    def propose(self, name, who, late):
        pending = {
            key for key, one in ((self.about[one], one) for one in self.expected)
            if self.expected[one] is Status.PENDING
        }  # fmt: skip
        made = propose(
            self.machine.home, ["docker", "restart", name], "why", who, cwd=self.machine.folder,
            clock=(lambda: datetime.now(UTC) - timedelta(days=1)) if late else queue.now,
        )  # fmt: skip
        key = (name, who.client, str(late))
        if (name, who.client, "False") in pending:
            assert made.id in self.expected  # there was one already
            return
        assert made.id not in self.expected
        self.about[made.id] = key
        self.expected[made.id] = Status.EXPIRED if late else Status.PENDING

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), tamper=st.booleans())
    def approve(self, data, tamper):
        one = data.draw(st.sampled_from(list(self.expected)))  # as they came: ids are random
        found = queue.proposal(self.machine.home, one)
        shown = "0" * 64 if tamper else found.hash

        async def run():
            return await approve(self.machine.home, one, hash=shown, operator="op")

        if self.expected[one] is Status.PENDING and not tamper:
            done = trio.run(run)
            name = self.about[one][0]
            self.expected[one] = Status.FAILED if name == "db" else Status.EXECUTED
            self.runs.append(f"docker restart {name}")
            assert self.expected[one] is done.status
            return
        try:
            trio.run(run)
        except RefusedError:
            return
        raise AssertionError("it was not refused")

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def deny(self, data):
        one = data.draw(st.sampled_from(list(self.expected)))  # as they came: ids are random
        try:
            deny(self.machine.home, one, operator="op")
        except RefusedError:
            assert self.expected[one] is not Status.PENDING
            return
        assert self.expected[one] is Status.PENDING
        self.expected[one] = Status.DENIED

    @invariant()
    def all_is_as_expected(self):
        if not hasattr(self, "machine"):
            return
        found = {each.id: each.status for each in queue.proposals(self.machine.home)}
        assert self.expected == found
        assert self.runs == self.machine.runs
        assert audit.verify(self.machine.home).ok


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
