"""What runs the user's code, and the services it calls."""

from __future__ import annotations

from typing import Any

from infrascan.providers.azure.tables import detail, diagnostics, leads, metrics, row

SITE = "Microsoft.Web/sites"
PLAN = "Microsoft.Web/serverfarms"
CLUSTER = "Microsoft.ContainerService/managedClusters"

SHARED = frozenset({"Free", "Shared", "Dynamic", "FlexConsumption"})


def reserved(plan: dict[str, Any]) -> dict[str, Any]:
    """Say whether a plan has machines of its own: only those have a load to measure."""
    tier = str((plan.get("sku") or {}).get("tier", ""))
    return {**plan, "dedicated": None if tier in SHARED else True}


PLANS = row(
    "web.serverfarm",
    "App Service plan",
    PLAN,
    shape=reserved,
    details=(
        metrics(
            PLAN,
            {"cpu": "CpuPercentage", "memory": "MemoryPercentage"},
            aggregation="Average,Maximum",
            when="dedicated",
        ),
    ),
)

SITES = row(
    "web.site",
    "Web or function app",
    SITE,
    details=(
        detail(
            "config",
            SITE,
            "config/web",
            "2023-12-01",
            permission="Microsoft.Web/sites/config/read",
            drop=(
                "properties.azureStorageAccounts",
                "properties.appSettings",
                "properties.connectionStrings",
                "properties.machineKey",
                "properties.publishingUsername",
                "properties.publishingPassword",
                "properties.metadata",
            ),
        ),
        detail(
            "auth_settings",
            SITE,
            "config/authsettingsV2",
            "2023-12-01",
            permission="Microsoft.Web/sites/config/read",
        ),
        detail(
            "basic_auth",
            SITE,
            "basicPublishingCredentialsPolicies",
            "2023-12-01",
            permission="Microsoft.Web/sites/basicPublishingCredentialsPolicies/Read",
            many=True,
        ),
        diagnostics(SITE),
        metrics(
            SITE,
            {"requests": "Requests"},
            aggregation="Total",
        ),
    ),
    relations=(
        leads("plan", "properties.serverFarmId", "web.serverfarm", reverse="sites"),
        leads("subnet", "properties.virtualNetworkSubnetId", "network.subnet", reverse="sites"),
    ),
    drop=(
        "properties.siteConfig.appSettings",
        "properties.siteConfig.connectionStrings",
        "properties.siteConfig.azureStorageAccounts",
        "properties.siteConfig.machineKey",
        "properties.siteConfig.metadata",
        "properties.siteConfig.publishingUsername",
        "properties.siteConfig.publishingPassword",
        "properties.customDomainVerificationId",
    ),
)

CLUSTERS = row(
    "containerservice.managed_cluster",
    "AKS cluster",
    CLUSTER,
    details=(diagnostics(CLUSTER),),
    relations=(
        leads(
            "subnets",
            "properties.agentPoolProfiles[].vnetSubnetID",
            "network.subnet",
            reverse="managed_clusters",
        ),
    ),
    drop=(
        "properties.servicePrincipalProfile.secret",
        "properties.windowsProfile.adminPassword",
        "properties.aadProfile.serverAppSecret",
    ),
)

GROUPS = row(
    "containerinstance.container_group",
    "Container group",
    "Microsoft.ContainerInstance/containerGroups",
    relations=(leads("subnets", "properties.subnetIds[].id", "network.subnet"),),
    drop=(
        "properties.containers[].properties.environmentVariables[].value",
        "properties.containers[].properties.environmentVariables[].secureValue",
        "properties.initContainers[].properties.environmentVariables[].value",
        "properties.initContainers[].properties.environmentVariables[].secureValue",
        "properties.imageRegistryCredentials[].password",
        "properties.volumes[].secret",
        "properties.volumes[].azureFile.storageAccountKey",
        "properties.volumes[].gitRepo.repository",
        "properties.diagnostics.logAnalytics.workspaceKey",
    ),
)

APPS = row(
    "app.container_app",
    "Container app",
    "Microsoft.App/containerApps",
    relations=(
        leads(
            "environment",
            "properties.environmentId",
            "app.managed_environment",
            reverse="container_apps",
        ),
    ),
    drop=(
        "properties.configuration.secrets[].value",
        "properties.template.containers[].env[].value",
        "properties.template.initContainers[].env[].value",
    ),
)

ENVIRONMENTS = row(
    "app.managed_environment",
    "Container Apps environment",
    "Microsoft.App/managedEnvironments",
    drop=(
        "properties.appLogsConfiguration.logAnalyticsConfiguration.sharedKey",
        "properties.daprAIConnectionString",
        "properties.daprAIInstrumentationKey",
        "properties.appInsightsConfiguration.connectionString",
    ),
)

BUSES = row(
    "servicebus.namespace",
    "Service Bus namespace",
    "Microsoft.ServiceBus/namespaces",
    details=(
        metrics(
            "Microsoft.ServiceBus/namespaces",
            {"incoming_requests": "IncomingRequests"},
            aggregation="Total",
        ),
    ),
)

HUBS = row(
    "eventhub.namespace",
    "Event Hubs namespace",
    "Microsoft.EventHub/namespaces",
    details=(
        metrics(
            "Microsoft.EventHub/namespaces",
            {"incoming_messages": "IncomingMessages", "outgoing_messages": "OutgoingMessages"},
            aggregation="Total",
        ),
    ),
)

TOPICS = row("eventgrid.topic", "Event Grid topic", "Microsoft.EventGrid/topics")

WORKFLOWS = row(
    "logic.workflow",
    "Logic app",
    "Microsoft.Logic/workflows",
    # What a workflow does often holds what it signs in with.
    drop=("properties.parameters", "properties.definition"),
)

API_SERVICES = row(
    "apimanagement.service",
    "API Management service",
    "Microsoft.ApiManagement/service",
    drop=(
        "properties.hostnameConfigurations[].encodedCertificate",
        "properties.hostnameConfigurations[].certificatePassword",
        "properties.certificates[].encodedCertificate",
        "properties.certificates[].certificatePassword",
    ),
)

LEARNING = row(
    "machinelearningservices.workspace",
    "Machine Learning workspace",
    "Microsoft.MachineLearningServices/workspaces",
)

COGNITIVE = row(
    "cognitiveservices.account",
    "AI services or Azure OpenAI account",
    "Microsoft.CognitiveServices/accounts",
    details=(
        detail(
            "deployments",
            "Microsoft.CognitiveServices/accounts",
            "deployments",
            "2023-05-01",
            permission="Microsoft.CognitiveServices/accounts/deployments/read",
            many=True,
        ),
        diagnostics("Microsoft.CognitiveServices/accounts"),
    ),
    drop=("properties.apiProperties.qnaAzureSearchEndpointKey",),
)

SEARCH = row("search.search_service", "AI Search service", "Microsoft.Search/searchServices")

AUTOMATION = row(
    "automation.automation_account", "Automation account", "Microsoft.Automation/automationAccounts"
)

BATCH = row("batch.batch_account", "Batch account", "Microsoft.Batch/batchAccounts")

IOT_HUBS = row(
    "devices.iot_hub",
    "IoT hub",
    "Microsoft.Devices/IotHubs",
    drop=(
        "properties.authorizationPolicies",
        "properties.routing.endpoints",
        "properties.storageEndpoints",
    ),
)

TABLES = (
    PLANS,
    SITES,
    CLUSTERS,
    GROUPS,
    APPS,
    ENVIRONMENTS,
    BUSES,
    HUBS,
    TOPICS,
    WORKFLOWS,
    API_SERVICES,
    LEARNING,
    COGNITIVE,
    SEARCH,
    AUTOMATION,
    BATCH,
    IOT_HUBS,
)
