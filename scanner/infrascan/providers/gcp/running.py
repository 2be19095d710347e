"""What runs code: clusters, services, functions, builds; and the queues between them."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import Detail, Parent, listed
from infrascan.providers.gcp.tables import PAGED, Asset, Metric, account, address, key
from infrascan.providers.rest.tables import Paging

CONTAINER = "GET container.googleapis.com/v1/projects/{project}/locations/-/clusters"
RUN = "GET run.googleapis.com/v1/projects/{project}/locations/-"
POLICY = "run.services.getIamPolicy"

CLUSTERS = Asset(
    kind="gcp.container.cluster",
    title="GKE cluster",
    types=("container.googleapis.com/Cluster",),
    schema="container:v1:Cluster",
    labels="resourceLabels",
    policy=False,
    drop=("masterAuth.password", "masterAuth.clientKey", "masterAuth.clientCertificate"),
    blank=("nodeConfig.metadata", "nodePools[].config.metadata"),
    rest=listed(
        "gcp.container.cluster",
        "GKE cluster",
        CONTAINER,
        "clusters[]",
        "container.clusters.list",
        id="projects/{project}/locations/{location}/clusters/{name}",
        region="{location}",
    ),
    relations=(
        Relation(
            name="networks",
            path="networkConfig.network",
            to="gcp.compute.network",
            by="id",
            reverse="clusters",
            within="anywhere",
            matching=r"(projects/.+)$",
        ),
        Relation(
            name="subnetworks",
            path="networkConfig.subnetwork",
            to="gcp.compute.subnetwork",
            by="id",
            reverse="clusters",
            within="anywhere",
            matching=r"(projects/.+)$",
        ),
        account("nodePools[].config.serviceAccount", "clusters", name="node_service_accounts"),
        key("databaseEncryption.keyName", "clusters"),
    ),
)

NODE_POOLS = Asset(
    kind="gcp.container.node_pool",
    title="GKE node pool",
    types=("container.googleapis.com/NodePool",),
    schema="container:v1:NodePool",
    labels="config.resourceLabels",
    policy=False,
    adds={"cluster_id": {}, "node_pool_key": {}},
    blank=("config.metadata",),
    rest=listed(
        "gcp.container.node_pool",
        "GKE node pool",
        "GET container.googleapis.com/v1/projects/{project}/locations/{location}/clusters/{cluster}/nodePools",
        "nodePools[]",
        "container.nodes.list",
        id="projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
        region="{location}",
        parents=(
            Parent(
                api=CONTAINER,
                items="clusters[]",
                gives={"location": "location", "cluster": "name"},
                optional=True,
                permission="container.clusters.list",
            ),
        ),
        adds={"cluster_id": "projects/{project}/locations/{location}/clusters/{cluster}"},
    ),
    relations=(
        Relation(
            name="cluster",
            path="cluster_id",
            to="gcp.container.cluster",
            by="id",
            reverse="node_pools",
            within="account",
        ),
        account("config.serviceAccount", "node_pools"),
        address(
            "groups", "instanceGroupUrls[]", "gcp.compute.instance_group_manager", "node_pools"
        ),
    ),
)

SERVICES = Asset(
    kind="gcp.run.service",
    title="Cloud Run service",
    types=("run.googleapis.com/Service",),
    schema="run:v1:Service",
    name=("metadata.name",),
    labels="metadata.labels",
    blank=("spec.template.spec.containers[].env",),
    rest=listed(
        "gcp.run.service",
        "Cloud Run service",
        f"{RUN}/services",
        "items[]",
        "run.services.list",
        id="projects/{project}/locations/{location}/services/{metadata.name}",
        paging=Paging(param="continue", token="metadata.continue"),  # noqa: S106 (names of fields)
        region="{location}",
        details=(
            Detail(
                field="iam_policy",
                api="GET run.googleapis.com/v1/projects/{project}/locations/{location}/services/{service}:getIamPolicy",
                params={"location": "{location}", "service": "{metadata.name}"},
                permission=POLICY,
            ),
        ),
    ),
    relations=(account("spec.template.spec.serviceAccountName", "run_services"),),
    metrics=(
        Metric(
            name="requests",
            type="run.googleapis.com/request_count",
            resource="cloud_run_revision",
            by="resource.location/resource.service_name",
            match="{region}/{metadata.name}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
    ),
)

JOBS = Asset(
    kind="gcp.run.job",
    title="Cloud Run job",
    types=("run.googleapis.com/Job",),
    schema="run:v1:Job",
    name=("metadata.name", "{name!base}"),
    labels="metadata.labels",
    blank=("spec.template.spec.template.spec.containers[].env",),
    relations=(account("spec.template.spec.template.spec.serviceAccountName", "run_jobs"),),
)

FUNCTIONS = Asset(
    kind="gcp.cloudfunctions.cloud_function",
    title="Cloud Function (1st generation)",
    types=("cloudfunctions.googleapis.com/CloudFunction",),
    schema="cloudfunctions:v1:CloudFunction",
    blank=("environmentVariables", "buildEnvironmentVariables"),
    drop=("sourceToken", "sourceUploadUrl"),
    rest=listed(
        "gcp.cloudfunctions.cloud_function",
        "Cloud Function (1st generation)",
        "GET cloudfunctions.googleapis.com/v1/projects/{project}/locations/-/functions",
        "functions[]",
        "cloudfunctions.functions.list",
        region="{name!location}",
    ),
    relations=(account("serviceAccountEmail", "functions"), key("kmsKeyName", "functions")),
    metrics=(
        Metric(
            name="executions",
            type="cloudfunctions.googleapis.com/function/execution_count",
            resource="cloud_function",
            by="resource.function_name",
            match="{name!base}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
    ),
)

FUNCTIONS_2 = Asset(
    kind="gcp.cloudfunctions.function",
    title="Cloud Run function (2nd generation)",
    types=("cloudfunctions.googleapis.com/Function",),
    schema="cloudfunctions:v2:Function",
    blank=("serviceConfig.environmentVariables", "buildConfig.environmentVariables"),
    drop=("buildConfig.sourceToken",),
    rest=listed(
        "gcp.cloudfunctions.function",
        "Cloud Run function (2nd generation)",
        "GET cloudfunctions.googleapis.com/v2/projects/{project}/locations/-/functions",
        "functions[]",
        "cloudfunctions.functions.list",
        region="{name!location}",
        params={"filter": 'environment="GEN_2"'},
    ),
    relations=(
        account("serviceConfig.serviceAccountEmail", "functions_v2"),
        key("kmsKeyName", "functions_v2"),
        Relation(
            name="service",
            path="serviceConfig.service",
            to="gcp.run.service",
            by="id",
            reverse="functions",
            within="account",
        ),
    ),
)

APPS = Asset(
    kind="gcp.appengine.application",
    title="App Engine application",
    types=("appengine.googleapis.com/Application",),
    schema="appengine:v1:Application",
    name=("id", "{name!base}"),
    policy=False,
    drop=("iap.oauth2ClientSecret",),
)

VERSIONS = Asset(
    kind="gcp.appengine.version",
    title="App Engine version",
    types=("appengine.googleapis.com/Version",),
    schema="appengine:v1:Version",
    name=("id", "{name!base}"),
    policy=False,
    blank=("envVariables", "buildEnvVariables", "betaSettings"),
)

TRIGGERS = Asset(
    kind="gcp.cloudbuild.build_trigger",
    title="Cloud Build trigger",
    types=("cloudbuild.googleapis.com/BuildTrigger",),
    schema="cloudbuild:v1:BuildTrigger",
    name=("name", "id"),
    policy=False,
    labels="",
    blank=("substitutions", "build.substitutions"),
    leaves="triggers of a region",
    rest=listed(
        "gcp.cloudbuild.build_trigger",
        "Cloud Build trigger",
        "GET cloudbuild.googleapis.com/v1/projects/{project}/triggers",
        "triggers[]",
        "cloudbuild.builds.list",
        id="projects/{account}/triggers/{id}",
    ),
    relations=(account("serviceAccount", "build_triggers"),),
)

REPOSITORIES = Asset(
    kind="gcp.artifactregistry.repository",
    title="Artifact Registry repository",
    types=("artifactregistry.googleapis.com/Repository",),
    schema="artifactregistry:v1:Repository",
    drop=("remoteRepositoryConfig.upstreamCredentials",),
    rest=listed(
        "gcp.artifactregistry.repository",
        "Artifact Registry repository",
        "GET artifactregistry.googleapis.com/v1/projects/{project}/locations/{location}/repositories",
        "repositories[]",
        "artifactregistry.repositories.list",
        region="{location}",
        parents=(
            Parent(
                api="GET artifactregistry.googleapis.com/v1/projects/{project}/locations",
                items="locations[]",
                gives={"location": "locationId"},
                paging=PAGED,
                permission="artifactregistry.locations.list",
            ),
        ),
    ),
    relations=(key("kmsKeyName", "repositories"),),
)

COMPOSERS = Asset(
    kind="gcp.composer.environment",
    title="Composer environment",
    types=("composer.googleapis.com/Environment",),
    schema="composer:v1:Environment",
    policy=False,
    blank=("config.softwareConfig.envVariables", "config.softwareConfig.airflowConfigOverrides"),
    relations=(
        account("config.nodeConfig.serviceAccount", "composers"),
        key("config.encryptionConfig.kmsKeyName", "composers"),
    ),
)

DATAPROC = Asset(
    kind="gcp.dataproc.cluster",
    title="Dataproc cluster",
    types=("dataproc.googleapis.com/Cluster",),
    schema="dataproc:v1:Cluster",
    name=("clusterName",),
    blank=("config.gceClusterConfig.metadata", "config.softwareConfig.properties"),
    relations=(
        account("config.gceClusterConfig.serviceAccount", "dataproc_clusters"),
        key("config.encryptionConfig.gcePdKmsKeyName", "dataproc_clusters"),
    ),
)

NOTEBOOKS = Asset(
    kind="gcp.notebooks.instance",
    title="Vertex AI Workbench instance",
    types=("notebooks.googleapis.com/Instance",),
    schema="notebooks:v2:Instance+notebooks:v1:Instance",
    blank=("metadata", "gceSetup.metadata"),
    relations=(account("gceSetup.serviceAccounts[].email", "notebooks"),),
)

TOPICS = Asset(
    kind="gcp.pubsub.topic",
    title="Pub/Sub topic",
    types=("pubsub.googleapis.com/Topic",),
    schema="pubsub:v1:Topic",
    rest=listed(
        "gcp.pubsub.topic",
        "Pub/Sub topic",
        "GET pubsub.googleapis.com/v1/projects/{project}/topics",
        "topics[]",
        "pubsub.topics.list",
    ),
    relations=(key("kmsKeyName", "topics"),),
)

SUBSCRIPTIONS = Asset(
    kind="gcp.pubsub.subscription",
    title="Pub/Sub subscription",
    types=("pubsub.googleapis.com/Subscription",),
    schema="pubsub:v1:Subscription",
    rest=listed(
        "gcp.pubsub.subscription",
        "Pub/Sub subscription",
        "GET pubsub.googleapis.com/v1/projects/{project}/subscriptions",
        "subscriptions[]",
        "pubsub.subscriptions.list",
    ),
    relations=(
        address("topic_of", "topic", "gcp.pubsub.topic", "subscriptions", "dangling_topic"),
        address(
            "dead_letter_topic",
            "deadLetterPolicy.deadLetterTopic",
            "gcp.pubsub.topic",
            "dead_letters_of",
        ),
    ),
    metrics=(
        Metric(
            name="oldest_unacked",
            type="pubsub.googleapis.com/subscription/oldest_unacked_message_age",
            resource="pubsub_subscription",
            by="resource.subscription_id",
            match="{name!base}",
            aligners=("ALIGN_MAX",),
            reducer="REDUCE_MAX",
        ),
        Metric(
            name="undelivered",
            type="pubsub.googleapis.com/subscription/num_undelivered_messages",
            resource="pubsub_subscription",
            by="resource.subscription_id",
            match="{name!base}",
            aligners=("ALIGN_MAX",),
            reducer="REDUCE_MAX",
        ),
    ),
)

TABLES = (
    CLUSTERS,
    NODE_POOLS,
    SERVICES,
    JOBS,
    FUNCTIONS,
    FUNCTIONS_2,
    APPS,
    VERSIONS,
    TRIGGERS,
    REPOSITORIES,
    COMPOSERS,
    DATAPROC,
    NOTEBOOKS,
    TOPICS,
    SUBSCRIPTIONS,
)
