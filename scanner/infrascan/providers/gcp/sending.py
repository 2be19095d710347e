"""The only module that calls Google: the inventory over gRPC, everything else over REST.

gRPC blocks, so its calls run in threads; grpc.aio needs asyncio's loop. The SDK is imported with
the first call of the inventory, in that call's thread: it costs half a second of CPU. The engine
paces and retries; the SDK does neither here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import trio

from infrascan import __version__
from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.paths import values
from infrascan.providers import sdk
from infrascan.providers.gcp import errors
from infrascan.providers.gcp.credentials import Credentials
from infrascan.providers.gcp.kinds import ASSETS, BY_TYPE
from infrascan.providers.gcp.scrubbing import answers, scrub
from infrascan.providers.gcp.wire import Reader
from infrascan.providers.http import Client

INVENTORY = "cloudasset.ListAssets"
HOST = "cloudasset.googleapis.com"
OVERRIDE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"  # gcloud's variables for endpoints
NAMED = {"sqladmin": "sql"}  # services that gcloud's variables call otherwise
THREADS = 16
SECONDS = 28.0  # for one page; the engine gives an attempt 30
LARGEST = 256 << 20  # bytes of one page


@dataclass(eq=False)
class Sender:
    """Sends calls with the credentials of this machine."""

    credentials: Credentials = field(default_factory=Credentials)
    reader: Reader = field(default_factory=Reader)
    clients: dict[str, Client] = field(default_factory=dict)  # by host
    threads: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(THREADS))
    building: threading.Lock = field(default_factory=threading.Lock)
    channel: Any = None
    stub: Any = None
    closed: bool = False

    async def send(self, call: Call) -> Any:
        """Make one call. Raises `ReadError`."""
        try:
            if call.api == INVENTORY:
                # Reads have no side effects, so a cancelled scan may abandon them.
                return await trio.to_thread.run_sync(
                    self.assets, call.params, abandon_on_cancel=True, limiter=self.threads
                )
            return await self.rest(call)
        except ReadError as error:
            if error.reason is Reason.UNAUTHENTICATED:
                self.credentials.expire()
            raise

    # REST

    @cached_property
    def secret(self) -> Mapping[str, Any]:
        return answers()

    async def rest(self, call: Call) -> Any:
        method, _, place = call.api.partition(" ")
        host, _, path = place.partition("/")
        headers = self.credentials.fresh() or await trio.to_thread.run_sync(
            self.credentials.headers, abandon_on_cancel=True, limiter=self.threads
        )
        if host not in self.clients:
            # What gcloud's variable holds may end in the first part of the API's paths.
            url = endpoint(host)
            for part in (f"/{path.partition('/')[0]}", f"/{'/'.join(path.split('/')[:2])}"):
                url = url.removesuffix(part)
            self.clients[host] = Client(url=url, refusal=errors.rest)
        answer = await self.clients[host].request(f"{method} /{path}", call.params, headers=headers)
        found = answer.body
        if "/aggregated/" in path and isinstance(found, dict):
            found = flat(found)
        if call.api in self.secret:
            items, table = self.secret[call.api]
            for item in values(found, items) if items else (found,):
                scrub(table, item)
        return found

    # gRPC

    def assets(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """One page of the inventory, in the spelling of its REST form."""
        sdk.imported("grpc", "google.cloud.asset_v1")
        import grpc

        headers = self.credentials.headers()
        listing = self.opened()
        from google.cloud.asset_v1.types import asset_service

        request = asset_service.ListAssetsRequest(
            parent=params["parent"],
            asset_types=params["assetTypes"],
            content_type=getattr(asset_service.ContentType, params["contentType"]),
            page_size=params["pageSize"],
            page_token=params.get("pageToken", ""),
        )
        metadata = (*headers.items(), ("x-goog-request-params", f"parent={params['parent']}"))
        try:
            answer = listing(request, timeout=SECONDS, metadata=metadata)
        except grpc.RpcError as error:
            raise errors.grpc(error) from error
        except ValueError as error:  # the channel was closed under it
            raise ReadError(Reason.INTERRUPTED, f"the scan was stopped: {error}") from error
        page = type(answer).pb(answer)
        try:
            found: dict[str, Any] = {"assets": [self.asset(asset) for asset in page.assets]}
        except (IndexError, ValueError) as error:
            raise ReadError(Reason.MALFORMED, f"an asset cannot be decoded: {error}") from error
        if page.next_page_token:
            found["nextPageToken"] = page.next_page_token
        return found

    def asset(self, asset: Any) -> dict[str, Any]:
        """An asset as plain data, without what its table says may be secret."""
        found: dict[str, Any] = {
            "name": asset.name,
            "assetType": self.reader.same(asset.asset_type),
        }
        if asset.ancestors:
            found["ancestors"] = [self.reader.same(name) for name in asset.ancestors]
        if asset.HasField("resource"):
            raw = asset.resource.data.SerializeToString()
            data = self.reader.struct(raw, 0, len(raw))
            if kind := BY_TYPE.get(asset.asset_type):
                scrub(ASSETS[kind], data)
            held: dict[str, Any] = {"data": data}
            if asset.resource.location:
                held["location"] = self.reader.same(asset.resource.location)
            found["resource"] = held
        if asset.HasField("iam_policy"):
            found["iamPolicy"] = plain(asset.iam_policy)
        if asset.org_policy:
            found["orgPolicy"] = [plain(policy) for policy in asset.org_policy]
        return found

    def opened(self) -> Any:
        """The method that lists assets, on a channel that is opened once."""
        with self.building:
            if self.closed:
                raise ReadError(Reason.INTERRUPTED, "the scan was stopped")
            if self.stub is None:
                import grpc
                from google.cloud.asset_v1.services.asset_service import transports

                options = [
                    ("grpc.max_receive_message_length", LARGEST),
                    ("grpc.enable_retries", 0),
                    ("grpc.primary_user_agent", f"infrascan/{__version__}"),
                ]
                url = urlsplit(endpoint(HOST))
                if url.scheme == "http":
                    self.channel = grpc.insecure_channel(url.netloc, options)
                else:
                    secure = grpc.ssl_channel_credentials()
                    target = url.netloc if url.port else f"{url.netloc}:443"
                    self.channel = grpc.secure_channel(target, secure, options)
                transport = transports.AssetServiceGrpcTransport(channel=self.channel)
                self.stub = transport.list_assets
            return self.stub

    def close(self) -> None:
        self.closed = True
        for client in self.clients.values():
            client.close()
        if self.channel is not None:
            self.channel.close()


def endpoint(host: str) -> str:
    """Where a service is asked: its own host, or what gcloud's variable for it says instead."""
    service = host.partition(".")[0]
    for name in (service, NAMED.get(service, service)):
        if given := os.environ.get(f"{OVERRIDE}{name.upper()}"):
            url = urlsplit(given if "://" in given else f"http://{given}")
            local = (url.hostname or "") in {"localhost", "127.0.0.1", "::1"}
            scheme = url.scheme if "://" in given or local else "https"
            return f"{scheme}://{url.netloc}{url.path}".rstrip("/")
    return f"https://{host}"


def flat(answer: dict[str, Any]) -> dict[str, Any]:
    """An aggregated list of Compute Engine, with its items in one list instead of one a place."""
    places = answer.get("items")
    if not isinstance(places, dict):
        return answer
    found: list[Any] = []
    for held in places.values():
        if isinstance(held, dict):
            for name, part in held.items():
                if name != "warning" and isinstance(part, list):
                    found += part
    return {**answer, "items": found}


def plain(message: Any) -> Any:
    """A small message in the spelling of its JSON form."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message)
