"""As whom a team is read: the token of the environment, or contexts of doctl."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.estates.clock import OBSERVED
from fixtures.estates.digitalocean_acme import TOKEN

from infrascan.collect.provider import Selection
from infrascan.model import InputError, Reason
from infrascan.providers.digitalocean import DigitalOcean
from tests.providers.token_platforms import connect
from tests.servers.digitalocean import error
from tests.servers.proxy import PAGE, RESET
from tests.servers.rest import RestServer

OTHER = "dop_v1_" + "b" * 64


def digitalocean(*contexts: str) -> DigitalOcean:
    scopes = {"digitalocean": contexts} if contexts else {}
    return DigitalOcean(Selection(observed=OBSERVED, scopes=scopes))


def configured(home: Path, text: str) -> None:
    path = home / ".config" / "doctl" / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_credentials_nothing_is_asked(server: RestServer):
    (identity,) = connect(digitalocean())

    assert identity.state == "not configured"
    assert identity.remedy == "set DIGITALOCEAN_ACCESS_TOKEN, or run: doctl auth init"
    assert not server.requests


@pytest.mark.parametrize("name", ["DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN"])
def test_a_token_in_the_environment_says_who_and_which_team(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv(name, TOKEN)

    (identity,) = connect(digitalocean())

    assert (identity.state, identity.account, identity.source) == ("connected", "default", name)
    assert identity.who == "ops@acme.example in team Acme"


def test_the_current_context_of_doctl_is_read(server: RestServer, home: Path):
    configured(
        home,
        f"access-token: {OTHER}\nauth-contexts:\n  acme-blog: {TOKEN}\n  x: {OTHER}\ncontext: acme-blog\n",
    )

    (identity,) = connect(digitalocean())

    assert (identity.state, identity.account) == ("connected", "acme-blog")
    assert identity.source == "context acme-blog (~/.config/doctl/config.yaml)"


def test_the_default_context_is_access_token(server: RestServer, home: Path):
    configured(home, f"access-token: {TOKEN}\ncontext: default\n")

    (identity,) = connect(digitalocean())

    assert (identity.state, identity.account) == ("connected", "default")


def test_a_context_of_the_environment_is_chosen(
    server: RestServer, home: Path, monkeypatch: pytest.MonkeyPatch
):
    configured(home, f"auth-contexts: {{a: {OTHER}, b: {TOKEN}}}\ncontext: a\n")
    monkeypatch.setenv("DIGITALOCEAN_CONTEXT", "b")

    assert [i.account for i in connect(digitalocean())] == ["b"]


def test_the_configuration_may_be_elsewhere(
    server: RestServer, home: Path, monkeypatch: pytest.MonkeyPatch
):
    configured(home, f"access-token: {TOKEN}\n")
    (home / ".config").rename(home / "elsewhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))

    assert [i.state for i in connect(digitalocean())] == ["connected"]


def test_a_refused_token_is_said_with_a_remedy(server: RestServer, home: Path):
    configured(home, f"auth-contexts: {{good: {TOKEN}, expired: {OTHER}}}\n")

    provider = digitalocean("good", "expired")
    good, bad = connect(provider)

    assert good.state == "connected"
    assert (bad.state, bad.reason) == ("error", Reason.UNAUTHENTICATED)
    assert "Unable to authenticate you" in bad.detail
    assert "infrascan permissions digitalocean" in bad.remedy
    assert set(provider.accounts) == {"good"}


def test_a_token_without_account_read_is_connected_all_the_same(
    server: RestServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", TOKEN)
    server.fault = lambda _: error(403, "Forbidden", "You are missing the required permission")

    (identity,) = connect(digitalocean())

    assert identity.state == "connected"
    assert identity.who == "the token of context default"


def test_an_unknown_context_is_an_input_error_with_the_nearest(server: RestServer, home: Path):
    configured(home, f"auth-contexts: {{acme-blog: {TOKEN}}}\n")

    with pytest.raises(
        InputError, match="unknown doctl context 'acme-blg': did you mean acme-blog"
    ):
        connect(digitalocean("acme-blg"))


def test_tokens_are_in_no_answer(server: RestServer, home: Path):
    configured(home, f"access-token: {OTHER}\nauth-contexts: {{acme-blog: {TOKEN}}}\n")
    kept: list[object] = []

    connect(digitalocean(), kept)

    text = json.dumps(kept)
    assert "acme-blog" in text
    assert TOKEN not in text
    assert OTHER not in text


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "just words"])
def test_a_broken_configuration_is_an_error_and_not_a_traceback(
    server: RestServer, home: Path, text: str
):
    configured(home, text)

    (identity,) = connect(digitalocean())

    assert identity.state == "error"
    assert identity.detail.startswith("~/.config/doctl/config.yaml cannot be read: ")


@pytest.mark.parametrize(
    ("fault", "reason"), [(PAGE, Reason.MALFORMED), (RESET, Reason.UNREACHABLE)]
)
def test_an_endpoint_that_is_not_digitalocean_is_an_error(
    server: RestServer, monkeypatch: pytest.MonkeyPatch, fault: object, reason: Reason
):
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", TOKEN)
    server.fault = lambda _: fault

    (identity,) = connect(digitalocean())

    assert (identity.state, identity.reason) == ("error", reason)


def test_a_mac_keeps_the_configuration_in_its_library(
    server: RestServer, home: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = home / "Library" / "Application Support" / "doctl"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"access-token: {TOKEN}\n")
    monkeypatch.setattr("sys.platform", "darwin")

    assert [i.state for i in connect(digitalocean())] == ["connected"]
