"""The home is private, and says in one line why it cannot be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from infrascan.model import InputError
from infrascan.store.home import home, prepared
from infrascan.store.scans import write
from tests.store.estate import estate


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"INFRASCAN_HOME": "/data/scans", "XDG_DATA_HOME": "/xdg"}, "/data/scans"),
        ({"XDG_DATA_HOME": "/xdg"}, "/xdg/infrascan"),
        ({"INFRASCAN_HOME": "", "XDG_DATA_HOME": "relative"}, "~/.local/share/infrascan"),
        ({"INFRASCAN_HOME": "~/mine"}, "~/mine"),
        ({}, "~/.local/share/infrascan"),
    ],
)
def test_the_home_follows_the_environment(environment: dict[str, str], expected: str) -> None:
    assert home(environment) == Path(expected).expanduser()


def test_a_relative_home_does_not_move_with_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert home({"INFRASCAN_HOME": "here"}) == tmp_path / "here"


def test_everything_is_made_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = write(estate(4), tmp_path / "home")
    finally:
        os.umask(before)
    for path in (tmp_path / "home", folder.parent, folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_looser_permissions_are_repaired(tmp_path: Path) -> None:
    loose = tmp_path / "home"
    loose.mkdir()
    loose.chmod(0o755)
    prepared(loose)
    assert stat.S_IMODE(loose.stat().st_mode) == 0o700


def test_a_home_of_another_user_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / "home"
    theirs.mkdir()
    if os.geteuid() == 0:
        os.chown(theirs, 65534, 65534)
    else:
        theirs = Path("/")
    with pytest.raises(InputError, match="belongs to another user"):
        prepared(theirs)


@pytest.mark.parametrize("place", ["/proc/infrascan", "/dev/null", "/dev/null/x"])
def test_a_place_that_cannot_be_written_is_one_line(place: str) -> None:
    with pytest.raises(InputError, match="set INFRASCAN_HOME to a folder") as error:
        write(estate(4), Path(place))
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home_is_one_line(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o500)
    with pytest.raises(InputError, match="Permission denied; set INFRASCAN_HOME"):
        write(estate(4), closed / "home")
