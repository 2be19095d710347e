"""Fix commands run as they are pasted, whatever the resource is called."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.evaluate.command import filled, open_quote, placeholders
from infrascan.model import Kind, Resource

EC2 = Kind(
    name="aws.ec2.volume", title="Volume", provider="aws", fields={"A": {"B": {}}, "L": {"[]": {}}}
)


def volume(
    name: str = "vol-1", data: dict[str, Any] | None = None, provider: str = "aws"
) -> Resource:
    return Resource(
        kind=f"{provider}.x.stateful_set", id=name, name=name, provider=provider,
        account="111111111111", region="eu-west-1", data=data or {},
    )  # fmt: skip


def test_placeholders_are_filled_from_the_resource_and_its_data() -> None:
    one = volume(data={"A": {"B": 5}, "L": ["x", "y"], "T": True})
    template = "aws {name} {id} {region} {account} {A.B} {L[]} {T}"
    assert filled(template, one) == "aws vol-1 vol-1 eu-west-1 111111111111 5 x true"


def test_kubernetes_commands_know_namespace_and_kind() -> None:
    one = volume("db", {"metadata": {"namespace": "shop"}}, provider="k8s")
    assert (
        filled("kubectl -n {namespace} get {kind} {name}", one)
        == "kubectl -n shop get statefulset db"
    )


def test_json_and_jsonpath_are_no_placeholders() -> None:
    template = "kubectl patch {name} -p '{\"spec\": {}}' -o jsonpath={.spec}"
    assert filled(template, volume("p")) == template.replace("{name}", "p")


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x1b[31m", "a\x00", "a\u202eb", "a\u200bb", "\u2028", "", "--all", "-rf"]
)
def test_a_value_that_cannot_be_trusted_gives_no_command(name: str) -> None:
    assert filled("rm {name}", volume(name)) == ""


def test_a_value_behind_a_name_may_begin_with_a_dash() -> None:
    assert filled("x --name={name}", volume("-a")) == "x --name=-a"


def test_a_missing_value_gives_no_command() -> None:
    assert filled("x {A.B}", volume()) == ""
    assert filled("x {A}", volume(data={"A": {"B": 1}})) == ""


HOSTILE = st.text(st.sampled_from("ab$`'\"\\;&|<>(){}*? ~#!%="), min_size=1, max_size=12)
TEMPLATES = (
    "printf %s {name}",
    "printf %s x={name}",
    "printf %s 'a {name} b'",
    'printf %s "a {name} b"',
    "printf %s \"a {name}\"'b {name}'{name}",
)


@given(HOSTILE, st.sampled_from(TEMPLATES))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_value_stays_one_word_and_is_not_expanded(name: str, template: str) -> None:
    command = filled(template, volume(name))
    assert shlex.split(command)[-1] == shlex.split(template)[-1].replace("{name}", name)
    assert len(shlex.split(command)) == 3


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_shell_sees_the_value_as_it_is(template: str) -> None:
    name = "$(echo x) `id` \"' \\ $HOME ; true"
    done = subprocess.run(
        ["sh", "-c", filled(template, volume(name))], capture_output=True, text=True, check=True
    )
    assert name in done.stdout


def test_open_quotes_are_known() -> None:
    assert [open_quote(t) for t in ("a", "'a", "'a'", '"a', '"a\\"', "'a\\'", "\\'", '"\'"')] == [
        "", "'", "", '"', '"', "", "", "",
    ]  # fmt: skip


def test_placeholders_that_lead_nowhere_are_told() -> None:
    assert list(placeholders("{name} {A.B} {L[]} {tags.x}", EC2)) == []
    assert list(placeholders("{nam}", EC2)) == [
        "there is nothing to put for {nam}; did you mean 'name'?"
    ]
    assert list(placeholders("{A.C}", EC2)) == ["there is nothing to put for {A.C}"]
    assert list(placeholders("a\nb", EC2)) == ["a command is one line"]
    assert list(placeholders("{namespace}", EC2)) != []
