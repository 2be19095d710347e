"""Nothing that was not read is ever called fixed, and everything is called something once."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrascan.model import (
    Connection,
    Coverage,
    Gap,
    Identity,
    InputError,
    Reason,
    Resource,
    Scan,
    Severity,
    State,
)
from infrascan.store.changes import as_dict
from infrascan.store.diff import BUCKETS, THINGS, Cause, Diff, diff
from infrascan.store.inventory import differences
from infrascan.store.scans import write
from tests.store.estate import IDLE, KIND_OF, OPEN, PLAIN, clone, estate, judged, volume

NEEDS = {OPEN: "IpPermissions", IDLE: "metrics", PLAIN: "Encrypted"}
VOLUME, GROUP = KIND_OF[PLAIN], KIND_OF[OPEN]


def base() -> Scan:
    return estate(40)


def again(resources: list[Resource], id: str = "after") -> Scan:
    """A scan of the same estate as it is now."""
    for resource in resources:
        resource.links = {}
    scan = judged(sorted(resources, key=lambda r: r.key), id)
    seen = {entry.partition for entry in scan.coverage}
    scan.coverage += [
        replace(entry, state=State.READ, resources=0, calls=1, failed=0)
        for entry in base().coverage
        if entry.partition not in seen
    ]
    return scan


def edited(edit: Callable[[list[Resource]], None]) -> tuple[Scan, Scan]:
    before = base()
    resources = clone(before).resources
    edit(resources)
    return before, again(resources)


def ids(changes: Any) -> set[tuple[str, str]]:
    return {(change.finding.rule, change.finding.resource) for change in changes}


def deny(resource: Resource, field: str) -> None:
    resource.data.pop(field, None)
    resource.unread[field] = Gap(
        provider=resource.provider,
        account=resource.account,
        region=resource.region,
        kind=resource.kind,
        call="ec2.Describe",
        reason=Reason.DENIED,
        detail="not authorized",
        resource=resource.key,
        field=field,
    )


def without(scan: Scan, entry: Coverage, state: State | None, detail: str = "denied") -> None:
    """Take the resources of a partition out of a scan; None takes it out of the scope."""
    at = entry.partition

    def inside(one: Any) -> bool:
        return (one.provider, one.account, one.region, one.kind) == (
            at.provider,
            at.account,
            at.region,
            at.kind,
        )

    scan.resources = [r for r in scan.resources if not inside(r)]
    scan.findings = [f for f in scan.findings if not inside(f)]
    scan.unknowns = [u for u in scan.unknowns if not inside(u)]
    scan.gaps = [g for g in scan.gaps if not inside(g)]
    scan.coverage.remove(entry)
    if state is not None:
        scan.coverage.append(replace(entry, state=state, resources=0))
        scan.gaps.append(
            Gap(
                provider=at.provider,
                account=at.account,
                region=at.region,
                kind=at.kind,
                reason=Reason.DENIED,
                detail=detail,
            )
        )


def flagged(scan: Scan, rule: str) -> Resource:
    key = next(finding.resource for finding in scan.findings if finding.rule == rule)
    return next(resource for resource in scan.resources if resource.key == key)


def test_a_scan_does_not_differ_from_itself() -> None:
    found = diff(None, base(), base())
    assert all(not getattr(found, name) for name in BUCKETS)
    assert all(not getattr(found.resources, name) for name in THINGS)
    assert found.unchanged == len(base().findings)
    assert found.resources.unchanged == len(base().resources)
    assert found.coverage == ()


def test_a_change_of_the_infrastructure_is_fixed_and_the_reverse_is_new() -> None:
    target = flagged(base(), PLAIN).key

    def encrypt(resources: list[Resource]) -> None:
        next(r for r in resources if r.key == target).data["Encrypted"] = True

    before, after = edited(encrypt)
    there, back = diff(None, before, after), diff(None, after, before)
    (change,) = there.fixed
    assert (change.finding.resource, change.cause) == (target, Cause.INFRASTRUCTURE)
    assert ids(back.new) == {(PLAIN, target)}
    assert [(t.key, t.paths) for t in there.resources.changed] == [
        (target, (("Encrypted", False, True),))
    ]
    assert back.exceeds(Severity.MEDIUM)
    assert not back.exceeds(Severity.HIGH)
    assert not there.exceeds(Severity.INFO)


def test_a_resource_that_is_gone_is_fixed_and_removed() -> None:
    target = flagged(base(), PLAIN).key
    before, after = edited(
        lambda resources: resources.remove(next(r for r in resources if r.key == target))
    )
    found = diff(None, before, after)
    assert ids(found.fixed) == {(PLAIN, target)}
    assert found.fixed[0].detail == "the resource is gone"
    assert [thing.key for thing in found.resources.removed] == [target]


@pytest.mark.parametrize("told", [True, False], ids=["with unknowns", "from unread alone"])
def test_a_lost_permission_is_never_fixed(told: bool) -> None:
    target = flagged(base(), PLAIN).key
    before, after = edited(
        lambda resources: deny(next(r for r in resources if r.key == target), "Encrypted")
    )
    if not told:
        after.unknowns = []
    found = diff(None, before, after)
    assert ids(found.became_unknown) == {(PLAIN, target)}
    assert found.fixed == ()
    assert found.became_unknown[0].cause is Cause.COVERAGE
    assert [(t.key, t.lost) for t in found.resources.became_unknown] == [(target, ("Encrypted",))]
    back = diff(None, after, before)
    assert ids(back.became_known) == {(PLAIN, target)}
    assert back.new == ()
    assert not back.exceeds(Severity.INFO)


@pytest.mark.parametrize("state", [State.UNREAD, State.PARTIAL])
def test_a_listing_that_failed_or_ended_early_fixes_nothing(state: State) -> None:
    before, after = base(), base()
    entry = next(entry for entry in after.coverage if entry.partition.kind == GROUP)
    without(after, entry, state)
    found = diff(None, before, after)
    assert found.fixed == ()
    assert {change.finding.kind for change in found.became_unknown} == {GROUP}
    assert {thing.kind for thing in found.resources.became_unknown} == {GROUP}
    assert found.resources.removed == ()
    assert [(m.place.kind, m.after) for m in found.coverage] == [(GROUP, state.value)]


def test_a_partial_listing_whose_details_alone_are_missing_still_shows_what_is_gone() -> None:
    before = base()
    target = flagged(before, PLAIN)
    resources = clone(before).resources
    place = (target.account, target.region, target.kind)
    neighbour = next(
        r for r in resources if (r.account, r.region, r.kind) == place and r.key != target.key
    )
    deny(neighbour, "attributes")
    after = again([r for r in resources if r.key != target.key])
    found = diff(None, before, after)
    assert (PLAIN, target.key) in ids(found.fixed)


def test_what_left_the_scope_is_no_longer_scanned() -> None:
    before, after = base(), base()
    for entry in list(after.coverage):
        if entry.partition.region == "eu-west-1":
            without(after, entry, None)
    found = diff(None, before, after)
    assert found.fixed == ()
    assert {change.finding.region for change in found.no_longer_scanned} == {"eu-west-1"}
    assert {change.cause for change in found.no_longer_scanned} == {Cause.COVERAGE}
    assert len(found.resources.no_longer_scanned) == sum(
        resource.region == "eu-west-1" for resource in before.resources
    )
    back = diff(None, after, before)
    assert ids(back.new) == ids(found.no_longer_scanned)
    assert {change.cause for change in back.new} == {Cause.COVERAGE}


@pytest.mark.parametrize(
    "lost",
    [
        {"gaps": [Gap(provider="aws", reason=Reason.UNAUTHENTICATED, detail="expired")]},
        {"gaps": [Gap(provider="aws", account="111122223333", reason=Reason.DENIED, detail="no")]},
        {"identities": [Identity(provider="aws", state=Connection.ERROR, detail="expired")]},
        {
            "gaps": [
                Gap(
                    provider="aws",
                    account="111122223333",
                    region=region,
                    reason=Reason.UNREACHABLE,
                    detail="no route",
                )
                for region in ("eu-west-1", "us-east-1", "ap-south-1")
            ]
        },
    ],
    ids=["the provider", "the account", "an identity", "each region"],
)
def test_an_account_whose_credentials_failed_became_unknown(lost: dict[str, Any]) -> None:
    before, after = base(), base()
    for entry in list(after.coverage):
        if entry.partition.account == "111122223333":
            without(after, entry, None)
    for name, value in lost.items():
        setattr(after, name, value)
    found = diff(None, before, after)
    assert found.fixed == ()
    assert found.no_longer_scanned == ()
    assert {change.finding.account for change in found.became_unknown} == {"111122223333"}


def test_a_rule_that_did_not_run_fixes_nothing() -> None:
    before, after = base(), base()
    after.rules = [rule for rule in after.rules if rule.rule != PLAIN]
    after.findings = [finding for finding in after.findings if finding.rule != PLAIN]
    found = diff(None, before, after)
    assert found.fixed == ()
    assert {change.cause for change in found.no_longer_scanned} == {Cause.RULE}
    assert {change.finding.rule for change in found.no_longer_scanned} == {PLAIN}
    back = diff(None, after, before)
    assert {change.cause for change in back.new} == {Cause.RULE}


def test_a_rule_that_was_rewritten_is_the_cause() -> None:
    before, after = base(), base()
    after.rules = [replace(rule, definition=f"{rule.definition} 2") for rule in after.rules]
    after.findings = [finding for finding in after.findings if finding.rule != PLAIN]
    after.findings = [
        replace(finding, severity=Severity.LOW) if finding.rule == OPEN else finding
        for finding in after.findings
    ]
    found = diff(None, before, after)
    assert {change.cause for change in found.fixed} == {Cause.RULE}
    assert {change.detail for change in found.changed} == {"severity critical → low"}
    assert {change.cause for change in found.changed} == {Cause.RULE}


def test_evidence_and_savings_change_a_finding_and_its_load_does_not() -> None:
    before, after = base(), base()

    def moved(finding: Any) -> Any:
        if finding.rule == IDLE:
            (evidence,) = finding.evidence
            return replace(finding, evidence=(replace(evidence, value=evidence.value + 0.1),))
        return finding

    after.findings = [moved(finding) for finding in after.findings]
    assert diff(None, before, after).changed == ()
    idle = next(at for at, finding in enumerate(after.findings) if finding.rule == IDLE)
    old = after.findings[idle]
    assert old.saving
    after.findings[idle] = replace(old, saving=replace(old.saving, monthly=1.0))
    opened = next(at for at, finding in enumerate(after.findings) if finding.rule == OPEN)
    evidence = replace(after.findings[opened].evidence[0], value="::/0")
    after.findings[opened] = replace(after.findings[opened], evidence=(evidence,))
    found = diff(None, before, after)
    assert sorted(change.detail for change in found.changed) == [
        "another saving",
        "other evidence",
    ]


def test_evidence_on_a_linked_resource_that_is_not_read_makes_it_unknown() -> None:
    before, after = base(), base()
    instance = next(r for r in before.resources if r.links.get("security_groups"))
    linked = instance.links["security_groups"][0]
    old = next(f for f in before.findings if f.resource == linked.key)
    before.findings.append(
        replace(
            old,
            rule=IDLE,
            kind=instance.kind,
            resource=instance.key,
            resource_id=instance.id,
            region=instance.region,
            account=instance.account,
        )
    )
    before.findings = list({f.id: f for f in before.findings}.values())
    after.findings = [f for f in before.findings if f.resource != instance.key]
    assert (IDLE, instance.key) in ids(diff(None, before, after).fixed)
    at = next(
        entry
        for entry in after.coverage
        if (entry.partition.account, entry.partition.region, entry.partition.kind)
        == (linked.account, linked.region, linked.kind)
    )
    without(after, at, State.UNREAD)
    assert (IDLE, instance.key) in ids(diff(None, before, after).became_unknown)


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "delete", "add", "deny", "unread", "truncate", "out", "rule"]),
        st.integers(0, 10_000),
    ),
    max_size=12,
)


def scrambled(edits: list[tuple[str, int]], id: str) -> Scan:
    """The estate after some edits, the last of them on what the scan could see of it."""
    resources = base().resources
    for what, number in edits:
        one = resources[number % len(resources)]
        if what == "flip" and one.kind == VOLUME and "Encrypted" in one.data:
            one.data["Encrypted"] = not one.data["Encrypted"]
        elif what == "flip" and one.kind == GROUP and "IpPermissions" in one.data:
            one.data["IpPermissions"][0]["IpRanges"][0]["CidrIp"] = "10.0.0.0/8"
        elif what == "flip" and "metrics" in one.data:
            one.data["metrics"]["CPUUtilization"]["average"] = number % 10
        elif what == "delete" and len(resources) > 10:
            resources.remove(one)
        elif what == "add" and one.kind == VOLUME:
            data = volume(100_000 + number)
            new = Resource(
                kind=VOLUME,
                id=data["VolumeId"],
                name="",
                provider="aws",
                account=one.account,
                region=one.region,
                data=data,
            )
            if new.key not in {r.key for r in resources}:
                resources.append(new)
        elif what == "deny":
            for rule, kind in KIND_OF.items():
                if one.kind == kind:
                    deny(one, NEEDS[rule])
    scan = again(resources, id)
    for what, number in edits:
        states = {"unread": State.UNREAD, "truncate": State.PARTIAL, "out": None}
        if what in states and scan.coverage:
            without(scan, scan.coverage[number % len(scan.coverage)], states[what])
        elif what == "rule":
            rule = list(KIND_OF)[number % 3]
            scan.rules = [one for one in scan.rules if one.rule != rule]
            scan.findings = [one for one in scan.findings if one.rule != rule]
            scan.unknowns = [one for one in scan.unknowns if one.rule != rule]
    return scan


def buckets_of(found: Diff, names: tuple[str, ...]) -> Counter[tuple[str, str]]:
    return Counter(at for name in names for at in sorted(ids(getattr(found, name))))


LAWS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@LAWS
@given(one=EDITS, two=EDITS)
def test_every_finding_lands_in_exactly_one_bucket(one: Any, two: Any) -> None:
    before, after = scrambled(one, "a"), scrambled(two, "b")
    found = diff(None, before, after)
    gone = buckets_of(found, ("fixed", "changed", "became_unknown", "no_longer_scanned"))
    come = buckets_of(found, ("new", "changed", "became_known"))
    assert set(gone.values()) <= {1}
    assert set(come.values()) <= {1}
    was = {(f.rule, f.resource) for f in before.findings}
    now = {(f.rule, f.resource) for f in after.findings}
    assert set(gone) - set(come) == was - now
    assert set(come) - set(gone) == now - was
    assert len(gone) + found.unchanged == len(was)
    assert len(come) + found.unchanged == len(now)


@LAWS
@given(one=EDITS, two=EDITS)
def test_fixed_means_that_it_was_looked_at(one: Any, two: Any) -> None:
    before, after = scrambled(one, "a"), scrambled(two, "b")
    present = {resource.key: resource for resource in after.resources}
    unlisted = {(gap.account, gap.region, gap.kind) for gap in after.gaps if not gap.resource}
    listed = {
        (entry.partition.account, entry.partition.region, entry.partition.kind)
        for entry in after.coverage
    }
    for change in diff(None, before, after).fixed:
        finding = change.finding
        at = (finding.account, finding.region, finding.kind)
        assert at in listed
        if resource := present.get(finding.resource):
            assert NEEDS[finding.rule] not in resource.unread
            assert finding.rule in {rule.rule for rule in after.rules}
        else:
            assert at not in unlisted


@LAWS
@given(one=EDITS, two=EDITS)
def test_new_and_fixed_mirror_each_other_when_both_saw_the_same(one: Any, two: Any) -> None:
    seeing = {"flip", "delete", "add"}
    before = scrambled([edit for edit in one if edit[0] in seeing], "a")
    after = scrambled([edit for edit in two if edit[0] in seeing], "b")
    there, back = diff(None, before, after), diff(None, after, before)
    assert ids(there.new) == ids(back.fixed)
    assert ids(there.fixed) == ids(back.new)
    assert not there.became_unknown
    assert not there.no_longer_scanned
    assert {t.key for t in there.resources.added} == {t.key for t in back.resources.removed}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(one=EDITS, two=EDITS)
def test_stored_scans_differ_as_scans_in_memory_do(tmp_path: Path, one: Any, two: Any) -> None:
    home = tmp_path / "a home [x]"
    shutil.rmtree(home, ignore_errors=True)
    before, after = scrambled(one, "a"), scrambled(two, "b")
    write(before, home)
    write(after, home)
    expected = diff(None, before, after)
    assert diff(home, "a", "b") == expected
    assert diff(home, before, "b") == expected


def test_the_json_shape_says_the_true_lengths_and_cuts_long_lists(tmp_path: Path) -> None:
    before, after = base(), base()
    for entry in list(after.coverage):
        without(after, entry, None)
    whole = as_dict(diff(None, before, after))
    assert json.loads(json.dumps(whole)) == whole
    assert whole["format"] == "infrascan.diff/1"
    assert whole["summary"]["resources"]["no_longer_scanned"] == len(before.resources)
    assert whole["summary"]["findings"]["no_longer_scanned"] == len(before.findings)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", 1, 2)]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", 2, 3), ("a[2]", None, 4)]),
        ({"a": [{"x": 1}]}, {"a": [{"x": 2}]}, [("a[0].x", 1, 2)]),
        ({"a": None}, {}, [("a", None, None)]),
        ({"m": {"a.b/c": 1}}, {"m": {"a.b/c": 2}}, [('m["a.b/c"]', 1, 2)]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", {"b": 1}, [1])]),
        ({"metadata": {"resourceVersion": "1"}}, {"metadata": {"resourceVersion": "2"}}, []),
        ({"a": 1}, {"a": 1}, []),
    ],
)
def test_paths_name_what_differs(before: Any, after: Any, expected: Any) -> None:
    assert list(differences(before, after)) == expected


def test_a_scan_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    write(estate(4, id="a"), tmp_path)
    with pytest.raises(InputError, match="no scan 'zzz'"):
        diff(tmp_path, "a", "zzz")
