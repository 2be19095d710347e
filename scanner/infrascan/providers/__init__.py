"""The platforms infrascan reads. Each is imported when it is first asked for."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from infrascan.collect.provider import Provider, Selection
from infrascan.model import InputError

PROVIDERS: Mapping[str, str] = {
    "aws": "infrascan.providers.aws:Aws",
    "k8s": "infrascan.providers.kubernetes:Kubernetes",
}
GROUP = "infrascan.providers"  # entry points of other distributions


def names() -> tuple[str, ...]:
    """Every provider there is: ours, then those of other distributions."""
    others = sorted(entry.name for entry in entry_points(group=GROUP))
    return tuple(dict.fromkeys((*PROVIDERS, *others)))


def load(name: str) -> Callable[[Selection], Provider]:
    """The class of a provider, to be called with the selection. Raises `InputError`."""
    if name in PROVIDERS:
        module, _, attribute = PROVIDERS[name].partition(":")
        return cast("Callable[[Selection], Provider]", getattr(import_module(module), attribute))
    for entry in entry_points(group=GROUP, name=name):
        return cast("Callable[[Selection], Provider]", entry.load())
    known = names()
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"unknown provider {name!r}: {meant}there are {', '.join(known)}")


def configured() -> tuple[str, ...]:
    """The providers of ours that seem to have credentials here, from environment and files.

    Cheap: nothing is imported, parsed or asked over a network. An instance role is taken to be
    there on every EC2 instance.
    """
    found = (("aws", aws_at_hand()), ("k8s", k8s_at_hand()))
    return tuple(name for name, at_hand in found if at_hand)


def aws_at_hand() -> bool:
    variables = (
        *("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
        *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    )
    files = (
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials",
        os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config",
    )
    at_hand = any(os.environ.get(name) for name in variables) or any(map(filled, files))
    return at_hand or on_ec2()


def on_ec2() -> bool:
    """Whether this machine is an EC2 instance that may use its role, by what its firmware says."""
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return False
    try:
        return Path("/sys/class/dmi/id/sys_vendor").read_text().startswith("Amazon EC2")
    except OSError:
        return False


def k8s_at_hand() -> bool:
    paths = os.environ.get("KUBECONFIG") or "~/.kube/config"
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 (a path)
    return any(map(filled, (*paths.split(os.pathsep), token)))


def filled(path: str) -> bool:
    """Whether there is a file with something in it."""
    try:
        return bool(path) and Path(path).expanduser().stat().st_size > 0
    except OSError:
        return False
