"""Who is calling: what the client says of itself, its session, and what we know beside that."""

from __future__ import annotations

import getpass
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from infrascan.commands import Requester
from infrascan.render.inert import visible

LONGEST = 80
PROCESS = f"stdio-{secrets.token_hex(6)}"  # the session of the one client over standard input


def operating_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One client. Name and version are claims; session and address are the transport's."""

    name: str = ""
    version: str = ""
    session: str = ""
    address: str = ""  # "" over stdio
    user: str = field(default_factory=operating_user)

    @property
    def client(self) -> str:
        return f"{self.name}/{self.version}" if self.version else self.name

    @property
    def key(self) -> str:
        """Whose calls are counted together."""
        return "\0".join((self.name, self.session, self.address))

    @property
    def requester(self) -> Requester:
        return Requester(
            client=self.client, session=self.session, user=self.user, address=self.address
        )


NOBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def caller_of(context: Any) -> Caller:
    """The caller of one request, from what the SDK knows of its connection."""
    params = context.session.client_params
    info = params.client_info if params is not None else None
    request = context.request  # starlette's, over HTTP
    if request is None:
        session, address = PROCESS, ""
    else:
        session = request.headers.get("mcp-session-id", "")
        address = request.client.host if request.client else "unknown"
    return Caller(
        name=short(info.name if info else ""),
        version=short(info.version if info else ""),
        session=short(session),
        address=address,
    )


def short(text: str) -> str:
    return visible(str(text))[:LONGEST].replace("/", "-")
