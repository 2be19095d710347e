"""A rule may be about several kinds that share the paths it reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infrascan.evaluate import RuleErrors, RuleSet, evaluate, load, prove
from infrascan.evaluate.command import filled
from infrascan.evaluate.path import relations
from infrascan.evaluate.prove import staged
from infrascan.model import Gap, Kind, Reason, Relation, Resource
from tests.evaluate.language import NOW

DEPLOYMENT = Kind(
    name="k8s.deployment",
    title="Deployment",
    provider="k8s",
    relations=(Relation(name="pods", path="refs[]", to="k8s.pod", by="id", reverse="deployments"),),
    fields={"metadata": {"namespace": {}}, "refs": {"[]": {}}, "pod_spec": {"hostPID": {}}},
)
POD = Kind(
    name="k8s.pod",
    title="Pod",
    provider="k8s",
    fields={"metadata": {"namespace": {}}, "pod_spec": {"hostPID": {}}, "phase": {}},
)
NODE = Kind(name="k8s.node", title="Node", provider="k8s", fields={"spec": {}})
OTHER = Kind(name="aws.ec2.instance", title="Instance", provider="aws", fields={})
KINDS = {kind.name: kind for kind in (DEPLOYMENT, POD, NODE, OTHER)}

RULE = """
id: k8s.workload.sees-all
title: Pod sees all processes of its node
category: security
severity: high
resource: {resource}
flag_when: {flag_when}
why: A program here may read the memory of every other program on the node.
fix: {{text: Remove hostPID., command: "kubectl -n {{namespace}} edit {{kind}} {{name}}"}}
examples:
  - {{flag: it is set, given: {{pod_spec: {{hostPID: true}}}}}}
  - {{pass: it is not set, given: {{pod_spec: {{hostPID: false}}}}}}
"""
BOTH = "[k8s.deployment, k8s.pod]"
SET = "{pod_spec.hostPID: true}"


def loaded(folder: Path, resource: str = BOTH, flag_when: str = SET) -> RuleSet:
    file = folder / "k8s" / "workload" / "sees-all.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(RULE.format(resource=resource, flag_when=flag_when))
    return load([folder], KINDS)


def resource(kind: str, name: str, **data: object) -> Resource:
    return Resource(
        kind=kind,
        id=f"shop/{name}",
        name=name,
        provider="k8s",
        account="lab",
        data={"metadata": {"namespace": "shop"}, **data},
    )


def gap(kind: str) -> Gap:
    return Gap(provider="k8s", account="lab", kind=kind, reason=Reason.DENIED, detail="denied")


def test_each_kind_is_judged_and_counted(tmp_path: Path) -> None:
    rules = loaded(tmp_path)
    (rule,) = rules
    assert prove(rule, KINDS) == []
    found = evaluate(
        rules,
        [
            resource("k8s.deployment", "a", pod_spec={"hostPID": True}),
            resource("k8s.pod", "b", pod_spec={"hostPID": True}),
            resource("k8s.pod", "c", pod_spec={"hostPID": False}),
            resource("k8s.node", "d", pod_spec={"hostPID": True}),
        ],
        [],
        now=NOW,
    )
    assert [(f.kind, f.resource_id) for f in found.findings] == [
        ("k8s.deployment", "shop/a"),
        ("k8s.pod", "shop/b"),
    ]
    assert [f.command for f in found.findings] == [
        "kubectl -n shop edit deployment a",
        "kubectl -n shop edit pod b",
    ]
    (summary,) = found.rules
    assert (summary.kind, summary.flagged, summary.passed) == ("k8s.deployment, k8s.pod", 2, 1)


def test_each_kind_that_was_not_read_is_an_unknown_of_its_own(tmp_path: Path) -> None:
    gaps = [gap("k8s.pod"), gap("k8s.deployment"), gap("k8s.node")]
    found = evaluate(loaded(tmp_path), [], gaps, now=NOW)
    assert sorted(u.kind for u in found.unknowns) == ["k8s.deployment", "k8s.pod"]


def test_a_path_or_relation_of_one_kind_is_missing_in_the_others(tmp_path: Path) -> None:
    rules = loaded(tmp_path, flag_when="{pods|count: 0, not: {phase: Running}}")
    found = evaluate(
        rules,
        [
            resource("k8s.deployment", "a"),
            resource("k8s.pod", "b"),
            resource("k8s.pod", "c", phase="Running"),
        ],
        [],
        now=NOW,
    )
    assert [f.resource_id for f in found.findings] == ["shop/a", "shop/b"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"pod_spec": {"hostPID": True}}, "k8s.deployment"),
        ({"pod_spec": {"hostPID": True}, "phase": "Running"}, "k8s.pod"),
        ({"pods": []}, "k8s.deployment"),
        ({"tags": {"a": "b"}, "deployments": []}, "k8s.pod"),
        ({"nobody": "has this"}, "k8s.deployment"),
    ],
)
def test_an_example_is_of_the_first_kind_that_has_what_it_gives(
    tmp_path: Path, given: dict[str, object], kind: str
) -> None:
    (rule,) = loaded(tmp_path)
    example = replace(rule.examples[0], given=given)
    assert staged(example, rule, KINDS, relations(KINDS)).kind == kind


@pytest.mark.parametrize(
    ("kinds", "complaint"),
    [
        ("[]", "resource must name a kind"),
        ("[k8s.pod, k8s.pod]", "'k8s.pod' is given twice"),
        ("[k8s.pod, k8s.deploymnt]", "did you mean 'k8s.deployment'?"),
        ("[k8s.pod, 7]", "resource must be a string"),
        ("[k8s.pod, aws.ec2.instance]", "must begin with estate/"),
    ],
)
def test_a_wrong_list_of_kinds_is_refused(tmp_path: Path, kinds: str, complaint: str) -> None:
    with pytest.raises(RuleErrors, match=complaint.replace("?", r"\?")):
        loaded(tmp_path, resource=kinds)


def test_a_path_that_no_kind_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleErrors, match="there is no field or relation 'phrase'"):
        loaded(tmp_path, flag_when="{phrase: Running}")


def test_the_kind_in_a_command_is_spelled_as_kubectl_does() -> None:
    assert filled("kubectl get {kind} {name}", resource("k8s.stateful_set", "db")) == (
        "kubectl get statefulset db"
    )
