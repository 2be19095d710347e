"""A machine with every tool on it: programs that leave a mark when they are started."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from infrascan.commands import Requester
from infrascan.commands.grammar import TOOLS

ALICE = Requester(client="alice/1.0", session="s1", user="ops", address="127.0.0.1", model="m")
BOB = Requester(client="bob/2.0", session="s2", user="ops", address="127.0.0.1")


@dataclass
class Machine:
    """`home` is INFRASCAN_HOME, `folder` where commands are proposed from."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "kept"

    @property
    def folder(self) -> Path:
        return self.root / "work"

    @property
    def runs(self) -> list[str]:
        """What was run, a line each: the tool and its words."""
        marker = self.root / "home" / "marker"
        return marker.read_text().splitlines() if marker.exists() else []

    def tool(self, name: str, script: str = "") -> None:
        path = self.root / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "$HOME/marker"\n{script}\n')
        path.chmod(0o755)

    def policy(self, text: str, mode: int = 0o600) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        path = self.home / "policy.yaml"
        path.write_text(text)
        path.chmod(mode)

    def context(self, name: str, server: str = "https://10.0.0.1") -> None:
        config = {
            "current-context": name,
            "contexts": [{"name": name, "context": {"cluster": name, "user": "me"}}],
            "clusters": [{"name": name, "cluster": {"server": server}}],
        }
        path = self.root / "home" / ".kube" / "config"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(config))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine(tmp_path)
    for name in ("home", "work", "bin"):
        (tmp_path / name).mkdir()
    for name in (*TOOLS, "infrascan", "sh-of-nobody"):
        found.tool(name, f'echo "{name} ran"')
    found.context("staging")
    for name in list(os.environ):
        if name.startswith(
            ("AWS_", "KUBE", "DOCKER_", "CLOUDSDK_", "GH_", "GITHUB_", "TF_", "HELM_")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return found
