"""Credential plugins: the commands a kubeconfig names to log in, such as `aws eks get-token`.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infrascan.model import ReadError, Reason

SECONDS = 20.0  # a plugin that needs longer waits for a person


def failure(command: str, what: str) -> ReadError:
    return ReadError(Reason.UNAUTHENTICATED, f"credential plugin {command} {what}")


def credential(
    plugin: Mapping[str, Any], cluster: Mapping[str, Any]
) -> tuple[dict[str, Any], datetime | None]:
    """The kubeconfig keys that a plugin's answer stands for, and when they expire.

    Raises `ReadError`.
    """
    command = str(plugin.get("command") or "")
    if not command:
        raise ReadError(
            Reason.MALFORMED, "the kubeconfig names a credential plugin without 'command'"
        )
    if plugin.get("interactiveMode") == "Always":
        raise failure(command, "needs a terminal; log in with kubectl first")
    output = run(command, plugin, cluster)
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise failure(command, "printed something that is not JSON") from error
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, dict):
        raise failure(command, "printed an answer without 'status'")
    secrets: dict[str, Any] = {}
    if status.get("token"):
        secrets["token"] = str(status["token"])
    if status.get("clientCertificateData") and status.get("clientKeyData"):
        secrets["client-certificate-data"] = encoded(status["clientCertificateData"])
        secrets["client-key-data"] = encoded(status["clientKeyData"])
    if not secrets:
        raise failure(command, "gave neither a token nor a client certificate with its key")
    return secrets, moment(status.get("expirationTimestamp"))


def encoded(pem: Any) -> str:
    return base64.b64encode(str(pem).encode()).decode()


def moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def run(command: str, plugin: Mapping[str, Any], cluster: Mapping[str, Any]) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = {
            "server": cluster.get("server"),
            "certificate-authority-data": cluster.get("certificate-authority-data"),
        }
    info = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    variables = {
        str(pair["name"]): str(pair.get("value", ""))
        for pair in plugin.get("env") or ()
        if isinstance(pair, dict) and "name" in pair
    }
    arguments = [command, *map(str, plugin.get("args") or ())]
    try:
        # The kubeconfig's owner chose this command; kubectl runs the same one.
        process = subprocess.Popen(  # noqa: S603
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        hint = str(plugin.get("installHint") or "").strip().partition("\n")[0]
        raise failure(command, f"cannot be run: {error.strerror}. {hint}".strip()) from error
    try:
        output, errors = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)  # its children hold the pipes open
        process.communicate()
        raise failure(command, f"did not finish in {SECONDS:.0f} s") from error
    if process.returncode:
        first = errors.strip().rpartition("\n")[2]
        raise failure(command, f"failed with exit code {process.returncode}: {first}")
    return output
