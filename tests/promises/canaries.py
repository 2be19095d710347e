"""Secrets of every known form, planted in what the demo estate's APIs answer.

Every canary holds `SIGN`, and nothing else does: finding it in any output is a leak, whole or in
part. A canary is appended between marks, so that a provider that asks on with a name it was given
is answered as if the name were clean; of each `PASSES` texts one is planted at a time, so that
answers keep their sense and each text has its turn.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from infrascan.collect.provider import Ask, Call, Emit, Provider
from infrascan.collect.recording import Replay
from infrascan.model import Identity, Kind, Partition, ReadError, Reason

SIGN = "c0ffee15bad0"
PASSES = 2
# Nothing at all, a figure, a time, the number of a query, a word that says how to read on: no place
# for a secret, and parsed on the way.
BARE = re.compile(r"active|Organization|User|[a-z]?[0-9.]*|\d{4}-\d\d-\d\d.*|" + "|".join(Reason))
PLACE = re.compile(r"(?: |%20|\+)(?:\||%7C).*?(?:(?: |%20|\+)(?:\||%7C)|\Z)", re.DOTALL)


def signs(length: int) -> str:
    """So many characters that are hexadecimal, and `SIGN` again and again."""
    return (SIGN * (length // len(SIGN) + 1))[:length]


def jwt() -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    head = part('{"alg":"RS256","kid":"k"}')
    said = part('{"sub":"system:serviceaccount:shop:api"}')
    return f"{head}.{said}.{signs(86)}"


def basic() -> str:
    return "dXNlcjpw" + signs(24)


# Each as somebody writes it; what must not survive is what holds the sign.
FORMS: Mapping[str, str] = {
    "aws-pair": f"AKIAIOSFODNN7EXAMPLE:{signs(40)}",
    "aws-secret": f"aws_secret_access_key = {signs(40)}",
    "aws-secret-variable": f"export AWS_SECRET_ACCESS_KEY={signs(40)}",
    "aws-session": f"AWS_SESSION_TOKEN='{signs(120)}'",
    "github-classic": f"ghp_{signs(36)}",
    "github-fine": f"github_pat_{signs(82)}",
    "github-app": f"ghs_{signs(36)}",
    "gitlab": f"glpat-{signs(20)}",
    "jwt": jwt(),
    "service-account-token": f"token: {jwt()}",
    "pem": f"-----BEGIN RSA PRIVATE KEY-----\n{signs(64)}\n{signs(30)}==\n-----END RSA PRIVATE KEY-----",
    "pem-in-json": f'{{"private_key": "-----BEGIN PRIVATE KEY-----\\n{signs(64)}\\n-----END PRIVATE KEY-----\\n"}}',
    "pem-cut-off": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{signs(70)}",
    "anthropic": f"sk-ant-api03-{signs(95)}",
    "openai": f"sk-proj-{signs(64)}",
    "openai-old": f"sk-{signs(48)}",
    "slack-bot": f"xoxb-123456789012-{signs(24)}",
    "slack-app": f"xapp-1-A0B1C2D3E4F-123456789012-{signs(64)}",
    "slack-hook": f"https://hooks.slack.com/services/T00000000/B00000000/{signs(24)}",
    "stripe": f"sk_live_{signs(24)}",
    "stripe-hook": f"whsec_{signs(32)}",
    "azure-account-key": f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={signs(86)}==;EndpointSuffix=core.windows.net",
    "azure-shared-key": f"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKey={signs(43)}=",
    "azure-sas": f"https://x.blob.core.windows.net/c?sv=2024-01-01&sig={signs(43)}%3D",
    "azure-client-secret": f"abc8Q~{signs(34)}",
    "url": f"postgres://app:{signs(16)}@db.internal:5432/app",
    "url-without-user": f"redis://:{signs(16)}@cache:6379/0",
    "url-with-slash": f"https://ci:{signs(12)}@git.internal/acme/shop.git",
    "bearer": f"Authorization: Bearer {signs(40)}",
    "basic": f"Authorization: Basic {basic()}=",
    "hetzner": f"HCLOUD_TOKEN={signs(64)}",
    "digitalocean": f"dop_v1_{signs(64)}",
    "digitalocean-refresh": f"dor_v1_{signs(64)}",
    "npm": f"npm_{signs(36)}",
    "npmrc": f"//registry.npmjs.org/:_authToken={signs(36)}",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{signs(120)}",
    "docker": f"dckr_pat_{signs(27)}",
    "google-key": f"AIza{signs(35)}",
    "google-oauth": f"ya29.{signs(60)}",
    "vault": f"hvs.{signs(24)}",
    "grafana": f"glsa_{signs(32)}_{signs(8)}",
    "sendgrid": f"SG.{signs(22)}.{signs(43)}",
    "password": f"password={signs(14)}",
    "password-quoted": f'"password": "{signs(14)}"',
    "password-escaped": f'{{\\"db_password\\": \\"{signs(14)}\\"}}',
    "password-flag": f"mysql --password {signs(14)} -h db",
    "credentials-of-a-url": f"curl -u ci:{signs(16)} https://api.internal/",
}
NAMES = tuple(FORMS)


def planted(
    value: Any,
    turn: int,
    every: int = PASSES,
    found: Iterator[int] | None = None,
    named: AbstractSet[str] = frozenset(),
) -> Any:
    """The answer with a canary appended to each text whose turn it is, form after form.

    Texts that are `named` stay: the selection of the scan names them.
    """
    count = found if found is not None else iter(range(10**9))
    if isinstance(value, str):
        number = next(count)
        if number % every != turn % every or value in named or BARE.fullmatch(value):
            return value
        return f"{value} |{FORMS[NAMES[(number // every + turn) % len(NAMES)]]} |"
    if isinstance(value, Mapping):
        return {key: planted(item, turn, every, count, named) for key, item in value.items()}
    if isinstance(value, list):
        return [planted(item, turn, every, count, named) for item in value]
    return value


def texts(value: Any) -> Iterator[str]:
    """Every text of an answer, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, Iterable):
        for item in value:
            yield from texts(item)


def clean(value: Any) -> Any:
    """What was asked, with the names as the estate knows them."""
    if isinstance(value, str):
        return PLACE.sub("", value)
    if isinstance(value, Mapping):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


@dataclass(eq=False)
class Planted:
    """A provider whose API answers as recorded, with canaries: it is asked live, so its answers
    take the way that every answer takes."""

    real: Provider
    replay: Replay
    turn: int
    texts: int = field(default=0)  # that held a canary
    sown: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    @property
    def named(self) -> AbstractSet[str]:
        return {word.rpartition("/")[2] for word in texts(self.replay.manifest["selection"])}

    @property
    def name(self) -> str:
        return self.real.name

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return self.real.kinds

    def permissions(self) -> Mapping[str, Any]:
        return self.real.permissions()

    async def connect(self, ask: Ask) -> Sequence[Identity]:
        return await self.real.connect(ask)

    async def partitions(self, ask: Ask) -> Sequence[Partition]:
        return await self.real.partitions(ask)

    async def read(self, partition: Partition, ask: Ask, emit: Emit) -> None:
        await self.real.read(partition, ask, emit)

    async def send(self, call: Call) -> Any:
        asked = Call(
            provider=call.provider,
            account=clean(call.account),
            region=clean(call.region),
            api=clean(call.api),
            params=clean(call.params),
        )
        try:
            answer = self.replay.answer(asked)
        except ReadError as error:
            self.texts += 1
            error.detail = f"{error.detail} |{FORMS[NAMES[self.texts % len(NAMES)]]}"
            raise
        if call.api.startswith("local."):  # of this machine: the selection names what is in it
            return answer
        answer = planted(answer, self.turn, found=self.sown, named=self.named)
        self.texts += sum(SIGN in text for text in texts(answer))
        return answer

    def close(self) -> None:
        self.real.close()
