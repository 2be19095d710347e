"""Answers that SQL cannot give, by the name under which the catalogue asks for them."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, cast

from infrascan.questions.seeing import Context, Result

Function: TypeAlias = Callable[[Context], Awaitable[Result]]

MODULES: Mapping[str, tuple[str, ...]] = {
    "around": ("topology", "configuration", "who_can_assume", "dns_to", "terraform_managed"),
    "clusters": ("cluster_nodes",),
    "happenings": ("changes", "last_deployment"),
    "health": ("services_healthy",),
    "memory": ("memory_above_limit", "node_memory"),
    "money": ("spend", "savings"),
    "past": ("history_of", "blind_spots"),
    "pods": ("failing_pods", "deployment", "helm_releases", "pod_logs"),
    "reasons": ("why",),
    "stores": ("databases", "caches"),
    "whole": ("health_report", "live_facts"),
    "scanning": ("findings", "deep_research", "inventory", "connections"),
}
FUNCTIONS: Mapping[str, str] = {name: module for module, names in MODULES.items() for name in names}


def function(name: str) -> Function:
    module = importlib.import_module(f"infrascan.questions.functions.{FUNCTIONS[name]}")
    return cast("Function", getattr(module, name))
