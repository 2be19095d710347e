"""Whole scans of acme's Hetzner project and DigitalOcean team: faults, gaps, money, and replay."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from fixtures.estates import digitalocean_acme, hetzner_acme
from fixtures.estates.clock import OBSERVED

from infrascan import pipeline
from infrascan.cli import main

Served = Callable[[Path], AbstractContextManager[dict[str, str]]]
SERVED: dict[str, tuple[Served, tuple[str, ...]]] = {
    "hetzner": (hetzner_acme.served, hetzner_acme.SECRETS),
    "digitalocean": (digitalocean_acme.served, digitalocean_acme.SECRETS),
}
DENIED = {
    "hetzner": {("GET /ssh_keys", "denied")},
    "digitalocean": {
        ("GET /v2/customers/my/balance", "denied"),
        ("GET /v2/customers/my/invoices", "denied"),
    },
}
VARIABLES = (
    *("HCLOUD_TOKEN", "HCLOUD_CONFIG", "HCLOUD_CONTEXT", "XDG_CONFIG_HOME"),
    *("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN", "DIGITALOCEAN_CONTEXT"),
)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INFRASCAN_HOME", str(tmp_path / "infrascan"))
    monkeypatch.setattr(pipeline, "now", lambda: OBSERVED)


def scan(folder: Path, *arguments: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as done:
        main(["run", "--format", "json", "--output", str(folder), *arguments])
    assert done.value.code in {0, 1}
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def told(report: dict[str, Any]) -> list[Any]:
    return [
        (found["rule"], found["resource"], found["evidence"], found.get("cost"))
        for found in report["findings"]
    ]


@pytest.mark.parametrize("name", SERVED)
def test_a_replay_tells_what_the_scan_told(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    served, secrets = SERVED[name]
    recording = tmp_path / "recording"
    with served(tmp_path) as variables:
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        live = scan(tmp_path / "live", "--providers", name, "--record", str(recording))

    again = scan(tmp_path / "again", "--replay", str(recording))

    assert told(again) == told(live)
    assert again["summary"] == live["summary"]
    assert {(gap["call"], gap["reason"]) for gap in live["gaps"]} == DENIED[name]
    kept = b"".join(gzip.decompress(path.read_bytes()) for path in recording.glob("*.gz")).decode()
    assert not [secret for secret in secrets if secret in kept]
    assert "localhost" not in kept
    assert str(tmp_path) not in kept


@pytest.mark.parametrize(("name", "least"), [("hetzner", 34), ("digitalocean", 40)])
def test_most_rules_find_their_planted_fault(
    name: str, least: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with SERVED[name][0](tmp_path) as variables:
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        report = scan(tmp_path / "live", "--providers", name)

    rules = {found["rule"] for found in report["findings"] if found["rule"].startswith(name)}
    assert len(rules) >= least
    assert report["summary"]["currency"] == "USD"
    assert 0 < report["summary"]["monthly_saving"] < report["summary"]["monthly_cost"]
