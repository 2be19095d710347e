"""The hierarchy of projects, what is switched on in them, and what watches them."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import Detail, listed
from infrascan.providers.gcp.tables import Asset
from infrascan.providers.rest.tables import Listing

RESOURCES = "cloudresourcemanager.googleapis.com/v3"
LOGGING = "GET logging.googleapis.com/v2/projects/{project}"
MONITORING = "GET monitoring.googleapis.com/v3/projects/{project}"


def of_project(reverse: str) -> Relation:
    """The relation from a part of a project's settings to the project."""
    return Relation(
        name="project",
        path="@account",
        to="gcp.cloudresourcemanager.project",
        by="projectId",
        reverse=reverse,
        within="account",
        matching=r"^([^/]+)$",
    )


def of_organization(reverse: str) -> Relation:
    """The same for what stands at the organisation itself."""
    return Relation(
        name="organization",
        path="@account",
        to="gcp.cloudresourcemanager.organization",
        by="id",
        reverse=reverse,
        within="account",
        matching=r"^(organizations/\d+)$",
    )


ORGANIZATIONS = Asset(
    kind="gcp.cloudresourcemanager.organization",
    title="Organization",
    types=("cloudresourcemanager.googleapis.com/Organization",),
    schema="cloudresourcemanager:v1:Organization+cloudresourcemanager:v3:Organization",
    name=("displayName", "name"),
    labels="",
)

FOLDERS = Asset(
    kind="gcp.cloudresourcemanager.folder",
    title="Folder",
    types=("cloudresourcemanager.googleapis.com/Folder",),
    schema="cloudresourcemanager:v3:Folder",
    name=("displayName", "name"),
    labels="",
)

PROJECTS = Asset(
    kind="gcp.cloudresourcemanager.project",
    title="Project",
    types=("cloudresourcemanager.googleapis.com/Project",),
    schema="cloudresourcemanager:v1:Project+cloudresourcemanager:v3:Project",
    id="projects/{projectId}",
    name=("projectId",),
    recommenders=("google.iam.policy.Recommender",),
    relations=(
        Relation(
            name="folders",
            path="ancestors[]",
            to="gcp.cloudresourcemanager.folder",
            by="id",
            reverse="projects",
            within="anywhere",
            matching=r"^(folders/\d+)$",
        ),
        Relation(
            name="organizations",
            path="ancestors[]",
            to="gcp.cloudresourcemanager.organization",
            by="id",
            reverse="projects",
            within="anywhere",
            matching=r"^(organizations/\d+)$",
        ),
    ),
    rest=Listing(
        kind="gcp.cloudresourcemanager.project",
        title="Project",
        api=f"GET {RESOURCES}/projects/{{project}}",
        id="projects/{projectId}",
        name=("projectId",),
        permission="resourcemanager.projects.get",
        details=(
            Detail(
                field="iam_policy",
                api=f"POST {RESOURCES}/projects/{{project}}:getIamPolicy",
                params={"options": {"requestedPolicyVersion": 3}},
                permission="resourcemanager.projects.getIamPolicy",
            ),
        ),
    ),
)

BILLING = Asset(
    kind="gcp.cloudbilling.project_billing_info",
    title="Billing of a project",
    types=("cloudbilling.googleapis.com/ProjectBillingInfo",),
    schema="cloudbilling:v1:ProjectBillingInfo",
    name=("projectId",),
    labels="",
    policy=False,
    rest=Listing(
        kind="gcp.cloudbilling.project_billing_info",
        title="Billing of a project",
        api="GET cloudbilling.googleapis.com/v1/projects/{project}/billingInfo",
        id="{name}",
        name=("projectId",),
        permission="resourcemanager.projects.get",
    ),
    relations=(of_project("billing"),),
)

SERVICES = Asset(
    kind="gcp.serviceusage.service",
    title="API of a project",
    types=("serviceusage.googleapis.com/Service",),
    schema="serviceusage:v1:GoogleApiServiceusageV1Service",
    labels="",
    policy=False,
    rest=listed(
        "gcp.serviceusage.service",
        "API of a project",
        "GET serviceusage.googleapis.com/v1/projects/{project}/services",
        "services[]",
        "serviceusage.services.list",
        params={"filter": "state:ENABLED", "pageSize": 200},
    ),
    relations=(of_project("services"),),
)

CONTACTS = Asset(
    kind="gcp.essentialcontacts.contact",
    title="Essential contact",
    types=("essentialcontacts.googleapis.com/Contact",),
    schema="essentialcontacts:v1:GoogleCloudEssentialcontactsV1Contact",
    name=("email", "name"),
    labels="",
    policy=False,
    rest=listed(
        "gcp.essentialcontacts.contact",
        "Essential contact",
        "GET essentialcontacts.googleapis.com/v1/projects/{project}/contacts",
        "contacts[]",
        "essentialcontacts.contacts.list",
    ),
    relations=(of_project("contacts"), of_organization("contacts")),
)

API_KEYS = Asset(
    kind="gcp.apikeys.key",
    title="API key",
    types=("apikeys.googleapis.com/Key",),
    schema="apikeys:v2:V2Key",
    name=("displayName", "{name!base}"),
    labels="",
    policy=False,
    drop=("keyString",),
    rest=listed(
        "gcp.apikeys.key",
        "API key",
        "GET apikeys.googleapis.com/v2/projects/{project}/locations/global/keys",
        "keys[]",
        "apikeys.keys.list",
    ),
)

SINKS = Asset(
    kind="gcp.logging.log_sink",
    title="Log sink",
    types=("logging.googleapis.com/LogSink",),
    schema="logging:v2:LogSink",
    labels="",
    policy=False,
    rest=listed(
        "gcp.logging.log_sink",
        "Log sink",
        f"{LOGGING}/sinks",
        "sinks[]",
        "logging.sinks.list",
        id="projects/{account}/sinks/{name}",
    ),
    relations=(
        of_project("log_sinks"),
        of_organization("log_sinks"),
        Relation(
            name="bucket",
            path="destination",
            to="gcp.storage.bucket",
            by="id",
            reverse="log_sinks",
            within="anywhere",
            matching=r"^storage\.googleapis\.com/(.+)$",
        ),
        Relation(
            name="log_bucket",
            path="destination",
            to="gcp.logging.log_bucket",
            by="id",
            reverse="log_sinks",
            within="anywhere",
            matching=r"^logging\.googleapis\.com/(.+)$",
        ),
    ),
)

LOG_METRICS = Asset(
    kind="gcp.logging.log_metric",
    title="Log-based metric",
    types=("logging.googleapis.com/LogMetric",),
    schema="logging:v2:LogMetric",
    labels="",
    policy=False,
    rest=listed(
        "gcp.logging.log_metric",
        "Log-based metric",
        f"{LOGGING}/metrics",
        "metrics[]",
        "logging.logMetrics.list",
        id="projects/{account}/metrics/{name}",
    ),
    relations=(of_project("log_metrics"),),
)

LOG_BUCKETS = Asset(
    kind="gcp.logging.log_bucket",
    title="Log bucket",
    types=("logging.googleapis.com/LogBucket",),
    schema="logging:v2:LogBucket",
    labels="",
    policy=False,
    rest=listed(
        "gcp.logging.log_bucket",
        "Log bucket",
        f"{LOGGING}/locations/-/buckets",
        "buckets[]",
        "logging.buckets.list",
        region="{name!location}",
    ),
    relations=(of_project("log_buckets"),),
)

ALERTS = Asset(
    kind="gcp.monitoring.alert_policy",
    title="Alert policy",
    types=("monitoring.googleapis.com/AlertPolicy",),
    schema="monitoring:v3:AlertPolicy",
    name=("displayName", "{name!base}"),
    labels="userLabels",
    policy=False,
    rest=listed(
        "gcp.monitoring.alert_policy",
        "Alert policy",
        f"{MONITORING}/alertPolicies",
        "alertPolicies[]",
        "monitoring.alertPolicies.list",
    ),
    relations=(
        of_project("alert_policies"),
        Relation(
            name="channels",
            path="notificationChannels[]",
            to="gcp.monitoring.notification_channel",
            by="id",
            reverse="alert_policies",
            within="account",
        ),
    ),
)

CHANNELS = Asset(
    kind="gcp.monitoring.notification_channel",
    title="Notification channel",
    types=("monitoring.googleapis.com/NotificationChannel",),
    schema="monitoring:v3:NotificationChannel",
    name=("displayName", "{name!base}"),
    labels="userLabels",
    policy=False,
    blank=("labels",),
    drop=("sensitiveLabels",),
    rest=listed(
        "gcp.monitoring.notification_channel",
        "Notification channel",
        f"{MONITORING}/notificationChannels",
        "notificationChannels[]",
        "monitoring.notificationChannels.list",
    ),
)

TABLES = (
    ORGANIZATIONS,
    FOLDERS,
    PROJECTS,
    BILLING,
    SERVICES,
    CONTACTS,
    API_KEYS,
    SINKS,
    LOG_METRICS,
    LOG_BUCKETS,
    ALERTS,
    CHANNELS,
)
