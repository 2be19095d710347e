"""What is taken out of answers on arrival, because it may hold secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrascan import redact
from infrascan.paths import values
from infrascan.providers.aws import trailing

# operation -> paths of what to blank: the values of variables, or one string that is dropped.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "apigateway.GetStages": ("item[].variables",),
    "apigatewayv2.GetStages": ("Items[].StageVariables",),
    "ecs.DescribeTaskDefinition": ("taskDefinition.containerDefinitions[].environment",),
    "lambda.ListFunctions": ("Functions[].Environment.Variables",),
}
DROPPED: Mapping[str, tuple[str, ...]] = {
    "ec2.DescribeLaunchTemplateVersions": ("LaunchTemplateVersions[].LaunchTemplateData.UserData",),
    "cloudfront.GetDistributionConfig": (
        "DistributionConfig.Origins.Items[].CustomHeaders.Items[].HeaderValue",
    ),
    "cloudfront.ListDistributions": (
        "DistributionList.Items[].Origins.Items[].CustomHeaders.Items[].HeaderValue",
    ),
}


def scrub(api: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, changed in place, without what these tables name."""
    if api == "cloudtrail.LookupEvents":
        trailing.reduce(answer)
    for path in VARIABLES.get(api, ()):
        for place, name in ends(answer, path):
            place[name] = redact.environment(place[name])
    for path in DROPPED.get(api, ()):
        for place, name in ends(answer, path):
            place[name] = redact.MARK
    return answer


def ends(answer: Any, path: str) -> list[tuple[dict[str, Any], str]]:
    """The mappings that hold what a path leads to, with its last key."""
    above, _, name = path.rpartition(".")
    return [
        (place, name)
        for place in values(answer, above)
        if isinstance(place, dict) and place.get(name)
    ]
