"""Mistakes in rule files: all of them at once, each with its place, before anything is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.cli.command import CLEAN, FINDINGS, USAGE, Command
from tests.servers.proxy import Proxy

GOOD = """\
id: aws.ec2.volume-without-team
title: Volume has no team
category: cost
severity: low
resource: aws.ec2.volume
flag_when:
  tags.team|exists: false
why: Nobody can be asked whether it is still needed.
fix:
  text: Tag it.
references: []
examples:
  - flag: no tag
    given: {tags: {}}
  - pass: it has one
    given: {tags: {team: shop}}
"""
# file -> (what is wrong with it, where, what the line says)
FAULTS: dict[str, tuple[bytes, str, str]] = {
    "typo-in-key": (
        GOOD.replace("severity:", "severty:").encode(),
        "4:1",
        "did you mean 'severity'",
    ),
    "typo-in-path": (
        GOOD.replace("tags.team|exists: false", "Encryptd: true").encode(),
        "7:3",
        "Encrypted",
    ),
    "unknown-operator": (GOOD.replace("|exists", "|exsts").encode(), "7:3", "exists"),
    "wrong-type": (
        GOOD.replace("title: Volume has no team", "title: [a, b]").encode(),
        "2:8",
        "a string",
    ),
    "alias": (
        GOOD.replace("{tags: {}}", "&a {tags: {}}").replace("{tags: {team: shop}}", "*a").encode(),
        "14:",
        "anchors and aliases",
    ),
    "bomb": (
        b"a: &a [x, x, x, x, x, x, x, x]\n"
        + b"".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n".encode()
            for n in range(20)
        ),
        "1:",
        "anchors and aliases",
    ),
    "tabs": (GOOD.replace("  text: Tag it.", "\ttext: Tag it.").encode(), "10:1", "is not YAML"),
    "nothing": (b"", "1:1", "is empty"),
    "binary": (b"\x7fELF\x02\x01\x01\x00\xff\xfe\x00\x80" * 64, "1:1", ""),
    "a-list": (b"- id: x\n", "1:1", "mapping"),
    "huge": (b"# " + b"x" * 300_000, "1:1", "larger than"),
    "bad-pattern": (
        GOOD.replace("tags.team|exists: false", 'tags.team|matches: "("').encode(),
        "7:",
        "",
    ),
    "future-severity": (GOOD.replace("severity: low", "severity: hihg").encode(), "4:11", "high"),
}


@pytest.fixture
def folder(infrascan: Command) -> Path:
    """Rules of one's own: none yet."""
    made = infrascan.folder / "rules" / "aws" / "ec2"
    made.mkdir(parents=True)
    return made


def test_every_mistake_of_every_file_is_told_at_once_and_nothing_is_read(
    infrascan: Command, folder: Path, aws: Callable[..., Proxy]
):
    server = aws()
    for name, (content, _, _) in FAULTS.items():
        text = content.replace(b"volume-without-team", name.encode())
        (folder / f"{name}.yaml").write_bytes(text)
    done = infrascan("run", "--providers", "aws", "--rules", "rules")
    assert done.code == USAGE
    for name, (_, place, said) in FAULTS.items():
        of_file = [line for line in done.complaints if f"/{name}.yaml:" in line]
        assert any(f"{name}.yaml:{place}" in line and said in line for line in of_file), (
            name,
            of_file,
        )
    shape = re.compile(r"infrascan: rules/aws/ec2/[\w-]+\.yaml:\d+:\d+: \S")
    assert all(shape.match(line) for line in done.complaints)
    assert server.calls == 0
    assert not infrascan.kept.exists()


def test_lint_and_test_refuse_what_run_refuses(infrascan: Command, folder: Path):
    (folder / "typo-in-key.yaml").write_bytes(FAULTS["typo-in-key"][0])
    for action in ("lint", "test"):
        done = infrascan("rules", action, "--rules", "rules")
        assert done.code == USAGE
        assert any("typo-in-key.yaml:4:1" in line for line in done.complaints)
        assert done.out == ""


def test_an_id_that_is_taken_names_both_files(infrascan: Command, folder: Path):
    (folder / "volume-without-team.yaml").write_text(GOOD)
    again = infrascan.folder / "more" / "aws" / "ec2"
    again.mkdir(parents=True)
    (again / "volume-without-team.yaml").write_text(GOOD)
    done = infrascan("rules", "lint", "--rules", "rules", "--rules", "more")
    assert done.code == USAGE
    assert "more/aws/ec2/volume-without-team.yaml:" in done.complaint
    assert "rules/aws/ec2/volume-without-team.yaml" in done.complaint


def test_an_id_of_a_shipped_rule_is_taken_too(
    infrascan: Command, folder: Path, aws: Callable[..., Proxy]
):
    server = aws()
    shipped = "aws.ec2.instance-metadata-without-token"
    listed = infrascan("rules", "list", "--provider", "aws", "--json").json
    shipped = next(r["id"] for r in listed if r["resource"] == ["aws.ec2.volume"])
    _, _, fault = shipped.rpartition(".")
    place = infrascan.folder / "rules" / Path(*shipped.split(".")[:-1])
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{fault}.yaml").write_text(GOOD.replace("aws.ec2.volume-without-team", shipped))
    for words in (("rules", "lint"), ("run", "--providers", "aws")):
        done = infrascan(*words, "--rules", "rules")
        assert done.code == USAGE
        assert f"id '{shipped}' is also in" in done.complaint
    assert server.calls == 0


def test_a_folder_that_is_a_file_or_missing_is_one_line(infrascan: Command):
    (infrascan.folder / "file").write_text("x")
    for name in ("file", "missing"):
        done = infrascan("run", "--providers", "aws", "--rules", name)
        assert (done.code, done.complaint) == (
            USAGE,
            f"infrascan: {name}:1:1: there is no such folder of rules",
        )


def test_a_rule_of_ones_own_finds(infrascan: Command, folder: Path, aws: Callable[..., Proxy]):
    aws()
    (folder / "volume-without-team.yaml").write_text(GOOD)
    infrascan("run", "--providers", "aws", "--region", "eu-west-1", "--rules", "rules", "--format", "json")  # fmt: skip
    found = [
        f for f in infrascan.report()["findings"] if f["rule"] == "aws.ec2.volume-without-team"
    ]
    assert len(found) == 1


def test_an_example_that_does_not_hold_fails_the_test(infrascan: Command, folder: Path):
    wrong = GOOD.replace("given: {tags: {team: shop}}", "given: {tags: {teem: shop}}")
    (folder / "volume-without-team.yaml").write_text(wrong)
    done = infrascan("rules", "test", "aws.ec2.volume-without-team", "--rules", "rules")
    assert done.code == FINDINGS
    assert any("volume-without-team.yaml:15" in line for line in done.complaints)
    assert done.out == ""


def test_a_new_rule_passes_its_own_examples(infrascan: Command):
    for rule in ("aws.s3.bucket-without-owner", "k8s.pod.team-missing"):
        made = infrascan("rules", "new", rule)
        assert (made.code, made.err) == (CLEAN, "")
        tested = infrascan("rules", "test", rule, "--rules", "rules")
        assert (tested.code, tested.err) == (CLEAN, ""), tested
        again = infrascan("rules", "new", rule)
        assert again.code == USAGE
        assert "exists already" in again.complaint
    linted = infrascan("rules", "lint", "--rules", "rules")
    assert linted.code == CLEAN


def test_a_new_rule_whose_name_is_refused_leaves_nothing(infrascan: Command):
    done = infrascan("rules", "new", "aws.s3.no-logging")
    assert done.code == USAGE
    assert "no-logging" in done.complaint
    assert not list(infrascan.folder.rglob("*.yaml"))


def test_a_new_rule_beside_a_broken_one_is_made_all_the_same(infrascan: Command, folder: Path):
    (folder / "typo-in-key.yaml").write_bytes(FAULTS["typo-in-key"][0])
    done = infrascan("rules", "new", "aws.s3.bucket-without-owner")
    assert done.code == CLEAN
    assert (infrascan.folder / "rules/aws/s3/bucket-without-owner.yaml").exists()


def test_a_new_rule_in_a_folder_that_cannot_be_is_one_line(infrascan: Command):
    (infrascan.folder / "file").write_text("x")
    done = infrascan("rules", "new", "aws.s3.bucket-without-owner", "--rules", "file")
    assert done.code == USAGE
    assert "file" in done.complaint


def test_the_schema_takes_a_good_rule_and_refuses_a_bad_one(infrascan: Command):
    schema = infrascan("rules", "schema").json
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(GOOD), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(FAULTS["typo-in-key"][0]), schema)


def test_rules_are_listed_and_shown(infrascan: Command):
    listed = infrascan("rules", "list", "--category", "cost", "--json").json
    assert {rule["category"] for rule in listed} == {"cost"}
    plain = infrascan("rules", "list", "--category", "cost")
    assert [line for line in plain.out.splitlines() if " cost " not in line] == []
    assert len(plain.out.splitlines()) == len(listed)
    assert "](aws/README.md)" in infrascan("rules", "list", "--markdown").out
    page = infrascan("rules", "list", "--provider", "estate", "--markdown").out
    assert "](dns/record-points-at-nothing.yaml)" in page
    assert " | aws.route53.record_set and 5 more | " in page
    shown = infrascan("rules", "show", listed[0]["id"])
    assert shown.out.startswith("# ")
    assert yaml.safe_load(shown.out)["title"] == listed[0]["title"]
    assert json.dumps(listed)
