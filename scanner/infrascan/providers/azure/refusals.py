"""What Resource Manager's refusals mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infrascan.model import ReadError, Reason
from infrascan.providers.http import Answer, refused, retry_after

ACTION = re.compile(r"perform(?: the)? action '([^']+)'")
QUOTA = "x-ms-user-quota-resets-after"

REASONS: Mapping[str, Reason] = {
    "ExpiredAuthenticationToken": Reason.UNAUTHENTICATED,
    "InvalidAuthenticationToken": Reason.UNAUTHENTICATED,
    "InvalidAuthenticationTokenTenant": Reason.UNAUTHENTICATED,
    "AuthenticationFailed": Reason.UNAUTHENTICATED,
    "AuthorizationFailed": Reason.DENIED,
    "LinkedAuthorizationFailed": Reason.DENIED,
    "MissingSubscriptionRegistration": Reason.DISABLED,
    "SubscriptionNotRegistered": Reason.DISABLED,
    "NoRegisteredProviderFound": Reason.DISABLED,
    "InvalidResourceType": Reason.DISABLED,
    "SubscriptionNotFound": Reason.DISABLED,
    "DisabledSubscription": Reason.DISABLED,
    "TooManyRequests": Reason.THROTTLED,
    "OperationNotAllowed": Reason.DISABLED,
    "RateLimiting": Reason.THROTTLED,
    "SubscriptionRequestsThrottled": Reason.THROTTLED,
}


def refusal(answer: Answer) -> ReadError | None:
    """The error in an answer of status 300 and above, by its code where that says more."""
    plain = refused(answer)
    code, message = told(answer.body)
    if not code:
        if plain.reason is Reason.THROTTLED and plain.retry_after is None:
            plain.retry_after = resets_after(answer.headers)
        return plain
    reason = REASONS.get(code, plain.reason)
    if code.startswith(("FeatureNotSupported", "UnsupportedFeature")):
        reason = Reason.DISABLED
    action = ACTION.search(message)
    wait = retry_after(answer.headers)
    if reason is Reason.THROTTLED and wait is None:
        wait = resets_after(answer.headers)
    if reason is Reason.UNREACHABLE:
        code = str(answer.status)  # a server's fault is one, whatever its name
    return ReadError(
        reason,
        f"HTTP {answer.status} {code}: {message[:500] or 'without a message'}",
        code=code,
        permission=action[1] if action and reason is Reason.DENIED else "",
        retry_after=wait,
    )


def told(body: Any) -> tuple[str, str]:
    """Code and message of an error, in the spelling of whichever resource provider."""
    place = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(place, dict):
        return "", ""
    code = place.get("code") or place.get("Code")
    message = place.get("message") or place.get("Message")
    return (code if isinstance(code, str) else ""), (message if isinstance(message, str) else "")


def resets_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until Resource Graph's quota is full again, "00:00:03"; None where it is not said."""
    parts = headers.get(QUOTA, "").split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds
