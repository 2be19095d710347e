"""A recording gives the same report, byte by byte, without a network; a bad one is one line."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import CLEAN, USAGE, Command, squeezed
from tests.servers.kubernetes import ApiServer
from tests.servers.proxy import Proxy

WORDS = ("run", "--providers", "aws,k8s", "--region", "eu-west-1")
FORMATS = "html,markdown,json,sarif,junit,csv"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds what was recorded once, for every test."""
    return tmp_path_factory.mktemp("recorded")


@pytest.fixture
def recorded(
    infrascan: Command, aws: Callable[..., Proxy], k8s: Callable[..., ApiServer], shelf: Path
) -> tuple[Proxy, ApiServer]:
    """A recording of both clouds in `answers`, and the reports and store of its scan."""
    servers = aws(), k8s()
    if not any(shelf.iterdir()):
        done = infrascan(*WORDS, "--record", "answers", "--format", FORMATS, "--output", "live")
        assert (done.code, done.complaints) == (CLEAN, [])
        for name in ("answers", "live", "kept"):
            shutil.copytree(infrascan.folder / name, shelf / name)
    else:
        shutil.copytree(shelf, infrascan.folder, dirs_exist_ok=True)
    return servers


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_replay_gives_the_same_reports_without_a_network(
    infrascan: Command, recorded: tuple[Proxy, ApiServer]
):
    aws, k8s = recorded
    before = aws.calls, len(k8s.requests)
    infrascan.environment.clear()
    for folder in ("one", "two"):
        words = ("--replay", "answers", "--format", FORMATS, "--output", folder)
        done = infrascan("run", *words)
        assert (done.code, done.complaints) == (CLEAN, [])
        assert contents(infrascan.folder / folder) == contents(infrascan.folder / "live")
    assert (aws.calls, len(k8s.requests)) == before
    half = infrascan("run", "--replay", "answers", "--providers", "k8s", "--format", "json")
    assert half.code == CLEAN
    assert {r["provider"] for r in infrascan.report()["resources"]} == {"k8s"}


def test_a_replay_refuses_what_the_recording_does_not_have(
    infrascan: Command, recorded: tuple[Proxy, ApiServer]
):
    replay = ("run", "--replay", "answers")
    for words, said in (
        (("--region", "eu-west-1"), "a recording holds its own"),
        (("--record", "more"), "it cannot be used on a recording"),
        (("--resume",), "--replay cannot be used with it"),
    ):
        done = infrascan(*replay, *words)
        assert done.code == USAGE
        assert said in done.complaint
    changed = json.loads((infrascan.folder / "answers" / "manifest.json").read_text())
    changed["providers"] = ["k8s"]
    (infrascan.folder / "answers" / "manifest.json").write_text(json.dumps(changed))
    done = infrascan(*replay, "--providers", "aws")
    assert done.code == USAGE
    assert "provider aws is not in the recording, which has k8s" in done.complaint


def test_a_recording_is_never_overwritten(infrascan: Command, recorded: tuple[Proxy, ApiServer]):
    aws, _ = recorded
    before = contents(infrascan.folder / "answers"), aws.calls
    done = infrascan(*WORDS, "--record", "answers")
    assert done.code == USAGE
    assert "--record answers: the folder is not empty" in done.complaint
    assert (contents(infrascan.folder / "answers"), aws.calls) == before
    assert not list((infrascan.kept / "journals").iterdir())


def test_a_recording_that_does_not_fit_is_one_line_and_the_scan_can_be_resumed(
    infrascan: Command, aws: Callable[..., Proxy]
):
    aws()
    words = ("run", "--providers", "aws", "--region", "eu-west-1", "--format", "json")
    done = squeezed(infrascan, 2_000, *words, "--record", "answers")
    assert done.code == USAGE
    assert done.complaints[-1] == (
        "infrascan: --record answers: File too large; run again with --resume and without --record"
    )
    assert infrascan(*words, "--resume").code == CLEAN


def test_a_recording_whose_end_was_lost_is_used_as_far_as_it_goes(
    infrascan: Command, recorded: tuple[Proxy, ApiServer]
):
    path = infrascan.folder / "answers" / "answers-aws.jsonl.gz"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = infrascan("run", "--replay", "answers", "--format", "json")
    assert done.code == CLEAN
    report = infrascan.report()
    assert {"truncated"} <= {gap["reason"] for gap in report["gaps"] if gap["provider"] == "aws"}
    assert len({scan["id"] for scan in infrascan("scans", "--json").json}) == 2


def manifest(**changes: Any) -> bytes:
    selection = {
        "observed": "2026-11-21T09:30:00Z",
        "profiles": [],
        "regions": [],
        "contexts": [],
        "secrets": False,
    }
    return json.dumps(
        {"format": 1, "version": "1", "providers": ["aws"], "selection": selection} | changes
    ).encode()


BAD: dict[str, tuple[dict[str, bytes], str]] = {
    "missing": ({}, "no recording there"),
    "garbage": ({"manifest.json": b"\x00\xff\xfe"}, "manifest.json cannot be read"),
    "not-json": ({"manifest.json": b"{"}, "manifest.json cannot be read"),
    "a-list": ({"manifest.json": b"[]"}, "format None, this version reads 1"),
    "future": ({"manifest.json": manifest(format=2)}, "format 2, this version reads 1"),
    "no-selection": ({"manifest.json": manifest(selection={})}, "manifest cannot be used"),
    "odd-selection": (
        {"manifest.json": manifest(selection={"observed": "yesterday"})},
        "manifest cannot be used",
    ),
    "more-selection": (
        {"manifest.json": manifest(selection={"observed": "2026-11-21T09:30:00Z", "moon": 1})},
        "manifest cannot be used",
    ),
    "no-providers": ({"manifest.json": b'{"format": 1}'}, "manifest cannot be used"),
    "odd-providers": ({"manifest.json": manifest(providers="aws")}, "manifest cannot be used"),
    "future-provider": (
        {"manifest.json": manifest(providers=["moon"])},
        "unknown provider 'moon'",
    ),
    "answers-not-gzip": (
        {"manifest.json": manifest(), "answers-aws.jsonl.gz": b"plain text"},
        "not a file of recorded answers",
    ),
    "answers-not-json": (
        {"manifest.json": manifest(), "answers-aws.jsonl.gz": gzip.compress(b"what\n")},
        "not a file of recorded answers",
    ),
    "answers-not-calls": (
        {"manifest.json": manifest(), "answers-aws.jsonl.gz": gzip.compress(b"[1]\n{}\n")},
        "not a file of recorded answers",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_recording_that_cannot_be_used_is_one_line(infrascan: Command, name: str):
    files, said = BAD[name]
    if files:
        (infrascan.folder / name).mkdir()
    for file, content in files.items():
        (infrascan.folder / name / file).write_bytes(content)
    done = infrascan("run", "--replay", name)
    assert done.code == USAGE
    assert said in done.complaint
    assert name in done.complaint or name == "future-provider"
    assert not infrascan.kept.exists()
