"""Rules that follow another provider's relations, and rules about several providers' kinds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infrascan.evaluate import RuleErrors, RuleSet, load, prove
from infrascan.model import Kind, Relation

BUCKET = Kind(name="aws.s3.bucket", title="Bucket", provider="aws", fields={"public": {}})
OBJECTS = Kind(name="gcp.storage.bucket", title="Bucket", provider="gcp", fields={"public": {}})
OTHER = Kind(name="gcp.compute.instance", title="VM", provider="gcp", fields={"public": {}})
MANAGED = Kind(
    name="terraform.resource",
    title="Resource",
    provider="terraform",
    fields={"live_id": {}},
    relations=tuple(
        Relation(name="live", path="live_id", to=kind, by="id", reverse="managed_by", within="anywhere")
        for kind in ("aws.s3.bucket", "gcp.storage.bucket")
    ),
)  # fmt: skip
KINDS = {kind.name: kind for kind in (BUCKET, OBJECTS, OTHER, MANAGED)}

RULE = """
title: Public bucket is in no Terraform state
category: reliability
severity: medium
resource: {resource}
{with}
flag_when: {{public: true, managed_by|count: 0}}
why: Nobody can say who made it, and the next apply will neither keep it nor close it.
fix: {{text: Import it or delete it.}}
examples:
  - {{flag: nothing manages it, given: {{public: true, managed_by: []}}}}
  - {{pass: it is managed, given: {{public: true, managed_by: [{{live_id: x}}]}}}}
  - {{unknown: a state was not read, given: {{public: true}}, unread: [managed_by]}}
"""
BOTH = "[aws.s3.bucket, gcp.storage.bucket]"


def loaded(
    folder: Path,
    where: str = "estate/storage/public-and-unmanaged",
    resource: str = BOTH,
    company: str = "with: [terraform]",
    kinds: dict[str, Kind] = KINDS,
    *,
    partial: bool = False,
) -> RuleSet:
    file = folder / f"{where}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f"id: {where.replace('/', '.')}" + RULE.format(resource=resource, **{"with": company})
    )
    return load([folder], kinds, partial=partial)


def test_a_rule_about_several_providers_lives_in_estate_and_proves_itself(tmp_path: Path):
    (rule,) = loaded(tmp_path)

    assert rule.company == ("terraform",)
    assert rule.providers == {"aws", "gcp"}
    assert [] == prove(rule, KINDS)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"company": ""}, r"'managed_by' of aws.s3.bucket is there only when terraform is scanned; add with: \[terraform\]"),
        ({"company": "with: [teraform]"}, "there is no provider 'teraform'; did you mean 'terraform'"),
        ({"where": "aws/storage/public-and-unmanaged"}, "must begin with estate/"),
        ({"resource": "aws.s3.bucket"}, "must begin with aws/"),
        ({"resource": "[aws.s3.bucket, gcp.compute.instance]"}, "'managed_by' does not lead to gcp.compute.instance"),
    ],
)  # fmt: skip
def test_a_rule_that_could_take_unread_for_absent_is_refused(
    tmp_path: Path, changes: dict[str, str], complaint: str
):
    with pytest.raises(RuleErrors, match=complaint):
        loaded(tmp_path, **changes)


def test_with_some_providers_at_hand_the_kinds_of_the_others_are_left_out(tmp_path: Path):
    bare = {
        name: replace(kind, fields=None) for name, kind in KINDS.items() if kind.provider != "gcp"
    }

    assert [("aws.s3.bucket",)] == [
        rule.kinds for rule in loaded(tmp_path, kinds=bare, partial=True)
    ]


def test_with_none_of_its_providers_at_hand_a_rule_is_left_out(tmp_path: Path):
    assert [] == list(loaded(tmp_path, kinds={MANAGED.name: MANAGED}, partial=True))


def test_a_mistyped_kind_of_a_provider_at_hand_is_still_refused(tmp_path: Path):
    with pytest.raises(RuleErrors, match=r"there is no kind 'aws\.s3\.buckt'"):
        loaded(tmp_path, resource="[aws.s3.buckt, gcp.storage.bucket]", partial=True)


def test_with_some_providers_at_hand_examples_are_passed_over(tmp_path: Path):
    (whole,), (brief,) = loaded(tmp_path), loaded(tmp_path, partial=True)

    assert 3 == len(whole.examples)
    assert not brief.examples
    assert brief == replace(whole, examples=())
