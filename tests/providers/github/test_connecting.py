"""Whose token it is, and whose repositories are read with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infrascan.collect.recording import Recorder
from infrascan.model import Connection, Identity, InputError, Reason
from infrascan.providers import at_hand
from infrascan.providers.github import credentials
from tests.providers.github.estate import (
    ORG,
    alone,
    collected,
    estate,
    of_repository,
    opened,
    organization,
    repository,
)
from tests.servers.github import TOKEN, Estate, Refusal, counted, server
from tests.servers.proxy import PAGE, RESET
from tests.servers.rest import RestServer, json_answer

NOWHERE = "http://127.0.0.1:9"


def only(found: list[Identity]) -> Identity:
    assert len(found) == 1, found
    return found[0]


def test_without_a_token_nothing_is_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GITHUB_API_URL", NOWHERE)
    assert not at_hand.github()
    found = only(collected(opened()).identities)
    assert found.state is Connection.NOT_CONFIGURED
    assert "gh auth login" in found.remedy


def test_a_token_reads_its_organisations_and_its_user(running: RestServer):
    found = collected(opened())
    assert [(i.account, i.who, i.state.value) for i in found.identities] == [
        (ORG, "anna", "connected"),
        ("anna", "anna", "connected"),
    ]
    assert found.identities[0].source == "GITHUB_TOKEN"
    assert not found.gaps
    read = {c.partition.kind for c in found.coverage if c.partition.account == "anna"}
    assert "github.repository" in read
    assert "github.member" not in read


def test_a_wrong_token_is_an_identity(running: RestServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_" + "B" * 36)
    found = collected(opened())
    identity = only(found.identities)
    assert identity.state is Connection.ERROR
    assert identity.reason is Reason.UNAUTHENTICATED
    assert "Bad credentials" in identity.detail
    assert "ghp_" not in repr(found.__dict__)


def test_a_narrow_token_says_so(monkeypatch: pytest.MonkeyPatch):
    with server(estate(scopes="gist")) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        found = collected(opened(ORG)).identities
    assert "read:org and repo" in found[0].detail


def test_a_fine_grained_token_has_no_scopes(monkeypatch: pytest.MonkeyPatch):
    with server(estate(scopes=None)) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        monkeypatch.setenv("GH_TOKEN", TOKEN)
        found = collected(opened(ORG)).identities
    assert found[0].detail == ""
    assert found[0].source == "GH_TOKEN"


def test_an_empty_header_of_a_fine_grained_token_is_no_scope(monkeypatch: pytest.MonkeyPatch):
    token = "github_pat_" + "A" * 70
    with server(estate(scopes="", token=token)) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        monkeypatch.setenv("GITHUB_TOKEN", token)
        assert collected(opened(ORG)).identities[0].detail == ""


def test_an_app_reads_what_it_was_given(monkeypatch: pytest.MonkeyPatch):
    routes = {**organization(), **of_repository()}
    routes["/user"] = Refusal(403, "Resource not accessible by integration")
    routes["/installation/repositories"] = counted(
        "repositories", [repository(), repository("other", owner={"login": "else"})]
    )
    routes["/users/else"] = {"login": "else", "type": "User"}
    with server(Estate(routes, scopes=None)) as running:
        monkeypatch.setenv("GITHUB_API_URL", running.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        found = collected(opened())
    assert [i.account for i in found.identities] == [ORG, "else"]
    names = [r.id for r in found.resources if r.kind == "github.repository"]
    assert names == [f"{ORG}/shop"]


def test_one_repository_can_be_chosen(running: RestServer):
    found = collected(opened(f"{ORG}/shop"))
    assert not found.gaps
    kinds = {r.kind for r in found.resources}
    assert {"github.repository", "github.workflow", "github.secret_scanning_alert"} <= kinds
    assert not kinds & {"github.organization", "github.member"}
    assert not any(r.path == f"/orgs/{ORG}/repos" for r in running.requests)


def test_another_users_repositories_can_be_chosen(running: RestServer):
    routes = running.answer.routes  # type: ignore[attr-defined]
    routes["/users/bob"] = {"login": "bob", "type": "User"}
    routes["/users/bob/repos"] = []
    found = collected(opened("bob"))
    assert only(found.identities).account == "bob"


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("acne", "no organisation or user 'acne': did you mean acme?"),
        ("zzzz", "no organisation or user 'zzzz'"),
        (
            "acme/shap",
            "acme has no repository 'shap', or it is not visible to this token: did you mean shop?",
        ),
    ],
)
def test_a_name_that_is_not_there_is_told(running: RestServer, scope: str, said: str):
    with pytest.raises(InputError) as told:
        collected(opened(scope))
    assert str(told.value).endswith(said)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (PAGE, Reason.MALFORMED),
        (RESET, Reason.UNREACHABLE),
        (json_answer({"message": "no"}, 403), Reason.DENIED),
        (json_answer({"login": None}), Reason.MALFORMED),
        (json_answer([]), Reason.MALFORMED),
    ],
)
def test_a_failed_look_is_an_identity(running: RestServer, answer: object, reason: Reason):
    running.fault = lambda _: answer  # type: ignore[assignment,return-value]
    provider = opened()
    identity = only([*alone(provider, lambda: provider.connect(provider.send))])
    assert (identity.state, identity.reason) == (Connection.ERROR, reason)


def test_gh_keeps_its_token_in_a_file(home: Path):
    write(home, "github.com:\n  user: anna\n  oauth_token: abc\n")
    assert at_hand.github()
    found = credentials.find()
    assert (found.token, found.source, found.url) == ("abc", "gh CLI, as anna", credentials.API)
    assert "abc" not in repr(found)


def test_gh_keeps_several_users(home: Path):
    write(
        home,
        "github.com:\n  user: ben\n  users:\n    anna: {oauth_token: a}\n    ben: {oauth_token: b}\n",
    )
    assert credentials.find().token == "b"


def test_gh_keeps_its_token_in_the_keyring(home: Path):
    write(home, "github.com:\n  user: anna\n  users: {anna: }\n")
    identity = only(collected(opened()).identities)
    assert identity.state is Connection.ERROR
    assert "keyring" in identity.detail
    assert identity.remedy == "run with GH_TOKEN=$(gh auth token)"


@pytest.mark.parametrize("text", ["[", "text", "github.com: 3", "other.example: {oauth_token: x}"])
def test_a_file_that_is_of_no_use(home: Path, text: str):
    write(home, text)
    assert not credentials.find().token


def test_enterprise_servers_have_names_of_their_own():
    host = {"GH_HOST": "git.acme.example", "GH_TOKEN": "a", "GH_ENTERPRISE_TOKEN": "b"}
    found = credentials.find({**host, "HOME": "/nowhere"})
    assert (found.url, found.token) == ("https://git.acme.example/api/v3", "b")


def test_a_token_is_not_sent_in_plain_text():
    found = credentials.find({"GITHUB_API_URL": "http://git.acme.example", "GITHUB_TOKEN": "a"})
    assert not found.token
    assert "plain http" in found.problem


def test_no_token_is_recorded(running: RestServer, tmp_path: Path):
    recorder = Recorder.create(tmp_path / "kept", {})
    collected(opened(), recorder=recorder)
    recorder.close()
    import gzip

    text = gzip.decompress((tmp_path / "kept" / "answers-github.jsonl.gz").read_bytes()).decode()
    assert TOKEN not in text
    assert "CANARY" not in text
    assert "localhost" not in text
    assert "127.0.0.1" not in text


def write(home: Path, text: str) -> None:
    folder = home / "gh"
    folder.mkdir()
    (folder / "hosts.yml").write_text(text)
