"""Who spends what: each dollar belongs to one resource, and is saved at most once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.model import Finding, Gap, Reason, Resource, Scan, Spent
from infrascan.pricing import count_once, payers, price_all
from infrascan.reason.spending import owner_of, parted, savings, spending
from tests.pricing.estate import group, instance, node, resource, volume
from tests.pricing.test_counting import estates, findings_of
from tests.render import made_scans

TAGS: tuple[dict[str, str], ...] = (
    {},
    {"team": "payments"},
    {"Owner": " Payments "},
    {"cost-center": "42", "Name": "x"},
    {"acme.io/team": "data"},
    {"unrelated": "owner"},
)


def scan_of(estate: list[Resource], findings: Sequence[Finding]) -> Scan:
    total, unpriced = price_all(estate)
    found = replace(made_scans.nothing())
    found.resources, found.monthly_cost, found.unpriced = estate, total, unpriced
    found.findings = count_once(findings, estate)
    found.spending = spending(found)
    return found


@st.composite
def owned(draw: st.DrawFn) -> list[Resource]:
    """An estate with owners: by tags, by namespaces, by states, and with none."""
    estate = draw(estates())
    dice = draw(st.randoms(use_true_random=False))
    claims = [in_cluster("k8s.persistent_volume_claim", f"ns-{n}", f"claim-{n}") for n in range(2)]
    for each in estate:
        each.data["tags"] = dict(dice.choice(TAGS))
        if each.kind == "aws.ec2.volume" and dice.random() < 0.4:
            disk = in_cluster("k8s.persistent_volume", "", f"pv-{each.id}")
            disk.links["volume"] = [each]
            disk.links["persistent_volume_claims"] = dice.sample(claims, dice.choice((1, 1, 2)))
            each.links["persistent_volumes"] = [disk]
        if dice.random() < 0.2:
            each.links["managed_by"] = [made("terraform.resource", "prod/network")]
        if dice.random() < 0.1:
            del each.data["tags"]
            each.unread["tags"] = denied(each)
    return estate


def made(kind: str, account: str, **data: Any) -> Resource:
    found = resource(kind, data)
    found.account = account
    return found


def in_cluster(kind: str, namespace: str, name: str, **data: Any) -> Resource:
    found = made(kind, "prod", metadata={"name": name, "namespace": namespace or None}, **data)
    found.id = found.name = name
    return found


def denied(resource: Resource) -> Gap:
    return Gap(
        provider="aws", call="ec2.DescribeTags", reason=Reason.DENIED, detail="denied",
        resource=resource.key, field="tags",
    )  # fmt: skip


def rows(scan: Scan, by: str) -> list[Spent]:
    return [row for row in scan.spending if row.by == by]


def cents(amount: float) -> int:
    return round(amount * 100)


@settings(max_examples=1000, deadline=None)
@given(owned(), st.randoms(use_true_random=False))
def test_nobody_saves_more_than_they_spend(estate: list[Resource], dice: random.Random):
    findings = findings_of(estate)
    scan = scan_of(estate, findings)
    cost = {r.key: cents(r.data.get("monthly_cost", 0.0)) for r in scan.resources}
    saved = savings(scan.findings, scan.resources)
    assert all(0 <= saved[key] <= cost[key] for key in saved)
    for by in ("owner", "service", "provider"):
        assert all(0 <= row.saving <= row.cost for row in rows(scan, by))
        assert sum(cents(row.cost) for row in rows(scan, by)) == cents(scan.monthly_cost)
        assert sum(cents(row.saving) for row in rows(scan, by)) == sum(saved.values())
    assert abs(sum(saved.values()) - cents(scan.monthly_saving)) <= len(scan.findings)
    assert scan.monthly_saving <= scan.monthly_cost + 0.005 * len(estate)

    before = scan.spending
    dice.shuffle(estate)
    dice.shuffle(findings)
    assert scan_of(estate, findings).spending == before


def test_savings_are_those_of_the_findings_to_the_cent():
    pool = group(*(instance("m5.large", id=f"i-{n}") for n in range(3)))
    estate = [pool, *pool.links["instances"], volume("gp2", 333)]
    scan = scan_of(estate, findings_of(estate))
    for by in ("owner", "service", "provider"):
        assert sum(cents(row.saving) for row in rows(scan, by)) == cents(scan.monthly_saving) > 0


@settings(max_examples=300)
@given(st.integers(0, 10**7), st.lists(st.integers(0, 10**6), max_size=8))
def test_an_amount_is_parted_to_the_cent_and_never_above_a_cost(amount: int, costs: list[int]):
    found = dict(parted(amount, [(str(n), cost) for n, cost in enumerate(costs)]))
    assert sum(found.values()) == min(amount, sum(costs))
    assert all(0 <= found[str(n)] <= cost for n, cost in enumerate(costs))


def test_a_saving_on_a_pool_is_that_of_its_machines_owners():
    members = [instance("m5.large", id=f"i-{n}") for n in range(2)]
    members[0].data["tags"] = {"team": "red"}
    members[1].data["tags"] = {"team": "blue"}
    pool = group(*members)
    pool.data["tags"] = {"team": "platform"}
    scan = scan_of([pool, *members], [f for f in findings_of([pool]) if f.rule == "rule-0"])
    by_name = {row.name: row for row in rows(scan, "owner")}
    assert by_name.keys() == {"red", "blue"}
    assert by_name["red"].saving == by_name["red"].cost == by_name["blue"].saving > 0


def test_a_saving_on_a_node_is_the_clouds_not_the_clusters():
    machine = instance("m5.large")
    worker = node("m5.large", "us-east-1", "aws:///us-east-1a/i-1")
    worker.links["instance"] = [machine]
    assert payers(worker) == (machine,)
    scan = scan_of([worker, machine], [f for f in findings_of([worker]) if f.rule == "rule-1"])
    assert [(row.name, row.saving) for row in rows(scan, "provider")] == [
        ("aws", scan.monthly_saving)
    ]


def test_deleting_a_machine_and_shrinking_its_disk_save_two_different_costs():
    machine, disk = instance("m5.large"), volume("gp2", 100)
    machine.links["volumes"] = [disk]
    findings = [
        *(f for f in findings_of([machine]) if f.rule == "rule-0"),
        *(f for f in findings_of([disk]) if f.rule == "rule-3"),
    ]
    scan = scan_of([machine, disk], findings)
    (row,) = rows(scan, "provider")
    assert all(f.saving_counted for f in scan.findings)
    assert disk.data["monthly_cost"] > row.cost - row.saving > 0


def test_deleting_a_stopped_machine_and_its_disk_save_the_disk_once():
    machine, disk = instance("m5.large", state="stopped"), volume("gp2", 100)
    machine.links["volumes"] = [disk]
    findings = [f for f in findings_of([machine, disk]) if f.rule == "rule-0"]
    scan = scan_of([machine, disk], findings)
    assert len([f for f in scan.findings if f.saving]) == 2
    (row,) = rows(scan, "service")
    assert row.saving == row.cost == disk.data["monthly_cost"]


@pytest.mark.parametrize(
    ("tags", "name", "told"),
    [
        ({"Owner": "Ada", "team": "red"}, "ada", "tag owner"),
        ({"TEAM": "Red", "department": "it"}, "red", "tag team"),
        ({"acme.example/cost-center": "7"}, "7", "tag costcenter"),
        ({"org:Team_Name": "red"}, "red", "tag teamname"),
        ({"owner": "  ", "squad": "blue"}, "blue", "tag squad"),
        ({"Name": "owner"}, "", ""),
        ({"owner": 7}, "", ""),
        ([], "", ""),
        (None, "", ""),
    ],
)
def test_the_most_telling_tag_names_the_owner(tags: Any, name: str, told: str):
    found = owner_of(volume(tags=tags))
    assert (found.name, found.told) == (name, told)


def test_a_disk_in_a_cluster_is_its_namespaces_unless_several_have_it():
    disk = volume()
    seen = in_cluster("k8s.persistent_volume", "", "pv")
    disk.links["persistent_volumes"] = [seen]
    claims = [in_cluster("k8s.persistent_volume_claim", name, name) for name in ("shop", "shop")]
    seen.links["persistent_volume_claims"] = claims
    assert owner_of(disk).name == "prod/shop"
    claims[1].data["metadata"]["namespace"] = "wiki"
    assert owner_of(disk).name == ""
    claims[1].data["metadata"]["namespace"] = "shop"
    space = in_cluster("k8s.namespace", "", "shop", tags={"team": "red"})
    claims[0].links["namespace"] = [space]
    assert (owner_of(disk).name, owner_of(disk).told) == ("red", "label team of its namespace")


def test_a_state_is_the_owner_of_what_has_no_other():
    disk = volume()
    disk.links["managed_by"] = [made("terraform.resource", "prod/network")]
    assert owner_of(disk).name == "prod/network"
    disk.data["tags"] = {"team": "red"}
    assert owner_of(disk).name == "red"


def test_an_owner_that_was_not_read_is_not_no_owner():
    disk = volume()
    disk.unread["tags"] = denied(disk)
    (row,) = rows(scan_of([disk, volume(id="vol-2")], []), "owner")
    assert (row.name, row.resources, row.unsure) == ("", 2, 1)


def test_what_costs_money_and_has_no_price_is_counted_beside_the_cost():
    odd = volume("xx9", id="vol-odd", tags={"team": "red"})
    (row,) = rows(scan_of([odd, volume(tags={"team": "red"})], []), "owner")
    assert (row.resources, row.unpriced) == (1, 1)
    assert row.cost > 0


def test_owners_are_told_in_every_report_a_person_reads():
    from infrascan.render import render

    scan = made_scans.estate(60)
    owners = Counter({row.name: row.cost for row in rows(scan, "owner") if row.cost})
    dearest = owners.most_common(1)[0][0]
    for name in ("html", "markdown", "terminal", "json"):
        assert dearest in "".join(render(name, scan)), name
