"""`infrascan completion`."""

from __future__ import annotations

import argparse

import shtab

from infrascan.cli.parser import parser


def completion(options: argparse.Namespace) -> int:
    """Print the script that makes a shell complete infrascan's commands and options."""
    print(shtab.complete(parser(), shell=options.shell))
    return 0
