"""What Google's refusals mean, in either of their two forms: gRPC status and JSON error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from infrascan.model import ReadError, Reason
from infrascan.providers.http import Answer, retry_after

# Reasons in the older APIs' errors that say more than their status does.
SLOW = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})
OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
# Nobody pays for the project, or it is about to be deleted: its services answer nothing.
CLOSED = frozenset({"BILLING_DISABLED", "CONSUMER_SUSPENDED", "RESOURCE_PROJECT_INVALID"})
CLOSED_TEXT = re.compile(r"(?i)billing (?:to be |is |must be )?(?:en|dis)abled|pending deletion")
OFF_TEXT = re.compile(
    r"(?i)has not been used in project|API .{0,80} is (?:disabled|not enabled)|it is disabled"
)
PERMISSION = re.compile(
    r"(?:Permission|Required|permission:?|have)\s+[\"'`]?([a-z][A-Za-z]+\.[A-Za-z]+\.[A-Za-z]+)\b"
)
BY_STATUS: Mapping[str, Reason] = {
    "UNAUTHENTICATED": Reason.UNAUTHENTICATED,
    "PERMISSION_DENIED": Reason.DENIED,
    "RESOURCE_EXHAUSTED": Reason.THROTTLED,
    "DEADLINE_EXCEEDED": Reason.TIMED_OUT,
    "NOT_FOUND": Reason.DISABLED,
    "UNIMPLEMENTED": Reason.DISABLED,
    "INVALID_ARGUMENT": Reason.MALFORMED,
    "FAILED_PRECONDITION": Reason.MALFORMED,
    "OUT_OF_RANGE": Reason.MALFORMED,
    "UNAVAILABLE": Reason.UNREACHABLE,
    "INTERNAL": Reason.UNREACHABLE,
    "UNKNOWN": Reason.UNREACHABLE,
    "ABORTED": Reason.UNREACHABLE,
    "CANCELLED": Reason.UNREACHABLE,
    "DATA_LOSS": Reason.MALFORMED,
}
BY_NUMBER: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def meaning(
    status: str,
    message: str,
    details: Iterable[Mapping[str, Any]] = (),
    *,
    code: str = "",
    wait: float | None = None,
) -> ReadError:
    """The error for a status, a message and the details of google.rpc.Status.

    A detail is a mapping in JSON spelling: `reason` and `metadata` of an ErrorInfo, `retryDelay`
    of a RetryInfo.
    """
    why, metadata = "", {}
    for detail in details:
        if detail.get("retryDelay"):
            wait = seconds(detail["retryDelay"])
        if detail.get("reason"):
            why, metadata = str(detail["reason"]), dict(detail.get("metadata") or {})
    reason = BY_STATUS.get(status, Reason.UNREACHABLE)
    text = message[:500] or status
    if why in SLOW:
        reason = Reason.THROTTLED
    elif why in OFF or (status == "PERMISSION_DENIED" and OFF_TEXT.search(message)):
        return disabled(message, metadata)
    elif why in CLOSED or (reason is Reason.DENIED and CLOSED_TEXT.search(message)):
        return ReadError(Reason.DISABLED, text, code=why or "CLOSED")
    permission = str(metadata.get("permission", ""))
    if reason is Reason.DENIED and not permission and (found := PERMISSION.search(message)):
        permission = found[1]
    return ReadError(
        reason,
        text,
        code=code or (why if reason is Reason.DENIED else "") or status,
        permission=permission,
        retry_after=wait if reason in {Reason.THROTTLED, Reason.UNREACHABLE} else None,
    )


def disabled(message: str, metadata: Mapping[str, Any]) -> ReadError:
    """A service that is not switched on, and the command that does."""
    service = str(metadata.get("service", ""))
    if not service and (found := re.search(r"\b([a-z]+\.googleapis\.com)\b", message)):
        service = found[1]
    project = str(metadata.get("consumer", "")).removeprefix("projects/")
    if not project and (found := re.search(r"in project ([\w\-:.]+)", message)):
        project = found[1]
    where = f" --project {project}" if project else ""
    what = service or "the API"
    command = f"gcloud services enable {service}{where}" if service else ""
    there = f" in project {project}" if project else ""
    return ReadError(
        Reason.DISABLED,
        f"{what} is not switched on{there}{command and f': {command}'}",
        code="SERVICE_DISABLED",
        permission=command and f"Run {command}, if you expect it there.",
    )


def seconds(delay: Any) -> float | None:
    """A duration as JSON spells it: "3.5s"."""
    try:
        return max(float(str(delay).removesuffix("s")), 0.0)
    except ValueError:
        return None


def rest(answer: Answer) -> ReadError | None:
    """What a REST answer of status 300 and above means; None when it is not in Google's form."""
    body = answer.body.get("error") if isinstance(answer.body, dict) else None
    if isinstance(answer.body, list) and answer.body and isinstance(answer.body[0], dict):
        body = answer.body[0].get("error")
    if not isinstance(body, dict):
        return None
    status = str(body.get("status") or BY_NUMBER.get(answer.status) or "UNAVAILABLE")
    details = [part for part in body.get("details") or () if isinstance(part, dict)]
    details += [part for part in body.get("errors") or () if isinstance(part, dict)]
    found = meaning(status, str(body.get("message", "")), details, wait=retry_after(answer.headers))
    if found.reason is Reason.UNREACHABLE:
        found.code = str(answer.status)
    return found


def grpc(error: Any) -> ReadError:
    """What a gRPC call's error means."""
    status = error.code().name if error.code() is not None else "UNKNOWN"
    details: list[Mapping[str, Any]] = []
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            details = status_details(value)
    message = error.details() or ""
    found = meaning(status, message, details)
    if found.reason is Reason.UNREACHABLE:
        # Without a code the engine takes the endpoint for silent, and soon stops trying it.
        silent = re.search(r"(?i)connect|refused|resolve|reset|handshake|socket", message)
        found.code = "" if status == "UNAVAILABLE" and silent else "503"
    if found.reason is Reason.TIMED_OUT:
        found.code = ""
    return found


def status_details(raw: bytes) -> list[Mapping[str, Any]]:
    """The ErrorInfo and RetryInfo of a google.rpc.Status, in JSON spelling."""
    from google.protobuf.message import DecodeError
    from google.rpc import error_details_pb2, status_pb2

    found: list[Mapping[str, Any]] = []
    try:
        for detail in status_pb2.Status.FromString(raw).details:
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                found.append({"reason": info.reason, "metadata": dict(info.metadata)})
            elif detail.Unpack(retry):
                found.append({"retryDelay": f"{retry.retry_delay.ToMilliseconds() / 1000}s"})
    except DecodeError:
        pass
    return found
