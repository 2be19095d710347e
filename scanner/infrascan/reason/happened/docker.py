"""What Docker tells of its containers: when each was made, started, and came to its end.

Engines keep events only while they run, and answer for them as a stream; the times that containers
carry are there at any moment, the latest of each sort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infrascan.model import Resource
from infrascan.reason.change import Change, What, at, cited, moment, quoted

NEVER = "0001-01-01"  # the zero of Go's clock


def changes(by_kind: Mapping[str, Sequence[Resource]]) -> Iterator[Change]:
    for container in by_kind.get("docker.container", ()):
        yield from told(container)


def told(container: Resource) -> Iterator[Change]:
    image = str(at(container.data, ("Config", "Image")) or container.data.get("Image") or "")
    name = quoted(container.name, 80)
    made = container.data.get("Created")
    if isinstance(made, str) and moment(made):
        yield Change(
            time=made,
            kind=What.ROLLOUT,
            resource=container.key,
            name=container.name,
            what=f"container {name} was made of image {quoted(image, 100)}",
            after=image,
            source="docker.container",
            evidence=cited(container, ("Created",), ("Config", "Image"), ("Image",)),
            facets=frozenset({"image"}),
        )
    ended = at(container.data, ("State", "FinishedAt"))
    code = at(container.data, ("State", "ExitCode"))
    status = at(container.data, ("State", "Status"))
    over = isinstance(ended, str) and not ended.startswith(NEVER) and moment(ended)
    if not over or (status == "running" and not container.data.get("RestartCount")):
        return  # it never ended, or somebody stopped it and started it again
    oom = at(container.data, ("State", "OOMKilled")) is True
    if status != "running" and code in (0, None) and not oom:
        return  # it did its work, or was asked to end
    yield Change(
        time=str(ended),
        kind=What.RESTART if status in {"running", "restarting"} else What.FAILURE,
        resource=container.key,
        name=container.name,
        what=f"container {name} ended with exit code {code}"
        + (", killed for want of memory" if oom else ""),
        source="docker.container",
        evidence=cited(
            container, ("State", "FinishedAt"), ("State", "ExitCode"), ("State", "OOMKilled"),
            ("State", "Status"), ("RestartCount",),
        ),
        facets=frozenset({"oom" if oom else "exit"}),
    )  # fmt: skip
