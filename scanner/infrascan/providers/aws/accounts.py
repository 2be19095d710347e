"""Which accounts the profiles open, and which regions are switched on in each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from infrascan.collect.provider import Ask, Call
from infrascan.model import Connection, Identity, InputError, ReadError, Reason

# Where the services without regions are called, for each partition of AWS.
HOMES: Mapping[str, str] = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
}
# The regions that every account has without opting in; later ones all need it.
ALWAYS_ON: Mapping[str, tuple[str, ...]] = {
    "aws": (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3"),
        *("ap-south-1", "ap-southeast-1", "ap-southeast-2"),
    ),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that a profile opens, and the corner of AWS it is in."""

    id: str
    profile: str
    partition: str  # of ARNs

    @property
    def home(self) -> str:
        return HOMES.get(self.partition, HOMES["aws"])


REMEDIES: Mapping[str, str] = {
    "ProfileNotFound": "name a profile of ~/.aws/config or ~/.aws/credentials",
    "NoCredentialsError": (
        "run aws configure, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    ),
    "PartialCredentialsError": "set both the access key id and the secret access key",
    "InvalidClientTokenId": "check the access key: AWS does not know it, or it was deactivated",
    "SignatureDoesNotMatch": "check the secret access key, and that the clock is right",
    "RequestExpired": "set the clock right",
    "RequestTimeTooSkewed": "set the clock right",
}
# What botocore calls the places that credentials come from.
SOURCES: Mapping[str, str] = {
    "assume-role": "assumed role",
    "assume-role-with-web-identity": "web identity",
    "config-file": "~/.aws/config",
    "container-role": "container role",
    "custom-process": "credential process",
    "env": "environment variables",
    "iam-role": "instance role",
    "login": "aws login",
    "shared-credentials-file": "~/.aws/credentials",
    "sso": "SSO",
}
SSO = frozenset({"UnauthorizedSSOTokenError", "SSOTokenLoadError", "TokenRetrievalError"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})


async def identify(ask: Ask, profile: str, region: str) -> tuple[Identity, Account | None]:
    """As whom a profile reads, and what it opens; without an account when it opens nothing."""
    source = f"profile {profile}"
    call = Call(provider="aws", account=profile, region=region, api="sts.GetCallerIdentity")
    try:
        answer = await ask(call)
        who, account = str(answer["Arn"]), str(answer["Account"])
    except KeyError:
        error = ReadError(Reason.MALFORMED, "the answer to GetCallerIdentity names no account")
        return unconnected(profile, source, error), None
    except ReadError as error:
        return unconnected(profile, source, error), None
    method = str(answer.get("CredentialSource", ""))
    if method == "env":
        source = SOURCES[method]
    elif method:
        source = f"{source} ({SOURCES.get(method, method)})"
    identity = Identity(
        provider="aws", state=Connection.CONNECTED, source=source, account=account, who=who
    )
    return identity, Account(id=account, profile=profile, partition=who.split(":")[1])


def unconnected(profile: str, source: str, error: ReadError) -> Identity:
    missing = error.code == "NoCredentialsError"
    return Identity(
        provider="aws",
        state=Connection.NOT_CONFIGURED if missing else Connection.ERROR,
        source=source,
        detail=error.detail,
        remedy=remedy(profile, error),
        reason=error.reason,
    )


def remedy(profile: str, error: ReadError) -> str:
    """What to try, for a profile that could not connect."""
    if error.code in SSO:
        return f"run aws sso login --profile {profile}"
    if error.code in EXPIRED:
        return f"renew the session: aws sso login --profile {profile}, or new temporary keys"
    if error.code in REMEDIES:
        return REMEDIES[error.code]
    if error.reason in {Reason.UNREACHABLE, Reason.TIMED_OUT}:
        return "check the network, the proxy settings, and AWS_ENDPOINT_URL if it is set"
    if error.reason is Reason.MALFORMED:
        return "something other than AWS answered: check the proxy settings and AWS_ENDPOINT_URL"
    return f"check the credentials: aws sts get-caller-identity --profile {profile}"


async def enabled(ask: Ask, account: Account) -> list[str]:
    """The regions that are switched on in an account. Raises `ReadError`."""
    call = Call(
        provider="aws",
        account=account.profile,
        region=account.home,
        api="ec2.DescribeRegions",
        params={
            "Filters": [{"Name": "opt-in-status", "Values": ["opt-in-not-required", "opted-in"]}]
        },
    )
    try:
        answer = await ask(call)
    except ReadError as error:
        if error.reason is Reason.DENIED and not error.permission:
            error.permission = "ec2:DescribeRegions"
        raise
    names = [region["RegionName"] for region in answer.get("Regions") or ()]
    if not names:
        raise ReadError(Reason.MALFORMED, "the answer has no Regions", call=call.api)
    return sorted(names)


async def chosen(
    ask: Ask, account: Account, wanted: Sequence[str], regions: Sequence[str]
) -> Sequence[str]:
    """The regions to read: those wanted, or all. Raises `InputError` for one that is none."""
    odd = [name for name in wanted if name not in regions]
    if odd:
        call = Call(
            provider="aws",
            account="",
            region="",
            api="local.Regions",
            params={"partition": account.partition},
        )
        known = sorted({*await ask(call), *regions})
        for name in odd:
            if name not in known:
                raise InputError(unknown("AWS region", name, known))
    return tuple(dict.fromkeys(wanted)) or regions


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The one line that says a name is wrong, and which is meant."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    there = f"did you mean {near[0]}?" if near else f"there are {', '.join(names) or 'none'}"
    return f"unknown {what} {name!r}: {there}"
