"""Finding providers by name, and guessing which have credentials."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infrascan.collect.provider import Selection
from infrascan.model import InputError
from infrascan.providers import PROVIDERS, configured, load, names

VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "KUBECONFIG"),
)


@pytest.fixture(autouse=True)
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without credentials."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_every_name_loads_a_provider_of_that_name() -> None:
    for name in PROVIDERS:
        assert load(name)(Selection(observed=datetime(2026, 11, 21, tzinfo=UTC))).name == name
    assert set(PROVIDERS) <= set(names())


@pytest.mark.parametrize("wrong", ["awss", "AWS", "asw"])
def test_an_unknown_provider_is_an_input_error_with_the_list(wrong: str) -> None:
    with pytest.raises(
        InputError,
        match=rf"unknown provider '{wrong}': .*there are aws, gcp, azure, k8s, cloudflare",
    ):
        load(wrong)


def test_the_nearest_name_is_said() -> None:
    with pytest.raises(InputError, match="did you mean aws"):
        load("awss")


def test_nothing_is_configured_where_there_is_nothing() -> None:
    assert configured() == ()


def test_files_and_variables_count_and_empty_files_do_not(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nothing / ".aws").mkdir()
    (nothing / ".aws" / "credentials").write_text("")
    assert configured() == ()
    (nothing / ".aws" / "config").write_text("[default]\nregion = eu-west-1\n")
    assert configured() == ("aws",)
    monkeypatch.setenv("KUBECONFIG", f"{nothing}/none:{nothing}/some")
    (nothing / "some").write_text("apiVersion: v1\n")
    assert configured() == ("aws", "k8s")


def test_keys_in_the_environment_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    assert configured() == ("aws",)
