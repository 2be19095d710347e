"""Laws of sums: what is saved never exceeds what is spent, and order does not matter."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from infrascan.model import Category, Finding, Resource, Severity
from infrascan.pricing import count_once, price_all, quote, saving
from tests.pricing.estate import database, group, instance, node, volume

KINDS = ("t3.micro", "m5.large", "m5.xlarge", "c5.large", "q7.mega")
DISKS = ("gp2", "gp3", "io1", "st1", "xx9")
STATES = ("running", "stopped", "terminated")
SPECS = (
    "all",
    {"share": 0.5},
    {"share": 7},
    {"to": {"VolumeType": "gp3"}},
    {"to": {"VolumeType": "io1", "Iops": 9000}},
    {"to": {"InstanceType": "t3.micro"}},
    {"to": {"InstanceType": "m5.xlarge"}},
)

volumes = st.tuples(st.sampled_from(DISKS), st.integers(1, 16000), st.integers(100, 16000))
instances = st.tuples(
    st.sampled_from(KINDS), st.sampled_from(STATES), st.lists(volumes, max_size=3), st.booleans()
)


@st.composite
def estates(draw: st.DrawFn) -> list[Resource]:
    """Instances with volumes, some in a group, some seen as a node; a database."""
    found: list[Resource] = []
    members = []
    for n, (kind, state, disks, pooled) in enumerate(draw(st.lists(instances, max_size=5))):
        machine = instance(kind, id=f"i-{n}", state=state)
        attached = [
            volume(disk, size, id=f"vol-{n}-{m}", Iops=iops)
            for m, (disk, size, iops) in enumerate(disks)
        ]
        machine.links["volumes"] = attached
        found += [machine, *attached]
        if pooled:
            members.append(machine)
            worker = node(kind, "us-east-1", f"aws:///us-east-1a/i-{n}")
            worker.id = worker.name = f"node-{n}"
            worker.links["instance"] = [machine]
            found.append(worker)
    if members:
        found.append(group(*members))
    found.append(database())
    return found


def finding(resource: Resource, rule: str, spec: object) -> Finding:
    cost, saved, note = saving(resource, spec)
    return Finding(
        rule=rule,
        title=rule,
        category=Category.COST,
        severity=Severity.LOW,
        kind=resource.kind,
        resource=resource.key,
        resource_id=resource.id,
        name=resource.name,
        provider=resource.provider,
        account=resource.account,
        region=resource.region,
        evidence=(),
        why="",
        fix="",
        cost=cost,
        saving=saved,
        saving_note=note,
    )


def findings_of(estate: Sequence[Resource]) -> list[Finding]:
    return [finding(r, f"rule-{n}", spec) for r in estate for n, spec in enumerate(SPECS)]


@given(estates())
def test_a_saving_is_between_nothing_and_the_cost(estate: list[Resource]) -> None:
    for found in findings_of(estate):
        if found.saving:
            assert found.cost is not None
            assert 0 <= found.saving.monthly <= found.cost.monthly


@given(estates())
def test_savings_that_count_never_exceed_the_spend(estate: list[Resource]) -> None:
    total, _ = price_all(estate)
    counted = count_once(findings_of(estate), estate)
    saved = sum(f.saving.monthly for f in counted if f.saving and f.saving_counted)
    assert saved <= total + 0.005 * len(estate)


@given(estates(), st.randoms(use_true_random=False))
def test_order_changes_nothing(estate: list[Resource], chance: random.Random) -> None:
    total = price_all(estate)
    found = findings_of(estate)
    counted = {(f.rule, f.resource) for f in count_once(found, estate) if f.saving_counted}
    chance.shuffle(estate)
    chance.shuffle(found)
    assert price_all(estate) == total
    assert counted == {(f.rule, f.resource) for f in count_once(found, estate) if f.saving_counted}


@given(estates())
def test_each_cost_is_in_the_total_once(estate: list[Resource]) -> None:
    own = {payer.key: payer for each in estate for payer in quote(each).of}
    total, _ = price_all(list(own.values()))
    assert price_all(estate)[0] == total


@given(estates())
def test_the_costs_of_resources_add_up_to_the_total(estate: list[Resource]) -> None:
    total, _ = price_all(estate)
    assert round(sum(r.data.get("monthly_cost", 0.0) for r in estate), 2) == total


def test_a_saving_on_a_group_excludes_smaller_ones_on_its_members() -> None:
    members = [instance("m5.large", id=f"i-{n}") for n in range(4)]
    pool = group(*members)
    found = [
        finding(pool, "pool", "all"),
        *(finding(m, "old", {"to": {"InstanceType": "t3.micro"}}) for m in members),
    ]
    counted = count_once(found, [pool, *members])
    assert [f.saving_counted for f in counted] == [True, False, False, False, False]


def test_a_saving_on_one_member_yields_to_a_larger_one_on_the_group_and_not_the_other_way() -> None:
    members = [instance("m5.xlarge", id="i-1"), instance("t3.micro", id="i-2")]
    pool = group(*members)
    found = [
        finding(pool, "pool", {"share": 0.1}),
        finding(members[0], "idle", "all"),
        finding(members[1], "idle", "all"),
    ]
    counted = count_once(found, [pool, *members])
    assert [f.saving_counted for f in counted] == [False, True, True]
