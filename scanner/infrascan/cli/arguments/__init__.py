"""The arguments of each command: argparse and nothing else.

A command is a module here with `add(commands)`, its place in `COMMANDS`, which is the order of
`infrascan --help`, and a module in `infrascan.cli` that runs it.
"""

from __future__ import annotations

from infrascan.cli.arguments import (
    approvals,
    ask,
    audit,
    completion,
    demo,
    manifests,
    mcp,
    paths,
    providers,
    rules,
    run,
    scans,
    verify,
    watch,
    why,
)

COMMANDS = (
    run,
    demo,
    ask,
    providers,
    manifests,
    rules,
    scans,
    paths,
    verify,
    why,
    watch,
    mcp,
    approvals,
    audit,
    completion,
)
