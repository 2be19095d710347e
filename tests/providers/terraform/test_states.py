"""What is read of states and plans, and what of them is never kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infrascan.collect.recording import Recorder, Replay
from infrascan.graph import link
from infrascan.model import Reason
from infrascan.pipeline import all_kinds
from infrascan.providers.terraform import Terraform
from infrascan.providers.terraform.opening import opened
from infrascan.providers.terraform.secrets import attributes, changed
from infrascan.providers.terraform.types import TYPES, live
from tests.providers.terraform.conftest import (
    FIXTURES,
    block,
    collect,
    of_kind,
    selection,
    state,
    write,
)

REAL = ("shop.tfstate", "shop-shown.json", "shop-plan.json", "shop-destroy-plan.json")
CANARY = "c4n4ry-7e21b9"


def test_a_real_state():
    read = collect(str(FIXTURES / "shop.tfstate"))
    (found,) = of_kind(read, "terraform.state").values()
    resources = of_kind(read, "terraform.resource")

    assert not read.gaps
    assert found.id == "shop"
    assert (found.data["serial"], found.data["resource_count"], found.data["data_count"]) == (
        15,
        13,
        1,
    )
    assert found.data["tainted_count"] == 1
    assert found.data["outputs"] == [
        {"name": "bucket", "sensitive": False, "looks_like": None},
        {"name": "db_password", "sensitive": True, "looks_like": "password"},
        {"name": "deploy_access_key_id", "sensitive": False, "looks_like": None},
    ]
    assert found.data["secret_addresses"] == [
        "aws_db_instance.shop",
        "aws_iam_access_key.deploy",
        "aws_secretsmanager_secret_version.db",
        "aws_ssm_parameter.token",
        "terraform_data.note",
    ]
    assert resources['aws_subnet.a["a"]'].data["tainted"] is True
    assert resources["aws_s3_bucket.logs[0]"].data["index"] == 0
    assert resources["aws_db_instance.shop"].data["provider"] == "hashicorp/aws"


def test_a_state_that_is_shown_says_the_same_of_its_resources():
    shown = of_kind(collect(str(FIXTURES / "shop-shown.json")), "terraform.resource")
    kept = of_kind(collect(str(FIXTURES / "shop.tfstate")), "terraform.resource")

    assert shown.keys() == kept.keys()
    for address, resource in shown.items():
        other = kept[address].data
        for name in ("type", "mode", "name", "index", "provider_name", "live_id", "secrets"):
            assert resource.data[name] == other[name], (address, name)


def test_a_real_plan():
    read = collect(str(FIXTURES / "shop-plan.json"))
    (plan,) = of_kind(read, "terraform.plan").values()
    changes = of_kind(read, "terraform.change")

    assert (plan.data["to_delete"], plan.data["to_update"]) == (1, 1)
    assert changes["planned aws_s3_bucket.logs[0]"].data["stateful"] is True
    assert changes["planned aws_db_instance.shop"].data["changed_paths"] == ["instance_class"]
    drift = [c for c in changes.values() if c.data["phase"] == "drift"]
    assert [(c.name, c.data["access"], c.data["changed_paths"]) for c in drift] == [
        ("aws_security_group.web", True, ["ingress"])
    ]


def test_a_plan_that_destroys_everything():
    changes = of_kind(collect(str(FIXTURES / "shop-destroy-plan.json")), "terraform.change")

    planned = [c for c in changes.values() if c.data["phase"] == "planned"]
    assert {tuple(c.data["actions"]) for c in planned if c.data["type"] != "aws_subnet"} == {
        ("delete",)
    }


@pytest.mark.parametrize("name", REAL)
def test_no_secret_of_a_real_document_survives(name: str, tmp_path: Path):
    text = (FIXTURES / name).read_text()
    recorder = Recorder.create(tmp_path / "r", {})
    read = collect(str(FIXTURES / name), recorder=recorder)
    recorder.close()
    again = collect(str(FIXTURES / name), replay=Replay.open(tmp_path / "r"))

    everything = json.dumps([r.data for r in (*read.resources, *again.resources)])
    assert "canary" in text
    assert "canary" not in everything
    assert [r.data for r in again.resources] == [r.data for r in read.resources]
    for secret in secrets_in(json.loads(text)):
        assert secret not in everything


def secrets_in(value: Any) -> set[str]:
    """The keys that moto made up: secret and ses_smtp_password_v4 of an access key."""
    if isinstance(value, dict):
        found = {
            v
            for k, v in value.items()
            if k in {"secret", "ses_smtp_password_v4"} and isinstance(v, str)
        }
        return found.union(*map(secrets_in, value.values()))
    return set().union(*map(secrets_in, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("random_password", {"result": CANARY, "bcrypt_hash": CANARY}),
        ("tls_private_key", {"private_key_pem": CANARY, "private_key_openssh": CANARY}),
        ("aws_instance", {"user_data": CANARY, "user_data_base64": CANARY}),
        ("aws_lambda_function", {"environment": [{"variables": {"KEY": CANARY}}]}),
        ("aws_ecs_task_definition", {"container_definitions": json.dumps([{"e": CANARY}])}),
        ("aws_elasticache_replication_group", {"auth_token": CANARY}),
        ("aws_rds_cluster", {"master_password": CANARY}),
        ("google_sql_user", {"password": CANARY}),
        ("google_container_cluster", {"master_auth": [{"client_key": CANARY, "password": CANARY}]}),
        (
            "azurerm_storage_account",
            {
                "primary_access_key": CANARY,
                "secondary_connection_string": CANARY,
                "primary_connection_string": CANARY,
            },
        ),
        (
            "azurerm_kubernetes_cluster",
            {"kube_config": [{"password": CANARY}], "kube_config_raw": CANARY},
        ),
        ("kubernetes_secret", {"data": {"token": CANARY}, "binary_data": {"x": CANARY}}),
        ("helm_release", {"values": [CANARY], "set_sensitive": [{"value": CANARY}]}),
        ("null_resource", {"triggers": {"a": CANARY}}),
        ("local_file", {"content": CANARY, "sensitive_content": CANARY}),
        ("docker_container", {"env": [f"A={CANARY}"]}),
        ("github_actions_secret", {"plaintext_value": CANARY}),
        ("terraform_data", {"input": {"value": {"a": CANARY}}, "output": {"value": CANARY}}),
        ("anything", {"deep": [{"deeper": {"api_key": CANARY, "passphrase": CANARY}}]}),
    ],
)
def test_known_secrets_go_whether_marked_or_not(kind: str, values: dict[str, Any]):
    assert CANARY not in json.dumps(attributes(kind, values))


@pytest.mark.parametrize(
    ("marks", "hidden"),
    [
        ([[{"type": "get_attr", "value": "note"}]], True),
        (
            [
                [
                    {"type": "get_attr", "value": "list"},
                    {"type": "index", "value": {"value": 0, "type": "number"}},
                ]
            ],
            True,
        ),
        ([[{"type": "get_attr", "value": "gone"}, {"type": "get_attr", "value": "x"}]], False),
        ({"note": True, "list": [True]}, True),
        (True, True),
        ({}, False),
    ],
)
def test_what_the_state_marks_goes(marks: Any, hidden: bool):
    kept = attributes("x_y", {"note": CANARY, "list": [CANARY], "name": "web"}, marks)

    assert (json.dumps(kept).count(CANARY) < 2) is hidden


def test_what_is_no_secret_stays():
    values = {
        "kms_key_id": "arn:aws:kms:eu-west-1:111122223333:key/a",
        "manage_master_user_password": True,
        "master_user_secret": [{"secret_arn": "arn:aws:secretsmanager:x"}],
        "hash_key": "id",
        "password": None,
        "token": "",
        "name": "web",
    }

    assert attributes("aws_x", values) == values


def test_deposed_objects_modules_and_workspaces(here: Path):
    web = block(
        "aws_instance", "web", {"arn": "arn:aws:ec2:x:1:instance/i-1"}, module="module.site"
    )
    web["instances"].append(
        {"attributes": {"arn": "arn:aws:ec2:x:1:instance/i-0"}, "deposed": "3d7e5c1a"}
    )
    write(here / "site/terraform.tfstate", state(web))
    write(here / "site/terraform.tfstate.d/eu/terraform.tfstate", state())

    read = collect("site")

    assert [i.account for i in read.identities] == ["site", "site:eu"]
    found = of_kind(read, "terraform.resource")
    old = found["module.site.aws_instance.web (deposed 3d7e5c1a)"]
    assert (old.data["deposed"], old.data["live_key"]) == ("3d7e5c1a", None)
    assert (
        found["module.site.aws_instance.web"].data["live_key"]
        == "aws.ec2.instance arn:aws:ec2:x:1:instance/i-1"
    )


def test_two_states_that_manage_one_resource(here: Path):
    vpc = block("aws_vpc", "main", {"arn": "arn:aws:ec2:x:1:vpc/vpc-1"})
    write(here / "a.tfstate", state(vpc))
    write(here / "b.tfstate", state(vpc, lineage="other"))
    read = collect(".")
    link(read.resources, Terraform(selection()).kinds, read.gaps, read.coverage)

    one = read.resources[0] if read.resources[0].kind == "terraform.resource" else None
    resources = [r for r in read.resources if r.kind == "terraform.resource"]
    assert [len(r.links["managers"]) for r in resources] == [2, 2]
    assert one is None or one.links


def test_live_kinds_are_kinds():
    known = all_kinds()
    ours = {kind for kind, _ in TYPES.values()}
    loaded = {name.partition(".")[0] for name in known}

    assert len(TYPES) >= 60
    assert not sorted(k for k in ours if k.partition(".")[0] in loaded and k not in known)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("aws_instance", {"arn": "arn:a"}, ("aws.ec2.instance", "arn:a", "aws.ec2.instance arn:a")),
        ("aws_instance", {}, ("aws.ec2.instance", "", "")),
        (
            "google_compute_instance",
            {"self_link": "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/i"},
            (
                "gcp.compute.instance",
                "projects/p/zones/z/instances/i",
                "gcp.compute.instance projects/p/zones/z/instances/i",
            ),
        ),
        ("kubernetes_deployment", {"id": "shop/web"}, ("k8s.deployment", "shop/web", "")),
        ("null_resource", {"id": "1"}, ("", "", "")),
    ],
)
def test_live_resources(kind: str, values: dict[str, Any], expected: tuple[str, str, str]):
    assert live(kind, values) == expected


EVERYONE = "0.0.0.0/0"


@pytest.mark.parametrize(
    ("kind", "after", "expected"),
    [
        (
            "aws_security_group",
            {
                "ingress": [
                    {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": [EVERYONE]}
                ]
            },
            [(22, 22)],
        ),
        (
            "aws_security_group",
            {
                "ingress": [
                    {"from_port": 0, "to_port": 0, "protocol": "-1", "ipv6_cidr_blocks": ["::/0"]}
                ]
            },
            [(0, 65535)],
        ),
        (
            "aws_security_group",
            {"ingress": [{"from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8"]}]},
            [],
        ),
        (
            "aws_security_group_rule",
            {"type": "egress", "from_port": 22, "to_port": 22, "cidr_blocks": [EVERYONE]},
            [],
        ),
        (
            "aws_security_group_rule",
            {"type": "ingress", "from_port": 22, "to_port": 22, "cidr_blocks": [EVERYONE]},
            [(22, 22)],
        ),
        (
            "aws_vpc_security_group_ingress_rule",
            {"cidr_ipv4": EVERYONE, "from_port": 22, "to_port": 23},
            [(22, 23)],
        ),
        (
            "google_compute_firewall",
            {
                "direction": "INGRESS",
                "source_ranges": [EVERYONE],
                "allow": [{"protocol": "tcp", "ports": ["22", "80-90"]}],
            },
            [(22, 22), (80, 90)],
        ),
        (
            "google_compute_firewall",
            {"source_ranges": [EVERYONE], "allow": [{"protocol": "all"}]},
            [(0, 65535)],
        ),
        (
            "google_compute_firewall",
            {"disabled": True, "source_ranges": [EVERYONE], "allow": [{}]},
            [],
        ),
        (
            "azurerm_network_security_rule",
            {
                "direction": "Inbound",
                "access": "Allow",
                "source_address_prefix": "*",
                "destination_port_range": "3389",
            },
            [(3389, 3389)],
        ),
        (
            "azurerm_network_security_rule",
            {
                "direction": "Inbound",
                "access": "Deny",
                "source_address_prefix": "*",
                "destination_port_range": "3389",
            },
            [],
        ),
        (
            "hcloud_firewall",
            {"rule": [{"direction": "in", "source_ips": [EVERYONE, "::/0"], "port": "any"}]},
            [(0, 65535)],
        ),
        (
            "digitalocean_firewall",
            {"inbound_rule": [{"port_range": "5432", "source_addresses": [EVERYONE]}]},
            [(5432, 5432)],
        ),
        (
            "hcloud_firewall",
            {"rule": [{"direction": "in", "protocol": "icmp", "source_ips": [EVERYONE]}]},
            [],
        ),
        (
            "google_compute_firewall",
            {"source_ranges": [EVERYONE], "allow": [{"protocol": "icmp"}]},
            [],
        ),
        (
            "aws_security_group",
            {
                "ingress": [
                    {"from_port": -1, "to_port": -1, "protocol": "icmp", "cidr_blocks": [EVERYONE]}
                ]
            },
            [],
        ),
        ("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": EVERYONE, "ip_protocol": "tcp"}, []),
        (
            "azurerm_network_security_rule",
            {"direction": "Inbound", "access": "Allow", "source_address_prefix": "*"},
            [],
        ),
        (
            "digitalocean_firewall",
            {"inbound_rule": [{"port_range": "1-x", "source_addresses": [EVERYONE]}]},
            [(0, 65535)],
        ),
        ("aws_vpc", {"ingress": [{"from_port": 22, "to_port": 22, "cidr_blocks": [EVERYONE]}]}, []),
    ],
)
def test_ports_that_a_change_opens(
    kind: str, after: dict[str, Any], expected: list[tuple[int, int]]
):
    assert [(r["from"], r["to"]) for r in opened(kind, {}, after)] == expected
    assert opened(kind, after, after) == []


def test_empty_null_and_missing_are_no_change():
    assert list(changed({"a": None, "b": {"c": 1, "d": ""}}, {"a": {}, "b": {"c": 2}})) == ["b.c"]


def broken(text: str) -> Any:
    return pytest.param(text, Reason.MALFORMED, id=text[:30] or "empty")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        broken(""),
        broken('{"version": 4, "resources": ['),
        broken("[]"),
        broken('"text"'),
        broken('{"hello": 1}'),
        broken('{"version": 3, "modules": []}'),
        broken('{"version": 4, "resources": [{"type": "x"}]}'),
        broken('{"version": 4, "resources": [7]}'),
        broken('{"version": 4, "resources": {}}'),
        broken('{"format_version": "9.0", "values": {}}'),
        broken("PK\x03\x04 a plan that is not shown as JSON"),
    ],
)
def test_what_is_no_state_is_a_gap(here: Path, text: str, reason: Reason):
    write(here / "terraform.tfstate", text)

    if not text:
        (here / "terraform.tfstate").write_text("\n")
    read = collect()

    assert not read.resources
    assert {(g.reason, g.call) for g in read.gaps} == {(reason, "local.Document")}
    assert len(read.gaps) == 2


def test_an_encrypted_state_is_there_and_unread(here: Path):
    write(
        here / "terraform.tfstate",
        {
            "serial": 3,
            "lineage": "x",
            "meta": {"k": "v"},
            "encrypted_data": CANARY,
            "encryption_version": "v0",
        },
    )

    read = collect()
    (found,) = of_kind(read, "terraform.state").values()

    assert found.data["encrypted"] is True
    assert found.unread["secrets_count"].reason is Reason.DENIED
    assert {g.kind for g in read.gaps if not g.resource} == {"terraform.resource"}
    assert CANARY not in json.dumps(found.data)


def test_a_lock_is_told_without_its_path(here: Path):
    write(here / "terraform.tfstate", state())
    write(
        here / ".terraform.tfstate.lock.info",
        {
            "ID": "1",
            "Operation": "OperationTypeApply",
            "Info": CANARY,
            "Who": "ci@runner",
            "Version": "1.11.4",
            "Created": "2026-11-14T09:30:00Z",
            "Path": CANARY,
        },
    )

    (found,) = of_kind(collect(), "terraform.state").values()

    assert found.data["lock"] == {
        "Operation": "OperationTypeApply",
        "Who": "ci@runner",
        "Version": "1.11.4",
        "Created": "2026-11-14T09:30:00Z",
    }


def test_a_state_that_goes_away_while_it_is_read(here: Path):
    path = write(here / "terraform.tfstate", state())

    class Vanishing(Terraform):
        async def send(self, call: Any) -> Any:
            if call.api == "local.Document":
                path.unlink(missing_ok=True)
            return await super().send(call)

    import trio

    from infrascan.collect.engine import Collection

    async def main() -> Any:
        return await Collection(providers=[Vanishing(selection())]).run()

    read = trio.run(main)
    assert {g.reason for g in read.gaps} == {Reason.UNREACHABLE}
