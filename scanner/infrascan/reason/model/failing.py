"""How a model can fail, in words that hold nothing of what was sent or what came back.

instructor's errors quote whole completions, and vendors' errors quote requests: of an error only
its type and its status are looked at, never its text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Failure(StrEnum):
    NO_SDK = "no client installed"
    NO_KEY = "no key"
    REJECTED = "rejected"  # the key, the model's name or the request
    THROTTLED = "throttled"
    SERVER = "server error"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed out"
    MALFORMED = "malformed answer"
    TOO_LONG = "too long"
    BUDGET = "budget"


PASSING = frozenset({Failure.THROTTLED, Failure.SERVER, Failure.UNREACHABLE})


class ModelError(Exception):
    """A model could not be asked, or did not answer usefully. One line; safe to show and log."""

    def __init__(self, failure: Failure, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
        self.retry_after = retry_after


def failure_of(error: BaseException, who: str) -> ModelError:
    """What an error of instructor, or of a vendor's client under it, means."""
    chain = [error]
    while (cause := chain[-1].__cause__) and cause not in chain:
        chain.append(cause)
    for link in reversed(chain):
        status = getattr(link, "status_code", None) or getattr(link, "code", None)
        if isinstance(status, int) and status >= 400:
            return of_status(status, who, waiting(link))
    names = {kind.__name__ for link in chain for kind in type(link).__mro__}
    if any("Timeout" in name for name in names):
        return ModelError(Failure.TIMED_OUT, f"{who} did not answer in time")
    if names & {"APIConnectionError", "TransportError", "ConnectError", "ConnectionError"}:
        return ModelError(Failure.UNREACHABLE, f"{who} could not be reached")
    if "IncompleteOutputException" in names:
        return ModelError(Failure.MALFORMED, f"{who} did not finish its answer")
    return ModelError(Failure.MALFORMED, f"{who} gave no answer of the shape that was asked for")


def of_status(status: int, who: str, retry_after: float | None) -> ModelError:
    if status == 429:
        return ModelError(Failure.THROTTLED, f"{who} asks for fewer calls (429)", retry_after)
    if status in {408, 504}:
        return ModelError(Failure.TIMED_OUT, f"{who} did not answer in time ({status})")
    if status >= 500:
        return ModelError(Failure.SERVER, f"{who} failed ({status})", retry_after)
    why = {
        401: "it does not accept the key",
        403: "the key may not use this model",
        404: "it has no such model at this address",
        413: "the request is too long",
    }.get(status, "it refused the request")
    return ModelError(Failure.REJECTED, f"{who} answered {status}: {why}")


def waiting(error: BaseException) -> float | None:
    """The seconds that a vendor asked us to wait."""
    held = (getattr(error, "response", None), error)  # Cohere's errors have them themselves
    headers: Any = next((found for e in held if (found := getattr(e, "headers", None))), {})
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except (TypeError, ValueError, AttributeError):
        return None
