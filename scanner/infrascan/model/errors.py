"""Why something could not be read, and what is wrong with what the user gave."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something could not be read."""

    DENIED = "denied"  # the identity lacks a permission
    UNAUTHENTICATED = "unauthenticated"  # credentials are missing, wrong or expired
    THROTTLED = "throttled"  # the API asked us to slow down for longer than we could wait
    UNREACHABLE = "unreachable"  # no connection, a reset, or server errors to the last attempt
    TIMED_OUT = "timed_out"  # the deadline passed
    TRUNCATED = "truncated"  # paging ended early, repeated itself or ran past the cap
    MALFORMED = "malformed"  # an answer without the part that holds the items
    DISABLED = "disabled"  # the service is not offered, not opted in or not switched on here
    OUT_OF_SCOPE = "out_of_scope"  # it belongs to an account or cluster this scan does not read
    INTERRUPTED = "interrupted"  # the operator stopped the scan
    BUG = "bug"  # a defect of infrascan


class ReadError(Exception):
    """An API refused or failed a read in a way we expect. It becomes a `Gap`, not a crash.

    `code` is the vendor's error code ("AccessDenied", "404"), `retry_after` the seconds the API
    asked us to wait, if it did. `permission` is what the identity lacks, when the answer names it.
    `call` is the operation that failed; whoever makes the call fills it in.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        code: str = "",
        permission: str = "",
        call: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.code = code
        self.permission = permission
        self.call = call
        self.retry_after = retry_after


class InputError(Exception):
    """The user's input is wrong. The text is one line that says what is wrong and what is right.

    The doors turn it into exit code 2, or into a tool error; it is never a traceback.
    """
