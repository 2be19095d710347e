"""`infrascan rules`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from infrascan import cli
from infrascan.evaluate import Rule, RuleErrors, RuleSet, load, prove
from infrascan.evaluate import lint as complaints
from infrascan.evaluate import schema as schema_of
from infrascan.model import InputError, Kind
from infrascan.pipeline import all_kinds
from infrascan.shipped import shipped

if TYPE_CHECKING:
    from infrascan.reason.path_rules import PathRules

CATEGORIES = ("security", "reliability", "cost")


def listing(options: argparse.Namespace) -> int:
    """List the rules, worst first within a provider; or as JSON, or as the Markdown catalogue."""
    found, _ = loaded(options.rules)
    providers = {folder(rule) for rule in found}
    if options.provider and options.provider not in providers:
        near = nearest(options.provider, providers)
        raise InputError(f"no rules for provider {options.provider!r}{near}")
    chosen = [
        rule
        for rule in found
        if options.category in (None, rule.category) and options.provider in (None, folder(rule))
    ]
    if options.json:
        print(json.dumps([brief(rule) for rule in chosen], indent=2))
    elif options.markdown:
        print(
            "\n".join(catalogue(options.provider, chosen) if options.provider else counts(chosen))
        )
    else:
        for rule in sorted(chosen, key=lambda r: (folder(r), r.severity.rank, r.id)):
            print(f"{rule.severity:<9} {rule.category:<12} {rule.id}  {rule.title}")
        print(f"{len(chosen)} rules", file=sys.stderr)
    return cli.CLEAN


def brief(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "category": rule.category,
        "severity": rule.severity,
        "resource": list(rule.kinds),
        "controls": {name: list(ids) for name, ids in rule.controls.items()},
    }


def folder(rule: Rule) -> str:
    """Where the rule lies: under its provider, or under `estate` when it is about several."""
    return rule.id.partition(".")[0]


def counts(rules: Iterable[Rule]) -> Iterable[str]:
    """The table of folders in `rules/README.md`, a line at a time."""
    found = Counter((folder(rule), str(rule.category)) for rule in rules)
    yield f"| rules | {' | '.join(CATEGORIES)} | all |"
    yield f"|---|{'---|' * (len(CATEGORIES) + 1)}"
    for name in sorted({name for name, _ in found}):
        each = [found[name, category] for category in CATEGORIES]
        yield f"| [{name}]({name}/README.md) | {' | '.join(map(str, each))} | {sum(each)} |"
    each = [sum(found[key] for key in found if key[1] == category) for category in CATEGORIES]
    yield f"| | {' | '.join(map(str, each))} | {sum(each)} |"


def catalogue(name: str, rules: Iterable[Rule]) -> Iterable[str]:
    """All of `rules/<name>/README.md`, a line at a time."""
    yield f"# Rules: {name}"
    yield ""
    yield "How to read and write them is in [rules/README.md](../README.md). This page is the output of"
    yield f"`infrascan rules list --provider {name} --markdown`."
    yield ""
    yield "| rule | resource | category | severity | |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        path = "/".join(rule.id.split(".")[1:]) + ".yaml"
        title = rule.title.replace("|", "\\|")
        kinds = ", ".join(rule.kinds[:3])
        if len(rule.kinds) > 3:
            kinds = f"{rule.kinds[0]} and {len(rule.kinds) - 1} more"
        yield f"| [{rule.id}]({path}) | {kinds} | {rule.category} | {rule.severity} | {title} |"


def show(options: argparse.Namespace) -> int:
    """Print a rule's file, its place first."""
    found, _ = loaded(options.rules)
    rule = named(found, options.rule)
    print(f"# {rule.source}")
    print(Path(rule.source).read_text(encoding="utf-8").rstrip())
    return cli.CLEAN


def lint(options: argparse.Namespace) -> int:
    """Check rule files; every mistake is one line with its place."""
    found, kinds = loaded(options.rules)
    beside = besides(options.rules, kinds)
    faults = [fault for rule in found for fault in complaints(rule, kinds)]
    return concluded([*faults, *beside.lint()], f"{len(found)} rules, nothing wrong")


def test(options: argparse.Namespace) -> int:
    """Check rule files and run the examples that they hold."""
    found, kinds = loaded(options.rules)
    beside = besides(options.rules, kinds)
    chosen = [named(found, rule) for rule in options.rule] or list(found)
    faults = [fault for rule in chosen for fault in (*complaints(rule, kinds), *prove(rule, kinds))]
    examples = sum(len(rule.examples) for rule in chosen)
    if not options.rule:
        faults += [*beside.lint(), *beside.prove()]
        examples += len(beside.paths.examples)
    return concluded(faults, f"{len(chosen)} rules hold in all of their {examples} examples")


@dataclass(frozen=True, slots=True)
class Besides:
    """What the user's folders hold besides rules: paths, with examples of their own."""

    paths: PathRules
    kinds: Mapping[str, Kind]

    def lint(self) -> Iterator[str]:
        from infrascan.reason.path_proof import lint

        return lint(self.paths)

    def prove(self) -> Iterator[str]:
        from infrascan.reason.path_proof import prove

        return prove(self.paths, self.kinds)


def besides(folders: list[str], kinds: Mapping[str, Kind]) -> Besides:
    """The user's paths, issues and questions, checked. Raises `RuleErrors`."""
    from infrascan.questions import load as load_questions
    from infrascan.questions.functions import FUNCTIONS
    from infrascan.reason.connect import checked
    from infrascan.reason.connect import folders as of_sort

    own = [Path(folder) for folder in folders]
    paths = checked(own, kinds)
    if len(places := of_sort("questions", own)) > 1:
        load_questions(places, kinds, FUNCTIONS)
    return Besides(paths, kinds)


def concluded(faults: list[str], fine: str) -> int:
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return cli.FINDINGS
    print(fine)
    return cli.CLEAN


def schema(_options: argparse.Namespace) -> int:
    """Print the JSON Schema that editors check rule files against."""
    print(json.dumps(schema_of(), indent=2))
    return cli.CLEAN


def new(options: argparse.Namespace) -> int:
    """Write a rule file that loads and passes its own examples, to be filled in."""
    kinds = all_kinds()
    if not re.fullmatch(r"[a-z0-9]+(\.[a-z0-9-]+){1,4}", options.rule):
        raise InputError(
            f"rule id {options.rule!r}: lower-case words joined by dots, "
            "such as aws.s3.bucket-without-owner"
        )
    kind = resource_for(options.rule, options.resource, kinds)
    path = Path(options.rules).joinpath(*options.rule.split(".")).with_suffix(".yaml")
    if path.exists():
        raise InputError(f"{path} exists already; choose another id or edit it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(TEMPLATE.format(id=options.rule, kind=kind), encoding="utf-8")
    try:
        load([Path(options.rules)], kinds)
    except RuleErrors as errors:  # those of other files are not this one's fault
        if mine := [error for error in errors.errors if error.path == str(path)]:
            path.unlink()
            raise RuleErrors(mine) from errors
    print(
        f"{path}: fill it in, then run: infrascan rules test {options.rule} --rules {options.rules}"
    )
    return cli.CLEAN


def resource_for(rule: str, given: str | None, kinds: Mapping[str, Kind]) -> str:
    """The kind given, or the one that the rule's id begins with. Raises `InputError`."""
    if given is not None:
        if given not in kinds:
            raise InputError(f"unknown kind {given!r}{nearest(given, kinds)}")
        return given
    prefix = rule.rpartition(".")[0]
    matching = [name for name in kinds if f"{name}.".startswith(f"{prefix}.")]
    if not matching:
        raise InputError(f"no kind begins with '{prefix}.'; name one with --resource KIND")
    return matching[0]


def named(rules: RuleSet, id: str) -> Rule:
    rule = rules.get(id)
    if rule is None:
        raise InputError(f"unknown rule {id!r}{nearest(id, [r.id for r in rules])}")
    return rule


def nearest(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def loaded(folders: list[str]) -> tuple[RuleSet, dict[str, Kind]]:
    """The shipped rules and the user's, with every kind. Raises `RuleErrors`."""
    kinds = all_kinds()
    return load([shipped("rules"), *map(Path, folders)], kinds), kinds


TEMPLATE = """\
id: {id}
title: The resource has the fault this rule is about
category: security
severity: medium
resource: {kind}

flag_when:
  tags.replace-me: "yes"

why: >
  Say in two or three sentences who can do what to whom because of this, so that a reader who does
  not know the service can judge the severity.
fix:
  text: Name the setting that ends it.
references: []
examples:
  - flag: the tag is there
    given: {{tags: {{replace-me: "yes"}}}}
  - pass: the tag says no
    given: {{tags: {{replace-me: "no"}}}}
  - unknown: the tags may not be read
    given: {{}}
    unread: [tags]
"""
