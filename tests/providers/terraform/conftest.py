"""States in a folder of the test's own, and a way to read them as a scan does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.collect.engine import Collected, Collection
from infrascan.collect.provider import Selection
from infrascan.collect.recording import Recorder, Replay
from infrascan.model import Identity, Resource
from infrascan.providers.terraform import Terraform

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures/terraform"
OBSERVED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TF_WORKSPACE", "TF_HTTP_USERNAME", "TF_HTTP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def selection(*scopes: str) -> Selection:
    return Selection(observed=OBSERVED, scopes={"terraform": scopes} if scopes else {})


def collect(
    *scopes: str, recorder: Recorder | None = None, replay: Replay | None = None
) -> Collected:
    async def main() -> Collected:
        providers = [Terraform(selection(*scopes))]
        collection = Collection(
            providers=providers, recorder=recorder, replay=replay, attempt_seconds=10
        )
        return await collection.run()

    return trio.run(main)


def identities(*scopes: str) -> list[Identity]:
    async def main() -> Any:
        provider = Terraform(selection(*scopes))
        return await provider.connect(provider.send)

    found: list[Identity] = trio.run(main)
    return found


def of_kind(read: Collected, kind: str) -> dict[str, Resource]:
    return {r.id: r for r in read.resources if r.kind == kind}


def state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A state of version 4."""
    return {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 7,
        "lineage": "11111111-2222-3333-4444-555555555555",
        "outputs": {},
        "resources": list(resources),
        "check_results": None,
        **more,
    }


def block(kind: str, name: str, *attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A resource of a state with an instance for each set of attributes."""
    vendor = kind.partition("_")[0]
    return {
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider": f'provider["registry.terraform.io/hashicorp/{vendor}"]',
        "instances": [
            {"schema_version": 0, "attributes": a, "sensitive_attributes": []} for a in attributes
        ],
        **more,
    }


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path
