"""What Cloudflare's refusals mean.

The API answers {"success": false, "errors": [{"code": 9109, "message": "…"}]}, under a status that
is often too general: a token without a permission gets "Authentication error", a feature that the
plan lacks is forbidden as well.
"""

from __future__ import annotations

import re
from typing import Any

from infrascan.model import ReadError, Reason
from infrascan.providers.http import Answer, refused, retry_after, said

NOT_ENTITLED = "not_entitled"  # our code for "the plan or account does not have this"
BROKEN_CREDENTIALS = frozenset({1000, 1001, 6003, 6111, 9103, 9106, 9107})
UNCLEAR = frozenset({10000, 10001, 9109})  # bad credentials, or too few permissions
THROTTLED = frozenset({971, 10429})
BAD_TOKEN = re.compile(
    r"(?i)invalid access token|cannot use the access token|token (?:has )?expired"
)
NOT_OFFERED = re.compile(
    r"(?i)not[ _]entitled|no entitlement|not[ _]enabled|please enable|not available (?:on|for|to|in)"
    r"|not allowed (?:on|for|with) your plan|upgrade (?:your|to)|requires? (?:an? )?[\w ]{0,40}"
    r"(?:plan|subscription)\b|not (?:been )?purchased|is not activated|plan level"
)
SHUT = 300.0  # seconds: Cloudflare shuts us out for up to five minutes
LONGEST = 100.0  # seconds: several waits of these pass them


def refusal(answer: Answer) -> ReadError | None:
    """Cloudflare's own reading of an answer of status 300 and above; None leaves it to the status."""
    status = answer.status
    code, message = first(answer.body)
    if status >= 500:
        return None
    if status == 429 or code in THROTTLED:
        wait = retry_after(answer.headers)
        if wait is not None and wait <= SHUT:
            wait = min(wait, LONGEST)
        return ReadError(
            Reason.THROTTLED,
            detail(status, code, message),
            code=str(code or status),
            retry_after=wait,
        )
    if code is None:
        return None
    text = detail(status, code, message)
    reason = reason_of(status, code, message)
    if reason is None:
        plain = refused(answer)
        return ReadError(plain.reason, text, code=str(code))
    if reason is Reason.DISABLED:
        return ReadError(reason, text, code=NOT_ENTITLED)
    return ReadError(reason, text, code=str(code))


def refusal_in(answer: Answer) -> ReadError:
    """The same for an answer of status 200 that says it failed."""
    code, message = first(answer.body)
    text = detail(answer.status, code, message)
    reason = reason_of(403, code, message) if code is not None else None
    if code in THROTTLED:
        reason = Reason.THROTTLED
    shown = NOT_ENTITLED if reason is Reason.DISABLED else str(code or answer.status)
    return ReadError(reason or Reason.MALFORMED, text, code=shown)


def reason_of(status: int, code: int, message: str) -> Reason | None:
    """Why a request was refused, by code and message; None leaves it to the status."""
    if NOT_OFFERED.search(message):
        return Reason.DISABLED
    if status == 404:
        return None
    if code in UNCLEAR:
        bad = BAD_TOKEN.search(message) or (code != 9109 and status in {400, 401})
        return Reason.UNAUTHENTICATED if bad else Reason.DENIED
    if code in BROKEN_CREDENTIALS and status in {400, 401, 403}:
        return Reason.UNAUTHENTICATED
    return None


def first(body: Any) -> tuple[int | None, str]:
    """Code and message of the first error in a body; of its chain, which says more, the message."""
    errors = body.get("errors") if isinstance(body, dict) else None
    error = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(error, dict):
        return None, ""
    code, message = error.get("code"), str(error.get("message") or "")
    chain = error.get("error_chain")
    inner = chain[0] if isinstance(chain, list) and chain else None
    if isinstance(inner, dict) and inner.get("message"):
        message = f"{message}: {inner['message']}"
    return (code if isinstance(code, int) and not isinstance(code, bool) else None), message[:500]


def detail(status: int, code: int | None, message: str) -> str:
    named = f" (code {code})" if code is not None else ""
    return f"HTTP {status}: {message or said(None)}{named}"
