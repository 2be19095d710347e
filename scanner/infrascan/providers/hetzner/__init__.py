"""Hetzner Cloud, read over its REST API with `providers/http.py`.

The vendor's SDK, hcloud, was weighed and left out: it is synchronous on requests, retries by itself
(the limits must see each refusal), and turns answers into typed models that drop the fields it does
not know yet, while rules and recordings want the answer as it came. What it would save is one
header and page numbers.

Dedicated servers (Robot) and Object Storage belong to no project: they have APIs and credentials of
their own, and are not read. `permissions` says so.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers.hetzner.compute import COMPUTE
from infrascan.providers.hetzner.edge import EDGE
from infrascan.providers.http import Answer, Client, said
from infrascan.providers.rest.contexts import DEFAULT, Contexts, Held, from_environment, homely
from infrascan.providers.rest.tables import Listing

CLOUD = "https://api.hetzner.cloud/v1"
STORAGE = "https://api.hetzner.com/v1"  # Storage Boxes live at an address of their own
WINDOW = timedelta(days=14)
TABLES: tuple[Listing, ...] = (*COMPUTE, *EDGE)


@dataclass(eq=False)
class Hetzner(Contexts):
    """Projects of Hetzner Cloud; each token belongs to one."""

    name: ClassVar[str] = "hetzner"
    title: ClassVar[str] = "hcloud"
    tables: ClassVar[Sequence[Listing]] = TABLES
    fields: ClassVar[Path] = Path(__file__).with_name("fields.json.gz")
    variables: ClassVar[tuple[str, ...]] = ("HCLOUD_TOKEN",)
    command: ClassVar[str] = "hcloud context create NAME"
    probe: ClassVar[str] = "/locations"
    remedy: ClassVar[str] = (
        "make a token with the permission Read: Hetzner Console, the project, Security, API tokens"
    )

    def permissions(self) -> Mapping[str, Any]:
        """A token reads all of one project, or reads and writes; there is nothing finer."""
        return {
            "token": {"permission": "Read", "scope": "one project; a token for each further one"},
            "where": "Hetzner Console, the project, Security, API tokens, Generate API token",
            "not read": "dedicated servers (Robot) and Object Storage, which no such token opens",
        }

    def endpoint(self) -> str:
        return os.environ.get("HCLOUD_ENDPOINT") or CLOUD

    def client(self, account: str) -> Client:
        """The connection that reads a project; "NAME storage" is that to its Storage Boxes."""
        context, _, storage = account.partition("\0")
        if not storage or account in self.clients:
            return super().client(account)
        token, _ = self.credentials.tokens[context]
        url = os.environ.get("HETZNER_ENDPOINT") or STORAGE
        headers = {"Authorization": f"Bearer {token}"}
        self.clients[account] = Client(url, headers, self.refusal)
        return self.clients[account]

    async def send(self, call: Call) -> Any:
        """Make one call, live: calls for Storage Boxes go to their own address."""
        if call.api.startswith("GET /storage_boxes"):
            answer = await self.client(f"{call.account}\0storage").request(call.api, call.params)
            return answer.body
        return await super().send(call)

    def scope(self, account: str) -> dict[str, Any]:
        """Times in metrics are ISO 8601 here."""
        until = self.selection.observed.replace(minute=0, second=0, microsecond=0)
        return {
            **super().scope(account),
            "from": f"{until - WINDOW:%Y-%m-%dT%H:%M:%SZ}",
            "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        }

    def who(self, context: str, answer: Any) -> str:  # noqa: ARG002
        return f"the token of context {context}"

    def refusal(self, answer: Answer) -> ReadError | None:
        """Errors are `{"error": {"code", "message"}}`; some codes say more than the status."""
        error = answer.body.get("error") if isinstance(answer.body, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        reason = CODES.get(str(code))
        if reason is None:
            return None
        return ReadError(reason, f"{code}: {said(answer.body)}", code=str(answer.status))

    def held(self) -> Held:
        """The token of the environment, and the contexts in the configuration of hcloud."""
        tokens = from_environment(self.variables)
        given = os.environ.get("HCLOUD_CONFIG")
        path = Path(given or "~/.config/hcloud/cli.toml").expanduser()
        place = "HCLOUD_CONFIG" if given else homely(path)
        try:
            file = tomllib.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return Held(tokens, DEFAULT if tokens else "")
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            problem = f"{place} cannot be read: {type(error).__name__}"
            return Held(tokens, DEFAULT if tokens else "", problem)
        active = os.environ.get("HCLOUD_CONTEXT") or file.get("active_context") or ""
        for entry in file.get("contexts") or ():
            if isinstance(entry, dict) and entry.get("name") and entry.get("token"):
                name = str(entry["name"])
                tokens.setdefault(name, (str(entry["token"]), f"context {name} ({place})"))
        from_variable = DEFAULT in tokens and tokens[DEFAULT][1] in self.variables
        return Held(tokens, DEFAULT if from_variable else str(active))


CODES: Mapping[str, Reason] = {
    "unauthorized": Reason.UNAUTHENTICATED,
    "forbidden": Reason.DENIED,
    "rate_limit_exceeded": Reason.THROTTLED,
    "maintenance": Reason.UNREACHABLE,
    "unavailable": Reason.UNREACHABLE,
}
