"""`infrascan why` and `infrascan timeline`."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import trio

from infrascan import cli
from infrascan.cli.progress import progress, show_logs
from infrascan.cli.run import names, scopes, selecting
from infrascan.model import InputError, Scan
from infrascan.pipeline import DEMO, Request, look
from infrascan.reason import causes, changes, naming, telling
from infrascan.reason.change import Change, stamp
from infrascan.reason.happened import scans
from infrascan.reason.upstream import Graph
from infrascan.shipped import shipped
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
    if options.json or options.format == "json":
        shown = json.dumps(telling.as_dict(scan, explanation), indent=2) + "\n"
    elif options.format == "markdown":
        shown = telling.incident_markdown(scan, explanation)
    else:
        shown = telling.text(scan, explanation)
    sys.stdout.write(shown)
    return cli.CLEAN


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
    recorded = options.demo or options.replay
    if recorded and (named := selecting(options)):
        raise InputError(
            f"a recording holds its own accounts, regions and scopes; leave out {', '.join(named)}"
        )
    replay = shipped("estates") / DEMO if options.demo else options.replay and Path(options.replay)
    request = Request(
        providers=names(options.providers, "--providers"),
        profiles=tuple(options.profile or ()),
        regions=names(options.region, "--region"),
        contexts=tuple(options.context or ()),
        scopes=scopes(options.scopes),
        secrets=options.k8s_secrets,
        replay=replay or None,
    )
    with progress(quiet=options.quiet, json_logs=False) as shown:
        show_logs(shown)
        return trio.run(partial(look, request, causes.KINDS, shown)), []


def stored(name: str) -> tuple[Scan, list[Change]]:
    """A stored scan, and its differences from the one before it, where there is one."""
    where = home()
    found = resolve(where, name)
    scan = read(where, found.id)
    earlier = [info.id for info in stored_scans(where) if info.started < found.started]
    if not earlier:
        return scan, []
    return scan, scans.between(where, max(earlier), found.id)
