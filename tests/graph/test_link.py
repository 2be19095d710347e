"""Relations are followed both ways, and what was not read is never taken for absent."""

from __future__ import annotations

import gc
import random
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.graph import link
from infrascan.model import (
    Coverage,
    Edge,
    Gap,
    Kind,
    Partition,
    Reason,
    Relation,
    Resource,
    State,
)

ACCOUNT, OTHER = "111111111111", "222222222222"
GROUP_ARN = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:security-group/"


def kinds(*all_kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in all_kinds}


def kind(name: str, *relations: Relation, fields: Any = None) -> Kind:
    provider = name.partition(".")[0]
    return Kind(name=name, title=name, provider=provider, relations=relations, fields=fields)


def thing(
    kind: str,
    id: str,
    data: dict[str, Any] | None = None,
    *,
    account: str = ACCOUNT,
    region: str = "eu-west-1",
    unread: dict[str, Gap] | None = None,
) -> Resource:
    return Resource(
        kind=kind, id=id, name=id.rpartition("/")[2], provider=kind.partition(".")[0],
        account=account, region=region, data=data or {}, unread=unread or {},
    )  # fmt: skip


def gap(kind: str = "", **more: Any) -> Gap:
    details: dict[str, Any] = {"provider": "aws", "account": ACCOUNT, "region": "eu-west-1"}
    return Gap(reason=Reason.DENIED, detail="denied", kind=kind, **(details | more))


def covered(kind: str, account: str = ACCOUNT, region: str = "eu-west-1") -> Coverage:
    part = Partition(provider="aws", account=account, region=region, kind=kind)
    return Coverage(partition=part, state=State.READ, resources=1, calls=1, failed=0)


GROUPS = Relation(
    name="groups", path="Groups[].GroupId", to="aws.ec2.group", by="GroupId", reverse="instances"
)
EC2 = kinds(kind("aws.ec2.instance", GROUPS), kind("aws.ec2.group"))


def instance(id: str = "i-1", *groups: str, **more: Any) -> Resource:
    return thing("aws.ec2.instance", id, {"Groups": [{"GroupId": g} for g in groups]}, **more)


def group(id: str = "sg-1", **more: Any) -> Resource:
    return thing("aws.ec2.group", id, {"GroupId": id}, **more)


def names(resources: list[Resource]) -> list[str]:
    return [resource.id for resource in resources]


def test_a_relation_is_followed_both_ways() -> None:
    one, two, first, second = (
        instance("i-1", "sg-2", "sg-1"),
        instance("i-2", "sg-1"),
        group("sg-1"),
        group("sg-2"),
    )
    edges = link([two, second, one, first], EC2, [])
    assert names(one.links["groups"]) == ["sg-1", "sg-2"]
    assert names(first.links["instances"]) == ["i-1", "i-2"]
    assert edges == [
        Edge(source=one.key, name="groups", target=first.key),
        Edge(source=one.key, name="groups", target=second.key),
        Edge(source=two.key, name="groups", target=first.key),
    ]
    assert not one.unread
    assert not first.unread


def test_keys_are_of_one_account_and_region() -> None:
    one = instance("i-1", "sg-1")
    elsewhere = [group(region="us-east-1"), group(account=OTHER)]
    assert link([one, *elsewhere], EC2, []) == []


def test_the_order_of_reading_changes_nothing() -> None:
    def estate() -> list[Resource]:
        return [instance(f"i-{n}", f"sg-{n % 3}", f"sg-{n % 2}") for n in range(9)] + [
            group(f"sg-{n}") for n in range(3)
        ]

    straight, shuffled = estate(), estate()
    random.Random(1).shuffle(shuffled)
    assert link(straight, EC2, []) == link(shuffled, EC2, [])
    by_key = {resource.key: resource for resource in shuffled}
    for resource in straight:
        for name, targets in resource.links.items():
            assert names(targets) == names(by_key[resource.key].links[name])


def test_linking_again_gives_the_same() -> None:
    estate = [instance("i-1", "sg-1", "sg-2"), group("sg-1")]
    first = link(estate, EC2, [])
    assert link(estate, EC2, []) == first
    assert names(estate[0].links["groups"]) == ["sg-1"]


def test_a_target_in_an_unread_partition_leaves_the_relation_unread() -> None:
    one = instance("i-1", "sg-1")
    denied = gap("aws.ec2.group")
    link([one], EC2, [denied])
    assert one.unread == {"groups": denied}
    assert one.links.get("groups", []) == []


def test_a_relation_can_be_both_linked_and_unread() -> None:
    one = instance("i-1", "sg-1", "sg-2")
    link(
        [one, group("sg-1")],
        EC2,
        [gap("aws.ec2.group")],
    )
    assert names(one.links["groups"]) == ["sg-1"]
    assert "groups" in one.unread


def test_a_gap_elsewhere_leaves_a_relation_read() -> None:
    for other in (
        gap("aws.ec2.group", region="us-east-1"),
        gap("aws.ec2.group", account=OTHER),
        gap("aws.ec2.instance_type"),
        gap("aws.ec2.group", resource="aws.ec2.group/x", field="tags"),
        gap(provider="k8s"),
    ):
        one = instance("i-1", "sg-1")
        link([one], EC2, [other])
        assert one.unread == {}


def test_a_gap_of_the_whole_account_or_provider_hides_targets() -> None:
    for wide in (gap(region=""), gap(account="", region="")):
        one = instance("i-1", "sg-1")
        link([one], EC2, [wide])
        assert one.unread["groups"] is wide


def test_a_found_target_needs_no_whole_partition() -> None:
    one = instance("i-1", "sg-1")
    link([one, group("sg-1")], EC2, [gap("aws.ec2.group")])
    assert one.unread == {}


def test_an_unread_field_leaves_the_relation_that_it_holds_unread() -> None:
    lost = gap("aws.ec2.instance", resource="x", field="Groups")
    one = thing("aws.ec2.instance", "i-1", {}, unread={"Groups": lost})
    other = group()
    link([one, other], EC2, [lost])
    assert one.unread["groups"] is lost
    assert other.unread == {"instances": lost}


def test_sources_that_were_not_read_leave_the_reverse_unread() -> None:
    near, far = group(), group("sg-9", region="us-east-1")
    denied = gap("aws.ec2.instance")
    link([near, far], EC2, [denied])
    assert near.unread == {"instances": denied}
    assert far.unread == {}


def test_an_arn_of_an_account_out_of_scope_is_a_gap() -> None:
    role = Relation(name="role", path="Role", to="aws.iam.role", by="id", within="account")
    tables = kinds(kind("aws.lambda.function", role), kind("aws.iam.role"))
    one = thing("aws.lambda.function", "f", {"Role": f"arn:aws:iam::{OTHER}:role/x"})
    link([one], tables, [])
    assert one.unread["role"].reason is Reason.OUT_OF_SCOPE
    assert one.unread["role"].account == OTHER


def test_an_arn_is_found_in_the_account_it_names_when_that_was_read() -> None:
    role = Relation(
        name="role", path="Role", to="aws.iam.role", by="id", within="account", reverse="functions"
    )
    tables = kinds(kind("aws.lambda.function", role), kind("aws.iam.role"))
    arn = f"arn:aws:iam::{OTHER}:role/x"
    one, target = (
        thing("aws.lambda.function", "f", {"Role": arn}),
        thing("aws.iam.role", arn, account=OTHER, region=""),
    )
    link([one, target], tables, [])
    assert names(one.links["role"]) == [arn]
    assert one.unread == {}


def test_an_arn_in_a_scanned_account_that_is_nowhere_does_not_exist() -> None:
    role = Relation(name="role", path="Role", to="aws.iam.role", by="id", within="account")
    tables = kinds(kind("aws.lambda.function", role), kind("aws.iam.role"))
    one = thing("aws.lambda.function", "f", {"Role": f"arn:aws:iam::{ACCOUNT}:role/gone"})
    link([one], tables, [], [covered("aws.lambda.function"), covered("aws.iam.role", region="")])
    assert one.unread == {}


def test_a_kind_or_region_that_was_never_read_is_out_of_scope() -> None:
    one = instance("i-1", "sg-1")
    link([one], EC2, [], [covered("aws.ec2.instance")])
    assert one.unread["groups"].reason is Reason.OUT_OF_SCOPE
    two = instance("i-1", "sg-1")
    link(
        [two], EC2, [], [covered("aws.ec2.instance"), covered("aws.ec2.group", region="us-east-1")]
    )
    assert two.unread["groups"].reason is Reason.OUT_OF_SCOPE


def test_a_target_that_may_be_anywhere_and_is_not_found_is_out_of_scope() -> None:
    vm = Relation(name="vm", path="vm", to="aws.ec2.instance", by="InstanceId", within="anywhere")
    tables = kinds(kind("k8s.node", vm), kind("aws.ec2.instance"))
    node = thing("k8s.node", "n", {"vm": "i-1"}, account="prod", region="")
    link([node], tables, [])
    assert node.unread["vm"].reason is Reason.OUT_OF_SCOPE
    target = thing("aws.ec2.instance", "i-1", {"InstanceId": "i-1"})
    node.unread.clear()
    link([node, target], tables, [])
    assert names(node.links["vm"]) == ["i-1"]
    assert node.unread == {}


def test_one_name_may_lead_to_several_kinds() -> None:
    def to(kind_name: str) -> Relation:
        return Relation(
            name="role", path="ref", to=kind_name, by="name", within="account", reverse="bindings"
        )

    tables = kinds(
        kind("k8s.binding", to("k8s.role"), to("k8s.cluster_role")),
        kind("k8s.role"),
        kind("k8s.cluster_role"),
    )
    binding = thing("k8s.binding", "b", {"ref": "view"}, region="")
    target = thing("k8s.cluster_role", "view", region="")
    denied = Gap(provider="k8s", account=ACCOUNT, kind="k8s.role", reason=Reason.DENIED, detail="")
    link([binding, target], tables, [denied])
    assert names(binding.links["role"]) == ["view"]
    assert binding.unread == {}


def test_own_names_of_a_resource_can_be_keys() -> None:
    region = Relation(
        name="region",
        path="@region",
        to="aws.region",
        by="@region",
        within="account",
        reverse="volumes",
    )
    account = Relation(name="account", path="@account", to="aws.account", by="id", within="account")
    tables = kinds(kind("aws.ec2.volume", region, account), kind("aws.region"), kind("aws.account"))
    volume = thing("aws.ec2.volume", "vol-1")
    here, whole = thing("aws.region", "eu-west-1"), thing("aws.account", ACCOUNT, region="")
    link([volume, here, whole], tables, [])
    assert volume.links == {"account": [whole], "region": [here]}
    assert here.links == {"volumes": [volume]}


def test_by_id_means_the_resource_and_not_a_field_of_that_name() -> None:
    stages = Relation(name="api", path="apiId", to="aws.api", by="id")
    tables = kinds(kind("aws.stage", stages), kind("aws.api"))
    stage, api = thing("aws.stage", "s", {"apiId": "arn:x"}), thing("aws.api", "arn:x", {"id": "x"})
    link([stage, api], tables, [])
    assert names(stage.links["api"]) == ["arn:x"]


MISSING = Relation(
    name="secrets",
    path="refs[]",
    to="k8s.secret",
    by="id",
    within="account",
    missing="missing_secrets",
)
PODS = kinds(kind("k8s.pod", MISSING), kind("k8s.secret"))


def test_references_without_a_target_are_listed() -> None:
    pod = thing("k8s.pod", "a/p", {"refs": ["a/here", "a/gone"]}, region="")
    link([pod, thing("k8s.secret", "a/here", region="")], PODS, [])
    assert pod.data["missing_secrets"] == ["a/gone"]
    link(
        [pod, thing("k8s.secret", "a/here", region=""), thing("k8s.secret", "a/gone", region="")],
        PODS,
        [],
    )
    assert "missing_secrets" not in pod.data


def test_references_are_not_missing_where_their_targets_were_not_read() -> None:
    pod = thing("k8s.pod", "a/p", {"refs": ["a/gone"]}, region="")
    denied = Gap(
        provider="k8s", account=ACCOUNT, kind="k8s.secret", reason=Reason.DENIED, detail=""
    )
    link([pod], PODS, [denied])
    assert pod.unread == {"secrets": denied, "missing_secrets": denied}
    assert "missing_secrets" not in pod.data


NODE = Relation(
    name="node",
    path="node",
    to="k8s.node",
    by="name",
    within="account",
    reverse="pods",
    sums="requested",
)
NODES = kinds(
    kind("k8s.pod", NODE), kind("k8s.node", fields={"requested": {"cpu": {}, "memory": {}}})
)


def test_numbers_of_the_sources_are_added_up() -> None:
    node, idle = thing("k8s.node", "n1", region=""), thing("k8s.node", "n2", region="")
    pods = [
        thing(
            "k8s.pod", f"a/{i}", {"node": "n1", "requested": {"cpu": 0.1, "memory": 5}}, region=""
        )
        for i in range(3)
    ]
    link([node, idle, *pods], NODES, [])
    assert node.data["requested"] == {"cpu": 0.3, "memory": 15}
    assert idle.data["requested"] == {"cpu": 0, "memory": 0}


def test_a_sum_over_sources_that_were_not_all_read_is_unread() -> None:
    node = thing("k8s.node", "n1", region="")
    pod = thing("k8s.pod", "a/1", {"node": "n1", "requested": {"cpu": 1}}, region="")
    denied = Gap(
        provider="k8s", account=ACCOUNT, kind="k8s.pod", reason=Reason.TRUNCATED, detail=""
    )
    link([node, pod], NODES, [denied])
    assert node.unread == {"pods": denied, "requested": denied}
    assert "requested" not in node.data


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.sampled_from("abcd")), max_size=20),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_links_are_exactly_the_matching_pairs(
    places: list[tuple[str, str]], references: list[tuple[int, str]]
) -> None:
    groups = {(region, name): group(name, region=region) for region, name in places}
    instances = [
        instance(f"i-{n}", key, region=places[n % len(places)][0])
        for n, key in references
        if places
    ]
    unique = list({i.key: i for i in instances}.values())
    edges = link([*unique, *groups.values()], EC2, [])
    expected = {
        (one.key, target.key)
        for one in unique
        for (region, name), target in groups.items()
        if region == one.region and name in [g["GroupId"] for g in one.data["Groups"]]
    }
    assert {(edge.source, edge.target) for edge in edges} == expected
    back = {(one.key, g.key) for g in groups.values() for one in g.links.get("instances", ())}
    assert back == expected


def test_linking_grows_in_step_with_the_estate() -> None:
    def seconds(size: int) -> float:
        estate = [instance(f"i-{n}", f"sg-{n}") for n in range(size)] + [
            group(f"sg-{n}") for n in range(size)
        ]
        gc.disable()  # what it walks depends on the tests before this one
        try:
            started = time.process_time()
            link(estate, EC2, [gap("aws.ec2.group", region="us-east-1")])
            return time.process_time() - started
        finally:
            gc.enable()

    small, large = min(seconds(1000) for _ in range(3)), min(seconds(8000) for _ in range(3))
    assert (
        large / small < 30
    )  # 8 times the resources; a join of all pairs would take 64 times as long


def test_a_pattern_says_which_values_are_keys_and_what_of_them():
    bucket, balancer = "aws.s3.bucket", "aws.elbv2.load_balancer"
    common: dict[str, Any] = {"name": "target", "path": "content", "within": "estate"}
    record = kind(
        "cloudflare.dns.record",
        Relation(
            **common, to=bucket, by="name", matching=r"^(.+)\.s3\.amazonaws\.com$", missing="gone"
        ),
        Relation(
            **common, to=balancer, by="dns", matching=r"\.elb\.amazonaws\.com$", missing="gone"
        ),
    )
    known = kinds(record, kind(bucket), kind(balancer))
    records = [
        thing("cloudflare.dns.record", name, {"content": content})
        for name, content in {
            "a": "logos.s3.amazonaws.com",
            "b": "shop-1.elb.amazonaws.com",
            "c": "sold.s3.amazonaws.com",
            "d": "www.example.com",
        }.items()
    ]
    targets = [thing(bucket, "logos"), thing(balancer, "lb", {"dns": "shop-1.elb.amazonaws.com"})]
    read = [covered("aws.s3.bucket"), covered(balancer)]

    link([*records, *targets], known, [], read)

    assert [["logos"], ["lb"], [], []] == [
        [target.name for target in record.links.get("target", [])] for record in records
    ]
    assert [None, None, ["sold"], None] == [record.data.get("gone") for record in records]
    assert all(not record.unread for record in records)

    link([*records, *targets], known, [gap(bucket)], read)

    assert [False, False, True, False] == ["gone" in record.unread for record in records]


def test_a_key_is_missing_only_when_every_alternative_was_read():
    one, two = "aws.elbv2.load_balancer", "aws.elb.load_balancer"
    common: dict[str, Any] = {"name": "target", "path": "alias", "by": "dns", "missing": "gone"}
    record = kind(
        "aws.route53.record_set",
        *(Relation(**common, to=to, within="estate") for to in (one, two)),
    )
    source = thing("aws.route53.record_set", "a", {"alias": "lb.elb.amazonaws.com"})

    link([source], kinds(record, kind(one), kind(two)), [gap(one)], [covered(two)])

    assert "gone" in source.unread
    assert "gone" not in source.data
