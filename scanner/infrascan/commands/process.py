"""Running a program: a fixed environment, no shell, no input, a time limit and a cap on its output.

The program gets a process group of its own, which is killed whole when time is up, when the caller
is cancelled, and when the program ends and leaves others behind.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio

from infrascan.collect.nursery import open_nursery
from infrascan.commands.nouns import Output, RefusedError
from infrascan.commands.output import cleaned

SECONDS = 55.0
GRACE = 2.0  # between asking a program to end and ending it
CAP = 2 * 1024 * 1024  # bytes of standard output that are kept
CAP_ERRORS = 64 * 1024
CHUNK = 65_536

ALWAYS = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE")
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy")
# What each tool needs to find its credentials; nothing else of the operator's environment is given.
OWN: Mapping[str, tuple[str, ...]] = {
    "kubectl": ("KUBECONFIG", "AWS_*", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_*", "AZURE_*"),
    "helm": (
        *("KUBECONFIG", "HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME", "HELM_DRIVER"),
        *("AWS_*", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_*", "AZURE_*"),
    ),
    "aws": ("AWS_*",),
    "gcloud": ("CLOUDSDK_*", "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": ("AZURE_*",),
    "terraform": (
        *("TF_WORKSPACE", "TF_DATA_DIR", "TF_TOKEN_*", "AWS_*", "GOOGLE_*", "CLOUDSDK_*", "ARM_*"),
        *("AZURE_*", "KUBECONFIG", "KUBE_CONFIG_PATH", "CLOUDFLARE_*", "HCLOUD_TOKEN"),
        *("DIGITALOCEAN_*", "GITHUB_TOKEN"),
    ),
    "docker": ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"),
    "gh": ("GH_TOKEN", "GITHUB_TOKEN", "GH_HOST", "GH_CONFIG_DIR", "GH_REPO"),
    "doctl": ("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_CONTEXT", "XDG_CONFIG_HOME"),
    "hcloud": ("HCLOUD_TOKEN", "HCLOUD_CONTEXT", "HCLOUD_CONFIG", "XDG_CONFIG_HOME"),
}  # fmt: skip
# Variables of those that make a tool run programs, go elsewhere or say too much.
NEVER = frozenset(
    [
        "AWS_ENDPOINT_URL",
        "AWS_PAGER",
        "AWS_CLI_AUTO_PROMPT",
        "AWS_DATA_PATH",
        "CLOUDSDK_PYTHON",
        "CLOUDSDK_PYTHON_ARGS",
        "CLOUDSDK_CORE_LOG_HTTP",
        "AZURE_EXTENSION_DIR",
    ]
)
FIXED = {
    "AWS_PAGER": "",
    "PAGER": "cat",
    "GH_PAGER": "cat",
    "GH_PROMPT_DISABLED": "1",
    "GH_NO_UPDATE_NOTIFIER": "1",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "KUBERC": "off",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "CHECKPOINT_DISABLE": "1",
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "AZURE_CORE_NO_COLOR": "1",
    "HELM_NO_PLUGINS": "1",
}


def surroundings(tool: str, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that a tool is run with."""
    found = os.environ if variables is None else variables
    names = (*ALWAYS, *PROXIES, *OWN.get(tool, ()))
    given = {
        name: value
        for name, value in found.items()
        if any(name == each or (each[-1] == "*" and name.startswith(each[:-1])) for each in names)
        and name not in NEVER
        and not name.startswith(("AWS_ENDPOINT_URL_", "CLOUDSDK_API_ENDPOINT_OVERRIDES_"))
    }
    return {**given, "PATH": search_path(found), **FIXED}


def search_path(variables: Mapping[str, str]) -> str:
    """PATH without what depends on where it is used."""
    parts = variables.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(part for part in parts if part.startswith("/"))


def executable(tool: str, variables: Mapping[str, str] | None = None) -> str:
    """Where the tool is. Raises `RefusedError` where it is not installed."""
    found = shutil.which(tool, path=search_path(os.environ if variables is None else variables))
    if not found:
        raise RefusedError(f"{tool} is not installed on this machine, or not on PATH")
    return found


def fingerprint(path: str) -> str:
    """Tells one version of a tool from another, without running it."""
    real = Path(path).resolve()
    about = real.stat()
    return f"{real} {about.st_size} {about.st_mtime_ns}"


@dataclass(slots=True)
class Kept:
    """The beginning of a stream, and how long it was."""

    cap: int
    parts: list[bytes] = field(default_factory=list)
    kept: int = 0
    size: int = 0

    async def all(self, stream: trio.abc.ReceiveStream) -> None:
        while chunk := await stream.receive_some(CHUNK):
            self.size += len(chunk)
            part = chunk[: self.cap - self.kept]
            self.kept += len(part)
            self.parts.append(bytes(part))

    @property
    def text(self) -> str:
        return b"".join(self.parts).decode("utf-8", "replace")


async def run(
    tool: str,
    vector: Sequence[str],
    *,
    cwd: Path,
    seconds: float = SECONDS,
    variables: Mapping[str, str] | None = None,
) -> Output:
    """Run a command to its end, and give what it said, redacted.

    `vector[0]` is the program's name and is looked up. Raises `RefusedError` when it does not start.
    """
    program = executable(tool, variables)
    began = trio.current_time()
    try:
        process = await trio.lowlevel.open_process(
            [program, *vector[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=surroundings(tool, variables),
            start_new_session=True,
        )
    except OSError as error:
        raise RefusedError(f"{tool} could not be started: {error.strerror}") from error
    out, errors = Kept(CAP), Kept(CAP_ERRORS)
    try:
        with trio.move_on_after(seconds):
            async with open_nursery() as nursery:
                assert process.stdout is not None
                assert process.stderr is not None
                nursery.start_soon(out.all, process.stdout)
                nursery.start_soon(errors.all, process.stderr)
                await process.wait()
                # A child left behind may hold the streams open: it goes with its group, or, where
                # it has left that, is not waited for.
                signalled(process.pid, signal.SIGKILL)
                nursery.cancel_scope.deadline = trio.current_time() + GRACE
        timed_out = process.returncode is None
    finally:
        with trio.CancelScope(shield=True):
            await ended(process)
    stdout = cleaned(vector, out.text, whole=not timed_out and out.size <= out.kept)
    stderr = cleaned(vector, errors.text, whole=not timed_out and errors.size <= errors.kept)
    return Output(
        exit_code=None if timed_out else process.returncode,
        stdout=within(stdout, CAP),
        stderr=within(stderr, CAP_ERRORS),
        truncated=out.size > out.kept or errors.size > errors.kept or len(stdout.encode()) > CAP,
        original_bytes=out.size + errors.size,
        timed_out=timed_out,
        duration_ms=math.ceil((trio.current_time() - began) * 1000),
    )


def within(text: str, cap: int) -> str:
    """The text, cut to so many bytes: what could not be read as UTF-8 grows when it is replaced."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= cap else raw[:cap].decode("utf-8", "ignore")


async def ended(process: trio.Process) -> None:
    """Make sure that the process and its group are gone, and its streams closed."""
    if process.returncode is None:
        signalled(process.pid, signal.SIGTERM)
        with trio.move_on_after(GRACE):
            await process.wait()
    signalled(process.pid, signal.SIGKILL)
    await process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            await stream.aclose()


def signalled(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # everyone in it has ended
