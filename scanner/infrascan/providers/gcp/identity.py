"""Who may do what: service accounts and their keys, roles, federation; encryption keys, secrets."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import Parent, listed
from infrascan.providers.gcp.tables import PAGED, Asset, Metric, key

IAM = "GET iam.googleapis.com/v1/projects/{project}"
KMS = "GET cloudkms.googleapis.com/v1/projects/{project}/locations"

ACCOUNTS = Asset(
    kind="gcp.iam.service_account",
    title="Service account",
    types=("iam.googleapis.com/ServiceAccount",),
    schema="iam:v1:ServiceAccount",
    id="projects/{account}/serviceAccounts/{email}",
    name=("email",),
    labels="",
    rest=listed(
        "gcp.iam.service_account",
        "Service account",
        f"{IAM}/serviceAccounts",
        "accounts[]",
        "iam.serviceAccounts.list",
        id="projects/{account}/serviceAccounts/{email}",
        params={"pageSize": 100},
    ),
    relations=(
        Relation(
            name="project",
            path="@account",
            to="gcp.cloudresourcemanager.project",
            by="projectId",
            reverse="service_accounts",
            within="account",
        ),
    ),
    metrics=(
        Metric(
            name="sign_ins",
            type="iam.googleapis.com/service_account/authn_events_count",
            resource="iam_service_account",
            by="resource.unique_id",
            match="{uniqueId}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
            days=40,
        ),
    ),
)

ACCOUNT_KEYS = Asset(
    kind="gcp.iam.service_account_key",
    title="Service account key",
    types=("iam.googleapis.com/ServiceAccountKey",),
    schema="iam:v1:ServiceAccountKey",
    id="{name}",
    labels="",
    policy=False,
    adds={"service_account_key": {}, "key_id": {}},
    drop=("privateKeyData", "publicKeyData"),
    rest=listed(
        "gcp.iam.service_account_key",
        "Service account key",
        f"{IAM}/serviceAccounts/{{email}}/keys",
        "keys[]",
        "iam.serviceAccountKeys.list",
        parents=(
            Parent(
                api=f"{IAM}/serviceAccounts",
                items="accounts[]",
                gives={"email": "email"},
                params={"pageSize": 100},
                paging=PAGED,
                optional=True,
                permission="iam.serviceAccounts.list",
            ),
        ),
    ),
    relations=(
        Relation(
            name="service_account",
            path="service_account_key",
            to="gcp.iam.service_account",
            by="uniqueId",
            reverse="keys",
            within="account",
        ),
        Relation(
            name="service_account",
            path="service_account_key",
            to="gcp.iam.service_account",
            by="email",
            reverse="keys",
            within="account",
        ),
    ),
    metrics=(
        Metric(
            name="sign_ins",
            type="iam.googleapis.com/service_account/key/authn_events_count",
            resource="iam_service_account",
            by="metric.key_id",
            match="{key_id}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
            days=40,
        ),
    ),
)

ROLES = Asset(
    kind="gcp.iam.role",
    title="Custom role",
    types=("iam.googleapis.com/Role",),
    schema="iam:v1:Role",
    name=("title", "{name!base}"),
    labels="",
    policy=False,
    rest=listed(
        "gcp.iam.role",
        "Custom role",
        f"{IAM}/roles",
        "roles[]",
        "iam.roles.list",
        params={"view": "FULL"},
    ),
)

PROVIDERS = Asset(
    kind="gcp.iam.workload_identity_pool_provider",
    title="Workload identity provider",
    types=("iam.googleapis.com/WorkloadIdentityPoolProvider",),
    schema="iam:v1:WorkloadIdentityPoolProvider",
    labels="",
    policy=False,
)

RINGS = Asset(
    kind="gcp.cloudkms.key_ring",
    title="KMS key ring",
    types=("cloudkms.googleapis.com/KeyRing",),
    schema="cloudkms:v1:KeyRing",
    labels="",
    rest=listed(
        "gcp.cloudkms.key_ring",
        "KMS key ring",
        f"{KMS}/{{location}}/keyRings",
        "keyRings[]",
        "cloudkms.keyRings.list",
        region="{name!location}",
        parents=(
            Parent(
                api=KMS,
                items="locations[]",
                gives={"location": "locationId"},
                paging=PAGED,
                permission="cloudkms.locations.list",
            ),
        ),
    ),
)

KEYS = Asset(
    kind="gcp.cloudkms.crypto_key",
    title="KMS key",
    types=("cloudkms.googleapis.com/CryptoKey",),
    schema="cloudkms:v1:CryptoKey",
    rest=listed(
        "gcp.cloudkms.crypto_key",
        "KMS key",
        f"{KMS}/{{location}}/keyRings/{{ring}}/cryptoKeys",
        "cryptoKeys[]",
        "cloudkms.cryptoKeys.list",
        region="{name!location}",
        parents=(
            Parent(
                api=KMS,
                items="locations[]",
                gives={"location": "locationId"},
                paging=PAGED,
                permission="cloudkms.locations.list",
            ),
            Parent(
                api=f"{KMS}/{{location}}/keyRings",
                items="keyRings[]",
                gives={"ring_name": "name"},
                paging=PAGED,
                optional=True,
                permission="cloudkms.keyRings.list",
            ),
        ),
        params={"ring": "{ring_name!base}"},
    ),
    relations=(
        Relation(
            name="key_ring",
            path="name",
            to="gcp.cloudkms.key_ring",
            by="id",
            reverse="keys",
            within="account",
            matching=r"^(projects/[^/]+/locations/[^/]+/keyRings/[^/]+)",
        ),
    ),
)

KEY_VERSIONS = Asset(
    kind="gcp.cloudkms.crypto_key_version",
    title="KMS key version",
    types=("cloudkms.googleapis.com/CryptoKeyVersion",),
    schema="cloudkms:v1:CryptoKeyVersion",
    labels="",
    policy=False,
    relations=(
        Relation(
            name="key",
            path="name",
            to="gcp.cloudkms.crypto_key",
            by="id",
            reverse="versions",
            within="account",
            matching=r"^(projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+)",
        ),
    ),
)

SECRETS = Asset(
    kind="gcp.secretmanager.secret",
    title="Secret",
    types=("secretmanager.googleapis.com/Secret",),
    schema="secretmanager:v1:Secret",
    leaves="secrets of a region",
    rest=listed(
        "gcp.secretmanager.secret",
        "Secret",
        "GET secretmanager.googleapis.com/v1/projects/{project}/secrets",
        "secrets[]",
        "secretmanager.secrets.list",
    ),
    relations=(key("replication.automatic.customerManagedEncryption.kmsKeyName", "secrets"),),
)

SECRET_VERSIONS = Asset(
    kind="gcp.secretmanager.secret_version",
    title="Secret version",
    types=("secretmanager.googleapis.com/SecretVersion",),
    schema="secretmanager:v1:SecretVersion",
    labels="",
    policy=False,
    relations=(
        Relation(
            name="secret",
            path="name",
            to="gcp.secretmanager.secret",
            by="id",
            reverse="versions",
            within="account",
            matching=r"^(projects/[^/]+/secrets/[^/]+)",
        ),
    ),
)

TABLES = (
    ACCOUNTS,
    ACCOUNT_KEYS,
    ROLES,
    PROVIDERS,
    RINGS,
    KEYS,
    KEY_VERSIONS,
    SECRETS,
    SECRET_VERSIONS,
)
