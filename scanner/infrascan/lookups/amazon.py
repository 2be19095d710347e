"""AWS now: spend by service, instances, alarms that ring, buckets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trio

from infrascan.collect.provider import Call
from infrascan.lookups.connections import Connections, Seen
from infrascan.model import Connection, InputError, ReadError, Reason
from infrascan.pipeline.request import now, stamp
from infrascan.store import state

INSTANCE, ALARM, BUCKET = "aws.ec2.instance", "aws.cloudwatch.alarm", "aws.s3.bucket"
COMPOSITE = "aws.cloudwatch.composite_alarm"
RINGING = ("ALARM", "INSUFFICIENT_DATA")
PER_CALL = 0.01  # USD that Cost Explorer charges for a request
MOST_PAGES = 20
MOST_DAYS = 365
KEPT = """CREATE TABLE IF NOT EXISTS spend (
  key TEXT PRIMARY KEY, observed TEXT NOT NULL, answer TEXT NOT NULL
)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What one account spent in a window, by service, the most first."""

    account: str
    start: str  # inclusive, "2026-10-22"
    end: str  # exclusive
    total: float
    currency: str
    services: tuple[tuple[str, float], ...]
    estimated: bool  # the latest days are not final
    calls: int  # that were paid for
    cost_usd: float  # of asking
    observed: str
    kept: bool = False  # from an answer kept by choice, not asked now
    complete: bool = True


async def spend(
    connections: Connections,
    home: Path,
    *,
    days: int = 30,
    profile: str = "",
    max_age_hours: float = 0.0,
) -> Spend:
    """Spend by service from Cost Explorer, which charges for each request.

    With `max_age_hours`, an answer kept from before does when it is no older. Raises `ReadError`,
    and `InputError` where AWS cannot be read at all.
    """
    days = max(1, min(days, MOST_DAYS))
    request = connections.narrowed(profiles=[profile] if profile else [])
    async with connections.asking(request, "aws") as (provider, ask):
        account = first(provider.accounts)
        kept = Kept(home, f"{account.id}/{days}")
        if max_age_hours > 0 and (found := await trio.to_thread.run_sync(kept.read, max_age_hours)):
            return found
        today = datetime.now(UTC).date()
        window = {"Start": str(today - timedelta(days=days)), "End": str(today)}
        totals: dict[str, float] = {}
        currency, estimated, token = "USD", False, ""
        calls = 0
        for _ in range(MOST_PAGES):
            params: dict[str, Any] = {
                "TimePeriod": window,
                "Granularity": "DAILY",
                "Metrics": ["UnblendedCost"],
                "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
            }
            if token:
                params["NextPageToken"] = token
            call = Call(
                provider="aws",
                account=account.profile,
                region=account.home,
                api="ce.GetCostAndUsage",
                params=params,
            )
            try:
                answer = await ask(call)
            except ReadError as error:
                if error.reason is Reason.DENIED:
                    error.permission = error.permission or "ce:GetCostAndUsage"
                raise
            calls += 1
            if not isinstance(answer.get("ResultsByTime"), list):
                raise ReadError(Reason.MALFORMED, "the answer has no ResultsByTime", call=call.api)
            for day in answer["ResultsByTime"]:
                estimated = estimated or bool(day.get("Estimated"))
                for group in day.get("Groups") or ():
                    cost = group["Metrics"]["UnblendedCost"]
                    currency = str(cost.get("Unit") or currency)
                    name = str((group.get("Keys") or ["(no service)"])[0])
                    totals[name] = totals.get(name, 0.0) + float(cost["Amount"])
            token = str(answer.get("NextPageToken") or "")
            if not token:
                break
        found = Spend(
            account=account.id,
            start=window["Start"],
            end=window["End"],
            total=round(sum(totals.values()), 2),
            currency=currency,
            services=tuple(
                (name, round(amount, 2))
                for name, amount in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
            ),
            estimated=estimated,
            calls=calls,
            cost_usd=round(calls * PER_CALL, 2),
            observed=stamp(now()),
            complete=not token,
        )
        if found.complete:
            await trio.to_thread.run_sync(kept.write, found)
        return found


def first(accounts: dict[str, Any]) -> Any:
    """The one account that is open. Raises `InputError` where there are several, or none."""
    if len(accounts) == 1:
        return next(iter(accounts.values()))
    names = ", ".join(sorted(f"{a.profile} ({a.id})" for a in accounts.values()))
    raise InputError(f"several AWS accounts are open: {names}; name one as profile")


@dataclass(frozen=True, slots=True)
class Kept:
    """The last answer for an account and a number of days."""

    home: Path
    key: str

    def read(self, max_age_hours: float) -> Spend | None:
        connection = state.opened(self.home, "spend", KEPT)
        try:
            row = connection.execute("SELECT * FROM spend WHERE key = ?", (self.key,)).fetchone()
        finally:
            connection.close()
        if row is None:
            return None
        age = datetime.now(UTC) - datetime.fromisoformat(row["observed"])
        if age > timedelta(hours=max_age_hours):
            return None
        known = json.loads(row["answer"])
        known["services"] = tuple((name, amount) for name, amount in known["services"])
        return Spend(**{**known, "kept": True, "calls": 0, "cost_usd": 0.0})

    def write(self, spend: Spend) -> None:
        connection = state.opened(self.home, "spend", KEPT)
        try:
            connection.execute(
                "INSERT OR REPLACE INTO spend VALUES (?, ?, ?)",
                (self.key, spend.observed, json.dumps(asdict(spend))),
            )
        finally:
            connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    resource: str
    id: str
    name: str
    type: str
    state: str
    region: str
    account: str
    public_ip: str
    private_ip: str
    launched: str


async def instances(
    connections: Connections, *, regions: Sequence[str] = (), profiles: Sequence[str] = ()
) -> tuple[list[Instance], Seen]:
    """EC2 instances of every enabled region, or of those named."""
    request = connections.narrowed(regions=regions, profiles=profiles)
    seen = await reading(connections, request, INSTANCE)
    found = []
    for each in seen.of(INSTANCE):
        data = each.data
        found.append(
            Instance(
                resource=each.key,
                id=str(data.get("InstanceId") or ""),
                name=each.name,
                type=str(data.get("InstanceType") or ""),
                state=str((data.get("State") or {}).get("Name") or "unknown"),
                region=each.region,
                account=each.account,
                public_ip=str(data.get("PublicIpAddress") or ""),
                private_ip=str(data.get("PrivateIpAddress") or ""),
                launched=str(data.get("LaunchTime") or ""),
            )
        )
    return within(found, regions), seen.regardless_of("metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    resource: str
    name: str
    state: str
    reason: str
    metric: str  # "" of a composite alarm
    rule: str  # of a composite alarm: the alarms that it is made of
    threshold: float | None
    since: str
    region: str
    account: str


async def alarms(
    connections: Connections, *, regions: Sequence[str] = (), profiles: Sequence[str] = ()
) -> tuple[list[Alarm], int, Seen]:
    """Metric and composite alarms that ring or have no data, and how many there are in all."""
    request = connections.narrowed(regions=regions, profiles=profiles)
    # Recordings are of scans, which leave the composite ones out.
    seen = await reading(connections, request, ALARM, *([] if request.replay else [COMPOSITE]))
    found = []
    for each in (*seen.of(ALARM), *seen.of(COMPOSITE)):
        data = each.data
        found.append(
            Alarm(
                resource=each.key,
                name=each.name,
                state=str(data.get("StateValue") or ""),
                reason=str(data.get("StateReason") or ""),
                metric=str(data.get("MetricName") or ""),
                rule=str(data.get("AlarmRule") or ""),
                threshold=data.get("Threshold"),
                since=str(data.get("StateUpdatedTimestamp") or ""),
                region=each.region,
                account=each.account,
            )
        )
    here = within(found, regions)
    ringing = [alarm for alarm in here if alarm.state in RINGING]
    return sorted(ringing, key=lambda a: (RINGING.index(a.state), a.since)), len(here), seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    resource: str
    name: str
    region: str
    account: str
    created: str
    size_bytes: float | None  # CloudWatch's daily figure; None where there is none
    public: bool | None  # by its policy; None where that was not read


async def buckets(
    connections: Connections, *, profiles: Sequence[str] = ()
) -> tuple[list[Bucket], Seen]:
    """S3 buckets, when each was made, and how much it held yesterday, about."""
    seen = await reading(connections, connections.narrowed(profiles=profiles), BUCKET)
    found = []
    for each in seen.of(BUCKET):
        data = each.data
        sizes = [
            metric["last"]
            for name, metric in (data.get("metrics") or {}).items()
            if name.startswith("size_")
            and isinstance(metric, dict)
            and metric.get("last") is not None
        ]
        status = data.get("policy_status")
        unsure = "policy_status" in each.unread
        found.append(
            Bucket(
                resource=each.key,
                name=each.name,
                region=str(data.get("BucketRegion") or each.region),
                account=each.account,
                created=str(data.get("CreationDate") or ""),
                size_bytes=sum(sizes) if sizes else None,
                public=None if unsure else bool((status or {}).get("IsPublic")),
            )
        )
    return found, seen


async def reading(connections: Connections, request: Any, *kinds: str) -> Seen:
    """A look at kinds of AWS. Raises `InputError` where no account is open."""
    seen = await connections.look(request, kinds)
    open_ones = [i for i in seen.identities if i.state is Connection.CONNECTED]
    if not open_ones:
        said = seen.identities[0] if seen.identities else None
        detail = f"{said.detail}; {said.remedy}" if said else "no credentials were found"
        raise InputError(f"aws cannot be read: {detail.rstrip('; ')}")
    return seen


def within(found: list[Any], regions: Sequence[str]) -> list[Any]:
    return [each for each in found if each.region in regions] if regions else found
