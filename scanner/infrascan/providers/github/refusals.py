"""What GitHub means by the answers it refuses with.

GitHub hides what a token may not see: a 404 is "not there" as well as "not for you". Where the
message tells the two apart it is read; otherwise the refusal says that it may be either.
"""

from __future__ import annotations

import re
import time

from infrascan.model import ReadError, Reason
from infrascan.providers.http import Answer, retry_after, said

SECONDARY = re.compile(r"(?i)secondary rate limit|abuse detection|exceeded a .*rate limit")
SECONDARY_WAIT = 60.0  # what GitHub asks for where it names no time
# In a good token's hands these mean that there is none; the code is "absent".
ABSENT = re.compile(
    r"(?i)^(branch not (?:protected|found)|vulnerability alerts are disabled|no analysis found"
    r"|this repository is empty|git repository is empty)"
)
# The plan has no such feature, so nobody has set it up; the code is "plan".
PLAN = re.compile(r"(?i)upgrade to github|make this repository public")
# The feature is off here; the code is "disabled".
DISABLED = re.compile(
    r"(?i)(advanced security must be enabled"
    r"|code security must be enabled|secret scanning is disabled|is not enabled for this"
    r"|alerts are (disabled|not available)|issues are disabled|not available for archived"
    r"|actions (is|are) disabled|repository has been (archived|disabled))"
)
SINGLE_SIGN_ON = "x-github-sso"
AUTHORISED = "Configure SSO, Authorize: github.com/settings/tokens"
ADDRESSES = re.compile(r"(?i)\bIP allow list\b")


def refusal(answer: Answer) -> ReadError | None:
    """GitHub's own reading of a refusal; None for what every API means alike."""
    message, code = said(answer.body), str(answer.status)
    if answer.status in {403, 429} and (limited := throttled(answer, message)):
        return limited
    detail = f"HTTP {answer.status}: {message}"
    if answer.status in {404, 409} and ABSENT.search(message):
        return ReadError(Reason.DISABLED, detail, code="absent")
    if answer.status in {403, 404, 422} and PLAN.search(message):
        return ReadError(Reason.DISABLED, detail, code="plan")
    if answer.status in {403, 404, 422} and DISABLED.search(message):
        return ReadError(Reason.DISABLED, detail, code="disabled")
    if answer.status == 409:  # not in the state that the question supposes
        return ReadError(Reason.DISABLED, detail, code=code)
    if answer.status in {403, 404} and SINGLE_SIGN_ON in answer.headers:
        detail += "; authorise the token for the organisation's single sign-on"
        return ReadError(Reason.DENIED, detail, code="sso", permission=AUTHORISED)
    if answer.status == 403 and ADDRESSES.search(message):
        detail += "; scan from an address that the organisation's IP allow list has"
        return ReadError(Reason.DENIED, detail, code="address")
    if answer.status == 403:
        return ReadError(Reason.DENIED, detail, code=code, permission=accepted(answer))
    if answer.status == 404:
        return ReadError(
            Reason.DENIED,
            f"{detail}: not there, or not visible to this token",
            code=code,
            permission=accepted(answer),
        )
    return None


def throttled(answer: Answer, message: str) -> ReadError | None:
    """The refusal as a rate limit, with the time to wait; None where it is none."""
    wait = retry_after(answer.headers)
    if wait is None and answer.headers.get("x-ratelimit-remaining") == "0":
        wait = until(answer.headers.get("x-ratelimit-reset", ""))
    if wait is None and SECONDARY.search(message):
        wait = SECONDARY_WAIT
    if wait is None and answer.status != 429:
        return None
    return ReadError(
        Reason.THROTTLED,
        f"HTTP {answer.status}: {message}",
        code=str(answer.status),
        retry_after=wait,
    )


def until(epoch: str) -> float | None:
    """Seconds until a time in seconds since 1970."""
    return max(float(epoch) - time.time(), 1.0) if epoch.isdigit() else None


def accepted(answer: Answer) -> str:
    """What would have been enough, as the answer names it: "administration: read"."""
    header = answer.headers.get("x-accepted-github-permissions", "")
    if header:
        first = header.partition(";")[0]
        return ", ".join(part.strip().replace("=", ": ") for part in first.split(","))
    scopes = answer.headers.get("x-accepted-oauth-scopes", "")
    return f"scope {scopes.partition(',')[0].strip()}" if scopes.strip() else ""
