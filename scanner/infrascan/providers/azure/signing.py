"""Signing in: each way that azure-identity knows, tried by name, until one gives a token.

A way that is set up and refused ends the search: to go on as somebody else would read another
estate than the one that was meant. Tokens stay in this module's `Session`.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infrascan.model import ReadError, Reason
from infrascan.providers.at_hand import on_azure

PUBLIC = "https://management.azure.com"
# The authority hosts of Azure's clouds, and where each has its Resource Manager.
CLOUDS: Mapping[str, str] = {
    "login.microsoftonline.com": PUBLIC,
    "login.microsoftonline.us": "https://management.usgovcloudapi.net",
    "login.chinacloudapi.cn": "https://management.chinacloudapi.cn",
    "login.partner.microsoftonline.cn": "https://management.chinacloudapi.cn",
}
# As MSAL words an answer that says nothing, and one that is not the authority's.
DOWN = re.compile(r"HTTP Error: (?:5\d\d|429)")
NO_AUTHORITY = "Unable to get authority configuration"
EARLY = 300  # seconds before its end at which a token is renewed
REMEDY = (
    "run az login, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
    " or AZURE_CLIENT_CERTIFICATE_PATH"
)


def authority() -> str:
    return os.environ.get("AZURE_AUTHORITY_HOST") or "login.microsoftonline.com"


def host() -> str:
    """The authority's host, whether it is spelled with https:// or without."""
    given = authority()
    return urlsplit(given if "//" in given else f"https://{given}").netloc


def endpoint() -> str:
    """Where Resource Manager is: in the cloud of the authority, unless the environment says."""
    given = os.environ.get("AZURE_RESOURCE_MANAGER_ENDPOINT")
    return (given or CLOUDS.get(host(), PUBLIC)).rstrip("/")


def named(*variables: str) -> bool:
    return any(os.environ.get(name) for name in variables)


def environment() -> bool:
    return named("AZURE_CLIENT_ID") and named(
        "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME"
    )


def workload() -> bool:
    return named("AZURE_FEDERATED_TOKEN_FILE")


def managed() -> bool:
    """Whether a managed identity can be there: elsewhere, asking for one asks a dead address."""
    return named("IDENTITY_ENDPOINT", "MSI_ENDPOINT") or on_azure()


def command_line() -> bool:
    home = Path(os.environ.get("AZURE_CONFIG_DIR") or "~/.azure").expanduser()
    return shutil.which("az") is not None and (home / "azureProfile.json").exists()


def developer() -> bool:
    return shutil.which("azd") is not None


@dataclass(frozen=True, slots=True)
class Way:
    """One way to sign in, by the name that DefaultAzureCredential has for it."""

    name: str
    title: str
    there: Callable[[], bool]
    group: str  # as in AZURE_TOKEN_CREDENTIALS
    own: str


WAYS = (
    Way(
        "environment",
        "client secret or certificate (environment variables)",
        environment,
        "prod",
        "environmentcredential",
    ),
    Way(
        "workload_identity",
        "workload identity (AZURE_FEDERATED_TOKEN_FILE)",
        workload,
        "prod",
        "workloadidentitycredential",
    ),
    Way("managed_identity", "managed identity", managed, "prod", "managedidentitycredential"),
    Way("cli", "Azure CLI (az login)", command_line, "dev", "azureclicredential"),
    Way(
        "developer_cli",
        "Azure Developer CLI (azd auth login)",
        developer,
        "dev",
        "azuredeveloperclicredential",
    ),
)
OTHERS = ("shared_token_cache", "visual_studio_code", "powershell", "broker", "interactive_browser")


@dataclass(eq=False)
class Session:
    """Who we are, once signed in, and the token that says so: for Resource Manager, or `scope`."""

    credential: Any = None
    way: str = ""
    token: str = ""
    expires: float = 0.0
    tried: dict[str, str] = field(default_factory=dict)  # way -> why not; "" where it is not set up
    scope: str = ""

    @property
    def fresh(self) -> bool:
        return bool(self.token) and time.time() < self.expires - EARLY

    def renew(self) -> str:
        """A token that holds; in a thread. Raises `ReadError`."""
        if not self.fresh:
            if self.credential is None:
                self.search()
            else:
                self.take(self.credential)
        return self.token

    def search(self) -> None:
        """Find the first way that gives a token. Raises `ReadError` with what each way said."""
        from azure.identity import CredentialUnavailableError

        refused = ""
        for way in chosen():
            if not way.there():
                self.tried[way.title] = ""
                continue
            try:
                credential = build(way)
                self.take(credential)
            except CredentialUnavailableError as error:
                self.tried[way.title] = brief(error)
                if "AADSTS" in str(error):
                    refused = refused or f"{way.title}: {brief(error)}"
                continue
            self.credential, self.way = credential, way.title
            return
        if refused:
            raise ReadError(Reason.UNAUTHENTICATED, refused, code="refused")
        absent = ", ".join(title for title, why in self.tried.items() if not why)
        said = "; ".join(f"{title}: {why}" for title, why in self.tried.items() if why)
        parts = [said, f"not set up here: {absent}" if absent else ""]
        detail = "; ".join(("no credentials", *filter(None, parts)))
        raise ReadError(Reason.UNAUTHENTICATED, detail, code="none")

    def take(self, credential: Any) -> None:
        """Ask a credential for a token. Raises `ReadError`, or that there is nothing to ask with."""
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.identity import CredentialUnavailableError

        try:
            found = credential.get_token(self.scope or f"{endpoint()}/.default")
        except CredentialUnavailableError:
            raise
        except AzureError as error:
            if isinstance(error, ClientAuthenticationError) and not unreached(error):
                raise ReadError(Reason.UNAUTHENTICATED, brief(error), code="refused") from error
            detail = f"no answer from {host()}: {brief(error)}"
            raise ReadError(Reason.UNREACHABLE, detail) from error
        except (ValueError, OSError) as error:  # a file or an address of no use
            raise ReadError(Reason.UNAUTHENTICATED, brief(error), code="refused") from error
        self.token, self.expires = found.token, float(found.expires_on)


def chosen() -> list[Way]:
    """The ways to try: all, or those that AZURE_TOKEN_CREDENTIALS names."""
    wanted = os.environ.get("AZURE_TOKEN_CREDENTIALS", "").strip().lower()
    return [way for way in WAYS if wanted in {"", way.group, way.own}]


def build(way: Way) -> Any:
    """The credential that DefaultAzureCredential has for this way. Raises `ReadError` for settings of no use."""
    from azure.identity import DefaultAzureCredential

    # Without a handler of its own, its warnings would be printed.
    logging.getLogger("azure.identity").addHandler(logging.NullHandler())
    names = (*(other.name for other in WAYS), *OTHERS)
    excluded = {f"exclude_{name}_credential": name != way.name for name in names}
    try:
        chain = DefaultAzureCredential(
            **excluded,
            authority=authority(),
            # A host that is none of Azure's own is not known to its directory of clouds.
            disable_instance_discovery=host() not in CLOUDS,
            retry_total=0,
        )
        # By itself a way says what it is missing; in a chain all that is said is one text.
        return chain.credentials[0]
    except (ValueError, OSError) as error:
        detail = f"{way.title}: {brief(error)}"
        raise ReadError(Reason.UNAUTHENTICATED, detail, code="refused") from error


def unreached(error: BaseException | None) -> bool:
    """Whether a failed sign-in failed for want of an answer, or because the service was down."""
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    while error is not None:
        if isinstance(error, ServiceRequestError | ServiceResponseError):
            return True
        if "AADSTS" not in str(error) and DOWN.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def brief(error: BaseException) -> str:
    """What an error says, in one line: those of Microsoft go on with trace ids and links."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if "AADSTS" in line), lines[0] if lines else "")
    told = told.partition(" Trace ID:")[0]
    if NO_AUTHORITY in told:
        return "the authority does not know this tenant, or a proxy answers in its place"
    return told[:300] or type(error).__name__


def claims(token: str) -> Mapping[str, Any]:
    """What a token says of its bearer; nothing for a token that is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def bearer(token: str) -> dict[str, str]:
    """Tenant and name of whom a token was given to."""
    told = claims(token)
    user = told.get("upn") or told.get("unique_name") or told.get("preferred_username")
    app = told.get("appid") or told.get("azp") or os.environ.get("AZURE_CLIENT_ID", "")
    who = str(user) if user else f"application {app}" if app else "an unnamed identity"
    tenant = told.get("tid") or os.environ.get("AZURE_TENANT_ID", "")
    return {"tenant": str(tenant), "who": who, "object": str(told.get("oid", ""))}
