"""From botocore's exceptions to the reasons a read can fail for."""

from __future__ import annotations

import re

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from infrascan.model import ReadError, Reason

DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "AccessDeniedFault", "AllAccessDisabled"),
        *("AuthorizationError", "AuthorizationErrorException", "Client.UnauthorizedOperation"),
        *("ForbiddenException", "Forbidden", "InsufficientPrivilegesException", "NotAuthorized"),
        *("UnauthorizedOperation", "UnauthorizedException", "403"),
    }
)
THROTTLED = frozenset(
    {
        *("BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException"),
        *("PriorRequestNotComplete", "ProvisionedThroughputExceededException", "429"),
        *("RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown"),
        *("ThrottledException", "Throttling", "ThrottlingException", "TooManyRequests"),
        *("TooManyRequestsException", "TransactionInProgressException"),
    }
)
UNAUTHENTICATED = frozenset(
    {
        *("AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature"),
        *("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException"),
        *("InvalidToken", "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
        *(
            "RequestExpired",
            "RequestTimeTooSkewed",
            "SignatureDoesNotMatch",
            "TokenRefreshRequired",
        ),
        *("UnrecognizedClientException", "NotSignedUp", "401"),
    }
)
DISABLED = frozenset(
    {
        *("OptInRequired", "SubscriptionRequiredException", "UnsupportedOperation"),
        *("RegionDisabledException", "EndpointNotAvailable", "UnknownOperationException"),
    }
)
NEEDED = re.compile(r"not authorized to perform:? \[?([a-z0-9\-]+:[A-Za-z*]+)")
NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.UnauthorizedSSOTokenError,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.RefreshWithMFAUnsupportedError,
    boto.ConfigNotFound,
    boto.ProfileNotFound,
    boto.InvalidConfigError,
    boto.ConfigParseError,
    boto.MetadataRetrievalError,
)
NOT_OFFERED = (boto.UnknownServiceError, boto.EndpointVariantError, boto.NoRegionError)
TIMED_OUT = (boto.ConnectTimeoutError, boto.ReadTimeoutError)


def translated(error: Exception) -> ReadError:
    """The `ReadError` that says what a botocore exception means."""
    if isinstance(error, boto.ClientError):
        return refused(error)
    if isinstance(error, ResponseParserError):
        return ReadError(Reason.MALFORMED, first_line(error))
    if isinstance(error, NO_CREDENTIALS):
        return ReadError(Reason.UNAUTHENTICATED, first_line(error), code=type(error).__name__)
    if isinstance(error, TIMED_OUT):
        return ReadError(Reason.TIMED_OUT, first_line(error))
    if isinstance(error, NOT_OFFERED):
        return ReadError(Reason.DISABLED, first_line(error), code=type(error).__name__)
    if isinstance(error, boto.ParamValidationError):
        raise error
    return ReadError(Reason.UNREACHABLE, first_line(error))


def refused(error: boto.ClientError) -> ReadError:
    """What an error answer of AWS means."""
    answer = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    message = " ".join(str(answer.get("Error", {}).get("Message", "")).split())
    if message.startswith("<"):  # the page of a proxy
        message = ""
    meta = answer.get("ResponseMetadata", {})
    status = meta.get("HTTPStatusCode", 0)
    detail = f"{code}: {message}"[:500] if message else code or f"HTTP {status}"
    if code in DENIED or (status == 403 and code not in UNAUTHENTICATED | THROTTLED | DISABLED):
        needed = NEEDED.search(message)
        return ReadError(Reason.DENIED, detail, code=code, permission=needed[1] if needed else "")
    if code in THROTTLED or status == 429:
        return ReadError(Reason.THROTTLED, detail, code=code, retry_after=retry_after(meta))
    if code in UNAUTHENTICATED or status == 401:
        return ReadError(Reason.UNAUTHENTICATED, detail, code=code)
    if code in DISABLED:
        return ReadError(Reason.DISABLED, detail, code=code)
    if status >= 500:
        # The code starts with the status, so that it reads as a fault that may pass.
        code = f"{status} {code}" if code not in {"", str(status)} else str(status)
        return ReadError(Reason.UNREACHABLE, detail, code=code, retry_after=retry_after(meta))
    return ReadError(Reason.UNREACHABLE, detail, code=code or str(status))


def retry_after(meta: dict[str, object]) -> float | None:
    headers = meta.get("HTTPHeaders")
    value = headers.get("retry-after") if isinstance(headers, dict) else None
    try:
        return float(value) if value else None
    except ValueError:
        return None


def first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
