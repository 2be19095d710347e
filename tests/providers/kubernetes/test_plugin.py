"""Credential plugins log in, and one that fails is an error and not an anonymous scan."""

from __future__ import annotations

import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from infrascan.model import Connection, Reason
from infrascan.providers.kubernetes import plugin
from tests.providers.kubernetes.estate import connect
from tests.servers.kubernetes import ApiServer, User, certificate


def use(monkeypatch, path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(path))


PLUGIN = """#!{python}
import json, os, sys
spec = json.loads(os.environ["KUBERNETES_EXEC_INFO"])["spec"]
{body}
"""


def plugin_file(path: Path, body: str) -> Path:
    path.write_text(PLUGIN.format(python=sys.executable, body=body))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def with_plugin(server: ApiServer, folder: Path, body: str, **settings: Any) -> Path:
    command = plugin_file(folder / "login", body)
    settings = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(command),
        "interactiveMode": "Never",
        **settings,
    }
    return server.kubeconfig(folder / "config", exec=settings)


GIVE = 'print(json.dumps({"kind": "ExecCredential", "status": %s}))'


def test_a_credential_plugin_logs_in(tmp_path: Path, monkeypatch):
    body = 'token = os.environ["WHICH"] + sys.argv[1] + spec["cluster"]["server"][:4]\n'
    body += GIVE % '{"token": token}'
    with ApiServer(users={"one-two-http": User("ci")}) as server:
        config = with_plugin(
            server,
            tmp_path,
            body,
            args=["-two-"],
            env=[{"name": "WHICH", "value": "one"}],
            provideClusterInfo=True,
        )
        use(monkeypatch, config)
        (identity,) = connect()
    assert (identity.state, identity.who) == (Connection.CONNECTED, "ci")


def test_a_plugin_may_give_a_client_certificate(tmp_path: Path, monkeypatch):
    authority = trustme.CA()
    cert, key = certificate(authority)
    status = {"clientCertificateData": cert, "clientKeyData": key}
    with ApiServer(ca=authority, client_certificates=True) as server:
        use(monkeypatch, with_plugin(server, tmp_path, GIVE % repr(status)))
        assert connect()[0].state is Connection.CONNECTED


def test_a_plugin_beside_the_kubeconfig_is_found(tmp_path: Path, monkeypatch):
    with ApiServer(users={"t": User("ci")}) as server:
        config = with_plugin(server, tmp_path, GIVE % '{"token": "t"}', command="./login")
        use(monkeypatch, config)
        assert connect()[0].state is Connection.CONNECTED


def test_a_token_that_expires_is_renewed(tmp_path: Path, monkeypatch):
    body = "count = os.path.getsize(__file__ + '.n') if os.path.exists(__file__ + '.n') else 0\n"
    body += "open(__file__ + '.n', 'a').write('x')\n"
    body += GIVE % '{"token": "t", "expirationTimestamp": "2020-01-01T00:00:00Z"}'
    with ApiServer(users={"t": User("ci")}) as server:
        use(monkeypatch, with_plugin(server, tmp_path, body))
        (identity,) = connect()
    assert identity.state is Connection.CONNECTED
    assert (tmp_path / "login.n").stat().st_size > 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "print('token expired, run login', file=sys.stderr); sys.exit(3)",
            "exit code 3: token expired, run login",
        ),
        ("print('hello')", "not JSON"),
        ("print('{}')", "without 'status'"),
        (GIVE % "{}", "neither a token nor a client certificate"),
    ],
)
def test_a_plugin_that_fails_is_an_error_not_an_anonymous_scan(tmp_path, monkeypatch, body, said):
    with ApiServer(users={"t": User("ci")}) as server:
        use(monkeypatch, with_plugin(server, tmp_path, body))
        (identity,) = connect()
        assert server.requests == []
    assert (identity.state, identity.reason) == (Connection.ERROR, Reason.UNAUTHENTICATED)
    assert said in identity.detail


def test_a_plugin_that_is_not_installed_is_said_with_its_hint(tmp_path: Path, monkeypatch):
    with ApiServer() as server:
        config = with_plugin(
            server,
            tmp_path,
            "",
            command="no-such-login",
            installHint="install it from example.org\nmore",
        )
        use(monkeypatch, config)
        (identity,) = connect()
    assert (
        "no-such-login cannot be run: No such file or directory. install it from example.org"
        in identity.detail
    )
    assert "more" not in identity.detail


def test_a_plugin_that_hangs_is_stopped_with_its_children(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(plugin, "SECONDS", 0.5)
    body = "import subprocess\nsubprocess.run(['sleep', '30'])"
    with ApiServer() as server:
        use(monkeypatch, with_plugin(server, tmp_path, body))
        began = time.monotonic()
        (identity,) = connect()
    assert time.monotonic() - began < 5
    assert "did not finish" in identity.detail
