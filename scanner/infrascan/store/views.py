"""What SQL sees of a stored scan: one view for each table, with a column that names the scan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# The columns of each view: name, or expression and name. Trees are JSON text: `data->>'State'`.
VIEWS: Mapping[str, str] = {
    "resources": (
        "key, kind, id, name, provider, account, region, tags, monthly_cost, metrics, unread, data"
    ),
    "edges": "source, name, target",
    "findings": (
        "id, rule, title, category, severity, "
        "list_position(['critical', 'high', 'medium', 'low', 'info'], severity) - 1"
        " AS severity_rank, "
        "kind, resource, resource_id, name, provider, account, region, monthly_cost,"
        " monthly_saving, saving_counted, saving_note, evidence, why, fix, command,"
        " reference_urls, controls, cost, saving"
    ),
    "unknowns": (
        "rule, kind, resource, name, provider, account, region, gap_reason AS reason,"
        " gap_call AS call, gap_permission AS permission, gap_detail AS detail,"
        " gap_field AS field"
    ),
    "gaps": ("provider, account, region, kind, call, reason, detail, permission, resource, field"),
    "coverage": "provider, account, region, kind, state, resources, calls, failed",
    "paths": "id, title, severity, entry, target, steps, findings, blast, unsure",
    "issues": "id, title, category, severity, resource, why, findings, paths, monthly_saving",
}

# The table `scans`: one row for every stored scan, usable or not.
SCANS: Mapping[str, str] = {
    "id": "VARCHAR",
    "stored": "VARCHAR",
    "started": "VARCHAR",
    "finished": "VARCHAR",
    "version": "VARCHAR",
    "resources": "BIGINT",
    "findings": "BIGINT",
    "critical": "BIGINT",
    "high": "BIGINT",
    "medium": "BIGINT",
    "low": "BIGINT",
    "info": "BIGINT",
    "unknowns": "BIGINT",
    "gaps": "BIGINT",
    "coverage_percent": "DOUBLE",
    "monthly_cost": "DOUBLE",
    "monthly_saving": "DOUBLE",
    "interrupted": "BOOLEAN",
    "question": "VARCHAR",
    "problem": "VARCHAR",
}


def select(view: str, scans: Iterable[tuple[str, str]]) -> str:
    """The SELECT of a view over scans, given as (id, folder)."""
    return " UNION ALL ".join(
        f"SELECT {quoted(scan)} AS scan, {VIEWS[view]} FROM {table(folder, view)}"  # noqa: S608
        for scan, folder in scans
    )


def table(folder: str, name: str) -> str:
    return f"read_parquet({quoted(f'{literal(folder)}/{name}.parquet')})"


def literal(path: str) -> str:
    """The path as a pattern that matches itself only."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def quoted(text: str) -> str:
    """A string of SQL."""
    return "'" + text.replace("'", "''") + "'"
