"""The grammar of the command line. Imports argparse and nothing else."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from infrascan import __version__

SEVERITIES = ("critical", "high", "medium", "low", "info")
CATEGORIES = ("cost", "security", "reliability")
FORMATS = ("terminal", "html", "markdown", "json", "sarif", "junit", "csv")

# Options that name a part of a provider: option, provider, how the provider spells it, help.
SCOPES = (
    ("--project", "ID", "gcp", "projects/{}", "Google Cloud project (default: the credentials')"),
    ("--folder", "ID", "gcp", "folders/{}", "Google Cloud folder, with all below it"),
    ("--organization", "ID", "gcp", "organizations/{}", "Google Cloud organisation"),
    ("--subscription", "ID", "azure", "subscriptions/{}", "Azure subscription (default: all)"),
    ("--management-group", "NAME", "azure", "management-groups/{}", "Azure management group"),
    ("--zone", "NAME", "cloudflare", "{}", "Cloudflare zone or account (default: all)"),
    ("--hcloud-context", "NAME", "hetzner", "{}", "context of the hcloud CLI"),
    ("--doctl-context", "NAME", "digitalocean", "{}", "context of doctl"),
    ("--org", "NAME", "github", "{}", "GitHub organisation or user (default: the token's)"),
    ("--repo", "OWNER/NAME", "github", "{}", "GitHub repository"),
    ("--docker", "NAME", "docker", "{}", "Docker context, or URL of a host (default: the current)"),
    (
        "--state",
        "PATH",
        "terraform",
        "{}",
        "Terraform state or plan: file, folder, s3:// gs:// azurerm://",
    ),
)

if TYPE_CHECKING:
    Commands: TypeAlias = "argparse._SubParsersAction[Parser]"

EXIT_CODES = """\
exit codes:
  0    clean, or nothing at or above --fail-on
  1    findings at or above --fail-on
  2    bad usage or input
  3    coverage below --min-coverage, or a provider that could not be read at all
  4    a defect of infrascan
  130  stopped by Ctrl-C; what was read until then is reported
"""


def parser() -> argparse.ArgumentParser:
    """The whole grammar; each command sets `run` to "module:function" within `infrascan.cli`."""
    top = Parser(
        prog="infrascan",
        description="Read your clouds and clusters; report what they waste, expose and risk.",
        epilog="First run, without credentials or network: infrascan run --demo\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"infrascan {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    add_run(commands)
    add_providers(commands)
    add_rules(commands)
    add_stored(commands)
    add_mcp(commands)
    completion = command(
        commands, "completion", "print a completion script for a shell", "completion:completion"
    )
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return top


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Name the nearest spelling, which argparse learns in Python 3.14."""
        if action.choices is None or value in action.choices:
            return
        from difflib import get_close_matches

        choices = [str(choice) for choice in action.choices]
        near = get_close_matches(str(value), choices, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise argparse.ArgumentError(
            action, f"unknown {value!r}: {meant}there are {', '.join(choices)}"
        )


def command(
    commands: Commands,
    name: str,
    summary: str,
    run: str,
    epilog: str | None = None,
) -> argparse.ArgumentParser:
    added = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.set_defaults(run=run)
    return added


def add_run(commands: Commands) -> None:
    run = command(
        commands, "run", "scan, report, and store the result", "run:run", epilog=EXIT_CODES
    )
    what = run.add_argument_group("what to read")
    what.add_argument(
        "--providers",
        metavar="NAME,...",
        action="append",
        help="which providers, such as aws,k8s (default: each one that has credentials)",
    )
    what.add_argument("--demo", action="store_true", help="scan the recorded demo estate")
    add_selection(what)
    what.add_argument(
        "--rules",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder of your own rules, besides the shipped ones (repeatable)",
    )
    what.add_argument(
        "--category",
        choices=CATEGORIES,
        action="append",
        default=[],
        help="only rules of this category (repeatable)",
    )
    what.add_argument(
        "--severity", choices=SEVERITIES, help="only rules of this severity and worse"
    )
    out = run.add_argument_group("what to write")
    add_output(out)
    out.add_argument("--quiet", "-q", action="store_true", help="no progress and no summary")
    out.add_argument(
        "--json-logs", action="store_true", help="progress as JSON lines on standard error"
    )
    gate = run.add_argument_group("when to fail")
    gate.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        help="exit 1 when there are findings of this severity or worse (default: never)",
    )
    gate.add_argument(
        "--min-coverage",
        type=percent,
        metavar="PERCENT",
        help="exit 3 when less than this share was read (default: no limit)",
    )
    how = run.add_argument_group("how to read")
    how.add_argument("--record", metavar="DIR", help="keep each raw answer in a new folder")
    how.add_argument("--replay", metavar="DIR", help="read a recorded folder, not the network")
    how.add_argument(
        "--resume", action="store_true", help="go on with the latest scan that was cut off"
    )
    how.add_argument(
        "--call-timeout",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long one attempt of one call may take (default: %(default)g)",
    )
    how.add_argument(
        "--deadline",
        type=seconds,
        default=float("inf"),
        metavar="SECONDS",
        help="how long reading may take in all; the rest is reported as gaps (default: no limit)",
    )


def add_selection(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--profile", metavar="NAME", action="append", help="AWS profile (repeatable)"
    )
    group.add_argument(
        "--region",
        metavar="NAME,...",
        action="append",
        help="AWS region (repeatable; default: every enabled one)",
    )
    group.add_argument(
        "--context",
        metavar="NAME",
        action="append",
        help="Kubernetes context, or all (repeatable; default: the current one)",
    )
    group.add_argument(
        "--k8s-secrets",
        action="store_true",
        help="list Kubernetes Secrets too, by name and type; their data is never kept",
    )
    for option, metavar, _, _, described in SCOPES:
        group.add_argument(
            option,
            metavar=metavar,
            dest="scopes",
            action=Scope,
            default=[],
            help=f"{described} (repeatable)",
        )


class Scope(argparse.Action):
    """Collects the options of `SCOPES` as pairs of option and value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002 (argparse gives it)
    ) -> None:
        option = self.option_strings[0]
        if not values:
            parser.error(f"{option} is empty; name one, or leave the option out")
        namespace.scopes = [*namespace.scopes, (option, values)]


def add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--format",
        metavar="NAME",
        action="append",
        help=f"one of {', '.join(FORMATS)} (repeatable; default: terminal, html, markdown)",
    )
    group.add_argument(
        "--output",
        metavar="DIR",
        default="infrascan-report",
        help="folder for the report files, or - for standard output (default: %(default)s)",
    )


def add_providers(commands: Commands) -> None:
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


def add_rules(commands: Commands) -> None:
    rules = commands.add_parser(
        "rules",
        help="list, show, check and start rules",
        description="List, show, check and start rules.",
    )
    actions = rules.add_subparsers(metavar="ACTION", required=True)
    listing = command(actions, "list", "list the rules", "rules:listing")
    listing.add_argument("--category", choices=CATEGORIES)
    listing.add_argument("--provider", metavar="NAME")
    shape = listing.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as JSON")
    shape.add_argument(
        "--markdown",
        action="store_true",
        help="as the pages under rules/: counts, or one provider's",
    )
    show = command(actions, "show", "show one rule whole", "rules:show")
    show.add_argument("rule", metavar="RULE")
    lint = command(actions, "lint", "check rule files without running them", "rules:lint")
    test = command(actions, "test", "check rule files and run their own examples", "rules:test")
    test.add_argument("rule", metavar="RULE", nargs="*", help="only these rules")
    for action in (listing, show, lint, test):
        action.add_argument(
            "--rules",
            metavar="DIR",
            action="append",
            default=[],
            help="a folder of your own rules (repeatable)",
        )
    new = command(actions, "new", "start a rule file that passes its own examples", "rules:new")
    new.add_argument("rule", metavar="RULE", help="its id, such as aws.s3.bucket-without-owner")
    new.add_argument(
        "--rules", metavar="DIR", default="rules", help="folder (default: %(default)s)"
    )
    new.add_argument("--resource", metavar="KIND", help="kind of resource, such as aws.s3.bucket")
    command(actions, "schema", "print the JSON Schema of rule files, for editors", "rules:schema")


def add_stored(commands: Commands) -> None:
    scans = command(commands, "scans", "list the stored scans", "scans:listing")
    scans.add_argument("--json", action="store_true", help="as JSON")
    scans.add_argument("--prune", metavar="N", type=int, help="delete all but the newest N")
    report = command(commands, "report", "render a stored scan again", "scans:report")
    report.add_argument("scan", nargs="?", default="latest", help="scan id, its beginning, latest")
    add_output(report)  # type: ignore[arg-type]
    diff = command(
        commands,
        "diff",
        "compare two stored scans: new, fixed, changed, became unknown",
        "scans:diff",
        epilog=EXIT_CODES,
    )
    diff.add_argument("before", nargs="?", default="latest~1")
    diff.add_argument("after", nargs="?", default="latest")
    diff.add_argument("--format", choices=("text", "markdown", "json"), default="text")
    diff.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit 1 for a new finding of this severity or worse"
    )
    sql = command(commands, "sql", "ask stored scans in read-only SQL", "scans:sql")
    sql.add_argument("query", help="one SELECT; tables: resources findings gaps edges coverage")
    sql.add_argument("--scan", default="latest", help="scan id, latest, or all")
    sql.add_argument("--json", action="store_true", help="rows as JSON")


def add_mcp(commands: Commands) -> None:
    mcp = command(commands, "mcp", "serve the Model Context Protocol to agents", "mcp:serve")
    mcp.add_argument("--transport", choices=("stdio", "http"), default="stdio")
    mcp.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:39393",
        help="for http (default: %(default)s)",
    )
    mcp.add_argument(
        "--token-file",
        metavar="FILE",
        help="holds the bearer token that clients must send; needed beyond loopback",
    )


def percent(text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 100")
    return value


def seconds(text: str) -> float:
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value
