"""AWS: spend, instances, alarms and buckets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import mcp_types as types
from pydantic import BaseModel, Field

from infrascan.lookups import amazon
from infrascan.mcp_server.answers import quoted
from infrascan.mcp_server.door import Door, result
from infrascan.mcp_server.toolsets.live import LiveAnswer, plain, seen, table, warning

Profile = Annotated[str, Field(description="AWS profile. Empty: the default one")]
Regions = Annotated[list[str], Field(description="Only these regions. Empty: every enabled one")]
Limit = Annotated[int, Field(ge=1, le=500, description="Rows")]


class ServiceRow(BaseModel):
    service: str
    amount: float


class SpendAnswer(BaseModel):
    account: str
    start: str
    end: str = Field(description="Exclusive")
    total: float
    currency: str
    services: list[ServiceRow] = Field(description="The most first")
    estimated: bool = Field(description="The latest days are not final yet")
    complete: bool
    observed_at: str
    kept: bool = Field(description="An answer kept from before, within max_age_hours")
    charged_usd: float = Field(description="What asking cost: $0.01 for each request")


class InstanceRow(BaseModel):
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


class InstancesAnswer(LiveAnswer):
    instances: list[InstanceRow]
    total: int


class AlarmRow(BaseModel):
    resource: str
    name: str
    state: str
    reason: str
    metric: str
    rule: str = Field(description="Of a composite alarm: the alarms that it is made of")
    threshold: float | None
    since: str
    region: str
    account: str


class AlarmsAnswer(LiveAnswer):
    alarms: list[AlarmRow]
    total: int = Field(description="Alarms there are, those that are OK too")


class BucketRow(BaseModel):
    resource: str
    name: str
    region: str
    account: str
    created: str
    size_bytes: float | None = Field(description="About, a day old; null: no figure")
    public: bool | None = Field(description="By its policy; null: not read")


class BucketsAnswer(LiveAnswer):
    buckets: list[BucketRow]
    total: int


def chosen(profile: str) -> tuple[str, ...]:
    return (profile,) if profile else ()


def size(amount: float | None) -> str:
    if amount is None:
        return "no figure"
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def add(door: Door) -> None:
    space = door.workspace
    open_ones = space.connections

    @door.tool("aws", "AWS spend by service")
    async def aws_cost_report(
        days: Annotated[int, Field(ge=1, le=365, description="Up to today")] = 30,
        profile: Profile = "",
        max_age_hours: Annotated[
            float,
            Field(ge=0, le=168, description="Take a kept answer no older than this; 0: ask now"),
        ] = 0.0,
    ) -> Annotated[types.CallToolResult, SpendAnswer]:
        """AWS cost report: what was spent in the last days by service, from Cost Explorer's bill.

        AWS charges $0.01 for each request; max_age_hours=24 takes a kept answer instead.
        """
        found = await amazon.spend(
            open_ones, space.home, days=days, profile=profile, max_age_hours=max_age_hours
        )
        answer = SpendAnswer(
            account=found.account,
            start=found.start,
            end=found.end,
            total=found.total,
            currency=found.currency,
            services=[ServiceRow(service=name, amount=amount) for name, amount in found.services],
            estimated=found.estimated,
            complete=found.complete,
            observed_at=found.observed,
            kept=found.kept,
            charged_usd=found.cost_usd,
        )
        lines = [f"{found.total:,.2f} {found.currency} from {found.start} to {found.end}."]
        lines += [f"- {plain(name)}: {amount:,.2f}" for name, amount in found.services[:20]]
        if found.estimated:
            lines.append("The latest days are estimates.")
        if not found.complete:
            lines.append("INCOMPLETE: Cost Explorer had more pages than were read.")
        lines.append(
            f"Kept from {found.observed}; asking again costs $0.01 a request."
            if found.kept
            else f"Asking cost ${found.cost_usd:.2f}: AWS charges $0.01 a request."
        )
        return result(answer, "\n".join(lines))

    @door.tool("aws", "EC2 instances")
    async def list_ec2_instances(
        regions: Regions = [],  # noqa: B006
        state: Annotated[str, Field(description="Such as running, stopped. Empty: any")] = "",
        profile: Profile = "",
        limit: Limit = 100,
    ) -> Annotated[types.CallToolResult, InstancesAnswer]:
        """List EC2 virtual machines in all enabled regions: id, name, instance type, state and
        public IP address.
        """
        rows, found = await amazon.instances(open_ones, regions=regions, profiles=chosen(profile))
        rows = [row for row in rows if not state or row.state == state]
        answer = InstancesAnswer(
            instances=[InstanceRow(**asdict(row)) for row in rows[:limit]], total=len(rows)
        )
        seen(answer, found)
        answer.left_out = max(0, len(rows) - limit)
        lines = table(
            ("ID", "NAME", "TYPE", "STATE", "PUBLIC IP", "REGION"),
            [
                (r.id, plain(r.name), r.type, r.state, r.public_ip or "-", r.region)
                for r in answer.instances
            ],
        )
        return result(answer, "\n".join([lines, *warning(answer)]))

    @door.tool("aws", "CloudWatch alarms")
    async def list_cloudwatch_alarms(
        regions: Regions = [],  # noqa: B006
        profile: Profile = "",
        limit: Limit = 100,
    ) -> Annotated[types.CallToolResult, AlarmsAnswer]:
        """List CloudWatch metric and composite alarms that are firing (ALARM) or have
        INSUFFICIENT_DATA, with the reason and since when; alarms in state OK are left out.
        """
        rows, total, found = await amazon.alarms(
            open_ones, regions=regions, profiles=chosen(profile)
        )
        answer = AlarmsAnswer(alarms=[AlarmRow(**asdict(r)) for r in rows[:limit]], total=total)
        seen(answer, found)
        answer.left_out = max(0, len(rows) - limit)
        lines = [f"{len(rows)} of {total} alarms ring or have no data."]
        lines += [
            f"- {a.state} {quoted(a.name)} in {a.region} since {a.since}: {quoted(a.reason)}"
            for a in answer.alarms
        ]
        return result(answer, "\n".join([*lines, *warning(answer)]))

    @door.tool("aws", "S3 buckets")
    async def list_s3_buckets(
        profile: Profile = "", limit: Limit = 200
    ) -> Annotated[types.CallToolResult, BucketsAnswer]:
        """List S3 storage buckets with creation date, region, approximate size from CloudWatch's
        daily storage metric, and whether the bucket policy makes them public.
        """
        rows, found = await amazon.buckets(open_ones, profiles=chosen(profile))
        answer = BucketsAnswer(
            buckets=[BucketRow(**asdict(r)) for r in rows[:limit]], total=len(rows)
        )
        seen(answer, found)
        answer.left_out = max(0, len(rows) - limit)
        lines = table(
            ("BUCKET", "CREATED", "SIZE", "REGION", "PUBLIC"),
            [
                (
                    plain(r.name),
                    r.created[:10],
                    size(r.size_bytes),
                    r.region,
                    "unknown" if r.public is None else "yes" if r.public else "no",
                )
                for r in answer.buckets
            ],
        )
        return result(answer, "\n".join([lines, *warning(answer)]))
