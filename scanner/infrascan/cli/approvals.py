"""`infrascan approvals`: the one place where a proposed command is approved.

Approving needs a terminal and a code that is made when it is asked for, so that neither a script
nor an agent that can start programs approves by the way.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from functools import partial
from typing import Any

from infrascan import cli
from infrascan.commands.nouns import Proposal, RefusedError, Status
from infrascan.commands.output import visible
from infrascan.model import InputError
from infrascan.store.home import home

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that is taken for another
CODE = 4


def listing(options: argparse.Namespace) -> int:
    """List what waits for a decision, the latest first."""
    from infrascan.commands import queue
    from infrascan.commands.proposing import answer

    status = "" if options.all else Status.PENDING
    found = queue.proposals(home(), status=status)
    if options.json:
        print(json.dumps([answer(one) for one in found], indent=2))
        return cli.CLEAN
    for one in found:
        print(line(one))
    if not found:
        print("infrascan: nothing waits for a decision", file=sys.stderr)
    return cli.CLEAN


def line(one: Proposal) -> str:
    """A proposal in two lines: what it is, and who wants it why."""
    state = one.status.value.replace("_", " ")
    until = f" until {one.expires[:16]}Z" if one.status is Status.PENDING else ""
    return (
        f"{one.id}  {state}{until}  {one.effect.value}  {quoted(one.plan['command'])}\n"
        f"    {who(one)}: {quoted(one.reason)}"
    )


def who(one: Proposal) -> str:
    parts = (
        one.requester.client or "unknown client",
        f"user {one.requester.user}" if one.requester.user else "",
        f"at {one.requester.address}" if one.requester.address else "",
        f"session {one.requester.session[:12]}" if one.requester.session else "",
    )
    return quoted(", ".join(part for part in parts if part))


def quoted(text: Any) -> str:
    """Text of an agent in one line, without what could steer the terminal or hide."""
    return visible(str(text)).replace("\n", "\\n").replace("\t", "\\t")


def show(options: argparse.Namespace) -> int:
    """Show one proposal whole, after running its dry run where asked."""
    import trio

    from infrascan.commands import approving, queue
    from infrascan.commands.proposing import answer

    found = queue.proposal(home(), options.id)
    if options.preview:
        terminal("a preview is run")
        look = partial(approving.preview, home(), found.id, operator=queue.operator())
        found, output = trio.run(look)
        if output is None:
            print("infrascan: this command has no dry run", file=sys.stderr)
    if options.json:
        print(json.dumps(answer(found), indent=2))
    else:
        print(whole(found))
    return cli.CLEAN


def whole(one: Proposal) -> str:
    """All that an operator decides by."""
    plan = one.plan
    blast = plan["blast_radius"]
    back = plan["rollback"]
    preview = plan["preview"]
    lines = [
        f"id          {one.id}",
        f"state       {one.status.value.replace('_', ' ')}{f': {quoted(one.note)}' if one.note else ''}",
        f"command     {quoted(plan['command'])}",
        f"class       {one.effect.value}",
        *(f"target      {quoted(name)}: {quoted(value)}" for name, value in one.target.items()),
        f"folder      {quoted(one.cwd)}",
        *(
            f"file        {quoted(f['path'])}  sha256 {f['sha256'][:16]}  {f['bytes']} bytes"
            for f in plan["files"]
        ),
        f"asked by    {who(one)}",
        f"because     {quoted(one.reason)}",
        f"expires     {one.expires}",
        f"touches     {touched(blast)}",
        *(
            f"            {quoted(each['resource'])} ({quoted(each['relation'])})"
            for each in blast["dependents"][:20]
        ),
        f"rollback    {quoted(joined(back['command']))}{'; ' if back['command'] and back['note'] else ''}{quoted(back['note'])}",
        *(f"warning     {quoted(each)}" for each in plan["warnings"]),
        f"preview     {quoted(joined(preview['command'])) or quoted(preview['note'])}",
    ]
    if preview.get("ran"):
        lines += [f"            | {each}" for each in visible(preview["output"]).split("\n")[:200]]
    if one.output:
        lines.append(f"result      exit {one.output.exit_code}, {one.output.original_bytes} bytes")
        lines += [f"            | {each}" for each in visible(one.output.stdout).split("\n")[:200]]
    return "\n".join(lines)


def touched(blast: dict[str, Any]) -> str:
    if not blast["known"]:
        return f"not known: {quoted(blast['note'])}"
    note = f" ({quoted(blast['note'])})" if blast["note"] else ""
    own = ", ".join(quoted(each) for each in blast["resources"][:5])
    return f"{own}; {blast['total']} resources depend on it, as of scan {blast['scan']}{note}"


def joined(vector: list[str]) -> str:
    import shlex

    return shlex.join(vector)


def terminal(what: str) -> None:
    """Raises `InputError` unless somebody sits at a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError(f"{what} only by an operator on a terminal; this is none")


def approve(options: argparse.Namespace) -> int:
    """Show a proposal, ask for the code, and run it."""
    import trio

    from infrascan.commands import approving, queue

    terminal("a command is approved")
    found = queue.proposal(home(), options.id)
    if found.status is not Status.PENDING:
        raise RefusedError(f"proposal {found.id} is {found.status.value.replace('_', ' ')} already")
    if options.preview and not found.plan["preview"].get("ran"):
        look = partial(approving.preview, home(), found.id, operator=queue.operator())
        found, _ = trio.run(look)
    print(whole(found), file=sys.stderr)
    code = "".join(secrets.choice(LETTERS) for _ in range(CODE))
    if typed(f"Type {code} to run this command, anything else to leave it: ") != code:
        raise InputError("that is not the code; the command still waits")
    run = partial(
        approving.approve, home(), found.id, hash=found.hash, operator=queue.operator(), said=said
    )
    done = trio.run(run)
    output = done.output
    if output:
        sys.stdout.write(output.stdout)
        sys.stderr.write(output.stderr)
        if output.truncated:
            said(f"cut off; it printed {output.original_bytes} bytes")
    return cli.CLEAN if done.status is Status.EXECUTED else cli.FINDINGS


def typed(prompt: str) -> str:
    """What the operator types; the prompt goes to standard error, as results have the other."""
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().upper()


def said(text: str) -> None:
    print(f"infrascan: {quoted(text)}", file=sys.stderr, flush=True)


def deny(options: argparse.Namespace) -> int:
    """Refuse a proposal."""
    from infrascan.commands import approving, queue

    terminal("a command is denied")
    found = queue.proposal(home(), options.id)
    approving.deny(home(), found.id, operator=queue.operator(), note=visible(options.reason))
    said(f"denied {found.id}: {found.plan['command']}")
    return cli.CLEAN
