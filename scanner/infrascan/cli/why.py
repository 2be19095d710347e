"""`infrascan why` and `infrascan timeline`."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from typing import Any

import trio

from infrascan import cli
from infrascan.cli import selection
from infrascan.cli.progress import progress, show_logs
from infrascan.model import InputError, Scan
from infrascan.pipeline import look
from infrascan.reason import causes, changes, naming, telling
from infrascan.reason.change import Change, stamp
from infrascan.reason.explanation import Explanation
from infrascan.reason.happened import scans
from infrascan.reason.upstream import Graph
from infrascan.store.home import home
from infrascan.store.scans import read, resolve
from infrascan.store.scans import scans as stored_scans


def why(options: argparse.Namespace) -> int:
    """Explain why a resource is unwell. Exit 0 whatever the answer is: it is in the text."""
    scan, extra = looked(options)
    resource = naming.find(scan, options.resource)
    observed = changes.instant(scan.observed)
    at = naming.when(options.at, observed) if options.at else None
    explanation = causes.explain(
        scan, resource.key, at, since=naming.span(options.since), extra=extra
    )
    proposal = proposed(explanation) if options.propose else None
    if options.json or options.format == "json":
        data = telling.as_dict(scan, explanation)
        if proposal:
            data["incident"]["proposal"] = proposal
        shown = json.dumps(data, indent=2) + "\n"
    elif options.format == "markdown":
        shown = telling.incident_markdown(scan, explanation)
    else:
        shown = telling.text(scan, explanation)
    sys.stdout.write(shown)
    return cli.CLEAN


def proposed(explanation: Explanation) -> dict[str, Any]:
    """Queue what takes the first hypothesis back, for an operator to decide. Raises `InputError`."""
    from getpass import getuser

    from infrascan.commands.nouns import Requester
    from infrascan.commands.proposing import answer, propose

    best = explanation.hypotheses[0] if explanation.hypotheses else None
    if explanation.status not in {"likely", "competing"} or best is None or best.rollback is None:
        raise InputError(
            f"nothing to propose: {explanation.name} is {explanation.status}, and no single command"
            " takes back what explains it"
        )
    who = Requester(client="infrascan why", user=getuser())
    reason = f"{explanation.name} is unwell; likely, at {best.change.time}: {best.change.what}"
    found = answer(propose(home(), best.rollback.vector, reason, who))
    cli.complain(f"proposed, not run: infrascan approvals show {found['approval_id']}")
    return found


def timeline(options: argparse.Namespace) -> int:
    """List what happened in a window."""
    scan, extra = looked(options)
    observed = changes.instant(scan.observed)
    end = naming.when(options.until, observed) if options.until else observed
    begin = naming.since(options.since, end)
    found = changes.timeline(scan, begin, end, extra=extra)
    if options.about:
        graph = Graph.of(scan)
        cone = graph.cone(graph.parts(naming.find(scan, options.about).key))
        found = [change for change in found if any(key in cone for key in change.keys)]
    unread = changes.blind(scan, begin)
    if options.json:
        data = telling.timeline_dict(found, unread, stamp(begin), stamp(end))
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        sys.stdout.write(telling.timeline_text(found, unread, stamp(begin), stamp(end)))
    return cli.CLEAN


def looked(options: argparse.Namespace) -> tuple[Scan, list[Change]]:
    """What there is to reason on, and the changes that only two scans together show."""
    if sum((options.demo, bool(options.replay), bool(options.scan))) > 1:
        raise InputError("--demo, --replay and --scan each say what to read; give one of them")
    if options.scan:
        return stored(options.scan)
    request = selection.request(options, selection.recording(options))
    with progress(quiet=options.quiet, json_logs=False) as shown:
        show_logs(shown)
        return trio.run(partial(look, request, causes.KINDS, shown)), []


def stored(name: str) -> tuple[Scan, list[Change]]:
    """A stored scan, and its differences from the one before it, where there is one."""
    where = home()
    found = resolve(where, name)
    scan = read(where, found.id)
    newest_first = [info.id for info in stored_scans(where) if not info.problem]
    earlier = newest_first[newest_first.index(found.id) + 1 :]
    if not earlier:
        return scan, []
    return scan, scans.between(where, earlier[0], found.id)
