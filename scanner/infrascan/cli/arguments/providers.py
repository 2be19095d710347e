"""The arguments of `infrascan providers` and `permissions`."""

from __future__ import annotations

from infrascan.cli.parser import (
    Commands,
    add_selection,
    command,
)


def add(commands: Commands) -> None:
    providers = command(
        commands, "providers", "show each provider: connected as whom, or why not", "providers:show"
    )
    providers.add_argument("--json", action="store_true", help="as JSON")
    add_selection(providers.add_argument_group("what to look at"))
    permissions = command(
        commands,
        "permissions",
        "print the least privilege that a provider's scan needs",
        "providers:permissions",
    )
    permissions.add_argument("provider", metavar="PROVIDER")
