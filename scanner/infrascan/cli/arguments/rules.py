"""The arguments of `infrascan rules`."""

from __future__ import annotations

from infrascan.cli.parser import (
    CATEGORIES,
    Commands,
    add_model,
    command,
)


def add(commands: Commands) -> None:
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
    draft = command(
        actions, "draft", "have a model draft a rule that proves itself", "drafting:draft"
    )
    draft.add_argument("wish", metavar="TEXT", help="what the rule is to flag, in your words")
    draft.add_argument(
        "--rules", metavar="DIR", default="rules", help="folder (default: %(default)s)"
    )
    draft.add_argument("--resource", metavar="KIND", help="kind of resource, such as aws.s3.bucket")
    add_model(draft.add_argument_group("the model"))
    command(actions, "schema", "print the JSON Schema of rule files, for editors", "rules:schema")
