"""What operators do with a proposal: look, deny, approve. Approving runs it, here and once.

Only the command line on a terminal calls this, and the MCP server's elicitation where the
operator's policy has turned that on; `elicited` is the one function it may call.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import trio

from infrascan.commands import process, queue
from infrascan.commands.files import bound, objects
from infrascan.commands.files import read as read_file
from infrascan.commands.grammar import parse
from infrascan.commands.nouns import Output, Parsed, Proposal, RefusedError, Requester, Status
from infrascan.commands.plan import look
from infrascan.commands.policy import policy
from infrascan.commands.proposing import audited, bound_hash, subject
from infrascan.commands.targets import resolved
from infrascan.model import InputError

Said = Callable[[str], None]


def deny(home: Path, id: str, *, operator: str, note: str = "") -> None:
    """Refuse a proposal for good."""
    queue.decide(home, id, Status.DENIED, operator=operator, note=note)
    tell(home, queue.proposal(home, id), "command.denied", f"denied: {note}" if note else "denied")


async def approve(
    home: Path,
    id: str,
    *,
    hash: str,
    operator: str,
    seconds: float = process.SECONDS,
    said: Said = lambda _: None,
) -> Proposal:
    """Run a pending proposal, if it still is what the operator saw under `hash`. Runs at most once.

    Raises `RefusedError` where it is not pending, or where anything it is bound to has changed.
    """
    found = queue.proposal(home, id)
    with queue.held(home, id):
        try:
            parsed = still(home, found, hash)
        except RefusedError as error:
            tell(home, found, "command.refused", f"refused: {error}", operator=operator)
            raise
        queue.decide(home, id, Status.RUNNING, operator=operator, hash=hash)
        try:
            tell(home, found, "command.approved", "approved", operator=operator)
            tell(home, found, "command.started", "started", operator=operator)
        except InputError as error:
            queue.finish(home, id, Status.FAILED, None, f"it was not run: {error}")
            raise
        said(f"running {id}: {found.plan['command']}")
        try:
            with staged(parsed, Path(found.cwd)) as folder:
                output = await process.run(found.tool, found.vector, cwd=folder, seconds=seconds)
        except RefusedError as error:
            finish = partial(queue.finish, home, id, Status.FAILED, None, str(error))
            await trio.to_thread.run_sync(finish)
            tell(home, found, "command.executed", f"failed: {error}", operator=operator)
            raise
        except (trio.Cancelled, KeyboardInterrupt):
            note = "it was interrupted while it ran"
            queue.finish(home, id, Status.UNKNOWN, None, note)
            tell(home, found, "command.executed", f"outcome unknown: {note}", operator=operator)
            raise
        status = Status.EXECUTED if output.exit_code == 0 else Status.FAILED
        note = "it ran out of time and was killed" if output.timed_out else ""
        queue.finish(home, id, status, output, note)
        outcome = note or f"executed: exit {output.exit_code}"
        tell(home, found, "command.executed", outcome, operator=operator, output=output)
        said(f"{id}: {outcome}")
    return queue.proposal(home, id)


async def elicited(home: Path, id: str, requester: Requester) -> Proposal:
    """Run a proposal whose requester's user agreed to it. Only where the policy says `approve`."""
    if not policy(home).elicitation:
        raise RefusedError(
            "an operator approves this on a terminal: infrascan approvals approve "
            f"{id}; the policy does not let a client's answer count"
        )
    found = queue.proposal(home, id)
    if found.id != id or found.requester.identity != requester.identity:
        raise RefusedError(f"there is no command {id[:60]!r} of yours")
    return await approve(home, id, hash=found.hash, operator=f"elicitation of {requester.client}")


def still(home: Path, found: Proposal, hash: str) -> Parsed:
    """The command, read anew: grammar, policy, target, files, folder and tool are as they were."""
    parsed = parse(found.vector)
    if parsed.refused:
        raise RefusedError(parsed.refused)
    cwd = Path(found.cwd)
    target = resolved(parsed, cwd)
    files = bound(parsed, cwd)
    if found.hash != hash:
        raise RefusedError(f"proposal {found.id} is not what was shown")
    if bound_hash(parsed, target, files, cwd) != found.hash:
        raise RefusedError(f"{changed(found, target)}; let it be proposed again")
    manifests = objects(parsed, cwd) if parsed.tool == "kubectl" else []
    policy(home).check(subject(parsed, target, found.requester, manifests))
    return parsed


def changed(found: Proposal, target: dict[str, str]) -> str:
    """What is no longer as it was when the command was proposed."""
    for name in sorted({*found.target, *target}):
        before, after = found.target.get(name, "nothing"), target.get(name, "nothing")
        if before != after:
            return f"the target changed since: {name} was {before}, and here is {after}"
    return "the command, a file it reads, or the tool changed since it was proposed"


@contextmanager
def staged(parsed: Parsed, cwd: Path) -> Iterator[Path]:
    """The folder to run in. kubectl and helm get one with copies of the files that were approved
    and nothing else: no file changes after this, and no word can name another.
    """
    if parsed.tool not in {"kubectl", "helm"}:
        if not cwd.is_dir():
            raise RefusedError(f"the folder {cwd} is gone")
        yield cwd
        return
    with tempfile.TemporaryDirectory(prefix="infrascan-") as name:
        for path in parsed.files:
            copy = Path(name) / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(read_file(path, cwd))
        yield Path(name)


async def preview(home: Path, id: str, *, operator: str) -> tuple[Proposal, Output | None]:
    """Run the proposal's dry run, which changes nothing, and keep what it showed."""
    found = queue.proposal(home, id)
    if found.status is not Status.PENDING:
        raise RefusedError(f"proposal {id} is {found.status.replace('_', ' ')} already")
    parsed = still(home, found, found.hash)
    vector, kind = look(parsed)
    if not vector:
        return found, None
    with staged(parsed, Path(found.cwd)) as folder:
        output = await process.run(found.tool, vector, cwd=folder)
    shown = {
        **found.plan["preview"],
        "kind": kind,
        "ran": True,
        "exit_code": output.exit_code,
        "output": (output.stdout or output.stderr)[:20_000],
    }
    plan = {**found.plan, "preview": shown}
    queue.annotate(home, id, plan)
    tell(
        home,
        found,
        "command.previewed",
        f"exit {output.exit_code}",
        operator=operator,
        output=output,
    )
    return replace(found, plan=plan), output


def tell(
    home: Path,
    found: Proposal,
    event: str,
    outcome: str,
    *,
    operator: str = "",
    output: Output | None = None,
) -> None:
    audited(
        home,
        event,
        found.requester,
        found.vector,
        found.reason,
        outcome=outcome,
        id=found.id,
        output=output,
        operator=operator or found.by,
    )
