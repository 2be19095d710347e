"""The one module that touches Cloudflare's SDK: a request out, raw JSON in, refusals translated.

The SDK chooses the API's address and signs; its models are not used, for an answer is evidence as
it came. It is imported in a thread when the first call is made (0.2 s of CPU).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import trio

from infrascan.model import ReadError, Reason
from infrascan.providers import http, sdk
from infrascan.providers.cloudflare.errors import refusal, refusal_in
from infrascan.providers.templates import SLOT

DEFAULT = "https://api.cloudflare.com/client/v4"
TOKEN, KEY, EMAIL = "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL"
BASE = "CLOUDFLARE_BASE_URL"
JURISDICTION = "cf-r2-jurisdiction"  # a parameter of calls that goes as a header
DEFAULT_JURISDICTION = "default"


def credentials() -> dict[str, str]:
    """Where the credentials are and what is wrong with them; never what they are."""
    token, key, email = (os.environ.get(name, "") for name in (TOKEN, KEY, EMAIL))
    if token:
        return {"method": "API token", "source": TOKEN, "wrong": odd(TOKEN, token)}
    if key and email:
        wrong = odd(KEY, key) or odd(EMAIL, email)
        return {"method": "Global API Key", "source": f"{KEY} and {EMAIL}", "wrong": wrong}
    if key:
        return {"method": "Global API Key", "source": KEY, "wrong": f"{EMAIL} is not set"}
    return {"method": "", "source": "", "wrong": ""}


def odd(name: str, value: str) -> str:
    """What is wrong with a credential, before anything is sent: it must fit in a header."""
    if value.isascii() and value.isprintable() and " " not in value:
        return ""
    return f"{name} holds spaces, line breaks or characters that no credential has"


@dataclass(eq=False)
class Api:
    """Cloudflare's SDK, made at the first call."""

    made: Any = None
    making: trio.Lock = field(default_factory=trio.Lock)
    sockets: set[Any] = field(default_factory=set)  # that answers came through

    async def get(self, api: str, params: Mapping[str, Any]) -> http.Answer:
        """Make the request that `api` spells. Raises `ReadError`."""
        client = await self.client()
        path = api.removeprefix("GET ")
        slots = set(SLOT.findall(path))
        path = SLOT.sub(lambda match: quote(str(params[match[1]]), safe=""), path)
        where = str(params.get(JURISDICTION, DEFAULT_JURISDICTION))
        headers = {} if where == DEFAULT_JURISDICTION else {JURISDICTION: where}
        slots.add(JURISDICTION)
        query = {name: http.plain(value) for name, value in params.items() if name not in slots}
        answer = await self.exchange(client, path, query, headers)
        if answer.status >= 300:
            raise refusal(answer) or http.refused(answer)
        if isinstance(answer.body, str):
            kind = answer.headers.get("content-type", "").partition(";")[0] or "a body without type"
            raise ReadError(
                Reason.MALFORMED,
                f"answered {answer.status} with {kind}, which is not JSON",
                code=str(answer.status),
            )
        if isinstance(answer.body, dict) and answer.body.get("success") is False:
            raise refusal_in(answer)
        return answer

    async def exchange(
        self, client: Any, path: str, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> http.Answer:
        """Send through the SDK; the body is read here, so that one without end is cut."""
        import cloudflare

        options = {"params": query, "headers": headers, "follow_redirects": False}
        lost: BaseException | None = None
        response: Any = None
        with http.translated(urlsplit(str(client.base_url)).netloc):
            try:
                response = await client.get(
                    path,
                    cast_to=http.response_class(),
                    options=options,
                    stream=True,
                    stream_cls=cloudflare.AsyncStream,
                )
            except cloudflare.APIStatusError as error:
                response = error.response  # read already
            except cloudflare.APIConnectionError as error:  # a timeout is one too
                lost = error.__cause__ or OSError(str(error))
            if lost is not None:  # raised out here, or it would be its own cause's cause
                raise lost
            if stream := response.extensions.get("network_stream"):
                self.sockets.add(stream.get_extra_info("socket"))
            try:
                raw = await http.whole(response) if response.is_success else response.content
            finally:
                with trio.CancelScope(shield=True):
                    await response.aclose()
        return http.parsed(response.status_code, response.headers, raw)

    async def client(self) -> Any:
        async with self.making:
            if self.made is None:
                self.made = await trio.to_thread.run_sync(made)
        return self.made

    def close(self) -> None:
        """Close the connections without a farewell, which would take waiting for."""
        self.made = None
        while self.sockets:
            with suppress(RuntimeError):  # as `http.Client.close`
                self.sockets.pop().close()


def made() -> Any:
    """The SDK's client. Retries, redirects and its own choice among credentials are off."""
    sdk.imported("httpx", "httpcore", "cloudflare")
    import cloudflare

    base = os.environ.get(BASE) or DEFAULT
    wait = cloudflare.Timeout(http.SILENT_SECONDS, connect=http.CONNECT_SECONDS, pool=None)
    transport = cloudflare.DefaultAsyncHttpxClient(
        verify=http.context() if base.startswith("https:") else False,
        follow_redirects=False,  # the key's own header would go along to another host
        timeout=wait,
    )
    with http.translated(base):
        client = cloudflare.AsyncCloudflare(
            base_url=base, max_retries=0, timeout=wait, http_client=transport
        )
    client.user_service_key = None
    if client.api_token:  # the SDK would send the key's headers, and not the token
        client.api_key = client.api_email = None
    return client
