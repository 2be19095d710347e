"""Where the Docker engines are, as the docker command finds them: variables, contexts, sockets.

`DOCKER_HOST` goes before `DOCKER_CONTEXT`, that before the current context of the configuration,
and last comes the socket of this machine. Addresses and certificates stay in here and in the
client: answers name the contexts, and say how each is reached.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DEFAULT = "default"
SOCKET = "/var/run/docker.sock"
FILES = ("ca.pem", "cert.pem", "key.pem")
SSH = (
    "engines behind ssh:// are not read directly; forward the socket with "
    "`ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST` and set DOCKER_HOST=unix:///tmp/engine.sock"
)
PIPE = (
    "named pipes of Windows are not read; let the engine listen on tcp with TLS and set DOCKER_HOST"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An engine's address and how to trust it."""

    host: str  # "unix:///var/run/docker.sock", "tcp://192.0.2.7:2376"
    certificates: str = (
        ""  # folder of ca.pem, cert.pem and key.pem; "" for a connection without TLS
    )
    tls: bool = False
    verify: bool = True

    @property
    def way(self) -> str:
        """How it is reached: "unix", "tcp", "tls", "ssh", "npipe", or the scheme nobody knows."""
        scheme = urlsplit(self.host).scheme
        return (
            "tls"
            if scheme in {"tcp", "http", "https"} and self.tls
            else {"http": "tcp"}.get(scheme, scheme)
        )

    @property
    def refusal(self) -> str:
        """Why it cannot be read at all; "" when it can be tried."""
        way = self.way
        if way in {"unix", "tcp", "tls"}:
            return ""
        return {"ssh": SSH, "npipe": PIPE}.get(
            way, "the address must start with unix://, tcp:// or https://"
        )

    @property
    def socket(self) -> str:
        """The path of the Unix socket, or ""."""
        return self.host.removeprefix("unix://") if self.way == "unix" else ""

    @property
    def url(self) -> str:
        if self.way == "unix":
            return "http://docker"
        port = "" if urlsplit(self.host).port else (":2376" if self.tls else ":2375")
        return f"{'https' if self.tls else 'http'}://{urlsplit(self.host).netloc}{port}"

    def trust(self) -> ssl.SSLContext | None:
        """How the engine proves itself and we to it. Raises `OSError` for certificates not there."""
        if self.way != "tls":
            return None
        folder = Path(self.certificates)
        authority, certificate, key = (folder / name for name in FILES)
        context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate.exists():
            context.load_cert_chain(str(certificate), str(key))
        return context


def home() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser()


def from_host(host: str) -> Endpoint:
    """An address out of `DOCKER_HOST` or given by the user, with TLS as the variables say."""
    verify = bool(os.environ.get("DOCKER_TLS_VERIFY"))
    named = os.environ.get("DOCKER_CERT_PATH", "")
    secure = verify or bool(os.environ.get("DOCKER_TLS")) or host.startswith("https:")
    if "://" not in host:
        host = f"tcp://{host}"
    return Endpoint(
        host=host,
        certificates=str(Path(named).expanduser()) if named else str(home()) if secure else "",
        tls=secure and not host.startswith("unix:"),
        verify=verify or host.startswith("https:"),
    )


def local_socket() -> str:
    """The address of this machine's engine; of the rootless one where there is no other."""
    user = f"/run/user/{os.getuid()}/docker.sock" if hasattr(os, "getuid") else ""
    found = next((path for path in (SOCKET, user) if path and Path(path).exists()), "")
    return f"unix://{found}" if found else ""


def stored() -> dict[str, Endpoint]:
    """The contexts of the docker command's configuration, by name. Unreadable ones are left out."""
    found: dict[str, Endpoint] = {}
    for path in sorted(home().glob("contexts/meta/*/meta.json")):
        meta = parsed(path)
        endpoint = (meta.get("Endpoints") or {}).get("docker") or {}
        name, host = str(meta.get("Name") or ""), str(endpoint.get("Host") or "")
        if not name or not host:
            continue
        certificates = home() / "contexts" / "tls" / path.parent.name / "docker"
        found[name] = Endpoint(
            host=host,
            certificates=str(certificates) if certificates.is_dir() else "",
            tls=certificates.is_dir() or host.startswith("https:"),
            verify=not endpoint.get("SkipTLSVerify"),
        )
    return found


def parsed(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def endpoints() -> dict[str, Endpoint]:
    """Every engine that has a name here."""
    found = stored()
    host = os.environ.get("DOCKER_HOST", "")
    here = from_host(host) if host else Endpoint(host=local_socket())
    return {DEFAULT: here, **found} if here.host else found


def current() -> tuple[str, str]:
    """The context in use, and where that is said."""
    if os.environ.get("DOCKER_HOST"):
        return DEFAULT, "DOCKER_HOST"
    if name := os.environ.get("DOCKER_CONTEXT"):
        return name, "DOCKER_CONTEXT"
    if name := str(parsed(home() / "config.json").get("currentContext") or ""):
        return name, "~/.docker/config.json"
    return DEFAULT, "the local socket"


def available() -> dict[str, Any]:
    """The answer to `local.Contexts`: names and ways, no addresses."""
    name, source = current()
    return {
        "current": name,
        "source": source,
        "contexts": [
            {"name": each, "way": endpoint.way, "refusal": endpoint.refusal}
            for each, endpoint in sorted(endpoints().items())
        ],
    }


def named(account: str) -> Endpoint:
    """The engine of a context, or of an address that the user gave."""
    return endpoints().get(account) or from_host(account)
