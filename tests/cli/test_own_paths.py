"""Paths, issues and questions of one's own, in a folder beside the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import CLEAN, FINDINGS, USAGE, Command

PATHS = """\
entries:
  - id: own-archive
    kind: aws.s3.bucket
    rules: [aws.s3.archive-of-ours]
    says: a partner has the keys of the bucket {name}
  - id: own-queue
    kind: aws.sqs.queue
    when: {QueueName: jobs}
    says: a partner may send to {name}
examples:
  - {of: own-queue, holds: it is that one, given: {QueueName: jobs}}
  - {of: own-queue, fails: another, given: {QueueName: mails}}
"""
RULE = """\
id: aws.s3.archive-of-ours
title: Bucket is the archive
category: security
severity: high
resource: aws.s3.bucket
flag_when:
  Name: acme-prod-cloudtrail
why: A partner was given the keys of this bucket when the archive was built, and has them still today.
fix:
  text: Change the keys.
references: []
examples:
  - flag: the archive
    given: {Name: acme-prod-cloudtrail}
  - pass: another bucket
    given: {Name: acme-prod-logs}
"""
QUESTION = """\
- id: aws.archives
  answers: Archives of ours
  examples: [which archives are ours, our archives, list our archives, archives of ours, all archives, show the archives]
  reads: {aws.s3.bucket: []}
  sql: SELECT key AS resource, name FROM resources WHERE name = 'acme-prod-cloudtrail'
  evidence: [name]
  each: "{name}"
  says: {none: No archive., some: "The archives: {each}."}
  needs: permission to list buckets
"""


@pytest.fixture
def folder(infrascan: Command) -> Path:
    made = infrascan.folder / "mine"
    for name, text in (
        ("paths/partners.yaml", PATHS),
        ("aws/s3/archive-of-ours.yaml", RULE),
        ("questions/archives.yaml", QUESTION),
    ):
        (made / name).parent.mkdir(parents=True)
        (made / name).write_text(text)
    return made


def test_a_way_in_of_ones_own_makes_a_path_by_a_rule_of_ones_own(infrascan: Command, folder: Path):
    infrascan("run", "--demo", "--rules", "mine", "--format", "json")
    found = [p for p in infrascan.report()["paths"] if "acme-prod-cloudtrail" in p["title"]]

    assert [p["steps"][0]["relation"] for p in found] == ["own-archive"]
    assert found[0]["steps"][0]["fix"]["rule"] == "aws.s3.archive-of-ours"


def test_a_question_of_ones_own_is_answered(infrascan: Command, folder: Path):
    done = infrascan("ask", "--demo", "--rules", "mine", "--json", "which archives are ours?")

    assert done.code == CLEAN
    assert done.json["routing"]["question"] == "aws.archives"
    assert "acme-prod-cloudtrail" in done.json["answer"]


def test_what_is_right_passes_and_an_example_that_is_not_so_is_told(
    infrascan: Command, folder: Path
):
    assert infrascan("rules", "lint", "--rules", "mine").code == CLEAN
    file = folder / "paths" / "partners.yaml"
    file.write_text(PATHS.replace("given: {QueueName: mails}", "given: {QueueName: jobs}"))
    done = infrascan("rules", "test", "--rules", "mine")
    assert done.code == FINDINGS
    assert done.complaints == [
        "mine/paths/partners.yaml:12: example 'another' says fails, the condition says holds"
    ]
    file.write_text(PATHS.replace("fails: another, given: {QueueName: mails}", "holds: it is, given: {QueueName: jobs}"))  # fmt: skip
    done = infrascan("rules", "lint", "--rules", "mine")
    assert done.code == FINDINGS
    assert done.complaints == ["own-queue (from): has no example that fails"]


def test_every_mistake_is_one_line_and_nothing_is_read(infrascan: Command, folder: Path):
    (folder / "paths" / "more.yaml").write_text(
        "targets:\n"
        "  - {id: own-archive, kind: aws.s3.bucket, says: x}\n"
        "  - {id: aws-bucket, kind: aws.s3.buckt, says: x}\n"
        "steps:\n"
        "  - {id: own-step, from: aws.iam.role, to: aws.iam.role, along: role, network: {port: P},"
        " through: {aws.iam.rol: {Arn: x}}, stage: data, says: x}\n"
        "  - {id: own-on, from: aws.iam.role, to: k8s.pod, grants: {by: aws, actions: [x],"
        " on: aws.ecr.repository}, stage: data, says: x}\n"
    )
    (folder / "issues").mkdir()
    (folder / "issues" / "ours.yaml").write_text("issues:\n  - {id: x, of: [exposd, old]}\n")
    expected = (
        "mine/paths/partners.yaml:2:9: id 'own-archive' is also in mine/paths/more.yaml",
        "mine/paths/more.yaml:3:10: id 'aws-bucket' is also in the shipped paths",
        "did you mean 'aws.s3.bucket'?",
        "a step has one of along, grants, network",
        "there is no kind 'aws.iam.rol'; did you mean 'aws.iam.role'?",
        "mine/issues/ours.yaml:2:",
    )
    for words in (("run", "--demo"), ("rules", "lint")):
        done = infrascan(*words, "--rules", "mine")
        assert done.code == USAGE
        said = "\n".join(done.complaints)
        for part in expected:
            assert part in said, (words, said)
    (folder / "issues" / "ours.yaml").unlink()
    (folder / "paths" / "more.yaml").unlink()
    (folder / "questions" / "more.yaml").write_text("- {id: aws.more, answers: More}\n")
    for words in (("rules", "lint"), ("ask", "--demo", "our archives")):
        done = infrascan(*words, "--rules", "mine")
        assert done.code == USAGE
        assert "questions/more.yaml:1:3: a question needs" in done.complaints[0]
    assert not infrascan.kept.exists()
