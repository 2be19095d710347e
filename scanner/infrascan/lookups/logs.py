"""What containers wrote: the last lines, redacted, and never more than an answer can hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from infrascan.collect.provider import Call
from infrascan.lookups.connections import Connections
from infrascan.lookups.pods import listed
from infrascan.model import InputError, ReadError, Reason
from infrascan.pipeline.request import now, stamp

MOST_LINES = 2000
BYTES = 512 * 1024  # asked of the API server
SHOWN = 48_000  # characters in an answer: about 12,000 tokens
NAME = re.compile(r"[a-z0-9]([a-z0-9.\-]{0,251}[a-z0-9])?")
HINTS = {
    "401": "the credentials have expired or are wrong: log in to the cluster again",
    "403": "grant get on pods and pods/log: infrascan permissions k8s shows the role",
    "404": "check the name and the namespace with list_pods",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The end of what one container wrote."""

    source: str  # cluster or engine
    name: str  # "namespace/pod", container
    container: str
    text: str
    lines: int
    truncated: bool  # more was asked for than is given
    observed: str


class LogError(InputError):
    """Reading failed; the text says what the API answered and what to do."""


def clamped(lines: int) -> int:
    """A number of lines that is answered: at least 1, at most `MOST_LINES`."""
    return max(1, min(lines, MOST_LINES))


async def pod_log(
    connections: Connections,
    pod: str,
    *,
    namespace: str = "default",
    lines: int = 100,
    container: str = "",
    previous: bool = False,
    contexts: Sequence[str] = (),
) -> Log:
    """The last lines of a pod's container. Raises `LogError`, and `InputError` for odd names."""
    for what, value in (("pod", pod), ("namespace", namespace), ("container", container or "x")):
        if not NAME.fullmatch(value):
            raise InputError(f"{value[:100]!r} is no name of a {what}")
    async with connections.asking(connections.narrowed(contexts=contexts), "k8s") as (
        provider,
        ask,
    ):
        context = only(provider.contexts)

        async def get(path: str, params: dict[str, Any]) -> Any:
            return await ask(
                Call(
                    provider="k8s",
                    account=context,
                    region="",
                    api=f"GET {path}",
                    params=params,
                    family="logs",
                )
            )

        asked: dict[str, Any] = {"tailLines": clamped(lines), "limitBytes": BYTES}
        if container:
            asked["container"] = container
        if previous:
            asked["previous"] = "true"
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        try:
            answer = await get(path, asked)
        except ReadError as error:
            names: list[str] = []
            if error.code == "400" and not container:
                names = await containers_of(get, namespace, pod)
            if len(names) > 1:
                raise LogError(
                    f"pod {namespace}/{pod} has several containers: {', '.join(names)}; "
                    "call again with container set to one of them"
                ) from error
            if code := unlike(error):
                raise LogError(code) from error
            raise LogError(f"Kubernetes API error: {worded(error)}{hint(error)}") from error
        text, cut = tail(str(answer["text"]))
        return Log(
            source=context,
            name=f"{namespace}/{pod}",
            container=container,
            text=text,
            lines=text.count("\n") + bool(text and not text.endswith("\n")),
            truncated=cut or lines > MOST_LINES,
            observed=stamp(now()),
        )


def only(contexts: dict[str, Any]) -> str:
    """The one context to ask. Raises `InputError` where there are several."""
    if len(contexts) == 1:
        return next(iter(contexts))
    raise InputError(
        f"several clusters are open: {', '.join(sorted(contexts))}; name one as context"
    )


async def containers_of(get: Any, namespace: str, pod: str) -> list[str]:
    """The names of a pod's containers; none where they cannot be read."""
    try:
        answer = await get(
            f"/api/v1/namespaces/{namespace}/pods",
            {"fieldSelector": f"metadata.name={pod}"},
        )
    except ReadError:
        return []
    for item in listed(answer.get("items")):
        if (item.get("metadata") or {}).get("name") != pod:
            continue
        spec = item.get("spec") or {}
        found = [*listed(spec.get("containers")), *listed(spec.get("initContainers"))]
        return [str(each.get("name")) for each in found]
    return []


def unlike(error: ReadError) -> str:
    """The words for an error that no HTTP status tells; "" for one that does."""
    if error.code.isdigit():
        return ""
    if error.code == "NotRecorded":
        return "logs are not part of a recording: only a live cluster has them"
    if error.reason is Reason.TIMED_OUT:
        return f"the cluster did not answer in time: {error.detail}"
    return f"the cluster cannot be read: {error.detail}"


def worded(error: ReadError) -> str:
    """ "403: Forbidden (pods is forbidden …)"."""
    try:
        phrase = HTTPStatus(int(error.code)).phrase
    except ValueError:
        phrase = "Error"
    said = error.detail.removeprefix(f"HTTP {error.code}: ")
    return f"{error.code}: {phrase} ({said})"


def hint(error: ReadError) -> str:
    return f". Hint: {HINTS[error.code]}" if error.code in HINTS else ""


def tail(text: str) -> tuple[str, bool]:
    """The end of the text that an answer can hold, from the start of a line."""
    if len(text) <= SHOWN:
        return text, False
    end = text[-SHOWN:]
    return end[end.find("\n") + 1 :] if "\n" in end else end, True


async def container_log(
    connections: Connections,
    name: str,
    *,
    lines: int = 100,
    timestamps: bool = False,
    engines: Sequence[str] = (),
) -> Log:
    """The last lines of a Docker container, by name or id. Raises `LogError`."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,127}", name):
        raise InputError(f"{name[:100]!r} is no name of a container")
    request = connections.narrowed(docker=engines)
    async with connections.asking(request, "docker") as (provider, ask):
        engine = only(dict(provider.versions))
        params: dict[str, Any] = {
            "Id": name,
            "stdout": True,
            "stderr": True,
            "tail": clamped(lines),
            "timestamps": timestamps,
        }
        api = "GET /containers/{Id}/logs"
        try:
            answer = await ask(
                Call(
                    provider="docker",
                    account=engine,
                    region="",
                    api=api,
                    params=params,
                    family="api",
                )
            )
        except ReadError as error:
            if error.code == "NotRecorded":
                raise LogError(
                    "logs are not part of a recording: only a live engine has them"
                ) from error
            if error.code == "404":
                raise LogError(
                    f"there is no container {name!r}: list_containers names them"
                ) from error
            raise LogError(f"the Docker engine cannot be read: {error.detail}") from error
        text, cut = tail(str(answer["text"]))
        return Log(
            source=engine,
            name=name,
            container=name,
            text=text,
            lines=text.count("\n") + bool(text and not text.endswith("\n")),
            truncated=cut or lines > MOST_LINES,
            observed=stamp(now()),
        )
