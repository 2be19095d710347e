"""The options that name a part of a provider."""

from __future__ import annotations

import pytest

from infrascan.cli.parser import SCOPES, parser
from infrascan.cli.run import request_of
from infrascan.cli.selection import scopes
from infrascan.providers import at_hand


def test_parts_are_spelled_as_the_provider_does_and_kept_once():
    words = [
        "--project",
        "a",
        "--repo",
        "o/r",
        "--project",
        "b",
        "--org",
        "o",
        "--project",
        "a",
        "--folder",
        "7",
    ]
    options = parser().parse_args(["run", *words])

    assert {"gcp": ("projects/a", "projects/b", "folders/7"), "github": ("o/r", "o")} == scopes(
        options.scopes
    )


def test_two_commands_do_not_share_what_was_named():
    parser().parse_args(["run", "--project", "a"])

    assert {} == request_of(parser().parse_args(["run"])).scopes


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope[0])
def test_every_scope_is_of_a_provider_there_is(scope: tuple[str, ...]):
    assert scope[2] in at_hand.PROVIDERS
    assert "{}" in scope[3]
