"""Which engine is read, how it is reached, and what is said when it cannot be."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from pathlib import Path

import pytest

from infrascan.model import Connection, InputError, Reason
from infrascan.providers.docker import contexts
from tests.providers.docker.conftest import Served, collect, identity
from tests.servers.docker import Engine
from tests.servers.proxy import Answer
from tests.servers.rest import RestServer


def context(home: Path, name: str, host: str, *, current: bool = False, **endpoint: object) -> Path:
    """Write a context as `docker context create` does; gives the folder of its certificates."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = home / "contexts/meta" / digest
    meta.mkdir(parents=True)
    told = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, **endpoint}}}
    (meta / "meta.json").write_text(json.dumps(told))
    if current:
        (home / "config.json").write_text(json.dumps({"currentContext": name}))
    return home / "contexts/tls" / digest / "docker"


def test_nothing_is_there():
    found = identity()

    assert found.state is Connection.NOT_CONFIGURED
    assert "no DOCKER_HOST" in found.detail


def test_an_engine_answers(served: Served):
    found = identity()

    assert found.state is Connection.CONNECTED
    assert (found.account, found.source) == ("default", "DOCKER_HOST")
    assert found.who == "Docker 20.10.24+dfsg1, API 1.41, Unix socket"


def test_the_socket_of_this_machine_is_read_without_being_named(
    served: Served, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setattr(contexts, "SOCKET", str(served.server.socket))

    assert identity().source == "the local socket"


def test_the_current_context_is_read(served: Served, home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DOCKER_HOST")
    context(home, "build-01", served.server.url, current=True)
    context(home, "other", "tcp://192.0.2.7:2375")

    found = identity()

    assert (found.state, found.account, found.source) == (
        Connection.CONNECTED,
        "build-01",
        "context build-01",
    )


def test_docker_host_goes_before_docker_context(
    served: Served, home: Path, monkeypatch: pytest.MonkeyPatch
):
    context(home, "other", "tcp://192.0.2.7:2375", current=True)
    monkeypatch.setenv("DOCKER_CONTEXT", "other")

    assert identity().account == "default"


def test_a_context_in_use_that_is_not_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")

    found = identity()

    assert found.state is Connection.ERROR
    assert "'gone', is not in the configuration" in found.detail


def test_a_context_that_does_not_exist_is_a_mistake(home: Path):
    context(home, "build-01", "tcp://192.0.2.7:2375")

    with pytest.raises(
        InputError, match=r"unknown Docker context 'build01'; did you mean 'build-01'\?"
    ):
        identity("build01")


def test_all_contexts_and_an_address(served: Served, home: Path):
    context(home, "build-01", served.server.url)

    read = collect("all", served.server.url)

    assert ["build-01", "default", served.server.url] == [i.account for i in read.identities]
    assert {i.state for i in read.identities} == {Connection.CONNECTED}


def test_broken_configuration_is_passed_over(served: Served, home: Path):
    (home / "contexts/meta/x").mkdir(parents=True)
    (home / "contexts/meta/x/meta.json").write_text("{")
    (home / "config.json").write_text("[]")

    assert identity().state is Connection.CONNECTED


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("ssh://root@build-01", "ssh -nNT -L"),
        ("npipe:////./pipe/docker_engine", "named pipes"),
        ("fd://", "must start with unix://"),
    ],
)
def test_ways_that_are_not_taken_are_said(host: str, words: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", host)

    found = identity()

    assert found.state is Connection.ERROR
    assert words in found.detail


def test_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/gone.sock")

    found = identity()

    assert found.state is Connection.ERROR
    assert "there is no socket" in found.detail
    assert "start the engine" in found.remedy


def test_nobody_listens_on_the_socket(monkeypatch: pytest.MonkeyPatch):
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"infrascan-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    try:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        assert "nothing listens there" in identity().detail
    finally:
        path.unlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
def test_a_socket_without_rights(served: Served):
    Path(str(served.server.socket)).chmod(0)

    found = identity()

    assert found.reason is Reason.DENIED
    assert "group docker" in found.remedy


def test_the_systems_refusal_is_one_of_rights():
    from infrascan.providers.docker import REMEDIES, SOCKETS

    reason, code, _ = SOCKETS[os.strerror(13)]
    assert reason is Reason.DENIED
    assert "group docker" in REMEDIES[code]
    assert os.strerror(2) in SOCKETS
    assert os.strerror(111) in SOCKETS


def test_something_else_answers(served: Served):
    served.server.fault = lambda _: Answer(200, {"content-type": "text/html"}, b"<html>")

    found = identity()

    assert found.state is Connection.ERROR
    assert found.detail == "what answers there is no Docker engine"


@pytest.mark.parametrize(
    ("newest", "least", "said"),
    [
        ("1.41", "1.12", "API 1.41"),
        ("1.52", "1.44", "API 1.47"),
        ("1.18", "1.12", "the engine speaks API 1.18; 1.24 or later is needed"),
        ("1.60", "1.50", "client version 1.47 is too old. Minimum supported API version is 1.50"),
    ],
)
def test_the_version_is_agreed_on(served: Served, newest: str, least: str, said: str):
    served.engine.about = {**served.engine.about, "ApiVersion": newest, "MinAPIVersion": least}

    found = identity()

    assert said in found.who + found.detail


def test_podman_is_told(served: Served):
    about = {"Components": [{"Name": "Podman Engine"}], "Version": "5.2.0"}
    served.engine.about = {**served.engine.about, **about}

    assert identity().who.startswith("Podman 5.2.0")


def test_tcp(monkeypatch: pytest.MonkeyPatch):
    with RestServer(Engine.recorded().answer) as server:
        monkeypatch.setenv("DOCKER_HOST", server.url.replace("http://", "tcp://"))

        assert identity().who.endswith("tcp without TLS")
        engine = next(r for r in collect().resources if r.kind == "docker.engine")
        assert engine.data["connection"] == "tcp"


def test_tcp_with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with RestServer(Engine.recorded().answer, tls=True) as server:
        (tmp_path / "ca.pem").write_bytes(Path(server.authority).read_bytes())
        monkeypatch.setenv("DOCKER_HOST", server.url.replace("https://", "tcp://"))
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))

        assert identity().who.endswith("tcp with TLS")


def test_a_certificate_of_another_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with RestServer(Engine.recorded().answer, tls=True) as server:
        monkeypatch.setenv("DOCKER_HOST", server.url.replace("https://", "tcp://"))
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))

        found = identity()

        assert found.state is Connection.ERROR
        assert "certificate" in found.detail.lower()


def test_a_context_with_certificates(home: Path):
    with RestServer(Engine.recorded().answer, tls=True) as server:
        host = server.url.replace("https://", "tcp://")
        folder = context(home, "build-01", host, current=True, SkipTLSVerify=False)
        folder.mkdir(parents=True)
        (folder / "ca.pem").write_bytes(Path(server.authority).read_bytes())

        assert identity().who.endswith("tcp with TLS")


def test_certificates_that_cannot_be_used(home: Path):
    folder = context(home, "build-01", "tcp://127.0.0.1:9", current=True)
    folder.mkdir(parents=True)
    (folder / "cert.pem").write_text("no certificate")

    found = identity()

    assert found.reason is Reason.UNAUTHENTICATED
    assert "certificates for this engine cannot be used" in found.detail
    assert str(home) not in found.detail


def test_nothing_of_this_machine_is_told(served: Served, home: Path):
    context(home, "build-01", "unix:///home/somebody/secret.sock")

    assert "somebody" not in json.dumps(contexts.available())


def test_contexts_that_nobody_chose_are_said(
    served: Served, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("DOCKER_HOST")
    context(home, "other", "tcp://192.0.2.7:2375")
    context(home, "build-01", served.server.url, current=True)
    assert "other" in identity().detail
    assert identity("build-01").detail == ""
