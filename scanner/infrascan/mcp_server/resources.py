"""Resources: what can be read by address, on its own or by template."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar
from urllib.parse import unquote

import trio
from mcp.server.mcpserver.exceptions import ResourceError

from infrascan import queries
from infrascan.lookups import logs
from infrascan.mcp_server.callers import CALLER
from infrascan.mcp_server.door import Door
from infrascan.mcp_server.egress import MOST
from infrascan.mcp_server.toolsets.research import version
from infrascan.mcp_server.workspace import Workspace
from infrascan.model import InputError, ReadError
from infrascan.render import render
from infrascan.shipped import shipped
from infrascan.store.audit import entries
from infrascan.store.scans import read

JSON, MARKDOWN, PLAIN = "application/json", "text/markdown", "text/plain"
AUDITED = 500  # entries looked through
T = TypeVar("T")
REPORT = 4_000_000  # characters of a report: a file to keep rather than an answer to read


def add(door: Door) -> None:  # noqa: C901 (a list of resources)
    space = door.workspace
    home = space.home
    mcp = door.mcp

    @mcp.resource("infrascan://scans", title="Stored scans", mime_type=JSON)
    async def all_scans() -> str:
        """The stored scans, the latest first."""
        return spelled(await within(partial(queries.list_scans, home, limit=200)))

    @mcp.resource("infrascan://providers", title="Connections", mime_type=JSON)
    async def connections() -> str:
        """Which providers can be read, and as whom."""
        return spelled((await version(space)).model_dump(mode="json"))

    @mcp.resource("infrascan://audit", title="Audit log", mime_type=JSON)
    async def audit() -> str:
        """What this client did here: its latest calls and proposals. Those of others are for the
        operator: infrascan audit.
        """
        found = await within(partial(entries, home, limit=AUDITED))
        who = CALLER.get()
        own = [
            e
            for e in found
            if (e.get("client"), e.get("user"), e.get("address"))
            == (who.client, who.user, who.address)
        ]
        return spelled({"entries": own[-100:]})

    @mcp.resource("infrascan://rules", title="Rules", mime_type=JSON)
    async def rules() -> str:
        """Every rule: id, title, severity, category."""
        return spelled({"rules": await within(catalogue)})

    @mcp.resource("infrascan://rules/{rule}", title="One rule", mime_type=PLAIN)
    async def one_rule(rule: str) -> str:
        """A rule as it is written: condition, why, fix, examples."""
        return await within(partial(source, rule))

    @mcp.resource("infrascan://docs/{page}", title="Documentation", mime_type=MARKDOWN)
    async def documentation(page: str) -> str:
        """How to use this server: pages "tools" and "rules"."""
        if page == "tools":
            tools = await mcp.list_tools()
            return "\n\n".join(f"## {tool.name}\n\n{tool.description}" for tool in tools)
        if page == "rules":
            return await within(
                lambda: (shipped("rules") / "README.md").read_text(encoding="utf-8")
            )
        raise ResourceError(f"there is no page {page[:40]!r}: tools, rules")

    @mcp.resource(
        "infrascan://scans/{scan}/report.md", title="Report of a scan", mime_type=MARKDOWN
    )
    async def report_markdown(scan: str) -> str:
        """The stored scan as a Markdown report."""
        return await rendered(space, scan, "markdown")

    @mcp.resource("infrascan://scans/{scan}/report.json", title="Report of a scan, as data", mime_type=JSON)  # fmt: skip
    async def report_json(scan: str) -> str:
        """The stored scan in the JSON shape infrascan.report/1."""
        return await rendered(space, scan, "json")

    @mcp.resource("infrascan://scans/{scan}/findings", title="Findings of a scan", mime_type=JSON)
    async def findings(scan: str) -> str:
        """The first 100 findings of a scan, the worst first; get_findings filters and pages."""
        return spelled(await within(partial(queries.get_findings, home, scan=scan, limit=100)))

    @mcp.resource("infrascan://findings/{finding}", title="A finding", mime_type=JSON)
    async def finding(finding: str) -> str:
        """One finding of the latest scan, with evidence, fix and the resource it is about."""
        return spelled(await within(partial(queries.get_finding, home, finding)))

    @mcp.resource("infrascan://logs/{context}/{namespace}/{pod}", title="Logs of a pod", mime_type=PLAIN)  # fmt: skip
    async def pod_logs(context: str, namespace: str, pod: str) -> str:
        """The last 200 lines of a pod, read now, secrets redacted. Context "-" is the current one."""
        contexts = () if context == "-" else (unquote(context),)
        with told():
            found = await logs.pod_log(
                space.connections, pod, namespace=namespace, lines=200, contexts=contexts
            )
        return found.text

    @mcp.resource("infrascan://metrics/{+key}", title="Metrics of a resource", mime_type=JSON)
    async def metrics(key: str) -> str:
        """What the latest scan measured of a resource, by its key: usage, growth, request counts."""
        found = await within(partial(stored, space, unquote(key)))
        data = found["data"] or {}
        return spelled(
            {
                "resource": found["key"],
                "metrics": found.get("metrics") or data.get("usage"),
                "unread": {
                    k: v for k, v in (found["unread"] or {}).items() if k in {"metrics", "usage"}
                },
            }
        )

    @mcp.resource("infrascan://configs/{+key}", title="Configuration of a resource", mime_type=JSON)
    async def configuration(key: str) -> str:
        """All that the vendor says of a resource, by its key, as the latest scan read it."""
        return spelled(await within(partial(stored, space, unquote(key))))


def stored(space: Workspace, key: str) -> dict[str, Any]:
    """One resource of the latest scan. Raises `InputError`."""
    parts = key.split("/", 3)  # kind, account, region, id
    if len(parts) == 4:
        kind, account, _, own = parts
        found = queries.get_resources(
            space.home, kind=kind, account=account, text=own, documents=True, limit=500
        )
        for row in found["resources"]:
            if row["key"] == key:
                return dict(row)
    raise InputError(f"the latest scan has no resource with the key {key[:200]!r}")


@cache
def catalogue() -> list[dict[str, str]]:
    from infrascan.evaluate import load
    from infrascan.pipeline import all_kinds

    rules = load([shipped("rules")], all_kinds(), partial=True)
    return [
        {"id": r.id, "title": r.title, "severity": str(r.severity), "category": str(r.category)}
        for r in rules
    ]


def source(rule: str) -> str:
    """The text of a shipped rule. Raises `InputError`."""
    root = shipped("rules").resolve()
    path = (root / f"{rule.replace('.', '/')}.yaml").resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise InputError(f"there is no rule {rule[:80]!r}")
    return path.read_text(encoding="utf-8")


async def rendered(space: Workspace, scan: str, name: str) -> str:
    def work() -> str:
        text = "".join(render(name, read(space.home, scan)))
        if len(text) > REPORT:
            raise InputError(f"the report has {len(text):,} characters: infrascan report writes it")
        return text

    return await within(work)


async def within(work: Callable[[], T]) -> T:
    """The result of blocking work, its expected errors as the resource's."""
    with told():
        return await trio.to_thread.run_sync(work)


@contextmanager
def told() -> Iterator[None]:
    """Turn a mistake in an address into an answer that says what would be right."""
    try:
        yield
    except (InputError, ReadError) as error:
        raise ResourceError(str(error)) from error


def spelled(value: Any) -> str:
    text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
    if len(text) > MOST * 5:
        raise ResourceError(f"it has {len(text):,} characters; the tools answer in pages")
    return text
