"""What to do first: what ends most, above its parts, with a saving, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

from infrascan.model import Category, Cut, Evidence, Fix, Issue, Path, Price, Severity, Step
from infrascan.render.first import STEPS, steps
from infrascan.render.summary import worst_first

from . import made_scans


def way(
    name: str, fix: Fix, *, severity: Severity = Severity.CRITICAL, across: str = "aws"
) -> Path:
    evidence = (
        Evidence(resource=f"aws.x/1/global/{name}", path="id", value=name),
        Evidence(resource=f"{across}.x/1/global/{name}", path="id", value=name),
    )
    return Path(
        title=f"From the internet to {name}",
        severity=severity,
        steps=(
            Step(source="internet", target="d", relation="r", stage="reach", says="", evidence=evidence),
            Step(source="d", target=name, relation="r", stage="data", says="", fix=fix),
        ),
    )  # fmt: skip


def cut(fix: Fix, *paths: Path) -> Cut:
    return Cut(fixes=(fix,), paths=tuple(path.id for path in paths))


ONE, TWO = Fix(resource="a", text="Close a."), Fix(resource="b", text="Close b.")


def test_the_change_that_crosses_providers_comes_before_one_that_does_not() -> None:
    near, far = way("near", ONE), way("far", TWO, across="cloudflare")
    found = steps([], [near, far], [cut(ONE, near), cut(TWO, far)])

    assert [step.title for step in found] == [far.title, near.title]
    assert [step.does for step in found] == ["Close b.", "Close a."]


def test_of_equally_telling_changes_the_one_that_ends_most_paths_comes_first() -> None:
    alone = way("alone", ONE)
    many = [way(f"many-{n}", TWO) for n in range(3)]
    found = steps([], [alone, *many], [cut(ONE, alone), cut(TWO, *many)])

    assert [len(step.paths) for step in found] == [3, 1]


def test_a_change_comes_before_an_issue_and_an_issue_before_a_rule_of_the_same_severity() -> None:
    findings = worst_first(made_scans.estate(60).findings)
    worst = [f for f in findings if f.severity is Severity.CRITICAL][:2]
    path = way("db", ONE)
    issue = Issue(
        title="it compounds", category=Category.SECURITY, severity=Severity.CRITICAL,
        resource=worst[0].resource, why="both", findings=tuple(f.id for f in worst),
    )  # fmt: skip
    found = steps(findings, [path], [cut(ONE, path)], [issue])

    assert [step.kind for step in found][:3] == ["path", "issue", "rule"]


def test_a_path_that_is_less_bad_does_not_push_out_what_is_worse() -> None:
    findings = worst_first(made_scans.estate(60).findings)
    path = way("db", ONE, severity=Severity.LOW)
    found = steps(findings, [path], [cut(ONE, path)])

    assert found == steps(findings)


def test_an_issue_whose_paths_are_ended_already_is_not_told_again() -> None:
    findings = worst_first(made_scans.estate(60).findings)
    path = way("db", ONE)
    issue = Issue(
        title="it compounds", category=Category.SECURITY, severity=Severity.CRITICAL, resource="db",
        why="w", findings=tuple(f.id for f in findings[:2]), paths=(path.id,),
    )  # fmt: skip
    found = steps(findings, [path], [cut(ONE, path)], [issue])

    assert "issue" not in {step.kind for step in found}


def test_a_saving_has_its_place_however_many_paths_there_are() -> None:
    rich = replace(
        made_scans.estate(60).findings[5],
        severity=Severity.LOW,
        saving=Price(monthly=900, source="s", date="d"),
    )
    paths = [way(f"p{n}", Fix(resource=f"r{n}", text="Close.")) for n in range(9)]
    cuts = [cut(path.steps[1].fix, path) for path in paths if path.steps[1].fix]
    others = [
        replace(rich, rule=f"x.y.z{n}", severity=Severity.CRITICAL, saving=None) for n in range(9)
    ]
    found = steps(worst_first([rich, *others]), paths, cuts)

    assert len(found) == STEPS
    assert found[-1].saving == 900


def test_a_path_of_one_step_is_left_to_the_rule_that_flags_it() -> None:
    only = replace(way("db", ONE), steps=way("db", ONE).steps[1:])
    assert steps([], [only], [cut(ONE, only)]) == ()
