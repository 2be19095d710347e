"""The tables against what Google documents of its APIs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infrascan.providers.gcp import Gcp
from infrascan.providers.gcp.kinds import ASSETS, BY_TYPE, TABLES, needed
from infrascan.providers.gcp.scrubbing import SETTINGS, blanked
from infrascan.providers.gcp.tables import Asset
from tests.providers.gcp.estate import Reader

METHODS = json.loads(
    (Path(__file__).parents[3] / "fixtures" / "gcp" / "methods.json").read_text(encoding="utf-8")
)
KINDS = Reader().gcp.kinds
EACH = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.kind)


def leads(tree: Any, path: str) -> bool:
    """Whether a field tree has the path; where the tree ends, anything may follow."""
    if path[:1] == "@" or path in {"id", "name"}:
        return True
    for step in re.findall(r"[^.\[\]]+|\[\]", path):
        if tree is None:
            return True
        if step not in tree and "*" not in tree:
            return False
        tree = tree.get(step, tree.get("*"))
    return True


@EACH
def test_calls_are_those_that_google_documents(table: Asset):
    if table.rest is None:
        assert table.types
        return
    rest = table.rest
    calls = [(rest, rest.items), *((parent, parent.items) for parent in rest.parents)]
    calls += [(detail, "") for detail in rest.details]
    for call, items in calls:
        known = METHODS[call.api]
        assert not items or items.partition("[]")[0] in known["answer"]
        query = {name for name in call.params if "{" + name + "}" not in call.api}
        assert call.api.startswith("POST ") or query <= {*known["parameters"]}
        assert call.permission


@EACH
def test_what_is_named_is_there(table: Asset):
    fields = KINDS[table.kind].fields
    for relation in table.relations:
        assert leads(fields, relation.path), relation.path
        assert leads(KINDS[relation.to].fields, relation.by), relation.by
        assert relation.name not in fields
        assert not relation.reverse or relation.reverse not in KINDS[relation.to].fields
    for path in (*table.drop, *table.blank):
        assert leads(fields, path) or path == "sensitiveLabels", path
    for template in (table.id, *table.name, *(metric.match for metric in table.metrics)):
        for slot in re.findall(r"\{([^}!]+)", template):
            assert slot in {"account", "region", "location"} or leads(fields, slot), slot


def test_each_type_belongs_to_one_kind():
    assert len(BY_TYPE) == sum(len(table.types) for table in TABLES)
    assert len(ASSETS) == len(TABLES)


def test_the_role_reads_and_does_nothing_else():
    role = Reader().gcp.permissions()
    assert role["includedPermissions"] == needed(TABLES)
    verbs = {permission.rpartition(".")[2] for permission in role["includedPermissions"]}
    reading = re.compile(r"(?:list|get)(?:[A-Z]\w*)?|use")
    assert not [verb for verb in verbs if not reading.fullmatch(verb)]
    assert "serviceusage.services.use" in role["includedPermissions"]
    assert not [p for p in role["includedPermissions"] if re.search(r"versions\.access", p)]


def test_settings_survive_and_scripts_do_not():
    items = [
        {"key": "enable-oslogin", "value": "TRUE"},
        {"key": "startup-script", "value": "canary"},
        {"key": "ssh-keys", "value": "ada:ssh-ed25519 canary"},
    ]
    found = blanked(items)
    assert found[0] == items[0]
    assert [item["key"] for item in found] == [item["key"] for item in items]
    assert "canary" not in json.dumps(found)
    assert blanked({"proxy-mode": "mail", "token": "canary"})["proxy-mode"] == "mail"
    assert "canary" not in json.dumps(blanked({"token": "canary"}))
    assert "ssh-keys" not in SETTINGS


def test_importing_and_building_asks_nothing():
    import subprocess
    import sys

    code = (
        "import sys; from infrascan.providers.gcp import Gcp;"
        "from infrascan.collect.provider import Selection; from datetime import datetime, UTC;"
        "Gcp(Selection(observed=datetime.now(UTC))).kinds;"
        "print([m for m in sys.modules if m.split('.')[0] in {'grpc', 'google', 'httpx'}])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    assert Gcp.__doc__
