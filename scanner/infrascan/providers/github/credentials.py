"""Whose token GitHub is read with, and where GitHub is: the places that gh and Actions use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PUBLIC = "github.com"
API = "https://api.github.com"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LOGIN = "set GITHUB_TOKEN, or run: gh auth login"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token and the API that it is for. `problem` says why there is no token to use."""

    token: str = ""
    url: str = API
    source: str = ""
    problem: str = ""
    remedy: str = LOGIN

    def __repr__(self) -> str:  # never the token
        return f"Credentials({self.source or self.problem!r})"


def find(environment: Mapping[str, str] | None = None) -> Credentials:
    """The token that gh would take: from the environment, else from gh's own file."""
    names = os.environ if environment is None else environment
    host = names.get("GH_HOST") or PUBLIC
    url = names.get("GITHUB_API_URL") or (API if host == PUBLIC else f"https://{host}/api/v3")
    if not safe(url):
        return Credentials(
            url=url,
            problem="GITHUB_API_URL is plain http, which would show the token to the network",
            remedy="set GITHUB_API_URL to an https:// address",
        )
    variables = ["GH_TOKEN", "GITHUB_TOKEN"]
    if host != PUBLIC:
        variables = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", *variables]
    for name in variables:
        if token := names.get(name, "").strip():
            return Credentials(token, url, name)
    return of_gh(names, host, url)


def safe(url: str) -> bool:
    """Whether a token may be sent there: encrypted, or not over a network at all."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def of_gh(names: Mapping[str, str], host: str, url: str) -> Credentials:
    """The token in the hosts.yml of the gh CLI, which may keep it in the system's keyring."""
    home = names.get("HOME") or "~"
    config = names.get("XDG_CONFIG_HOME") or f"{home}/.config"
    folder = names.get("GH_CONFIG_DIR") or f"{config}/gh"
    try:
        text = (Path(folder).expanduser() / "hosts.yml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return Credentials(url=url)
    import yaml

    try:
        hosts = yaml.safe_load(text)
    except yaml.YAMLError:
        return Credentials(url=url, problem="the hosts.yml of the gh CLI is no YAML")
    entry = hosts.get(host) if isinstance(hosts, dict) else None
    if not isinstance(entry, dict):
        return Credentials(url=url)
    user = str(entry.get("user") or "")
    token = entry.get("oauth_token") or token_of(entry, user)
    if token:
        source = f"gh CLI, as {user}" if user else "gh CLI"
        return Credentials(str(token), url, source)
    return Credentials(
        url=url,
        problem="the gh CLI keeps its token in the system's keyring, which infrascan does not open",
        remedy="run with GH_TOKEN=$(gh auth token)",
    )


def token_of(entry: Mapping[str, Any], user: str) -> Any:
    """The token of one of several users of a host."""
    users = entry.get("users")
    own = users.get(user) if isinstance(users, dict) else None
    return own.get("oauth_token") if isinstance(own, dict) else None
