"""The arguments of `infrascan approvals`."""

from __future__ import annotations

from infrascan.cli.parser import Commands, command


def add(commands: Commands) -> None:
    approvals = commands.add_parser(
        "approvals",
        help="see and decide on the commands that agents propose",
        description="See and decide on the commands that agents propose.",
    )
    actions = approvals.add_subparsers(metavar="ACTION", required=True)
    listing = command(actions, "list", "list the commands that wait", "approvals:listing")
    listing.add_argument("--all", action="store_true", help="those that were decided, too")
    listing.add_argument("--json", action="store_true", help="as JSON")
    show = command(actions, "show", "show one command with its plan", "approvals:show")
    show.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    show.add_argument(
        "--preview", action="store_true", help="run its diff or dry run first (on a terminal)"
    )
    show.add_argument("--json", action="store_true", help="as JSON")
    approve = command(
        actions,
        "approve",
        "run a command, here and once, after typing the code that is shown",
        "approvals:approve",
        epilog="Only on a terminal. Shows the plan first, with the diff or dry run where the tool has\n"
        "one. Exits with 0 where the command succeeded, 1 where it did not.",
    )
    approve.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    approve.add_argument(
        "--no-preview", dest="preview", action="store_false", help="do not run its diff or dry run"
    )
    deny = command(actions, "deny", "refuse a command for good", "approvals:deny")
    deny.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    deny.add_argument("--reason", metavar="TEXT", default="", help="why; its requester sees it")
