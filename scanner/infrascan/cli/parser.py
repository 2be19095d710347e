"""The grammar of the command line. Imports argparse and nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias

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
    from infrascan.cli.arguments import COMMANDS  # which build on what is here

    top = Parser(
        prog="infrascan",
        description="Read your clouds and clusters; report what they waste, expose and risk.",
        epilog="First run, without credentials or network: infrascan run --demo\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"infrascan {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for each in COMMANDS:
        each.add(commands)
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
    aliases: Sequence[str] = (),
) -> Parser:
    added = commands.add_parser(
        name,
        aliases=aliases,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added.set_defaults(run=run)
    return added


def add_providers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--providers",
        metavar="NAME,...",
        action="append",
        help="which providers, such as aws,k8s (default: each one that has credentials)",
    )


def add_rule_folders(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--rules",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder of your own rules, besides the shipped ones (repeatable)",
    )
    group.add_argument(
        "--category",
        choices=CATEGORIES,
        action="append",
        default=[],
        help="only rules of this category (repeatable)",
    )


def add_call_timeout(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--call-timeout",
        type=seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long one attempt of one call may take (default: %(default)g)",
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


def percent(text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 100")
    return value


def number(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def seconds(text: str) -> float:
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


def add_model(group: argparse._ArgumentGroup) -> None:
    """The options that choose a model; `model_choice` in `infrascan.cli.models` reads them."""
    group.add_argument(
        "--model",
        metavar="VENDOR/MODEL",
        help="a model of yours: anthropic/, openai/, google/, cohere/ or ollama/ with its name, "
        "or none (default: $INFRASCAN_MODEL, else none); keys from the vendor's own variable",
    )
    group.add_argument(
        "--model-url", metavar="URL", default="", help="where the model is served, if not there"
    )
    group.add_argument(
        "--model-window",
        type=tokens,
        default=0,
        metavar="TOKENS",
        help="how much the model can hold, where infrascan does not know it",
    )
    group.add_argument(
        "--max-usd",
        type=dollars,
        default=1.0,
        metavar="USD",
        help="the most that the model may cost (default: %(default)g)",
    )
    group.add_argument(
        "--max-tokens",
        type=tokens,
        default=500_000,
        metavar="N",
        help="the most tokens it may take, in and out (default: %(default)d)",
    )
    group.add_argument(
        "--model-deadline",
        type=seconds,
        default=300.0,
        metavar="SECONDS",
        help="how long the model's part may take in all (default: %(default)g)",
    )
    group.add_argument(
        "--anonymize",
        action="store_true",
        help="send names, account ids, addresses and domains to the model as pseudonyms",
    )


def dollars(text: str) -> float:
    try:
        value = float(text.removeprefix("$"))
    except ValueError:
        value = float("nan")
    if not value >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount in US dollars")
    return value


def tokens(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
