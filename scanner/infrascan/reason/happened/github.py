"""What GitHub tells: deployments it was told of, and runs of workflows.

Titles of pull requests and descriptions are text that anyone may have written: shown quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infrascan.model import Resource
from infrascan.reason.change import Change, What, at, cited, mapping, moment, quoted

CHANGING = frozenset({"push", "workflow_dispatch", "release", "deployment", "repository_dispatch"})


def changes(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[Change]:
    for found in by_kind.get("github.deployment", ()):
        if moment(found.data.get("created_at")):
            yield deployment(found)
    for found in by_kind.get("github.workflow_run", ()):
        if moment(found.data.get("run_started_at") or found.data.get("created_at")):
            yield run(found)


def repositories(resource: Resource) -> tuple[str, ...]:
    return tuple(target.key for target in resource.links.get("of_repository", ()))


def deployment(found: Resource) -> Change:
    sha, where = str(found.data.get("sha") or ""), str(found.data.get("environment") or "")
    state = str(found.data.get("state") or "")
    ended = f", {quoted(state, 30)}" if state else ""
    return Change(
        time=str(found.data["created_at"]),
        kind=What.DEPLOYMENT,
        resource=found.key,
        name=str(found.data.get("repository") or found.name),
        what=f"{found.data.get('repository')} was deployed to {quoted(where, 60)} at commit"
        f" {sha[:12]}{ended}",
        after=sha,
        actor=str(mapping(found.data.get("creator")).get("login") or ""),
        source="github.deployment",
        touches=repositories(found),
        evidence=cited(
            found, ("created_at",), ("sha",), ("ref",), ("environment",), ("state",),
            ("creator", "login"),
        ),
        facets=frozenset({"image", f"environment:{where}"}),
    )  # fmt: skip


def run(found: Resource) -> Change:
    sha = str(found.data.get("head_sha") or "")
    began = "run_started_at" if found.data.get("run_started_at") else "created_at"
    ended = str(found.data.get("conclusion") or found.data.get("status") or "")
    event = str(found.data.get("event") or "")
    name = str(found.data.get("name") or found.name)
    return Change(
        time=str(found.data[began]),
        kind=What.RUN,
        resource=found.key,
        name=name,
        what=f"workflow {quoted(name, 60)} of {found.data.get('repository')} ran for commit"
        f" {sha[:12]} ({quoted(event, 30)}): {ended}",
        after=sha,
        actor=str(at(found.data, ("actor", "login")) or ""),
        source="github.workflow_run",
        touches=(
            *repositories(found),
            *(flow.key for flow in found.links.get("workflow", ())),
        ),
        evidence=cited(
            found, (began,), ("head_sha",), ("head_branch",), ("event",), ("conclusion",),
            ("display_title",), ("actor", "login"),
        ),
        facets=frozenset({"image"}),
        # A run that failed shipped nothing, and one for a pull request does not ship.
        reaction=event not in CHANGING or ended in {"failure", "cancelled", "skipped"},
    )  # fmt: skip
