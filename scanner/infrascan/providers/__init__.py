"""The platforms infrascan reads. Each is imported when it is first asked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from infrascan.collect.provider import Provider, Selection
from infrascan.model import InputError
from infrascan.providers import at_hand

PROVIDERS: Mapping[str, str] = {
    "aws": "infrascan.providers.aws:Aws",
    "gcp": "infrascan.providers.gcp:Gcp",
    "azure": "infrascan.providers.azure:Azure",
    "k8s": "infrascan.providers.kubernetes:Kubernetes",
    "cloudflare": "infrascan.providers.cloudflare:Cloudflare",
    "hetzner": "infrascan.providers.hetzner:Hetzner",
    "digitalocean": "infrascan.providers.digitalocean:DigitalOcean",
    "github": "infrascan.providers.github:Github",
    "docker": "infrascan.providers.docker:Docker",
    "terraform": "infrascan.providers.terraform:Terraform",
}
# What watches an estate besides them; read where the environment says where it is, or when named.
PLANES: Mapping[str, str] = {
    "prometheus": "infrascan.providers.planes:Prometheus",
    "alertmanager": "infrascan.providers.planes:Alertmanager",
    "loki": "infrascan.providers.planes:Loki",
    "grafana": "infrascan.providers.planes:Grafana",
    "jaeger": "infrascan.providers.planes:Jaeger",
    "ollama": "infrascan.providers.planes:Ollama",
    "pagerduty": "infrascan.providers.planes:PagerDuty",
}
GROUP = "infrascan.providers"  # entry points of other distributions


def names() -> tuple[str, ...]:
    """Every provider there is: ours, then those of other distributions."""
    others = sorted(entry.name for entry in entry_points(group=GROUP))
    return tuple(dict.fromkeys((*PROVIDERS, *others)))


def load(name: str) -> Callable[[Selection], Provider]:
    """The class of a provider, to be called with the selection. Raises `InputError`."""
    if place := PROVIDERS.get(name) or PLANES.get(name):
        module, _, attribute = place.partition(":")
        return cast("Callable[[Selection], Provider]", getattr(import_module(module), attribute))
    for entry in entry_points(group=GROUP, name=name):
        return cast("Callable[[Selection], Provider]", entry.load())
    known = (*names(), *PLANES)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"unknown provider {name!r}: {meant}there are {', '.join(known)}")


def configured() -> tuple[str, ...]:
    """The providers of ours that seem to have credentials here; cheap.

    An instance role is taken to be there on every EC2 instance.
    """
    ours = tuple(name for name in PROVIDERS if at_hand.PROVIDERS[name]())
    return (*ours, *at_hand.planes())
