"""The arguments of `infrascan audit`."""

from __future__ import annotations

from infrascan.cli.parser import Commands, command


def add(commands: Commands) -> None:
    audit = commands.add_parser(
        "audit",
        help="read and verify the log of what agents did",
        description="Read and verify the log of what agents did.",
    )
    actions = audit.add_subparsers(metavar="ACTION", required=True)
    listing = command(actions, "list", "show the latest entries", "audit:listing")
    listing.add_argument("--limit", type=int, default=50, metavar="N", help="default: %(default)s")
    listing.add_argument("--json", action="store_true", help="as JSON lines")
    verify = command(
        actions,
        "verify",
        "check that no entry was changed, taken out or cut off",
        "audit:verify",
        epilog="Exits with 1 where an entry is broken.",
    )
    verify.add_argument("--json", action="store_true", help="as JSON")
