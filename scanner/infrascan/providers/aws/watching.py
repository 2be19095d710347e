"""CloudTrail, CloudWatch alarms, CloudWatch Logs, GuardDuty and Config."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import (
    NEXT_TOKEN,
    NEXT_TOKEN_LOWER,
    ONE_PAGE,
    UNREAD,
    Batch,
    Detail,
    Listing,
)

TRAILS = Listing(
    kind="aws.cloudtrail.trail",
    title="CloudTrail trail",
    service="cloudtrail",
    operation="DescribeTrails",
    items="trailList[]",
    params={"includeShadowTrails": False},
    paging=ONE_PAGE,
    adds={"AccountId": "{account}"},
    id="{TrailARN}",
    name=("Name",),
    details=(
        Detail(
            field="status",
            operation="GetTrailStatus",
            needs="IsLogging",
            params={"Name": "{TrailARN}"},
        ),
        Detail(
            field="event_selectors",
            operation="GetEventSelectors",
            needs="TrailARN",
            params={"TrailName": "{TrailARN}"},
        ),
        Batch(
            field="tags",
            operation="ListTags",
            ids="ResourceIdList",
            size=20,
            match="{TrailARN}",
            result="ResourceTagList[]",
            by="ResourceId",
            value="TagsList",
            otherwise=[],
            paging=NEXT_TOKEN,
        ),
    ),
    relations=(
        Relation(
            name="account",
            path="AccountId",
            to="aws.account",
            by="AccountId",
            reverse="trails",
            within="account",
        ),
        Relation(
            name="bucket",
            path="S3BucketName",
            to="aws.s3.bucket",
            by="Name",
            reverse="trails",
            within="account",
        ),
        Relation(name="kms_key", path="KmsKeyId", to="aws.kms.key", by="id", reverse="trails"),
        Relation(
            name="log_group",
            path="CloudWatchLogsLogGroupArn",
            to="aws.logs.log_group",
            by="arn",
            reverse="trails",
        ),
    ),
)

ALARMS = Listing(
    kind="aws.cloudwatch.alarm",
    title="CloudWatch alarm",
    service="cloudwatch",
    operation="DescribeAlarms",
    items="MetricAlarms[]",
    params={"AlarmTypes": ["MetricAlarm"], "MaxRecords": 100},
    id="{AlarmArn}",
    name=("AlarmName",),
    relations=(
        Relation(
            name="topics",
            path="AlarmActions[]",
            to="aws.sns.topic",
            by="id",
            reverse="alarms",
        ),
    ),
)

# Read by the tools that list alarms, and not in every scan: no rule is about them.
COMPOSITE_ALARMS = Listing(
    kind="aws.cloudwatch.composite_alarm",
    title="CloudWatch composite alarm",
    service="cloudwatch",
    operation="DescribeAlarms",
    items="CompositeAlarms[]",
    params={"AlarmTypes": ["CompositeAlarm"], "MaxRecords": 100},
    id="{AlarmArn}",
    name=("AlarmName",),
    live=True,
)

LOG_GROUPS = Listing(
    kind="aws.logs.log_group",
    title="CloudWatch log group",
    service="logs",
    operation="DescribeLogGroups",
    items="logGroups[]",
    params={"limit": 50},
    paging=NEXT_TOKEN_LOWER,
    id="arn:{partition}:logs:{region}:{account}:log-group:{logGroupName}",
    name=("logGroupName",),
    relations=(
        Relation(name="kms_key", path="kmsKeyId", to="aws.kms.key", by="id", reverse="log_groups"),
    ),
)

DETECTORS = Listing(
    kind="aws.guardduty.detector",
    title="GuardDuty detector",
    service="guardduty",
    operation="ListDetectors",
    items="DetectorIds[]",
    wrap="DetectorId",
    adds={"RegionName": "{region}"},
    id="arn:{partition}:guardduty:{region}:{account}:detector/{DetectorId}",
    name=("DetectorId",),
    tags="Tags",
    details=(
        Detail(
            field="",
            operation="GetDetector",
            needs="Status",
            params={"DetectorId": "{DetectorId}"},
        ),
    ),
    relations=(
        Relation(
            name="region",
            path="RegionName",
            to="aws.region",
            by="RegionName",
            reverse="guardduty_detectors",
        ),
    ),
)

RECORDERS = Listing(
    kind="aws.config.recorder",
    title="Config recorder",
    service="config",
    operation="DescribeConfigurationRecorders",
    items="ConfigurationRecorders[]",
    paging=ONE_PAGE,
    adds={"RegionName": "{region}"},
    id="arn:{partition}:config:{region}:{account}:configuration-recorder/{name}",
    name=("name",),
    details=(
        Batch(
            field="status",
            operation="DescribeConfigurationRecorderStatus",
            result="ConfigurationRecordersStatus[]",
            by="name",
            match="{name}",
            otherwise=UNREAD,
        ),
    ),
    relations=(
        Relation(
            name="region",
            path="RegionName",
            to="aws.region",
            by="RegionName",
            reverse="config_recorders",
        ),
    ),
)

TABLES = (TRAILS, ALARMS, COMPOSITE_ALARMS, LOG_GROUPS, DETECTORS, RECORDERS)
