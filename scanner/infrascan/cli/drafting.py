"""`infrascan rules draft`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import trio

from infrascan import cli
from infrascan.cli.models import model_choice
from infrascan.evaluate import load
from infrascan.model import InputError, Kind
from infrascan.pipeline import all_kinds
from infrascan.reason.model.choice import ModelChoice
from infrascan.shipped import shipped
from infrascan.store.home import home


def draft(options: argparse.Namespace) -> int:
    """Have a model draft a rule; write it only when it loads, lints and proves itself."""
    choice = model_choice(options)
    if choice is None:
        raise InputError("rules draft needs a model: --model VENDOR/MODEL")
    if choice.anonymize:
        raise InputError(
            "rules draft sends the text that you give and infrascan's own words, nothing of an "
            "estate; leave out --anonymize, and names that nobody should see"
        )
    kinds = all_kinds()
    if options.resource and options.resource not in kinds:
        raise InputError(f"unknown kind {options.resource!r}; infrascan rules list names those")
    own = Path(options.rules)
    folders = [shipped("rules")]
    if own.is_dir() and own.resolve() != folders[0].resolve():
        folders.append(own)
    known = frozenset(rule.id for rule in load(folders, kinds))
    return trio.run(written, options, choice, kinds, known, own)


async def written(
    options: argparse.Namespace,
    choice: ModelChoice,
    kinds: dict[str, Kind],
    known: frozenset[str],
    own: Path,
) -> int:
    from infrascan.reason.model.budget import Budget
    from infrascan.reason.model.client import open_model
    from infrascan.reason.model.draft import drafted
    from infrascan.reason.model.failing import ModelError

    budget = Budget(choice.max_usd, choice.max_tokens, choice.seconds)
    try:
        model = open_model(
            choice.name,
            home=home(),
            url=choice.url,
            budget=budget,
            window=choice.window,
        )
        async with model:
            made = await drafted(options.wish, model, kinds, known, options.resource or "", told)
    except ModelError as error:
        raise InputError(str(error)) from error
    if made.faults:
        for fault in made.faults:
            told(fault)
        told("no draft held, so nothing was written")
        return cli.FINDINGS
    path = own.joinpath(*made.id.split(".")).with_suffix(".yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made.text, encoding="utf-8")
    print(path)
    told(f"read it before you use it: infrascan run --rules {own}")
    return cli.CLEAN


def told(line: str) -> None:
    print(f"infrascan: {line}", file=sys.stderr)
