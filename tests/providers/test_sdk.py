"""SDKs are imported one at a time, and only those of the providers asked for."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import trio

from infrascan.providers import sdk
from infrascan.shipped import shipped

MODULE = """
import {counter} as counter, time
counter.inside += 1
counter.most = max(counter.most, counter.inside)
time.sleep(0.01)
counter.inside -= 1
"""
HEAVY = {
    "aws": ("botocore", "boto3"),
    "gcp": ("google.cloud", "google.auth", "grpc"),
    "azure": ("azure", "msal"),
    "k8s": ("kubernetes", "urllib3"),
    "cloudflare": ("cloudflare",),
    "others": ("httpx", "httpcore", "requests"),
}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Modules that count how many of them are being imported at once, in the last."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sdk, "WHOLE", set())
    names = tuple(f"{tmp_path.name}_{at}".replace("-", "_") for at in range(6))
    counter = f"{names[0]}_counter"
    (tmp_path / f"{counter}.py").write_text("inside = most = 0\n")
    for name in names:
        (tmp_path / f"{name}.py").write_text(MODULE.format(counter=counter))
    return (*names, counter)


def test_threads_import_one_after_the_other(modules: tuple[str, ...]) -> None:
    *names, counter = modules
    threads = [threading.Thread(target=sdk.imported, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(names) <= set(sys.modules)
    assert sys.modules[counter].most == 1


def test_what_is_there_is_not_waited_for(modules: tuple[str, ...]) -> None:
    first = modules[0]
    trio.run(sdk.ready, first)
    assert first in sys.modules

    async def again() -> None:
        with sdk.LOCK, trio.fail_after(1):
            await sdk.ready(first)

    trio.run(again)


def test_a_failed_import_is_tried_again(modules: tuple[str, ...]) -> None:
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module"):
            sdk.imported(modules[0], "no_such_module_at_all")
    assert modules[0] in sdk.WHOLE


@pytest.mark.parametrize("name", ["k8s", "terraform", "aws,docker"])
def test_a_replay_imports_no_sdk(name: str, tmp_path: Path) -> None:
    """Also none of the providers that are not asked for."""
    asked = name.split(",")
    program = (
        "import atexit, sys; atexit.register(lambda: print(*sorted(sys.modules)));"
        "from infrascan.cli import main; main()"
    )
    replay = str(shipped("estates") / "acme")
    arguments = ["run", "--quiet", "--replay", replay, "--providers", name, "--output"]
    found = subprocess.run(
        [sys.executable, "-c", program, *arguments, str(tmp_path / "report")],
        env={"HOME": str(tmp_path), "INFRASCAN_HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = found.stdout.splitlines()[-1].split()
    heavy = {module for modules in HEAVY.values() for module in modules}
    assert heavy.isdisjoint(loaded)
    ours = {"aws": "aws", "gcp": "gcp", "azure": "azure", "k8s": "kubernetes"}
    ours |= {part: part for part in ("cloudflare", "hetzner", "digitalocean", "github", "docker")}
    unasked = {f"infrascan.providers.{ours[part]}" for part in ours if part not in asked}
    assert unasked.isdisjoint(loaded)
