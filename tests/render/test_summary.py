"""The figures that every report shares."""

from __future__ import annotations

from dataclasses import replace

from infrascan.model import Price, Reason, Severity
from infrascan.render.gaps import grouped
from infrascan.render.summary import money, steps, summarize, worst_first

from . import made_scans


def test_gaps_with_the_same_call_reason_account_and_permission_are_one_group():
    groups = grouped(made_scans.estate())
    found = {(g.call, g.account): g for g in groups}
    buckets = found["s3.GetBucketPolicy", made_scans.ACCOUNTS[1]]
    assert (buckets.gaps, buckets.resources, buckets.unknowns) == (4, 4, 4)
    detectors = found["guardduty.ListDetectors", made_scans.ACCOUNTS[0]]
    assert (detectors.gaps, detectors.regions) == (3, tuple(sorted(made_scans.REGIONS)))


def test_the_group_that_leaves_the_worst_rule_open_comes_first():
    groups = grouped(made_scans.estate())
    assert (groups[0].call, groups[0].worst) == ("s3.GetBucketPolicy", Severity.CRITICAL)
    assert groups[0].remedy == "Grant s3:GetBucketPolicy."


def test_a_gap_that_only_an_unknown_names_is_a_gap():
    scan = made_scans.estate()
    scan.gaps = []
    assert sum(group.unknowns for group in grouped(scan)) == len(scan.unknowns)


def test_what_is_not_offered_comes_last():
    scan = made_scans.estate()
    scan.gaps = [replace(scan.gaps[4], reason=Reason.DISABLED), *scan.gaps]
    assert grouped(scan)[-1].reason is Reason.DISABLED


def test_every_reason_has_a_word_and_a_way_out():
    scan = made_scans.estate()
    scan.gaps = [replace(scan.gaps[0], reason=reason, permission="") for reason in Reason]
    scan.unknowns = []
    groups = grouped(scan)
    assert {group.reason for group in groups} == set(Reason)
    assert all(group.word and group.remedy.endswith(".") for group in groups)


def test_steps_are_one_per_rule_and_the_worst_first():
    scan = made_scans.estate(200)
    found = steps(worst_first(scan.findings))
    assert len({step.rule for step in found}) == len(found) == 5
    ranks = [step.severity.rank for step in found]
    assert ranks == sorted(ranks)


def test_the_largest_saving_has_a_place_among_the_steps():
    scan = made_scans.estate(200)
    findings = [
        replace(f, severity=Severity.CRITICAL, rule=f"{f.rule}-{n}", saving=None)
        for n, f in enumerate(scan.findings[:6])
    ]
    rich = replace(
        scan.findings[5], severity=Severity.LOW, saving=Price(monthly=9000, source="x", date="y")
    )
    found = steps(worst_first([*findings, rich]))
    assert found[-1].saving == 9000
    assert [step.severity for step in found[:-1]] == [Severity.CRITICAL] * 4


def test_a_saving_that_is_not_counted_adds_nothing():
    scan = made_scans.estate(60)
    scan.findings = [replace(f, saving_counted=False) for f in scan.findings]
    summary = summarize(scan)
    assert summary.saving == 0
    assert {spend.saving for spend in summary.spend_by_kind} == {0.0}


def test_the_figures_add_up():
    scan = made_scans.estate(200)
    summary = summarize(scan)
    assert sum(summary.severities.values()) == 200
    assert sum(sum(row.values()) for row in summary.matrix.values()) == 200
    assert sum(sum(row.values()) for row in summary.providers.values()) == 200
    assert round(sum(spend.cost for spend in summary.spend_by_kind), 2) == scan.monthly_cost
    assert sum(summary.states.values()) == len(scan.coverage)


def test_money_has_cents_where_they_matter():
    assert [money(a) for a in (0, 1.5, 99.999, 1234.5, -3)] == [
        "$0.00",
        "$1.50",
        "$100.00",
        "$1,234",
        "-$3.00",
    ]
