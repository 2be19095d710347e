"""moto as a process of its own, with the answers that it lacks and AWS has.

Run as `python -m tests.servers.aws_moto`: it binds a free loopback port and prints it. The
additions are settings of a region, the filter for public snapshots, and a function's URLs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("MOTO_AMIS_PATH", str(Path(__file__).with_name("aws_amis.json")))

from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.awslambda import urls as lambda_urls
from moto.awslambda.responses import LambdaResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.iam.models import IAMBackend
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.s3.responses import S3Response
from werkzeug.serving import BaseWSGIServer, make_server


def public_snapshots(response):
    """DescribeSnapshots, with the two parameters that say whose."""
    found = response.ec2_backend.describe_snapshots(
        snapshot_ids=response._get_param("SnapshotIds", []),
        filters=response._filters_from_querystring(),
    )
    if "self" in response._get_param("OwnerIds", []):
        found = [s for s in found if s.owner_id == response.current_account]
    if "all" in response._get_param("RestorableByUserIds", []):
        found = [s for s in found if "all" in s.create_volume_permission_groups]
    return ActionResult({"Snapshots": found})


def snapshot_access(response):
    return ActionResult({"State": "unblocked", "ManagedBy": "account"})


def image_access(response):
    return ActionResult({"ImageBlockPublicAccessState": "unblocked", "ManagedBy": "account"})


def instance_metadata(response):
    return ActionResult({"AccountLevel": {"HttpTokens": "no-preference", "ManagedBy": "account"}})


def serial_console(response):
    return ActionResult({"SerialConsoleAccessEnabled": False, "ManagedBy": "account"})


def function_urls(response):
    """ListFunctionUrlConfigs: moto knows at most one URL of a function."""
    name = response.path.rstrip("/").split("/")[-2]
    function = response.backend.get_function(name)
    configs = [function.url_config.to_dict()] if function.url_config else []
    return 200, {}, json.dumps({"FunctionUrlConfigs": configs})


def list_function_urls(request, full_url, headers):
    response = LambdaResponse()
    response.setup_class(request, full_url, headers)
    return function_urls(response)


def http_authorizers(response):
    """GetAuthorizers of API Gateway v2."""
    api = response.apigatewayv2_backend.get_api(response.path.split("/")[-2])
    items = [authorizer.to_json() for authorizer in api.authorizers.values()]
    return 200, {}, json.dumps({"items": items})


def task_definitions(response):
    """ListTaskDefinitions in the order asked for."""
    found = response.ecs_backend.list_task_definitions(
        response._get_param("familyPrefix"), response._get_param("status", "ACTIVE")
    )
    newest_first = response._get_param("sort") == "DESC"
    return ActionResult({"taskDefinitionArns": sorted(found, key=revision, reverse=newest_first)})


def revision(arn):
    family, _, number = arn.rpartition(":")
    return family, int(number)


def credential_report(backend):
    """The report as AWS writes it, with the row of the root user, which moto leaves out."""
    header, *rows = made_by_moto(backend).splitlines()
    values = dict.fromkeys(header.split(","), "N/A") | {
        "user": "<root_account>",
        "arn": f"arn:aws:iam::{backend.account_id}:root",
        "user_creation_time": "2020-01-01T00:00:00+00:00",
        "password_enabled": "not_supported",
        "mfa_active": "false",
        "access_key_1_active": "true",
        "access_key_2_active": "false",
    }
    return "\n".join([header, ",".join(values.values()), *rows])


def buckets(response):
    """ListBuckets, which names the region of each bucket when it is asked with a parameter."""
    found = response.backend.list_buckets(
        prefix=response._get_param("prefix"),
        bucket_region=response._get_param("bucket-region"),
        max_buckets=response._get_param("max-buckets"),
    )
    entries = [
        {
            "Name": bucket.name,
            "CreationDate": bucket.creation_date_ISO8601,
            "BucketRegion": bucket.region_name,
        }
        for bucket in found
    ]
    return response.serialized(ActionResult({"Owner": {"ID": "0" * 64}, "Buckets": entries}))


made_by_moto = IAMBackend.get_credential_report


def complete() -> None:
    """Give moto the answers that it lacks."""
    EC2ContainerServiceResponse.list_task_definitions = task_definitions
    S3Response.all_buckets = buckets
    CloudWatchResponse.put_composite_alarm = CloudWatchResponse.put_metric_alarm  # takes a rule
    IAMBackend.get_credential_report = credential_report
    ApiGatewayV2Response.get_authorizers = http_authorizers
    EC2Response.describe_snapshots = public_snapshots
    EC2Response.get_snapshot_block_public_access_state = snapshot_access
    EC2Response.get_image_block_public_access_state = image_access
    EC2Response.get_instance_metadata_defaults = instance_metadata
    EC2Response.get_serial_console_access_status = serial_console
    lambda_urls.url_paths[
        r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"
    ] = list_function_urls


def serving() -> BaseWSGIServer:
    """moto on a free loopback port."""
    complete()
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    os.environ["MOTO_PORT"] = str(server.server_port)
    return server


def main() -> None:
    server = serving()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
