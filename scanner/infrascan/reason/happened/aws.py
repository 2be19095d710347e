"""What AWS tells: writes that CloudTrail saw, and alarms that changed state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infrascan.model import Resource
from infrascan.reason.change import Change, What, at, cited, mapping, moment, quoted

# What a write is, by the words that its name holds; the first that fits.
SORTS: tuple[tuple[tuple[str, ...], What], ...] = (
    (("SecurityGroup", "NetworkAcl", "Route", "NatGateway", "Listener", "ChangeResourceRecordSets",
      "TargetGroup", "RegisterTargets", "DeregisterTargets", "WebACL", "Subnet", "VpcEndpoint"),
     What.NETWORK),
    (("Role", "Policy", "AccessKey", "Grant", "KeyRotation", "DisableKey", "ScheduleKeyDeletion",
      "AuthorizeAccess"), What.ACCESS),
    (("PutImage",), What.RUN),
    (("UpdateService", "RegisterTaskDefinition", "UpdateFunctionCode", "CreateDeployment",
      "PublishVersion", "UpdateAlias"), What.ROLLOUT),
    (("DesiredCapacity", "AutoScalingGroup", "NodegroupConfig", "ScalableTarget"), What.SCALING),
    (("Instances", "Nodegroup", "TerminateInstance"), What.MACHINE),
    (("Modify", "Update", "Put", "Reboot", "Failover", "Create", "Delete", "Set"), What.CONFIG),
)  # fmt: skip
# Verbs that take something away from those that used it.
CLOSING = ("Revoke", "Delete", "Deregister", "Disable", "Detach", "Remove", "Terminate", "Stop")
FACETS: Mapping[str, str] = {
    "UpdateFunctionCode": "image",
    "UpdateService": "image",
    "RegisterTaskDefinition": "image",
    "ModifyDBInstance": "database",
    "RebootDBInstance": "database",
    "FailoverDBCluster": "database",
    "ModifyDBParameterGroup": "database",
    "ModifyCacheCluster": "cache",
    "ModifyReplicationGroup": "cache",
    "PutSecretValue": "secret",
    "UpdateSecret": "secret",
    "RotateSecret": "secret",
}


def changes(
    by_kind: Mapping[str, Sequence[Resource]], named: Mapping[str, Sequence[Resource]]
) -> Iterator[Change]:
    """`named` finds resources of AWS by id, name or ARN."""
    for event in by_kind.get("aws.cloudtrail.event", ()):
        if moment(event.data.get("EventTime")) and not event.data.get("error_code"):
            yield written(event, named)
    for alarm in by_kind.get("aws.cloudwatch.alarm", ()):
        if alarm.data.get("StateValue") == "ALARM" and moment(onset(alarm)):
            yield alarmed(alarm)


def written(event: Resource, named: Mapping[str, Sequence[Resource]]) -> Change:
    name = str(event.data.get("EventName") or "write")
    targets: dict[str, None] = {}
    labels: list[str] = []
    for word in words(event):
        labels.append(word)
        for found in named.get(word, ()):
            if found.account == event.account:
                targets[found.key] = None
    keys = list(targets) or [event.key]
    service = str(event.data.get("EventSource") or "").partition(".")[0]
    about = f" on {quoted(labels[0], 80)}" if labels else ""
    facets = {name, *([FACETS[name]] if name in FACETS else [])}
    if name.startswith(CLOSING):
        facets.add("closed")
    return Change(
        time=str(event.data["EventTime"]),
        kind=sort(name),
        resource=keys[0],
        name=labels[0] if labels else name,
        what=f"{service}:{name}{about} by {quoted(event.data.get('Username') or 'unknown', 80)}",
        actor=str(event.data.get("role") or event.data.get("Username") or ""),
        source="aws.cloudtrail.event",
        touches=(*keys[1:], *([event.key] if keys[0] != event.key else [])),
        evidence=cited(
            event, ("EventTime",), ("EventName",), ("EventSource",), ("Username",), ("role",),
            ("Resources",), ("targets",),
        ),
        facets=frozenset(facets),
        reaction=bool(event.data.get("invoked_by")),
    )  # fmt: skip


def words(event: Resource) -> Iterator[str]:
    """The names by which a write says what it wrote to, each once."""
    seen: set[str] = set()
    listed = event.data.get("Resources")
    found = [mapping(item).get("ResourceName") for item in listed or ()] if listed else []
    given = event.data.get("targets")
    found += given if isinstance(given, list) else []
    for word in found:
        if isinstance(word, str) and word and word not in seen:
            seen.add(word)
            yield word


def sort(name: str) -> What:
    for parts, what in SORTS:
        if any(part in name for part in parts):
            return what
    return What.CALL


def onset(alarm: Resource) -> str:
    """When it went off: the transition where AWS tells it, else the latest update of its state."""
    data = alarm.data
    return str(data.get("StateTransitionedTimestamp") or data.get("StateUpdatedTimestamp") or "")


def alarmed(alarm: Resource) -> Change:
    metric = str(at(alarm.data, ("MetricName",)) or "")
    return Change(
        time=onset(alarm),
        kind=What.ALARM,
        resource=alarm.key,
        name=alarm.name,
        what=f"alarm {quoted(alarm.name, 80)} went off: {metric}"
        f" {alarm.data.get('ComparisonOperator') or ''} {alarm.data.get('Threshold')}",
        after="ALARM",
        source="aws.cloudwatch.alarm",
        evidence=cited(
            alarm, ("StateValue",), ("StateTransitionedTimestamp",), ("StateUpdatedTimestamp",),
            ("StateReason",), ("MetricName",), ("Threshold",), ("Dimensions",),
        ),
        facets=frozenset({"latency" if is_latency(metric) else "alarm"}),
    )  # fmt: skip


def is_latency(metric: str) -> bool:
    folded = metric.lower()
    return any(word in folded for word in ("latency", "responsetime", "duration", "p99", "p95"))
