"""What a user installs: one wheel that holds all it needs, and nothing under a generic name."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return zipfile.ZipFile(folder / done.stdout.split()[-1])


def test_the_wheel_holds_rules_templates_prices_and_the_demo(wheel: zipfile.ZipFile):
    names = wheel.namelist()

    for wanted in (
        "infrascan/py.typed",
        "infrascan/rules/README.md",
        "infrascan/rules/aws/rds/instance-open-to-internet.yaml",
        "infrascan/estates/acme/manifest.json",
        "infrascan/reports/html/report.html.j2",
    ):
        assert wanted in names
    assert any(name.startswith("infrascan/pricing/tables/") for name in names)
    on_disk = {p.relative_to(ROOT).as_posix() for p in (ROOT / "rules").rglob("*.yaml")}
    assert {f"infrascan/{path}" for path in on_disk} <= set(names)


def test_nothing_but_the_package_lands_in_site_packages(wheel: zipfile.ZipFile):
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert {"infrascan"} == {top for top in tops if not top.endswith(".dist-info")}


def test_the_wheel_stays_small(wheel: zipfile.ZipFile):
    assert sum(info.compress_size for info in wheel.infolist()) < 5_000_000


def test_the_licence_is_mit_and_goes_with_the_wheel(wheel: zipfile.ZipFile):
    (name,) = [name for name in wheel.namelist() if name.endswith("/licenses/LICENSE")]
    assert wheel.read(name).startswith(b"MIT License")
    (metadata,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    assert b"License-Expression: MIT" in wheel.read(metadata)


def test_one_command_installs_it_into_an_empty_environment(wheel: zipfile.ZipFile, tmp_path: Path):
    """What pip, pipx and uvx do, without the network: so without what it depends on, which
    neither its version nor its help needs."""
    pytest.importorskip("pip")
    place = tmp_path / "environment"
    venv.create(place, with_pip=False)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(place), "install", "--quiet", "--no-deps",
         "--no-index", "--no-compile", "--disable-pip-version-check", str(wheel.filename)],
        check=True,
        capture_output=True,
    )  # fmt: skip

    def said(*words: str) -> str:
        done = subprocess.run(
            [place / "bin" / "infrascan", *words],
            cwd=tmp_path,
            env={"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    (metadata,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    version = wheel.read(metadata).split(b"\nVersion: ")[1].split(b"\n")[0].decode()
    assert said("--version") == f"infrascan {version}\n"
    assert "infrascan run --demo" in said("--help")
