"""Which credentials there are, and their tokens. Blocking: it runs in threads.

What google.auth would find is looked for in the same order, but the metadata server is asked only
on Google's own machines: elsewhere the question would wait for an answer that never comes.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infrascan.model import ReadError, Reason
from infrascan.providers import sdk
from infrascan.providers.at_hand import on_google

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
FILE = "GOOGLE_APPLICATION_CREDENTIALS"
IMPERSONATED = "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT"
PROJECTS = ("GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "GCLOUD_PROJECT")
LOGIN = "run gcloud auth application-default login"
KINDS: Mapping[str, str] = {
    "service_account": "a service account's key",
    "authorized_user": "a user's login",
    "external_account": "workload identity federation",
    "external_account_authorized_user": "workforce identity federation",
    "impersonated_service_account": "an impersonated service account",
    "gdch_service_account": "a service account of Distributed Cloud",
}


@dataclass(eq=False)
class Credentials:
    """The credentials of this machine, loaded once. One token serves every call."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    loaded: Any = None

    def describe(self) -> dict[str, Any]:
        """Where they come from, as whom they read, and their project: no token, no path."""
        info, source, error = found()
        if error:
            return {"source": source, "error": error, "remedy": remedy(source)}
        if not source:
            return {"source": ""}
        principal = os.environ.get(IMPERSONATED, "").strip()
        if principal:
            source = f"{source}, impersonating ({IMPERSONATED})"
        return {
            "source": source,
            "who": principal or who(info),
            "project": project(info),
            "remedy": remedy(source),
        }

    def headers(self) -> dict[str, str]:
        """The headers that authorise a request. Raises `ReadError`."""
        sdk.imported("google.auth.transport.requests")
        from google.auth.exceptions import GoogleAuthError

        try:
            with self.lock:
                if self.loaded is None:
                    self.loaded = load()
                if not self.loaded.valid:
                    refresh(self.loaded)
                return self.held()
        except GoogleAuthError as error:
            raise refused(error) from error
        except (ValueError, OSError, KeyError) as error:  # a file of the wrong form
            detail = f"the credentials cannot be used: {type(error).__name__}: {error}"
            raise ReadError(Reason.UNAUTHENTICATED, detail, code="malformed") from error

    def held(self) -> dict[str, str]:
        headers = {"authorization": f"Bearer {self.loaded.token}"}
        quota = os.environ.get("GOOGLE_CLOUD_QUOTA_PROJECT") or getattr(
            self.loaded, "quota_project_id", None
        )
        if quota:
            headers["x-goog-user-project"] = str(quota)
        return headers

    def fresh(self) -> dict[str, str] | None:
        """The same when there is a token that holds, without waiting for anything."""
        loaded = self.loaded
        return self.held() if loaded is not None and loaded.valid else None

    def expire(self) -> None:
        """Forget the token: a server did not take it."""
        with self.lock:
            if self.loaded is not None:
                self.loaded.token = None


def found() -> tuple[dict[str, Any], str, str]:
    """(what the file holds, where that is, what is wrong with it); "" for no credentials at all."""
    if path := os.environ.get(FILE):
        return (*held(Path(path).expanduser(), FILE),)
    home = os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud"
    place = Path(home).expanduser() / "application_default_credentials.json"
    if place.exists():
        return (*held(place, "application default credentials of gcloud"),)
    if on_google():
        return {"type": "metadata"}, "the metadata server of this machine", ""
    return {}, "", ""


def held(path: Path, source: str) -> tuple[dict[str, Any], str, str]:
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, source, f"the file of credentials cannot be read: {error.strerror}"
    except ValueError:
        return {}, source, "the file of credentials is not JSON"
    kind = str(info.get("type")) if isinstance(info, dict) else ""
    if kind not in KINDS:
        known = ", ".join(KINDS)
        return {}, source, f"the file of credentials is of type {kind!r}; known are {known}"
    return info, f"{source}: {KINDS[kind]}", ""


def who(info: Mapping[str, Any]) -> str:
    """The principal, as far as the file tells."""
    if name := info.get("client_email") or info.get("account"):
        return str(name)
    url = str(info.get("service_account_impersonation_url", ""))
    if "/serviceAccounts/" in url:
        return url.rpartition("/serviceAccounts/")[2].partition(":")[0]
    if audience := info.get("audience"):
        return str(audience)
    return {"authorized_user": "a Google user", "metadata": "the machine's service account"}.get(
        str(info.get("type")), ""
    )


def project(info: Mapping[str, Any]) -> str:
    """The project to read when none is chosen: of the environment, the key, or gcloud."""
    for name in PROJECTS:
        if value := os.environ.get(name):
            return value
    for name in ("project_id", "quota_project_id"):
        if value := info.get(name):
            return str(value)
    return configured()


def configured() -> str:
    """The project of gcloud's active configuration."""
    import configparser

    home = Path(os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud").expanduser()
    parser = configparser.ConfigParser()
    try:
        active = os.environ.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or (
            (home / "active_config").read_text(encoding="utf-8").strip()
            if (home / "active_config").exists()
            else "default"
        )
        parser.read(home / "configurations" / f"config_{active}", encoding="utf-8")
    except (OSError, configparser.Error, UnicodeDecodeError):
        return ""
    return parser.get("core", "project", fallback="")


def load() -> Any:
    """The credentials as google.auth understands them. Raises `ReadError` and google's errors."""
    import google.auth

    info, _, error = found()
    if error or not info:
        detail = error or "there are no credentials for Google Cloud here"
        raise ReadError(Reason.UNAUTHENTICATED, detail, code="none")
    if info["type"] == "metadata":
        from google.auth import compute_engine

        return compute_engine.Credentials(scopes=SCOPES)  # type: ignore[no-untyped-call]
    if info["type"] == "external_account":
        return federated(info)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file is the user's own, which the warning doubts
        loaded, _ = google.auth.load_credentials_from_dict(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    if principal := os.environ.get(IMPERSONATED, "").strip():
        from google.auth import impersonated_credentials

        loaded = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
            source_credentials=loaded,
            target_principal=principal.split(",")[-1],
            delegates=principal.split(",")[:-1],
            target_scopes=list(SCOPES),
        )
    return loaded


def federated(info: Mapping[str, Any]) -> Any:
    """Credentials of another cloud or a CI system.

    google.auth's own choice among these classes asks the resource manager for the pool's project,
    which such credentials seldom may.
    """
    from google.auth import aws, identity_pool, pluggable

    origin = info.get("credential_source")
    if str(info.get("subject_token_type", "")).endswith(":aws4_request"):
        return aws.Credentials.from_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    if isinstance(origin, dict) and origin.get("executable"):
        return pluggable.Credentials.from_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    return identity_pool.Credentials.from_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]


def refresh(loaded: Any) -> None:
    """Get a token. The connection is closed after it: the next is needed in an hour."""
    import google.auth.transport.requests

    request = google.auth.transport.requests.Request()
    try:
        loaded.refresh(request)
    except (AttributeError, TypeError) as error:  # google.auth takes any answer for a token
        detail = "no token: the answer is none; a proxy or a sign-in page may be in between"
        raise ReadError(Reason.MALFORMED, detail) from error
    finally:
        request.session.close()


def refused(error: Exception) -> ReadError:
    """Why there is no token."""
    from google.auth.exceptions import TransportError

    text = " ".join(str(part) for part in error.args if isinstance(part, str)).strip()
    text = text.strip("{}") or "the service that gives tokens failed without a message"
    if isinstance(error, TransportError) or getattr(error, "retryable", False):
        return ReadError(Reason.UNREACHABLE, f"no token: {text[:400]}")
    if "invalid_grant" in text or "invalid_rapt" in text:
        text = f"the credentials are expired, revoked, or this machine's clock is wrong: {text}"
    return ReadError(Reason.UNAUTHENTICATED, f"no token: {text[:400]}", code="token")


def remedy(source: str) -> str:
    """What to do when credentials do not work."""
    if "key" in source:
        return f"make a new key for the service account, and name its file in {FILE}"
    if "federation" in source:
        return "check the identity pool's provider, and who may impersonate the service account"
    if "imperson" in source:
        return "grant roles/iam.serviceAccountTokenCreator on the service account"
    return LOGIN
