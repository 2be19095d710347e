"""`infrascan manifests`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from infrascan import cli
from infrascan.collect.provider import Provider, Selection
from infrascan.model import InputError
from infrascan.pipeline import now
from infrascan.providers import load
from infrascan.providers.manifests import iam, pod, rbac

DEFAULTS = {"iam": "aws", "rbac": "k8s", "pod": "k8s"}
TOKENS = ("github", "cloudflare", "digitalocean", "hetzner", "docker", "terraform")


def manifests(options: argparse.Namespace) -> int:
    """Print what to apply, on standard output, and nothing else."""
    found = documents(options, provider_of(options))
    if options.format == "json":
        whole: Any = found[0] if len(found) == 1 else kubernetes_list(found)
        print(json.dumps(whole, indent=2))
    else:
        import yaml

        print(yaml.safe_dump_all(plain(found), sort_keys=False), end="")
    return cli.CLEAN


def provider_of(options: argparse.Namespace) -> Provider:
    name = options.provider or DEFAULTS.get(options.what)
    if not name:
        raise InputError(f"--provider says whose token it is: {', '.join(TOKENS)}")
    return load(name)(Selection(observed=now()))


def documents(options: argparse.Namespace, provider: Provider) -> list[Mapping[str, Any]]:
    if options.what == "iam":
        return [iam(provider, options.scope)]
    if options.what == "rbac":
        return rbac(provider, options.scope, options.namespace)
    if options.what == "pod":
        role = rbac(provider, options.scope, options.namespace)
        account = str(role[0]["metadata"]["name"])
        return [*role, *pod(options.namespace, options.image, account)]
    if provider.name not in TOKENS:
        raise InputError(
            f"{provider.name} is not read with a token; use: infrascan manifests iam, or rbac"
        )
    return [provider.permissions()]


def kubernetes_list(found: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Several objects in one document, as kubectl takes them."""
    return {"apiVersion": "v1", "kind": "List", "items": found}


def plain(value: Any) -> Any:
    """Lists and maps of YAML's own, each written out where it stands: no anchors."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
