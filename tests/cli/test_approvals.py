"""`infrascan approvals` and `infrascan audit`: an operator at a terminal, and nobody else."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infrascan.commands import Requester, propose
from tests.cli.command import CLEAN, FINDINGS, USAGE, Command
from tests.commands.conftest import Machine

WHO = Requester(client="agent/1.0", session="s1", user="ops", address="127.0.0.1")
LINE = "kubectl rollout restart deployment/web -n shop"


@pytest.fixture
def machine(infrascan: Command, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The command's own folders, with a kubectl and a docker that leave a mark."""
    found = Machine(infrascan.folder)
    for name in ("work", "bin"):
        (infrascan.folder / name).mkdir()
    for name in ("kubectl", "docker", "helm"):
        found.tool(name, f'echo "{name} ran"')
    found.context("staging")
    monkeypatch.setenv("HOME", str(infrascan.folder / "home"))
    monkeypatch.setenv("PATH", f"{infrascan.folder / 'bin'}:/usr/bin:/bin")
    for name in ("KUBECONFIG", "DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return found


def asked(machine: Machine, line: str = LINE, reason: str = "it leaks memory"):
    return propose(machine.home, line.split(), reason, WHO, cwd=machine.folder)


class Terminal:
    """A command with a terminal for standard input and error, and a pipe for what it prints."""

    def __init__(self, infrascan: Command, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infrascan", *arguments],
            stdin=slave, stdout=subprocess.PIPE, stderr=slave,
            cwd=infrascan.folder, env=infrascan.variables(), start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.shown = ""

    def until(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < end, self.shown
            ready, _, _ = select.select([self.master], [], [], 0.2)
            if ready:
                try:
                    self.shown += os.read(self.master, 65_536).decode()
                except OSError:  # the terminal has no other end any more
                    found = re.search(pattern, self.shown)
                    assert found, self.shown
                    return found
        return found

    def type(self, text: str) -> None:
        os.write(self.master, text.encode() + b"\n")

    def end(self) -> tuple[int, str]:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            out = stream.read().decode()
        code = self.process.wait(30)
        os.close(self.master)
        return code, out


def test_an_operator_sees_the_plan_types_the_code_and_it_runs_once(infrascan, machine):
    made = asked(machine)

    terminal = Terminal(infrascan, "approvals", "approve", made.id[:8])
    code = terminal.until(r"Type ([A-Z0-9]{4}) to run")[1]
    for part in (LINE, "context: staging", "server: https://10.0.0.1", "agent/1.0", "it leaks memory",
                 "kubectl rollout undo deployment/web --namespace=shop", "not known"):  # fmt: skip
        assert part in terminal.shown
    assert [] == machine.runs
    terminal.type(code.lower())
    terminal.until(r"executed: exit 0")

    assert (CLEAN, "kubectl ran\n") == terminal.end()
    assert [LINE] == machine.runs
    again = Terminal(infrascan, "approvals", "approve", made.id)
    again.until("executed already")
    assert USAGE == again.end()[0]
    assert [LINE] == machine.runs
    said = infrascan("approvals", "show", made.id, "--json").json
    assert ("executed", "kubectl ran\n") == (said["status"], said["result"]["stdout"])


def test_a_wrong_code_runs_nothing_and_the_command_still_waits(infrascan, machine):
    made = asked(machine)

    for typed in ("yes", "", "y"):
        terminal = Terminal(infrascan, "approvals", "approve", made.id)
        terminal.until("Type ")
        terminal.type(typed)
        terminal.until("still waits")
        assert USAGE == terminal.end()[0]

    assert [] == machine.runs
    assert "pending_approval" == infrascan("approvals", "list", "--json").json[0]["status"]


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_without_a_terminal_nobody_decides(infrascan, machine, action):
    made = asked(machine)

    done = infrascan("approvals", action, made.id)
    with infrascan.start("approvals", action, made.id) as piped:
        piped.communicate(timeout=30)
    preview = infrascan("approvals", "show", made.id, "--preview")

    assert USAGE == done.code == piped.returncode == preview.code
    assert "only by an operator on a terminal" in done.complaint
    assert [] == machine.runs
    assert 1 == len(infrascan("approvals", "list", "--json").json)


def test_there_is_no_way_to_say_yes_ahead(infrascan, machine):
    made = asked(machine)

    for option in ("--yes", "-y", "--force", "--code=ABCD"):
        done = infrascan("approvals", "approve", made.id, option)
        assert USAGE == done.code
        assert "unrecognized" in done.err


def test_a_denied_command_is_told_why(infrascan, machine):
    made = asked(machine)
    terminal = Terminal(infrascan, "approvals", "deny", made.id, "--reason", "not on a Friday")
    terminal.until("denied")

    assert CLEAN == terminal.end()[0]
    (said,) = infrascan("approvals", "list", "--all", "--json").json
    assert ("denied", "not on a Friday") == (said["status"], said["note"])
    assert "nothing waits" in infrascan("approvals", "list").err


def test_a_dry_run_is_shown_before_deciding(infrascan, machine):
    machine.tool("kubectl", 'echo "deployment/web scaled (server dry run)"')
    made = asked(machine, "kubectl scale deployment/web --replicas=3")

    terminal = Terminal(infrascan, "approvals", "show", made.id, "--preview")
    code, out = terminal.end()

    assert CLEAN == code
    assert "| deployment/web scaled (server dry run)" in out
    assert ["kubectl scale deployment/web --replicas=3 --dry-run=server"] == machine.runs


def test_who_approves_is_shown_the_dry_run_first(infrascan, machine):
    machine.tool(
        "kubectl", 'case "$*" in *dry-run*) echo "would scale web";; *) echo "scaled web";; esac'
    )
    line = "kubectl scale deployment/web --replicas=3"
    made = asked(machine, line)

    terminal = Terminal(infrascan, "approvals", "approve", made.id)
    code = terminal.until(r"Type ([A-Z0-9]{4})")[1]
    assert "| would scale web" in terminal.shown
    assert [f"{line} --dry-run=server"] == machine.runs
    terminal.type(code)
    terminal.until("exit 0")

    assert (CLEAN, "scaled web\n") == terminal.end()
    assert [f"{line} --dry-run=server", line] == machine.runs
    other = asked(machine, "kubectl cordon n1")
    plain = Terminal(infrascan, "approvals", "approve", other.id, "--no-preview")
    plain.until("Type ")
    plain.type("no")
    plain.end()
    assert 2 == len(machine.runs)


def test_a_command_that_fails_is_told_by_the_exit_code(infrascan, machine):
    machine.tool("docker", "echo no such container >&2; exit 3")
    made = asked(machine, "docker restart web")
    terminal = Terminal(infrascan, "approvals", "approve", made.id)
    terminal.type(terminal.until(r"Type ([A-Z0-9]{4})")[1])
    terminal.until("no such container")

    assert (FINDINGS, "") == terminal.end()


def test_what_an_agent_writes_does_not_steer_the_terminal(infrascan, machine):
    asked(machine, "docker restart we\nb", reason="\x1b[2Jfine\u202e\nid  approved\r")

    listed = infrascan("approvals", "list").out
    shown = infrascan(
        "approvals", "show", infrascan("approvals", "list", "--json").json[0]["approval_id"]
    ).out

    for text in (listed, shown):
        assert all(each.isprintable() or each == "\n" for each in text)
        assert "[2Jfine\\nid  approved" in text
    assert 2 == len(listed.splitlines())


def test_an_unknown_id_is_one_line(infrascan, machine):
    for arguments in (("show", "ffff"), ("show", ""), ("show", "%")):
        done = infrascan("approvals", *arguments)
        assert USAGE == done.code
        assert "there is no proposal" in done.complaint


def test_the_audit_log_is_listed_and_verified(infrascan, machine):
    made = asked(machine)
    terminal = Terminal(infrascan, "approvals", "approve", made.id)
    terminal.type(terminal.until(r"Type ([A-Z0-9]{4})")[1])
    terminal.end()

    listed = infrascan("audit", "list")
    entries = [json.loads(line) for line in infrascan("audit", "list", "--json").out.splitlines()]
    assert ["command.proposed", "command.approved", "command.started", "command.executed"] == [
        entry["event"] for entry in entries
    ]
    assert "executed: exit 0" in listed.out
    assert "it leaks memory" in listed.out
    assert (CLEAN, "4 entries, none changed or missing\n") == (
        (done := infrascan("audit", "verify")).code, done.out,
    )  # fmt: skip
    path = Path(infrascan.kept) / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b"leaks", b"lacks", 1))
    broken = infrascan("audit", "verify")
    assert FINDINGS == broken.code
    assert broken.out.startswith("broken: entry 1 (line 1)")
    assert {"ok": False, "entries": 0, "broken": 1} == {
        key: infrascan("audit", "verify", "--json").json[key] for key in ("ok", "entries", "broken")
    }
