"""SQS, SNS and DynamoDB."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import NEXT_TOKEN, Detail, Listing, Metric

QUEUES = Listing(
    kind="aws.sqs.queue",
    title="SQS queue",
    service="sqs",
    operation="ListQueues",
    items="QueueUrls[]",
    params={"MaxResults": 1000},
    omitted_when_empty=True,
    wrap="QueueUrl",
    adds={"QueueName": "{QueueUrl!base}"},
    id="arn:{partition}:sqs:{region}:{account}:{QueueName}",
    name=("QueueName",),
    details=(
        Detail(
            field="attributes",
            operation="GetQueueAttributes",
            params={"QueueUrl": "{QueueUrl}", "AttributeNames": ["All"]},
            result="Attributes",
            documents=("Policy", "RedrivePolicy", "RedriveAllowPolicy"),
        ),
        Detail(
            field="tags",
            operation="ListQueueTags",
            params={"QueueUrl": "{QueueUrl}"},
            result="Tags",
            optional=True,
        ),
    ),
    relations=(
        Relation(
            name="dead_letter_queue",
            path="attributes.RedrivePolicy.deadLetterTargetArn",
            to="aws.sqs.queue",
            by="id",
            reverse="dead_letter_of",
        ),
    ),
    metrics=(
        Metric(
            name="sent",
            namespace="AWS/SQS",
            metric="NumberOfMessagesSent",
            dimensions={"QueueName": "{QueueName}"},
            statistics=("Sum",),
        ),
    ),
)

TOPICS = Listing(
    kind="aws.sns.topic",
    title="SNS topic",
    service="sns",
    operation="ListTopics",
    items="Topics[]",
    adds={"TopicName": "{TopicArn!tail}"},
    id="{TopicArn}",
    name=("TopicName",),
    details=(
        Detail(
            field="attributes",
            operation="GetTopicAttributes",
            params={"TopicArn": "{TopicArn}"},
            result="Attributes",
            documents=("Policy", "DeliveryPolicy", "EffectiveDeliveryPolicy"),
        ),
        Detail(
            field="tags",
            operation="ListTagsForResource",
            params={"ResourceArn": "{TopicArn}"},
            result="Tags",
        ),
    ),
)

TABLE = Listing(
    kind="aws.dynamodb.table",
    title="DynamoDB table",
    service="dynamodb",
    operation="ListTables",
    items="TableNames[]",
    params={"Limit": 100},
    paging=(("ExclusiveStartTableName", "LastEvaluatedTableName"),),
    wrap="TableName",
    id="arn:{partition}:dynamodb:{region}:{account}:table/{TableName}",
    name=("TableName",),
    details=(
        Detail(
            field="",
            operation="DescribeTable",
            params={"TableName": "{TableName}"},
            result="Table",
        ),
        Detail(
            field="continuous_backups",
            operation="DescribeContinuousBackups",
            params={"TableName": "{TableName}"},
            result="ContinuousBackupsDescription",
        ),
        Detail(
            field="time_to_live",
            operation="DescribeTimeToLive",
            params={"TableName": "{TableName}"},
            result="TimeToLiveDescription",
        ),
        Detail(
            field="tags",
            operation="ListTagsOfResource",
            params={"ResourceArn": "arn:{partition}:dynamodb:{region}:{account}:table/{TableName}"},
            result="Tags[]",
            paging=NEXT_TOKEN,
            optional=True,
        ),
    ),
    relations=(
        Relation(
            name="kms_key",
            path="SSEDescription.KMSMasterKeyArn",
            to="aws.kms.key",
            by="id",
            reverse="tables",
        ),
    ),
    metrics=(
        Metric(
            name="consumed_reads",
            namespace="AWS/DynamoDB",
            metric="ConsumedReadCapacityUnits",
            dimensions={"TableName": "{TableName}"},
            statistics=("Sum",),
            days=30,
        ),
        Metric(
            name="consumed_writes",
            namespace="AWS/DynamoDB",
            metric="ConsumedWriteCapacityUnits",
            dimensions={"TableName": "{TableName}"},
            statistics=("Sum",),
            days=30,
        ),
    ),
)

TABLES = (QUEUES, TOPICS, TABLE)
