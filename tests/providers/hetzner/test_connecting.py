"""As whom a project is read: the token of the environment, or contexts of hcloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.estates.clock import OBSERVED
from fixtures.estates.hetzner_acme import TOKEN

from infrascan.collect.provider import Selection
from infrascan.model import InputError, Reason
from infrascan.providers.hetzner import Hetzner
from tests.providers.token_platforms import connect
from tests.servers.proxy import PAGE, RESET
from tests.servers.rest import RestServer


def hetzner(*contexts: str) -> Hetzner:
    scopes = {"hetzner": contexts} if contexts else {}
    return Hetzner(Selection(observed=OBSERVED, scopes=scopes))


def configured(home: Path, active: str = "", **tokens: str) -> Path:
    path = home / ".config" / "hcloud" / "cli.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'active_context = "{active}"'] if active else []
    for name, token in tokens.items():
        lines += ["[[contexts]]", f'name = "{name}"', f'token = "{token}"']
    path.write_text("\n".join(lines))
    return path


def test_without_credentials_nothing_is_asked(server: RestServer):
    (identity,) = connect(hetzner())

    assert identity.state == "not configured"
    assert identity.detail == "no token in HCLOUD_TOKEN, and no context"
    assert identity.remedy == "set HCLOUD_TOKEN, or run: hcloud context create NAME"
    assert not server.requests


def test_a_token_in_the_environment_is_the_context_default(
    server: RestServer, home: Path, monkeypatch: pytest.MonkeyPatch
):
    configured(home, "other", other="wrong")
    monkeypatch.setenv("HCLOUD_TOKEN", TOKEN)

    (identity,) = connect(hetzner())

    assert (identity.state, identity.account) == ("connected", "default")
    assert identity.source == "HCLOUD_TOKEN"


def test_the_active_context_is_read(server: RestServer, home: Path):
    configured(home, "builds", builds=TOKEN, other="wrong")

    (identity,) = connect(hetzner())

    assert (identity.state, identity.account) == ("connected", "builds")
    assert identity.source == "context builds (~/.config/hcloud/cli.toml)"


def test_hcloud_context_chooses_another(
    server: RestServer, home: Path, monkeypatch: pytest.MonkeyPatch
):
    configured(home, "other", builds=TOKEN, other="wrong")
    monkeypatch.setenv("HCLOUD_CONTEXT", "builds")

    assert [i.account for i in connect(hetzner())] == ["builds"]


def test_contexts_that_nobody_chose_are_said(server: RestServer, home: Path):
    configured(home, "builds", builds=TOKEN, **{f"other-{n:02}": TOKEN for n in range(11)})

    (identity,) = connect(hetzner())
    assert identity.detail.startswith(
        "not read, unless chosen by name or by all: other-00, other-01"
    )
    assert identity.detail.endswith("other-09 and 1 more")
    assert {i.detail for i in connect(hetzner("builds"))} == {""}
    assert {i.detail for i in connect(hetzner("all"))} == {""}


def test_without_an_active_context_all_are_read(server: RestServer, home: Path):
    configured(home, builds=TOKEN, second=TOKEN)

    assert [i.account for i in connect(hetzner())] == ["builds", "second"]


def test_chosen_contexts_are_read_and_one_that_is_refused_says_so(server: RestServer, home: Path):
    configured(home, "builds", builds=TOKEN, expired="x" * 64, third=TOKEN)

    provider = hetzner("builds", "expired")
    good, bad = connect(provider)

    assert (good.account, good.state) == ("builds", "connected")
    assert (bad.account, bad.state, bad.reason) == ("expired", "error", Reason.UNAUTHENTICATED)
    assert bad.detail == "unauthorized: unable to authenticate"
    assert bad.remedy.startswith("make a token with the permission Read")
    assert set(provider.accounts) == {"builds"}


def test_all_contexts_can_be_chosen(server: RestServer, home: Path):
    configured(home, "builds", builds=TOKEN, third=TOKEN)

    assert [i.account for i in connect(hetzner("all"))] == ["builds", "third"]


def test_an_unknown_context_is_an_input_error_with_the_nearest(server: RestServer, home: Path):
    configured(home, "builds", builds=TOKEN)

    with pytest.raises(
        InputError, match="unknown hcloud context 'build': did you mean builds\\? there is builds"
    ):
        connect(hetzner("build"))


def test_the_configuration_may_be_elsewhere_and_its_path_is_not_told(
    server: RestServer, home: Path, monkeypatch: pytest.MonkeyPatch
):
    path = configured(home, "builds", builds=TOKEN).rename(home / "secret-place.toml")
    monkeypatch.setenv("HCLOUD_CONFIG", str(path))
    kept: list[object] = []

    (identity,) = connect(hetzner(), kept)

    assert identity.source == "context builds (HCLOUD_CONFIG)"
    assert "secret-place" not in json.dumps(kept)


def test_tokens_are_in_no_answer(server: RestServer, home: Path):
    configured(home, "builds", builds=TOKEN, other="o" * 64)
    kept: list[object] = []

    connect(hetzner(), kept)

    text = json.dumps(kept)
    assert "builds" in text
    assert TOKEN not in text
    assert "o" * 64 not in text


def test_a_broken_configuration_is_an_error_and_not_a_traceback(server: RestServer, home: Path):
    configured(home).write_text("active_context = [")

    (identity,) = connect(hetzner())

    assert identity.state == "error"
    assert identity.detail == "~/.config/hcloud/cli.toml cannot be read: TOMLDecodeError"


@pytest.mark.parametrize(
    ("fault", "reason"), [(PAGE, Reason.MALFORMED), (RESET, Reason.UNREACHABLE)]
)
def test_an_endpoint_that_is_not_hetzner_is_an_error(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, fault: object, reason: Reason
):
    monkeypatch.setenv("HCLOUD_TOKEN", TOKEN)
    server.fault = lambda _: fault

    (identity,) = connect(hetzner())

    assert (identity.state, identity.reason) == ("error", reason)
