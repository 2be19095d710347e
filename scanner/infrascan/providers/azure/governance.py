"""Subscriptions, rights, policies, watching, backup: what holds for the rest."""

from __future__ import annotations

from typing import Any

from infrascan.providers.azure.tables import (
    SUBSCRIPTION,
    arm,
    detail,
    leads,
    of_subscription,
    row,
)

RIGHTS = "Microsoft.Authorization"
VAULT = "Microsoft.RecoveryServices/vaults"
BACKUP_VAULT = "Microsoft.DataProtection/backupVaults"
BY_RESOURCE = r"(?i)^(.+)/providers/Microsoft\.Authorization/locks/[^/]+$"

WHOLE = r"(?i)^(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/[^/]+/[^/]+)$"

SUBSCRIPTIONS = arm(
    "resources.subscription",
    "Subscription",
    SUBSCRIPTION,
    "2022-12-01",
    permission="Microsoft.Resources/subscriptions/read",
    one=True,
    name=("displayName", "subscriptionId"),
    details=(
        detail(
            "defender_plans",
            "",
            "providers/Microsoft.Security/pricings",
            "2024-01-01",
            permission="Microsoft.Security/pricings/read",
            many=True,
        ),
        detail(
            "security_contacts",
            "",
            "providers/Microsoft.Security/securityContacts",
            "2023-12-01-preview",
            permission="Microsoft.Security/securityContacts/read",
            many=True,
        ),
        detail(
            "activity_log_alerts",
            "",
            "providers/Microsoft.Insights/activityLogAlerts",
            "2020-10-01",
            permission="Microsoft.Insights/activityLogAlerts/read",
            many=True,
        ),
        detail(
            "diagnostic_settings",
            "",
            "providers/Microsoft.Insights/diagnosticSettings",
            "2021-05-01-preview",
            permission="Microsoft.Insights/diagnosticSettings/read",
            many=True,
        ),
        detail(
            "budgets",
            "",
            "providers/Microsoft.Consumption/budgets",
            "2023-11-01",
            permission="Microsoft.Consumption/budgets/read",
            many=True,
        ),
    ),
)

RESOURCE_GROUPS = arm(
    "resources.resource_group",
    "Resource group",
    f"{SUBSCRIPTION}/resourcegroups",
    "2021-04-01",
    permission="Microsoft.Resources/subscriptions/resourceGroups/read",
    relations=(of_subscription("resource_groups"),),
)

ASSIGNMENTS = arm(
    "authorization.role_assignment",
    "Role assignment",
    f"{SUBSCRIPTION}/providers/{RIGHTS}/roleAssignments",
    "2022-04-01",
    permission=f"{RIGHTS}/roleAssignments/read",
    name=("{properties.principalType} {properties.principalId}", "name"),
    relations=(
        leads(
            "role_definition",
            "properties.roleDefinitionId",
            "authorization.role_definition",
            by="role_id",
            matching=r"/([^/]+)$",
            reverse="role_assignments",
        ),
        leads(
            "subscription", "properties.scope", "resources.subscription", reverse="role_assignments"
        ),
        leads(
            "resource_group",
            "properties.scope",
            "resources.resource_group",
            reverse="role_assignments",
            matching=r"(?i)^(/subscriptions/[^/]+/resourceGroups/[^/]+)$",
        ),
        *(
            leads(
                *("resource", "properties.scope", kind),
                reverse="role_assignments",
                matching=WHOLE,
            )
            for kind in ("storage.storage_account", "keyvault.vault")
        ),
        leads(
            "managed_identity",
            "properties.principalId",
            "managedidentity.user_assigned_identity",
            by="properties.principalId",
            reverse="role_assignments",
        ),
        leads(
            "virtual_machine",
            "properties.principalId",
            "compute.virtual_machine",
            by="identity.principalId",
            reverse="role_assignments",
        ),
        leads(
            "site",
            "properties.principalId",
            "web.site",
            by="identity.principalId",
            reverse="role_assignments",
        ),
    ),
)


def numbered(role: dict[str, Any]) -> dict[str, Any]:
    """A role with its id for assignments: a built-in role has a path in each subscription."""
    return {**role, "role_id": role["name"]}


DEFINITIONS = arm(
    "authorization.role_definition",
    "Role definition",
    f"{SUBSCRIPTION}/providers/{RIGHTS}/roleDefinitions",
    "2022-04-01",
    permission=f"{RIGHTS}/roleDefinitions/read",
    name=("properties.roleName", "name"),
    shape=numbered,
)

POLICIES = arm(
    "authorization.policy_assignment",
    "Policy assignment",
    f"{SUBSCRIPTION}/providers/{RIGHTS}/policyAssignments",
    "2023-04-01",
    permission=f"{RIGHTS}/policyAssignments/read",
    name=("properties.displayName", "name"),
    relations=(
        leads("subscription", "properties.scope", "resources.subscription", reverse="policies"),
    ),
)

LOCKED = (
    "resources.resource_group",
    "resources.subscription",
    "storage.storage_account",
    "sql.server",
    "sql.database",
    "keyvault.vault",
    "recoveryservices.vault",
    "compute.virtual_machine",
    "compute.disk",
    "network.virtual_network",
    "documentdb.database_account",
    "dbforpostgresql.flexible_server",
    "dbformysql.flexible_server",
)
LOCKS = arm(
    "authorization.lock",
    "Lock",
    f"{SUBSCRIPTION}/providers/{RIGHTS}/locks",
    "2020-05-01",
    permission=f"{RIGHTS}/locks/read",
    relations=tuple(
        leads("target", "@id", kind, reverse="locks", matching=BY_RESOURCE) for kind in LOCKED
    ),
)

IDENTITIES = row(
    "managedidentity.user_assigned_identity",
    "Managed identity",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
)

VAULTS = row(
    "recoveryservices.vault",
    "Recovery Services vault",
    VAULT,
    details=(
        detail(
            "protected_items",
            VAULT,
            "backupProtectedItems",
            "2023-04-01",
            permission="Microsoft.RecoveryServices/Vaults/backupProtectedItems/read",
            many=True,
        ),
        detail(
            "backup_config",
            VAULT,
            "backupconfig/vaultconfig",
            "2023-04-01",
            permission="Microsoft.RecoveryServices/Vaults/backupconfig/read",
        ),
    ),
    relations=(
        leads(
            "protected",
            "protected_items[].properties.sourceResourceId",
            "compute.virtual_machine",
            reverse="backup_vaults",
        ),
        leads(
            "protected",
            "protected_items[].properties.sourceResourceId",
            "storage.storage_account",
            reverse="backup_vaults",
        ),
    ),
)

BACKUP_VAULTS = row(
    "dataprotection.backup_vault",
    "Backup vault",
    BACKUP_VAULT,
    details=(
        detail(
            "backup_instances",
            BACKUP_VAULT,
            "backupInstances",
            "2024-04-01",
            permission="Microsoft.DataProtection/backupVaults/backupInstances/read",
            many=True,
        ),
    ),
    relations=(
        leads(
            "protected",
            "backup_instances[].properties.dataSourceInfo.resourceID",
            "compute.disk",
            reverse="backup_vaults",
        ),
        leads(
            "protected",
            "backup_instances[].properties.dataSourceInfo.resourceID",
            "storage.storage_account",
            reverse="blob_backup_vaults",
        ),
    ),
)

WORKSPACES = row(
    "operationalinsights.workspace",
    "Log Analytics workspace",
    "Microsoft.OperationalInsights/workspaces",
)

COMPONENTS = row(
    "insights.component",
    "Application Insights",
    "Microsoft.Insights/components",
    relations=(
        leads(
            "workspace",
            "properties.WorkspaceResourceId",
            "operationalinsights.workspace",
            reverse="components",
        ),
    ),
    drop=("properties.InstrumentationKey", "properties.ConnectionString"),
)

ACTION_GROUPS = row(
    "insights.action_group",
    "Action group",
    "Microsoft.Insights/actionGroups",
    drop=(
        "properties.webhookReceivers[].serviceUri",
        "properties.logicAppReceivers[].callbackUrl",
        "properties.azureFunctionReceivers[].httpTriggerUrl",
        "properties.automationRunbookReceivers[].serviceUri",
    ),
)

AUTOSCALE = row(
    "insights.autoscale_setting",
    "Autoscale setting",
    "Microsoft.Insights/autoscaleSettings",
    relations=(
        leads(
            "target",
            "properties.targetResourceUri",
            "compute.virtual_machine_scale_set",
            reverse="autoscale_settings",
        ),
        leads(
            "target",
            "properties.targetResourceUri",
            "web.serverfarm",
            reverse="autoscale_settings",
        ),
    ),
)

RECOMMENDATIONS = arm(
    "advisor.recommendation",
    "Advisor recommendation",
    f"{SUBSCRIPTION}/providers/Microsoft.Advisor/recommendations",
    "2023-01-01",
    permission="Microsoft.Advisor/recommendations/read",
    name=("properties.impactedValue", "name"),
    relations=(
        leads(
            "virtual_machine",
            "properties.resourceMetadata.resourceId",
            "compute.virtual_machine",
            reverse="recommendations",
        ),
    ),
)

TABLES = (
    SUBSCRIPTIONS,
    RESOURCE_GROUPS,
    ASSIGNMENTS,
    DEFINITIONS,
    POLICIES,
    LOCKS,
    IDENTITIES,
    VAULTS,
    BACKUP_VAULTS,
    WORKSPACES,
    COMPONENTS,
    ACTION_GROUPS,
    AUTOSCALE,
    RECOMMENDATIONS,
)
