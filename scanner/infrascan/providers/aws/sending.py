"""The only module that calls AWS: sessions, clients, and one call at a time.

boto3 knows profiles and regions. Clients are made by the botocore session beneath it: boto3 adds
its resource layer to each, which no read needs and which cost a sixth of a scan's CPU.

botocore blocks, so calls run in threads. Clients may be shared between threads; what builds them
may not, so building is behind a lock. The engine paces and retries; botocore does neither here.
"""

from __future__ import annotations

import copy
import re
import threading
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

import boto3.session
import botocore
import botocore.session
import trio
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST
from botocore.hooks import EventAliaser, HierarchicalEmitter
from botocore.parsers import ResponseParserError

from infrascan import __version__
from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers.aws.errors import translated
from infrascan.providers.aws.models import loader
from infrascan.providers.aws.parsing import Factory
from infrascan.providers.aws.scrubbing import scrub

ACCOUNT_HOST = re.compile(r"^(https?://)\d{12}\.(?=\d+\.\d+\.\d+\.\d+[:/])")
HOME = "us-east-1"  # a session wants some region, even to list them
THREADS = 64
AGENT = f"infrascan/{__version__} botocore/{botocore.__version__}"
CONNECT_SECONDS = 10
READ_SECONDS = 60


class Hooks(EventAliaser):  # type: ignore[misc]
    """botocore's event hooks, whose clients share what they learn of the names of events.

    Each client copies the hooks. Working out the current name of an event takes 10 µs times the
    hundred events of a client, unless the copies share the results.
    """

    def __copy__(self) -> Hooks:
        other = Hooks(copy.copy(self._emitter), self._event_aliases)
        other._alias_name_cache = self._alias_name_cache
        return other


def builtin_hooks() -> Hooks:
    """botocore's own handlers, less those that write documentation."""
    hooks = Hooks(HierarchicalEmitter())
    for event, handler, *when in BUILTIN_HANDLERS:
        if event.startswith("docs."):
            continue
        if not when:
            hooks.register(event, handler)
        elif when[0] is REGISTER_FIRST:
            hooks.register_first(event, handler)
        else:
            hooks.register_last(event, handler)
    return hooks


@dataclass(eq=False)
class Sender:
    """Sends calls with the credentials of the profiles it is asked for."""

    chain: bool  # no profile was named: the one profile is botocore's default chain
    loader: Any = field(default_factory=lambda: loader(build=True))
    hooks: Hooks = field(default_factory=lambda: builtin_hooks())
    threads: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(THREADS))
    building: threading.Lock = field(default_factory=threading.Lock)
    sessions: dict[str, Any] = field(default_factory=dict)
    clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    transport: Any = None  # one pool of connections and one TLS context for all clients
    closed: bool = False

    async def send(self, call: Call) -> Any:
        """Make one call. Raises `ReadError`."""
        # Reads have no side effects, so a cancelled scan may abandon them.
        return await trio.to_thread.run_sync(
            self.answer, call, abandon_on_cancel=True, limiter=self.threads
        )

    def answer(self, call: Call) -> Any:
        service, _, operation = call.api.partition(".")
        params = {name: value for name, value in call.params.items() if name[0] != "#"}
        try:
            client = self.client(call.account, call.region, service)
            answer: dict[str, Any] = client._make_api_call(operation, params)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            raise translated(error) from error
        except RuntimeError as error:
            if "refreshed credentials" not in str(error):
                raise
            # What renews them, or this machine's clock, is wrong by more than they last.
            detail = str(error)
            raise ReadError(Reason.UNAUTHENTICATED, detail, code="ExpiredToken") from error
        except (ParseError, ValueError) as error:  # botocore's handlers parse some answers again
            detail = f"an answer of the wrong form: {error}"
            raise ReadError(Reason.MALFORMED, detail, call=call.api) from error
        answer.pop("ResponseMetadata", None)
        if call.api == "sts.GetCallerIdentity":
            answer["CredentialSource"] = self.session(call.account).get_credentials().method
        return scrub(call.api, answer)

    def client(self, profile: str, region: str, service: str) -> Any:
        key = (profile, region, service)
        found = self.clients.get(key)
        if found is None:
            with self.building:
                found = self.clients.get(key)
                if found is None:
                    found = self.clients[key] = self.build(profile, region, service)
        return found

    def build(self, profile: str, region: str, service: str) -> Any:
        if self.closed:
            raise ReadError(Reason.INTERRUPTED, "the scan was stopped")
        client = self.session(profile).create_client(
            service,
            region_name=region,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                max_pool_connections=THREADS,
                parameter_validation=False,  # the tables are checked by tests
                retries={"mode": "standard", "total_max_attempts": 1},
                user_agent=AGENT,
            ),
        )
        if service == "s3control":
            client.meta.events.register("before-send.s3-control", without_account_host)
        endpoint = client._endpoint
        if self.transport is None:
            self.transport = endpoint.http_session
        elif endpoint.http_session is not self.transport:
            endpoint.http_session.close()
            endpoint.http_session = self.transport
        return client

    def session(self, profile: str) -> Any:
        found = self.sessions.get(profile)
        if found is None:
            found = botocore.session.Session(
                include_builtin_handlers=False, profile=None if self.chain else profile
            )
            found.register_component("event_emitter", self.hooks)
            found.register_component("data_loader", self.loader)
            found.register_component("response_parser_factory", Factory())
            self.sessions[profile] = found
        return found

    def close(self) -> None:
        self.closed = True
        if self.transport is not None:
            self.transport.close()


def without_account_host(request: Any, **_: Any) -> None:
    """Take the account out of the host name where AWS_ENDPOINT_URL has an address for a host."""
    request.url = ACCOUNT_HOST.sub(r"\1", request.url)


def profiles() -> dict[str, Any]:
    """The profiles of this machine, with their regions, and which one is the default."""
    session = botocore.session.Session()
    found = session.full_config.get("profiles", {})
    names = boto3.session.Session(botocore_session=session).available_profiles
    return {
        "available": {name: found.get(name, {}).get("region", "") for name in names},
        "default": session.get_config_variable("profile") or "default",
        "region": region_of(session),
    }


def region_of(session: Any) -> str:
    try:
        return session.get_config_variable("region") or ""
    except BotoCoreError:  # a profile that does not exist is reported when it is used
        return ""


def known_regions(partition: str) -> list[str]:
    """Every region of a partition of AWS that botocore knows of, switched on or not."""
    inner = botocore.session.Session()
    inner.register_component("data_loader", loader())
    session = boto3.session.Session(botocore_session=inner, region_name=HOME)
    found: list[str] = session.get_available_regions("ec2", partition_name=partition)
    return found
