"""KMS keys, Secrets Manager secrets and ACM certificates."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import NEXT_MARKER, Detail, Listing

KEYS = Listing(
    kind="aws.kms.key",
    title="KMS key",
    service="kms",
    operation="ListKeys",
    items="Keys[]",
    params={"Limit": 1000},
    paging=NEXT_MARKER,
    id="{KeyArn}",
    name=("tags.Name", "KeyId"),
    details=(
        Detail(
            field="",
            operation="DescribeKey",
            params={"KeyId": "{KeyId}"},
            result="KeyMetadata",
        ),
        Detail(
            field="rotation",
            operation="GetKeyRotationStatus",
            needs="KeyRotationEnabled",
            params={"KeyId": "{KeyId}"},
            absent=("UnsupportedOperationException",),
            when="KeyManager=CUSTOMER",
        ),
        Detail(
            field="policy",
            operation="GetKeyPolicy",
            params={"KeyId": "{KeyId}", "PolicyName": "default"},
            result="Policy",
            documents=("",),
        ),
        Detail(
            field="tags",
            operation="ListResourceTags",
            params={"KeyId": "{KeyId}"},
            result="Tags[]",
            paging=NEXT_MARKER,
            when="KeyManager=CUSTOMER",
        ),
    ),
)

SECRETS = Listing(
    kind="aws.secretsmanager.secret",
    title="Secrets Manager secret",
    service="secretsmanager",
    operation="ListSecrets",
    items="SecretList[]",
    params={"MaxResults": 100},
    id="{ARN}",
    name=("Name",),
    tags="Tags",
    details=(
        Detail(
            field="policy",
            operation="GetResourcePolicy",
            params={"SecretId": "{ARN}"},
            result="ResourcePolicy",
            optional=True,
            documents=("",),
        ),
    ),
    relations=(
        Relation(name="kms_key", path="KmsKeyId", to="aws.kms.key", by="id", reverse="secrets"),
        Relation(
            name="rotation_function",
            path="RotationLambdaARN",
            to="aws.lambda.function",
            by="id",
            reverse="rotates",
        ),
    ),
)

CERTIFICATES = Listing(
    kind="aws.acm.certificate",
    title="ACM certificate",
    service="acm",
    operation="ListCertificates",
    items="CertificateSummaryList[]",
    params={
        # Without this filter only RSA 2048 certificates are listed.
        "Includes": {
            "keyTypes": [
                "RSA_1024",
                "RSA_2048",
                "RSA_3072",
                "RSA_4096",
                "EC_prime256v1",
                "EC_secp384r1",
                "EC_secp521r1",
            ]
        },
        "MaxItems": 100,
    },
    id="{CertificateArn}",
    name=("DomainName", "CertificateArn"),
    details=(
        Detail(
            field="",
            operation="DescribeCertificate",
            params={"CertificateArn": "{CertificateArn}"},
            result="Certificate",
        ),
        Detail(
            field="tags",
            operation="ListTagsForCertificate",
            params={"CertificateArn": "{CertificateArn}"},
            result="Tags",
            optional=True,
        ),
    ),
)

TABLES = (KEYS, SECRETS, CERTIFICATES)
