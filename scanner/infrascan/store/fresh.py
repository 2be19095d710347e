"""Read-only SQL over what was just read, before or without it being stored.

The same lock as over stored scans: one SELECT, no file, no network, bounded memory and time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infrascan.model import InputError, Resource, Scan
from infrascan.packing import repacked
from infrascan.store.cells import cell
from infrascan.store.parquet import batch, schema
from infrascan.store.records import encoded, unread_json
from infrascan.store.sql import Limits, deadline, single, words
from infrascan.store.tables import kept

COLUMNS = {
    "key": "text",
    "kind": "text",
    "id": "text",
    "name": "text",
    "provider": "text",
    "account": "text",
    "region": "text",
    "namespace": "text",
    "tags": "text",
    "monthly_cost": "number",
    "metrics": "text",
    "unread": "text",
    "data": "text",
}
EDGES = {"source": "text", "name": "text", "target": "text"}
NAMED = re.compile(r"\$([a-z_]+)\b")


@dataclass(frozen=True, slots=True)
class Fresh:
    """Rows by name of column, and whether there were more."""

    rows: list[dict[str, Any]]
    truncated: bool


def ask_fresh(
    resources: Iterable[Resource],
    scan: Scan,
    statement: str,
    parameters: Mapping[str, Any],
    limits: Limits | None = None,
) -> Fresh:
    """The rows of a SELECT over these resources and the scan's edges. Raises `InputError`.

    Tables: `resources`, with a column `namespace` for what lies in one; and `edges`. Parameters
    are written `$name`; those that the statement does not name are left out.
    """
    import duckdb

    limits = limits or Limits()
    settings: dict[str, Any] = {
        "memory_limit": f"{limits.megabytes}MB",
        "threads": str(limits.threads),
        "temp_directory": "",
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "secret_directory": "none",
    }
    used = set(NAMED.findall(statement))
    given = {name: value for name, value in parameters.items() if name in used}
    try:
        with duckdb.connect(":memory:", config=settings) as connection:
            put(connection, "resources", COLUMNS, map(resource_row, repacked(list(resources))))
            edges = ((edge.source, edge.name, edge.target) for edge in scan.edges)
            put(connection, "edges", EDGES, edges)
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            connection.execute("BEGIN TRANSACTION READ ONLY")
            with deadline(connection, limits.seconds):
                result = connection.execute(single(connection, statement), given or None)
                names = [column[0] for column in result.description or ()]
                found = result.fetchmany(limits.rows + 1)
    except duckdb.InterruptException as error:
        raise InputError(f"the query took longer than {limits.seconds:g} s") from error
    except duckdb.Error as error:
        raise InputError(words(str(error))) from error
    rows = [dict(zip(names, map(cell, row), strict=True)) for row in found[: limits.rows]]
    return Fresh(rows=rows, truncated=len(found) > limits.rows)


def put(connection: Any, name: str, columns: Mapping[str, str], rows: Iterable[Any]) -> None:
    import pyarrow as pa

    shape = schema(columns)
    # A resource may hold text that is no valid Unicode; `batch` puts the nearest that is.
    listed = list(rows)
    table = pa.Table.from_batches([batch(listed, shape)] if listed else [], schema=shape)
    connection.register("arriving", table)
    connection.execute(f"CREATE TABLE {name} AS SELECT * EXCLUDE (exact) FROM arriving")  # noqa: S608
    connection.unregister("arriving")


def resource_row(resource: Resource) -> tuple[Any, ...]:
    data = resource.data
    cost, metrics, tags = data.get("monthly_cost"), data.get("metrics"), data.get("tags")
    metadata = data.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    return (
        resource.key,
        resource.kind,
        resource.id,
        resource.name,
        resource.provider,
        resource.account,
        resource.region,
        namespace if isinstance(namespace, str) else None,
        encoded(tags) if isinstance(tags, dict) and tags else None,
        cost if isinstance(cost, float) else None,
        encoded(metrics) if isinstance(metrics, dict) else None,
        encoded(unread_json(resource.unread)) if resource.unread else None,
        encoded(kept(data)),
    )
