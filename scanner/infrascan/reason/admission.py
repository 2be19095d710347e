"""Which databases a program can connect to: by the security groups in front of them, on their port.

A group admits by naming a group that the program is in, or a network that its address lies in.
Where the address is not known (functions, tasks), the network must take in the whole VPC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.evaluate.interpret import trimmed
from infrascan.evaluate.measures import network
from infrascan.model import Evidence, Gap, Resource
from infrascan.packing import repacked
from infrascan.paths import values
from infrascan.reason.witness import fact, spots

GROUPS = "security_groups"


@dataclass(slots=True)
class Admission:
    """Answers, remembered by kind. What was not read on the way is noted."""

    behind: dict[str, dict[str, list[int]]] = field(default_factory=dict)  # kind -> VPC -> places
    unread: dict[tuple[str, str], Gap] = field(default_factory=dict)  # kind, relation -> a gap

    def reached(
        self, port: str, source: Resource, kind: str, targets: Sequence[Resource]
    ) -> Iterator[tuple[Resource, tuple[Evidence, ...]]]:
        """The resources of one kind that admit the source, each with the evidence."""
        self.note(source)
        groups = {str(group.data.get("GroupId")) for group in source.links.get(GROUPS, ())}
        networks = {vpc: list(addresses(source, vpc)) for vpc in vpcs(source)}
        places = {place for vpc in networks for place in self.within(kind, targets).get(vpc, ())}
        for place in sorted(places):
            target = targets[place]
            listens = next(((p, v) for p, v in spots(target, port) if isinstance(v, int)), None)
            if listens and (found := admitted(target, listens[1], groups, networks)):
                yield target, (*found, fact(target, *listens))

    def within(self, kind: str, targets: Sequence[Resource]) -> Mapping[str, Sequence[int]]:
        if kind not in self.behind:
            found: dict[str, list[int]] = {}
            for place, target in enumerate(repacked(targets)):
                self.note(target)
                for vpc in vpcs(target):
                    found.setdefault(vpc, []).append(place)
            self.behind[kind] = found
        return self.behind[kind]

    def note(self, resource: Resource) -> None:
        if gap := resource.unread.get(GROUPS):
            self.unread.setdefault((resource.kind, GROUPS), gap)


def vpcs(resource: Resource) -> list[str]:
    """The networks that the security groups of a resource belong to, each once."""
    named = (group.data.get("VpcId") for group in resource.links.get(GROUPS, ()))
    return list(dict.fromkeys(str(vpc) for vpc in named if vpc))


def addresses(source: Resource, vpc: str) -> Iterator[str]:
    """Where the source's connections come from: its address, or any of the VPC."""
    own = [str(value) for value in values(source.data, "PrivateIpAddress")]
    if own:
        yield from own
        return
    for group in source.links.get(GROUPS, ()):
        for known in group.links.get("vpc", ()):
            if known.data.get("VpcId") == vpc:
                yield from (str(value) for value in values(known.data, "CidrBlock"))


def admitted(
    target: Resource, port: int, groups: set[str], networks: Mapping[str, Sequence[str]]
) -> tuple[Evidence, ...]:
    """The row of a security group of the target that lets the source in; () for none."""
    for group in target.links.get(GROUPS, ()):
        origins = networks.get(str(group.data.get("VpcId")))
        listed = group.data.get("IpPermissions")
        if origins is None or not isinstance(listed, list):
            continue
        for i, row in enumerate(listed):
            if isinstance(row, dict) and opens(row, port):
                for path, value in admits(row, groups, origins):
                    where = f"IpPermissions[{i}].{path}"
                    return (
                        Evidence(resource=group.key, path=where, value=trimmed(value)),
                        *ports(group, row, i),
                    )
    return ()


def opens(row: Mapping[str, Any], port: int) -> bool:
    """Whether a row is about the port; one about every protocol has no ports."""
    if str(row.get("IpProtocol")) == "-1":
        return True
    low, high = row.get("FromPort"), row.get("ToPort")
    if not isinstance(low, int) or not isinstance(high, int):
        return False
    return str(row.get("IpProtocol", "tcp")) in ("tcp", "6") and low <= port <= high


def admits(
    row: Mapping[str, Any], groups: set[str], origins: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    """(path in the row, value) of what takes the source in."""
    for path, value in walk(row, "UserIdGroupPairs", "GroupId"):
        if value in groups:
            yield path, value
    for path, value in walk(row, "IpRanges", "CidrIp"):
        if any(covers(value, origin) for origin in origins):
            yield path, value


def walk(row: Mapping[str, Any], name: str, member: str) -> Iterator[tuple[str, str]]:
    listed = row.get(name)
    for i, item in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(item, dict) and isinstance(value := item.get(member), str):
            yield f"{name}[{i}].{member}", value


def covers(wide: str, narrow: str) -> bool:
    outer, inner = network(wide), network(narrow)
    return (
        outer is not None
        and inner is not None
        and outer.version == inner.version
        and outer.low <= inner.low
        and outer.high >= inner.high
    )


def ports(group: Resource, row: Mapping[str, Any], place: int) -> Iterator[Evidence]:
    for name in ("FromPort", "ToPort"):
        if name in row:
            yield fact(group, f"IpPermissions[{place}].{name}", row[name])
