"""Which hosts a container is told to call, taken from its variables before their values are dropped.

A value is a secret until it is known not to be, so no value is kept: only the host in it, and only
where the value is a URL, a host with a port, or the value of a variable that says it is a host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infrascan import redact

LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = rf"{LABEL}(?:\.{LABEL}){{0,9}}"
URL = re.compile(
    rf"^[a-z][a-z0-9+.-]{{1,20}}://(?:[^/@\s]{{0,256}}@)?(?P<host>{HOST})(?P<port>:\d{{1,5}})?(?:[/?#,]|$)",
    re.IGNORECASE,
)
PLACE = re.compile(rf"^(?P<host>{HOST})(?P<port>:\d{{2,5}})$", re.IGNORECASE)
NAME = re.compile(rf"^(?P<host>{HOST})$", re.IGNORECASE)
SAYS_HOST = re.compile(r"(?i)(?:^|_)(?:host|hostname|addr|address|endpoint|server|service)$")
LONGEST = 2_000  # characters of a value that are looked at
MOST = 50  # of one container


def called(containers: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Container, variable, host and port of each, in order, once."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for container in containers:
        name = str(container.get("name") or "")
        variables = container.get("env")
        listed = variables if isinstance(variables, list) else []
        for variable in [v for v in listed if isinstance(v, dict)][:MOST]:
            if one := host(variable):
                key = (name, str(variable.get("name")), one["host"])
                found[key] = {"container": name, "variable": key[1], **one}
    return list(found.values())


def host(variable: Mapping[str, Any]) -> dict[str, Any] | None:
    """The host in one variable's value, and its port where that is given."""
    name, value = str(variable.get("name") or ""), variable.get("value")
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        return None
    match = URL.match(value)
    if match is None and not redact.secret_class(name, value):
        match = PLACE.match(value) or (NAME.match(value) if SAYS_HOST.search(name) else None)
    if match is None or not re.search(r"[a-z]", match["host"], re.IGNORECASE):
        return None
    port = match.groupdict().get("port")
    return {"host": match["host"].lower(), "port": int(port[1:]) if port else None}
