"""IAM: users, groups, roles and policies, and the account itself.

One call gives identities with their policies, so nothing is asked per user or role.
"""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.aws.tables import MARKER, UNREAD, Batch, Detail, Listing


def attached(reverse: str) -> Relation:
    """The managed policies attached to an identity."""
    return Relation(
        name="policies",
        path="AttachedManagedPolicies[].PolicyArn",
        to="aws.iam.policy",
        by="id",
        reverse=reverse,
        within="account",
    )


USERS = Listing(
    kind="aws.iam.user",
    title="IAM user",
    service="iam",
    operation="GetAccountAuthorizationDetails",
    items="UserDetailList[]",
    params={"Filter": ["User"], "MaxItems": 500},
    paging=MARKER,
    regional=False,
    id="{Arn}",
    name=("UserName",),
    tags="Tags",
    details=(
        Batch(
            field="credentials",
            operation="GetCredentialReport",
            prepare="GenerateCredentialReport",
            result="Content",
            csv=True,
            by="user",
            match="{UserName}",
            otherwise=UNREAD,  # the report may be four hours older than the user
        ),
        Detail(
            field="mfa_devices",
            operation="ListMFADevices",
            params={"UserName": "{UserName}"},
            result="MFADevices[]",
            paging=MARKER,
        ),
    ),
    relations=(
        attached("users"),
        Relation(
            name="groups",
            path="GroupList[]",
            to="aws.iam.group",
            by="name",
            reverse="users",
            within="account",
        ),
    ),
)

GROUPS = Listing(
    kind="aws.iam.group",
    title="IAM group",
    service="iam",
    operation="GetAccountAuthorizationDetails",
    items="GroupDetailList[]",
    params={"Filter": ["Group"], "MaxItems": 500},
    paging=MARKER,
    regional=False,
    id="{Arn}",
    name=("GroupName",),
    relations=(attached("groups"),),
)

ROLES = Listing(
    kind="aws.iam.role",
    title="IAM role",
    service="iam",
    operation="GetAccountAuthorizationDetails",
    items="RoleDetailList[]",
    params={"Filter": ["Role"], "MaxItems": 500},
    paging=MARKER,
    regional=False,
    id="{Arn}",
    name=("RoleName",),
    tags="Tags",
    relations=(
        attached("roles"),
        Relation(
            name="boundary",
            path="PermissionsBoundary.PermissionsBoundaryArn",
            to="aws.iam.policy",
            by="id",
            reverse="bounded_roles",
            within="account",
        ),
    ),
)

POLICIES = Listing(
    kind="aws.iam.policy",
    title="IAM policy",
    service="iam",
    operation="GetAccountAuthorizationDetails",
    items="Policies[]",
    params={"Filter": ["LocalManagedPolicy"], "MaxItems": 500},
    paging=MARKER,
    regional=False,
    id="{Arn}",
    name=("PolicyName",),
)

ACCOUNT = Listing(
    kind="aws.account",
    title="AWS account",
    service="iam",
    regional=False,
    id="arn:{partition}:iam::{account}:root",
    name=("AccountId",),
    adds={"AccountId": "{account}"},
    details=(
        Detail(field="summary", operation="GetAccountSummary", result="SummaryMap"),
        Detail(
            field="password_policy",
            operation="GetAccountPasswordPolicy",
            result="PasswordPolicy",
            absent=("NoSuchEntity",),
        ),
        Detail(
            field="aliases",
            operation="ListAccountAliases",
            result="AccountAliases[]",
            paging=MARKER,
        ),
        Batch(
            field="root",
            operation="GetCredentialReport",
            prepare="GenerateCredentialReport",
            result="Content",
            csv=True,
            by="user",
            match="<root_account>",
            otherwise=UNREAD,
        ),
        Detail(
            field="virtual_mfa_devices",
            operation="ListVirtualMFADevices",
            params={"AssignmentStatus": "Assigned"},
            result="VirtualMFADevices[]",
            paging=MARKER,
        ),
        Detail(
            field="public_access_block",
            service="s3control",
            operation="GetPublicAccessBlock",
            params={"AccountId": "{account}"},
            result="PublicAccessBlockConfiguration",
            needs="PublicAccessBlockConfiguration.BlockPublicAcls",
            absent=("NoSuchPublicAccessBlockConfiguration",),
            permission="s3:GetAccountPublicAccessBlock",
        ),
        Detail(
            field="security_contact",
            service="account",
            operation="GetAlternateContact",
            params={"AlternateContactType": "SECURITY"},
            result="AlternateContact",
            absent=("ResourceNotFoundException",),
        ),
    ),
)

TABLES = (ACCOUNT, USERS, GROUPS, ROLES, POLICIES)
