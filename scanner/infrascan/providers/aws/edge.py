"""API Gateway, CloudFront and Route 53."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import (
    NEXT_MARKER,
    NEXT_TOKEN,
    ONE_PAGE,
    POSITION,
    Batch,
    Detail,
    Listing,
    Parent,
)

GET = "apigateway:GET"

REST_APIS = Listing(
    kind="aws.apigateway.rest_api",
    title="API Gateway REST API",
    service="apigateway",
    operation="GetRestApis",
    items="items[]",
    params={"limit": 500},
    paging=POSITION,
    permission=GET,
    id="arn:{partition}:apigateway:{region}::/restapis/{id}",
    name=("name", "id"),
    tags="tags",
    documents=("policy",),
    details=(
        Detail(
            field="authorizers",
            operation="GetAuthorizers",
            params={"restApiId": "{id}", "limit": 500},
            result="items[]",
            paging=POSITION,
            permission=GET,
        ),
        Detail(
            field="resources",
            operation="GetResources",
            params={"restApiId": "{id}", "embed": ["methods"], "limit": 500},
            result="items[]",
            paging=POSITION,
            permission=GET,
        ),
    ),
)

STAGES = Listing(
    kind="aws.apigateway.stage",
    title="API Gateway stage",
    service="apigateway",
    parents=(
        Parent(
            operation="GetRestApis",
            items="items[]",
            params={"limit": 500},
            paging=POSITION,
            gives={"restApiId": "id", "restApiName": "name"},
            permission=GET,
        ),
    ),
    operation="GetStages",
    items="item[]",
    params={"restApiId": "{restApiId}"},
    paging=ONE_PAGE,
    permission=GET,
    adds={
        "restApiId": "{restApiId}",
        "rest_api_arn": "arn:{partition}:apigateway:{region}::/restapis/{restApiId}",
    },
    id="arn:{partition}:apigateway:{region}::/restapis/{restApiId}/stages/{stageName}",
    name=("{restApiName}/{stageName}", "stageName"),
    tags="tags",
    details=(
        Batch(
            field="usage_plans",
            operation="GetUsagePlans",
            params={"limit": 500},
            result="items[]",
            by="apiStages[].{apiId}:{stage}",
            match="{restApiId}:{stageName}",
            many=True,
            paging=POSITION,
            permission=GET,
        ),
    ),
    relations=(
        Relation(
            name="rest_api",
            path="rest_api_arn",
            to="aws.apigateway.rest_api",
            by="id",
            reverse="stages",
        ),
    ),
)

HTTP_APIS = Listing(
    kind="aws.apigatewayv2.api",
    title="API Gateway HTTP or WebSocket API",
    service="apigatewayv2",
    operation="GetApis",
    items="Items[]",
    params={"MaxResults": "500"},
    permission=GET,
    id="arn:{partition}:apigateway:{region}::/apis/{ApiId}",
    name=("Name", "ApiId"),
    tags="Tags",
    details=(
        Detail(
            field="authorizers",
            operation="GetAuthorizers",
            params={"ApiId": "{ApiId}", "MaxResults": "500"},
            result="Items[]",
            paging=NEXT_TOKEN,
            permission=GET,
        ),
        Detail(
            field="routes",
            operation="GetRoutes",
            params={"ApiId": "{ApiId}", "MaxResults": "500"},
            result="Items[]",
            paging=NEXT_TOKEN,
            permission=GET,
        ),
    ),
)

HTTP_STAGES = Listing(
    kind="aws.apigatewayv2.stage",
    title="API Gateway HTTP or WebSocket stage",
    service="apigatewayv2",
    parents=(
        Parent(
            operation="GetApis",
            items="Items[]",
            params={"MaxResults": "500"},
            gives={"ApiId": "ApiId", "ApiName": "Name"},
            permission=GET,
        ),
    ),
    operation="GetStages",
    items="Items[]",
    params={"ApiId": "{ApiId}", "MaxResults": "500"},
    permission=GET,
    adds={"ApiId": "{ApiId}"},
    id="arn:{partition}:apigateway:{region}::/apis/{ApiId}/stages/{StageName}",
    name=("{ApiName}/{StageName}", "StageName"),
    tags="Tags",
    relations=(
        Relation(
            name="api",
            path="ApiId",
            to="aws.apigatewayv2.api",
            by="ApiId",
            reverse="stages",
        ),
    ),
)

DISTRIBUTIONS = Listing(
    kind="aws.cloudfront.distribution",
    title="CloudFront distribution",
    service="cloudfront",
    operation="ListDistributions",
    items="DistributionList.Items[]",
    params={"MaxItems": "100"},
    paging=(("Marker", "DistributionList.NextMarker"),),
    omitted_when_empty=True,
    needs="DistributionList.Quantity",
    regional=False,
    id="{ARN}",
    name=("Aliases.Items[]", "DomainName", "Id"),
    details=(
        Detail(
            field="config",
            operation="GetDistributionConfig",
            params={"Id": "{Id}"},
            result="DistributionConfig",
            needs="DistributionConfig.Enabled",
        ),
        Detail(
            field="tags",
            operation="ListTagsForResource",
            params={"Resource": "{ARN}"},
            result="Tags.Items",
            optional=True,
        ),
    ),
    relations=(
        Relation(
            name="buckets",
            path="Origins.Items[].DomainName",
            to="aws.s3.bucket",
            by="hosts[]",
            reverse="distributions",
            within="account",
        ),
        Relation(
            name="certificate",
            path="ViewerCertificate.ACMCertificateArn",
            to="aws.acm.certificate",
            by="id",
            reverse="distributions",
            within="account",
        ),
    ),
)

HOSTED_ZONES = Listing(
    kind="aws.route53.hosted_zone",
    title="Route 53 hosted zone",
    service="route53",
    operation="ListHostedZones",
    items="HostedZones[]",
    paging=NEXT_MARKER,
    regional=False,
    adds={"zone_id": "{Id!base}"},
    id="arn:{partition}:route53:::hostedzone/{zone_id}",
    name=("Name",),
    details=(
        Batch(
            field="query_logging",
            operation="ListQueryLoggingConfigs",
            result="QueryLoggingConfigs[]",
            by="HostedZoneId",
            match="{zone_id}",
            paging=NEXT_TOKEN,
        ),
        Batch(
            field="tags",
            operation="ListTagsForResources",
            params={"ResourceType": "hostedzone"},
            ids="ResourceIds",
            size=10,
            match="{zone_id}",
            result="ResourceTagSets[]",
            by="ResourceId",
            value="Tags",
            otherwise=[],
        ),
    ),
)

RECORD_SETS = Listing(
    kind="aws.route53.record_set",
    title="Route 53 record",
    service="route53",
    parents=(
        Parent(
            operation="ListHostedZones",
            items="HostedZones[]",
            paging=NEXT_MARKER,
            gives={"zone": "Id", "zone_is_private": "Config.PrivateZone"},
        ),
    ),
    operation="ListResourceRecordSets",
    items="ResourceRecordSets[]",
    params={"HostedZoneId": "{zone}"},
    paging=(
        ("StartRecordName", "NextRecordName"),
        ("StartRecordType", "NextRecordType"),
        ("StartRecordIdentifier", "NextRecordIdentifier"),
    ),
    regional=False,
    adds={
        "HostedZoneId": "{zone}",
        "zone_is_private": "{zone_is_private}",
        "host": "{Name!host}",
        "alias_target": "{AliasTarget.DNSName!host}",
    },
    id="{HostedZoneId}/{Name}/{Type}/{SetIdentifier|}",
    name=("Name",),
    relations=(
        Relation(
            name="hosted_zone",
            path="HostedZoneId",
            to="aws.route53.hosted_zone",
            by="Id",
            reverse="record_sets",
            within="account",
        ),
        Relation(
            name="distribution",
            path="alias_target",
            to="aws.cloudfront.distribution",
            by="DomainName",
            reverse="record_sets",
            within="account",
        ),
        Relation(
            name="load_balancer",
            path="alias_target",
            to="aws.elbv2.load_balancer",
            by="host",
            reverse="record_sets",
            within="account",
        ),
        Relation(
            name="classic_load_balancer",
            path="alias_target",
            to="aws.elb.load_balancer",
            by="host",
            reverse="record_sets",
            within="account",
        ),
        Relation(
            name="bucket",  # an alias to an S3 website serves the bucket of the record's name
            path="host",
            to="aws.s3.bucket",
            by="Name",
            reverse="record_sets",
            within="account",
        ),
    ),
)

TABLES = (
    REST_APIS,
    STAGES,
    HTTP_APIS,
    HTTP_STAGES,
    DISTRIBUTIONS,
    HOSTED_ZONES,
    RECORD_SETS,
)
