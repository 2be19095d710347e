"""Storage accounts, key vaults, registries of images: what keeps things."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from infrascan.providers.azure.tables import ABSENT, detail, diagnostics, metrics, of_group, row

ACCOUNT = "Microsoft.Storage/storageAccounts"
VAULT = "Microsoft.KeyVault/vaults"
STORAGE_VERSION = "2023-05-01"
NO_SUCH_SERVICE = ("FeatureNotSupportedForAccount",)  # a FileStorage account has no blobs

ACCOUNTS = row(
    "storage.storage_account",
    "Storage account",
    ACCOUNT,
    relations=(of_group("storage_accounts"),),
    details=(
        detail(
            "blob_service",
            ACCOUNT,
            "blobServices/default",
            STORAGE_VERSION,
            permission="Microsoft.Storage/storageAccounts/blobServices/read",
            absent=NO_SUCH_SERVICE,
        ),
        detail(
            "file_service",
            ACCOUNT,
            "fileServices/default",
            STORAGE_VERSION,
            permission="Microsoft.Storage/storageAccounts/fileServices/read",
            absent=NO_SUCH_SERVICE,
        ),
        detail(
            "containers",
            ACCOUNT,
            "blobServices/default/containers",
            STORAGE_VERSION,
            permission="Microsoft.Storage/storageAccounts/blobServices/containers/read",
            many=True,
            absent=NO_SUCH_SERVICE,
        ),
        detail(
            "management_policy",
            ACCOUNT,
            "managementPolicies/default",
            STORAGE_VERSION,
            permission="Microsoft.Storage/storageAccounts/managementPolicies/read",
            absent=(*ABSENT, "ManagementPolicyNotFound"),
        ),
        detail(
            "blob_diagnostic_settings",
            ACCOUNT,
            "blobServices/default/providers/Microsoft.Insights/diagnosticSettings",
            "2021-05-01-preview",
            permission="Microsoft.Insights/diagnosticSettings/read",
            many=True,
            absent=NO_SUCH_SERVICE,
        ),
        metrics(
            ACCOUNT,
            {"used_capacity": "UsedCapacity", "transactions": "Transactions"},
            aggregation="Average,Total",
        ),
    ),
)


def dated(found: Any) -> list[dict[str, Any]]:
    """Keys and secrets, each with the time it ends where it has one: the API counts seconds."""
    kept = []
    for one in found:
        ends = one["properties"]["attributes"].get("exp")
        moment = (
            {}
            if ends is None
            else {"expires": f"{datetime.fromtimestamp(ends, UTC):%Y-%m-%dT%H:%M:%SZ}"}
        )
        kept.append({**one, **moment})
    return kept


VAULTS = row(
    "keyvault.vault",
    "Key vault",
    VAULT,
    relations=(of_group("vaults"),),
    details=(
        detail(
            "keys",
            VAULT,
            "keys",
            "2023-07-01",
            permission="Microsoft.KeyVault/vaults/keys/read",
            many=True,
            shape=dated,
        ),
        # Names, dates and whether each is enabled. This API never gives a value.
        detail(
            "secrets",
            VAULT,
            "secrets",
            "2023-07-01",
            permission="Microsoft.KeyVault/vaults/secrets/read",
            many=True,
            shape=dated,
            drop=("value[].properties.value",),
        ),
        diagnostics(VAULT),
    ),
)

REGISTRIES = row(
    "containerregistry.registry",
    "Container registry",
    "Microsoft.ContainerRegistry/registries",
    details=(diagnostics("Microsoft.ContainerRegistry/registries"),),
)

CONFIGURATION_STORES = row(
    "appconfiguration.configuration_store",
    "App Configuration store",
    "Microsoft.AppConfiguration/configurationStores",
)

TABLES = (ACCOUNTS, VAULTS, REGISTRIES, CONFIGURATION_STORES)
