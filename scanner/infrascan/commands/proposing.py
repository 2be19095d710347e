"""The doors for agents: propose a command, see what became of it, and run the reads that need no leave.

Nothing in this module approves anything, and nothing it calls does.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from trio.to_thread import run_sync as to_thread

from infrascan import redact
from infrascan.commands import process, queue
from infrascan.commands.blast import blast
from infrascan.commands.files import Bound, bound, objects
from infrascan.commands.grammar import parse, tool
from infrascan.commands.nouns import (
    Effect,
    Output,
    Parsed,
    Proposal,
    RefusedError,
    Requester,
    Status,
)
from infrascan.commands.plan import planned
from infrascan.commands.policy import Subject, policy
from infrascan.commands.process import executable, fingerprint
from infrascan.commands.queue import Clock, now, stamp
from infrascan.commands.targets import resolved
from infrascan.model import InputError
from infrascan.store.audit import Entry, append

Warnings = Callable[[Parsed], Sequence[str]]
REASON = 2_000
READING = ("kubectl", "helm")  # the tools whose reads are run without an operator


def propose(
    home: Path,
    vector: Sequence[str],
    reason: str,
    requester: Requester,
    *,
    warnings: Warnings | None = None,
    cwd: Path | None = None,
    clock: Clock = now,
) -> Proposal:
    """Queue a command for an operator. Runs nothing, whatever the command is.

    Raises `RefusedError` for what is never accepted; the audit log has it either way.
    """
    folder = (cwd or Path.cwd()).absolute()
    try:
        made = made_of(home, vector, reason, requester, warnings, folder, clock)
    except RefusedError as error:
        audited(home, "command.refused", requester, vector, reason, outcome=f"refused: {error}")
        raise
    queued = queue.add(home, made, clock)
    if queued.id == made.id:
        audited(home, "command.proposed", requester, vector, reason, outcome="pending", id=made.id)
    return queued


def made_of(
    home: Path,
    vector: Sequence[str],
    reason: str,
    requester: Requester,
    warnings: Warnings | None,
    cwd: Path,
    clock: Clock,
) -> Proposal:
    parsed = parse(vector)
    if parsed.refused:
        raise RefusedError(parsed.refused)
    if not reason.strip():
        raise RefusedError("say why, in `reason`: the operator decides by it")
    if secret(parsed):
        raise RefusedError("the command holds what looks like a secret; an operator must type it")
    rules = policy(home)
    target = resolved(parsed, cwd)
    files = bound(parsed, cwd)
    manifests = objects(parsed, cwd) if parsed.tool == "kubectl" else []
    rules.check(subject(parsed, target, requester, manifests))
    known = blast(home, tool(parsed.tool), replace(parsed, target=target), manifests)
    said = (*known.warnings, *(warnings(parsed) if warnings else ()))
    made = clock()
    return Proposal(
        id=queue.new_id(),
        status=Status.PENDING,
        vector=parsed.vector,
        tool=parsed.tool,
        verb=parsed.verb,
        effect=parsed.effect,
        target=target,
        reason=redact.text(reason[:REASON]),
        requester=requester,
        plan=redact.scrub(planned(parsed, target, files, known, said)),
        hash=bound_hash(parsed, target, files, cwd),
        cwd=str(cwd),
        created=stamp(made),
        expires=stamp(made + timedelta(minutes=rules.expires_minutes)),
    )


def bound_hash(parsed: Parsed, target: dict[str, str], files: Sequence[Bound], cwd: Path) -> str:
    """The hash of all that an approval covers. Raises `RefusedError` where the tool is not there."""
    version = fingerprint(executable(parsed.tool))
    return queue.digest(parsed.vector, target, str(cwd), [asdict(f) for f in files], version)


def secret(parsed: Parsed) -> bool:
    """True where a word would be redacted: it would stand in the queue, the log and the plan."""
    words = [*parsed.vector, " ".join(parsed.vector)]
    return any(redact.text(word) != word for word in words)


def subject(
    parsed: Parsed,
    target: dict[str, str],
    requester: Requester,
    manifests: Sequence[dict[str, Any]] = (),
) -> Subject:
    """What the policy is held against."""
    from infrascan.commands.tools.kubectl import kinds

    namespaces = [target["namespace"]] if target.get("namespace") else []
    found: list[str] = []
    if parsed.tool == "kubectl":
        found = list(kinds(parsed)) or [str(each.get("kind", "")) for each in manifests]
        for each in manifests:
            meta = each.get("metadata")
            own = meta.get("namespace") if isinstance(meta, dict) else None
            namespaces += [str(own)] if own else []
    return Subject(
        tool=parsed.tool,
        verb=parsed.verb,
        effect=parsed.effect.value,
        kinds=found,
        namespaces=namespaces,
        context=target.get("context", ""),
        client=requester.name,
    )


def result(home: Path, id: str, requester: Requester) -> Proposal:
    """A proposal and, once it ran, its output: for its requester, by its whole id only."""
    found = queue.proposal(home, id) if len(id) == 20 else None
    if found is None or found.id != id or found.requester.identity != requester.identity:
        raise InputError(f"there is no command {id[:60]!r} of yours")
    return found


def answer(found: Proposal) -> dict[str, Any]:
    """A proposal as JSON, for agents and for `--json`; the same keys in every state."""
    said: dict[str, Any] = {
        "status": found.status.value,
        "approval_id": found.id,
        "tool": found.tool,
        "verb": found.verb,
        "class": found.effect.value,
        "vector": list(found.vector),
        "target": dict(found.target),
        "reason": found.reason,
        "requester": asdict(found.requester),
        "plan": dict(found.plan),
        "created_at": found.created,
        "expires_at": found.expires,
        "decided_at": found.decided,
        "note": found.note,
        "result": asdict(found.output) if found.output else None,
        "next": NEXT.get(found.status, "").format(id=found.id),
    }
    cleaned: dict[str, Any] = redact.scrub(said)
    return cleaned


NEXT = {
    Status.PENDING: "an operator decides on a terminal: infrascan approvals show {id}",
    Status.RUNNING: "it is running; ask again by its id",
    Status.UNKNOWN: "nobody knows whether it took effect: look at the target before proposing it again",
}


def mine(home: Path, requester: Requester) -> list[Proposal]:
    """What this requester proposed in this session, the latest first."""
    return queue.proposals(home, requester=requester)


async def read(
    home: Path,
    vector: Sequence[str],
    *,
    context: str = "",
    requester: Requester | None = None,
    reason: str = "",
    seconds: float = process.SECONDS,
) -> Output:
    """Run a read of kubectl or helm at once. Raises `RefusedError` for anything else.

    `context` is the cluster; the command cannot choose one. It is run in an empty folder, so that
    no word of it can name a local file.
    """
    asking = requester or Requester(user=queue.operator())
    tell = partial(audited, home, requester=asking, vector=vector, reason=reason)
    try:
        parsed = await to_thread(partial(reading, home, vector, context, asking))
    except RefusedError as error:
        await to_thread(partial(tell, "command.refused", outcome=f"refused: {error}"))
        raise
    with empty() as folder:
        output = await process.run(parsed.tool, aimed(parsed, context), cwd=folder, seconds=seconds)
    outcome = "timed out" if output.timed_out else f"exit {output.exit_code}"
    await to_thread(partial(tell, "command.read", outcome=outcome, output=output))
    return output


def reading(home: Path, vector: Sequence[str], context: str, requester: Requester) -> Parsed:
    parsed = parse(vector, pinned=True)
    if parsed.tool and parsed.tool not in READING:
        raise RefusedError(
            f"only {' and '.join(READING)} read at once; propose it with run_command"
        )
    if parsed.refused:
        raise RefusedError(parsed.refused)
    if parsed.effect is not Effect.READ:
        raise RefusedError(f"{parsed.tool} {parsed.verb} is no read; propose it with run_command")
    if parsed.files:
        raise RefusedError("a read takes no files")
    if context.startswith("-") or any(not each.isprintable() for each in context):
        raise RefusedError(f"{context[:60]!r} is not the name of a context")
    where = replace(parsed, target={**parsed.target, **({"context": context} if context else {})})
    target = resolved(where, Path("/"))
    policy(home).check(subject(parsed, target, requester))
    return parsed


def aimed(parsed: Parsed, context: str) -> tuple[str, ...]:
    """The vector with the cluster named in it."""
    if not context:
        return parsed.vector
    flag = "--context" if parsed.tool == "kubectl" else "--kube-context"
    return (parsed.vector[0], f"{flag}={context}", *parsed.vector[1:])


@contextmanager
def empty() -> Iterator[Path]:
    """A folder with nothing in it."""
    folder = Path(tempfile.mkdtemp(prefix="infrascan-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def audited(
    home: Path,
    event: str,
    requester: Requester,
    vector: Sequence[str],
    reason: str,
    *,
    outcome: str,
    id: str = "",
    output: Output | None = None,
    operator: str = "",
) -> None:
    """Write what happened to the audit log."""
    arguments: dict[str, Any] = {"vector": [str(word) for word in vector][:200]}
    if id:
        arguments["approval_id"] = id
    if operator:
        arguments["operator"] = operator
    append(
        home,
        Entry(
            event=event,
            tool="run_command" if event != "command.read" else str(vector[0]),
            client=requester.client,
            session=requester.session,
            user=requester.user,
            address=requester.address,
            model=requester.model,
            reason=reason,
            arguments=arguments,
            outcome=outcome,
            duration_ms=output.duration_ms if output else 0,
            bytes=output.original_bytes if output else 0,
            truncated=output.truncated if output else False,
        ),
    )
