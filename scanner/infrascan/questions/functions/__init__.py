"""Answers that SQL cannot give, by the name under which the catalogue asks for them."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, cast

from infrascan.questions.seeing import Context, Result

Function: TypeAlias = Callable[[Context], Awaitable[Result]]

FUNCTIONS: Mapping[str, str] = {
    "services_healthy": "health",
    "memory_above_limit": "memory",
    "node_memory": "memory",
    "cluster_nodes": "clusters",
}


def function(name: str) -> Function:
    module = importlib.import_module(f"infrascan.questions.functions.{FUNCTIONS[name]}")
    return cast("Function", getattr(module, name))
