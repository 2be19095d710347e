"""Fix commands: templates filled with a resource's values, quoted for the shell.

Names and tags are the work of strangers. A value that cannot be put into one argument without
doubt (control characters, an option in disguise) gives no command at all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

from infrascan.evaluate.path import TRUNK, near
from infrascan.model import Kind, Resource
from infrascan.paths import values

# JSON in a command ({"spec": ...}, {}) and kubectl's {.spec} are no placeholders.
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_\-]*(?:\[\])?(?:\.[A-Za-z0-9_\-]+(?:\[\])?)*)\}")
OWN = ("name", "id", "region", "account")
OWN_K8S = ("namespace", "kind")


def placeholders(command: str, kind: Kind) -> Iterator[str]:
    """What is wrong with the command's placeholders, for resources of this kind."""
    own = (*OWN, *OWN_K8S) if kind.provider == "k8s" else OWN
    for match in PLACEHOLDER.finditer(command):
        path = match[1]
        if path in own or path.split(".")[0] in TRUNK:
            continue
        tree = kind.fields
        for step in path.replace("[]", ".[]").split("."):
            if tree is None:
                break
            options = set(tree) | (set(own) if tree is kind.fields else set())
            tree = tree.get(step, tree.get("*", ...))
            if tree is ...:
                yield f"there is nothing to put for {{{path}}}{near(step, options)}"
                break
    if command.count("\n"):
        yield "a command is one line"


def filled(template: str, resource: Resource) -> str:
    """The command for this resource, safe to paste; "" when a value is missing or doubtful."""
    done = ""
    at = 0
    for match in PLACEHOLDER.finditer(template):
        done += template[at : match.start()]
        at = match.end()
        value = replacement(match[1], resource)
        if not value or not value.isprintable():
            return ""
        quote = open_quote(done)
        if value.startswith("-") and not quote and (not done or done[-1].isspace()):
            return ""
        quoted = shlex.quote(value)
        done += f"{quote}{quoted}{quote}" if quote and quoted != value else quoted
    return done + template[at:]


def replacement(path: str, resource: Resource) -> str:
    if path in OWN:
        return str(getattr(resource, path))
    if path == "namespace" and resource.provider == "k8s":
        return str(next(values(resource.data, "metadata.namespace"), ""))
    if path == "kind" and resource.provider == "k8s":  # in kubectl's spelling: statefulset
        return resource.kind.rpartition(".")[2].replace("_", "")
    value: Any = next(values(resource.data, path), None)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def open_quote(text: str) -> str:
    """The quote that is still open at the end of a command so far: ', " or nothing."""
    quote = ""
    escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
    return quote
