"""Credentials: which contexts there are, how they log in, and what is said when they cannot."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
import yaml

from infrascan.model import Connection, InputError, Reason
from tests.providers.kubernetes import estate
from tests.providers.kubernetes.estate import connect
from tests.servers.kubernetes import ApiServer, Fault, User, certificate, unused_port


def config_of(*clusters: tuple[str, str], current: str = "", **user: Any) -> dict[str, Any]:
    return {
        "current-context": current or clusters[0][0],
        "clusters": [{"name": n, "cluster": {"server": url}} for n, url in clusters],
        "contexts": [{"name": n, "context": {"cluster": n, "user": n}} for n, _ in clusters],
        "users": [{"name": n, "user": user} for n, _ in clusters],
    }


def use(monkeypatch, *files: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, files)))


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    return path


@pytest.fixture
def nowhere() -> str:
    return f"https://127.0.0.1:{unused_port()}"


def test_without_a_kubeconfig_nothing_is_configured():
    (identity,) = connect()
    assert identity.state is Connection.NOT_CONFIGURED
    assert "KUBECONFIG" in identity.remedy


def test_the_default_kubeconfig_is_found_in_the_home(tmp_path: Path):
    with ApiServer() as server:
        (tmp_path / ".kube").mkdir()
        server.kubeconfig(tmp_path / ".kube" / "config")
        (identity,) = connect()
    assert identity.state is Connection.CONNECTED
    assert identity.source == "context lab (~/.kube/config)"


def test_kubeconfigs_are_merged_and_the_first_wins(tmp_path: Path, monkeypatch, nowhere: str):
    with ApiServer() as server:
        first = write(
            tmp_path / "a" / "config", config_of(("one", server.url), ("two", server.url))
        )
        second = write(
            tmp_path / "b" / "config",
            config_of(("two", nowhere), ("three", server.url), current="two"),
        )
        use(monkeypatch, first, tmp_path / "not-there", second)
        assert [i.account for i in connect()] == ["one"]  # the first file's current context
        every = connect("all")
    assert [i.account for i in every] == ["one", "three", "two"]
    assert {i.state for i in every} == {Connection.CONNECTED}


def test_paths_in_a_kubeconfig_are_relative_to_it(tmp_path: Path, monkeypatch):
    with ApiServer(users={"t0ken": User("ci")}) as server:
        config = config_of(("lab", server.url), tokenFile="token")
        use(monkeypatch, write(tmp_path / "deep" / "config", config))
        write(tmp_path / "deep" / "token", "t0ken")
        (identity,) = connect()
    assert (identity.state, identity.who) == (Connection.CONNECTED, "ci")


def test_contexts_can_be_named_more_than_once_and_in_any_number(tmp_path: Path, monkeypatch):
    with ApiServer(estate.objects()) as server:
        config = config_of(*((name, server.url) for name in ("a", "b", "c")))
        use(monkeypatch, write(tmp_path / "config", config))
        collected = estate.scan(estate.provider("b", "a", "b"))
    assert [i.account for i in collected.identities] == ["a", "b"]
    assert {r.account for r in collected.resources} == {"a", "b"}


def test_an_unknown_context_is_refused_with_the_nearest(tmp_path: Path, monkeypatch, nowhere: str):
    use(monkeypatch, write(tmp_path / "config", config_of(("production", nowhere))))
    with pytest.raises(
        InputError, match="unknown Kubernetes context 'prodution'; did you mean 'production'"
    ):
        connect("prodution")
    with pytest.raises(InputError, match="there are: production"):
        connect("xyz")


def test_a_context_without_any_kubeconfig_is_refused():
    with pytest.raises(InputError, match="there is no kubeconfig"):
        connect("lab")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "line 2: is not YAML"),
        ("just text", "is not a mapping"),
        ("contexts: 3", "'contexts' is not a list"),
        ("clusters: [{cluster: {}}]", "'clusters' is not a list of entries with 'name'"),
        ("users: [{name: a, user: text}]", "'users' is not a list"),
        ("\x00\x01", "is not YAML"),
    ],
)
def test_a_malformed_kubeconfig_is_named_with_what_is_wrong(tmp_path, monkeypatch, text, said):
    path = write(tmp_path / "config", f"{text}\n")
    use(monkeypatch, path)
    (identity,) = connect()
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.MALFORMED)
    assert str(path) in identity.detail
    assert said in identity.detail


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"current-context": ""}, "no current context"),
        ({"current-context": "gone"}, "'gone' is not in the kubeconfig"),
        ({"clusters": []}, "has no server"),
        ({"clusters": [{"name": "lab", "cluster": {}}]}, "has no server"),
    ],
)
def test_a_kubeconfig_with_a_loose_end_is_an_error(tmp_path, monkeypatch, change, said):
    config = {**config_of(("lab", "http://127.0.0.1:1")), **change}
    use(monkeypatch, write(tmp_path / "config", config))
    (identity,) = connect()
    assert identity.state is Connection.ERROR
    assert said in identity.detail


def test_a_named_kubeconfig_that_does_not_exist_is_an_error(tmp_path: Path, monkeypatch):
    use(monkeypatch, tmp_path / "gone")
    (identity,) = connect()
    assert identity.state is Connection.ERROR
    assert "gone, which does not exist" in identity.detail


def test_a_kubeconfig_that_points_nowhere_says_so_in_time(
    tmp_path: Path, monkeypatch, nowhere: str
):
    use(monkeypatch, write(tmp_path / "config", config_of(("lab", nowhere))))
    began = time.monotonic()
    collected = estate.scan(estate.provider())
    assert time.monotonic() - began < 4
    (identity,) = collected.identities
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.UNREACHABLE)
    assert "Connection refused" in identity.detail
    assert "VPN" in identity.remedy
    assert [(g.account, g.reason) for g in collected.gaps] == [("lab", Reason.UNREACHABLE)]


def test_an_api_server_that_hangs_is_given_up_in_three_seconds(server: ApiServer):
    server.faults.append(Fault("/version", "hang"))
    began = time.monotonic()
    (identity,) = connect()
    assert 2.5 < time.monotonic() - began < 5
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.TIMED_OUT)


@pytest.mark.parametrize(
    ("what", "reason"), [("html", Reason.MALFORMED), ("500", Reason.UNREACHABLE)]
)
def test_something_else_than_an_api_server_is_an_error(
    server: ApiServer, what: str, reason: Reason
):
    server.faults.append(Fault("/version", what))
    (identity,) = connect()
    assert (identity.state, identity.reason) == (Connection.ERROR, reason)


def test_a_redirect_is_not_followed(server: ApiServer):
    server.faults.append(Fault("/version", "302"))
    (identity,) = connect()
    assert identity.state is Connection.ERROR
    assert server.paths() == ["/version"]


def test_one_dead_cluster_does_not_cost_the_other(tmp_path: Path, monkeypatch, nowhere: str):
    with ApiServer(estate.objects()) as server:
        config = config_of(("dead", nowhere), ("alive", server.url))
        use(monkeypatch, write(tmp_path / "config", config))
        collected = estate.scan(estate.provider("all"))
    states = {i.account: i.state for i in collected.identities}
    assert states == {"dead": Connection.ERROR, "alive": Connection.CONNECTED}
    assert {r.account for r in collected.resources} == {"alive"}


def test_a_wrong_token_is_an_identity_error(tmp_path: Path, monkeypatch):
    with ApiServer(users={"right": User("ci")}) as server:
        use(monkeypatch, server.kubeconfig(tmp_path / "config", token="wrong"))
        (identity,) = connect()
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.UNAUTHENTICATED)
    assert "log in again" in identity.remedy
    assert "wrong" not in identity.detail.partition(":")[0]


def test_tls_is_verified_against_the_authority_of_the_kubeconfig(tmp_path: Path, monkeypatch):
    with ApiServer(ca=trustme.CA()) as server:
        use(monkeypatch, server.kubeconfig(tmp_path / "config"))
        (identity,) = connect()
        assert identity.state is Connection.CONNECTED
        use(monkeypatch, write(tmp_path / "other", config_of(("lab", server.url))))
        (identity,) = connect()
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.UNREACHABLE)
    assert "certificate" in identity.detail


def test_a_client_certificate_of_the_kubeconfig_is_presented(tmp_path: Path, monkeypatch):
    authority = trustme.CA()
    cert, key = certificate(authority)
    write(tmp_path / "user.crt", cert)
    write(tmp_path / "user.key", key)
    with ApiServer(ca=authority, client_certificates=True) as server:
        names = {"client-certificate": "user.crt", "client-key": "user.key"}
        use(monkeypatch, server.kubeconfig(tmp_path / "config", **names))
        assert connect()[0].state is Connection.CONNECTED
        use(monkeypatch, server.kubeconfig(tmp_path / "config"))
        assert connect()[0].state is Connection.ERROR


def test_a_pod_reads_its_own_cluster_with_its_service_account(tmp_path: Path, monkeypatch):
    authority = trustme.CA()
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("first")
    (folder / "namespace").write_text("tools")
    authority.cert_pem.write_to_path(folder / "ca.crt")
    with ApiServer(estate.objects(), users={"first": User("sa")}, ca=authority) as server:
        host, port = server.http.server_address[:2]
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", str(host))
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
        found = estate.provider()
        found.service_account = folder
        collected = estate.scan(found)
    (identity,) = collected.identities
    assert (identity.account, identity.who) == ("in-cluster", "sa")
    assert {r.account for r in collected.resources} == {"in-cluster"}


def test_a_proxy_is_used_where_the_kubeconfig_names_one(tmp_path: Path, monkeypatch):
    with ApiServer() as proxy:  # a proxy for plain http gets the whole URL in the request line
        config = config_of(("lab", "http://kubernetes.invalid:80"))
        config["clusters"][0]["cluster"]["proxy-url"] = proxy.url
        use(monkeypatch, write(tmp_path / "config", config))
        connect()
        assert proxy.requests[0].path == "http://kubernetes.invalid:80/version"


def test_no_credential_is_in_the_answers_about_contexts(tmp_path: Path, monkeypatch):
    with ApiServer(users={estate.CANARY: User("ci")}) as server:
        use(monkeypatch, server.kubeconfig(tmp_path / "config", token=estate.CANARY))
        found = estate.provider()
        answers: list[Any] = []

        async def ask(call):
            answers.append(await found.send(call))
            return answers[-1]

        async def run() -> None:
            await found.connect(ask)

        trio.run(run)
        found.close()
    assert len(answers) == 4
    assert estate.CANARY not in json.dumps(answers)
