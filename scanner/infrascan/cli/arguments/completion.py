"""The arguments of `infrascan completion`."""

from __future__ import annotations

from infrascan.cli.parser import (
    Commands,
    command,
)


def add(commands: Commands) -> None:
    completion = command(
        commands, "completion", "print a completion script for a shell", "completion:completion"
    )
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
