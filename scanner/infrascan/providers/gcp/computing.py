"""Compute Engine's machines, their disks, images and groups."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import COMPUTE, compute
from infrascan.providers.gcp.tables import Asset, Metric, account, address, key
from infrascan.providers.rest.tables import Listing

CPU = "compute.googleapis.com/instance/cpu/utilization"
NETWORK = "compute.googleapis.com/instance/network/{}_bytes_count"

INSTANCES = Asset(
    kind="gcp.compute.instance",
    title="Compute Engine instance",
    types=("compute.googleapis.com/Instance",),
    schema="compute:v1:Instance",
    rest=compute(
        "gcp.compute.instance", "Compute Engine instance", "instances", "compute.instances.list"
    ),
    adds={
        "network_tags": {"[]": {}},
        "firewall_keys": {"[]": {}},
        "node_pool_key": {},
        "created_by": {},
    },
    drop=("disks[].diskEncryptionKey.rawKey", "disks[].diskEncryptionKey.rsaEncryptedKey"),
    blank=("metadata.items",),
    metrics=(
        Metric(
            name="cpu",
            type=CPU,
            resource="gce_instance",
            by="resource.instance_id",
            match="{id}",
            aligners=("ALIGN_MEAN", "ALIGN_MAX"),
        ),
        Metric(
            name="network_in",
            type=NETWORK.format("received"),
            resource="gce_instance",
            by="resource.instance_id",
            match="{id}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
        Metric(
            name="network_out",
            type=NETWORK.format("sent"),
            resource="gce_instance",
            by="resource.instance_id",
            match="{id}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
    ),
    recommenders=(
        "google.compute.instance.IdleResourceRecommender",
        "google.compute.instance.MachineTypeRecommender",
    ),
    relations=(
        address("attached_disks", "disks[].source", "gcp.compute.disk", "instances"),
        address(
            "networks",
            "networkInterfaces[].network",
            "gcp.compute.network",
            "instances",
            shared=True,
        ),
        address(
            "subnetworks",
            "networkInterfaces[].subnetwork",
            "gcp.compute.subnetwork",
            "instances",
            shared=True,
        ),
        Relation(
            name="firewalls",
            path="firewall_keys[]",
            to="gcp.compute.firewall",
            by="applies_to[]",
            reverse="instances",
            within="anywhere",
        ),
        Relation(
            name="addresses",
            path="networkInterfaces[].accessConfigs[].natIP",
            to="gcp.compute.address",
            by="address",
            reverse="instances",
            within="anywhere",
        ),
        account("serviceAccounts[].email", "instances", name="service_accounts"),
        Relation(
            name="group",
            path="created_by",
            to="gcp.compute.instance_group_manager",
            by="group_key",
            reverse="instances",
            within="account",
            matching=r"((?:zones|regions)/[^/]+/instanceGroupManagers/[^/]+)$",
        ),
        Relation(
            name="node_pool",
            path="node_pool_key",
            to="gcp.container.node_pool",
            by="node_pool_key",
            reverse="instances",
            within="account",
        ),
    ),
)

DISKS = Asset(
    kind="gcp.compute.disk",
    title="Compute Engine disk",
    types=("compute.googleapis.com/Disk", "compute.googleapis.com/RegionDisk"),
    schema="compute:v1:Disk",
    rest=compute("gcp.compute.disk", "Compute Engine disk", "disks", "compute.disks.list"),
    drop=("diskEncryptionKey.rawKey", "diskEncryptionKey.rsaEncryptedKey"),
    recommenders=("google.compute.disk.IdleResourceRecommender",),
    relations=(
        address("source_snapshot", "sourceSnapshot", "gcp.compute.snapshot", "disks"),
        address("source_image", "sourceImage", "gcp.compute.image", "disks"),
        address("snapshot_schedules", "resourcePolicies[]", "gcp.compute.resource_policy", "disks"),
        key("diskEncryptionKey.kmsKeyName", "disks"),
    ),
)

SNAPSHOTS = Asset(
    kind="gcp.compute.snapshot",
    title="Disk snapshot",
    types=("compute.googleapis.com/Snapshot",),
    schema="compute:v1:Snapshot",
    rest=compute(
        "gcp.compute.snapshot",
        "Disk snapshot",
        "snapshots",
        "compute.snapshots.list",
        aggregated=False,
    ),
    drop=("snapshotEncryptionKey.rawKey", "sourceDiskEncryptionKey.rawKey"),
    relations=(
        address(
            "source_disk", "sourceDisk", "gcp.compute.disk", "snapshots", "dangling_source_disk"
        ),
        key("snapshotEncryptionKey.kmsKeyName", "snapshots"),
    ),
)

IMAGES = Asset(
    kind="gcp.compute.image",
    title="Machine image",
    types=("compute.googleapis.com/Image",),
    schema="compute:v1:Image",
    rest=compute(
        "gcp.compute.image", "Machine image", "images", "compute.images.list", aggregated=False
    ),
    drop=("imageEncryptionKey.rawKey", "sourceDiskEncryptionKey.rawKey"),
    recommenders=("google.compute.image.IdleResourceRecommender",),
    relations=(
        address("source_disk", "sourceDisk", "gcp.compute.disk", "images"),
        key("imageEncryptionKey.kmsKeyName", "images"),
    ),
)

TEMPLATES = Asset(
    kind="gcp.compute.instance_template",
    title="Instance template",
    types=("compute.googleapis.com/InstanceTemplate",),
    schema="compute:v1:InstanceTemplate",
    labels="properties.labels",
    policy=False,
    rest=compute(
        "gcp.compute.instance_template",
        "Instance template",
        "instanceTemplates",
        "compute.instanceTemplates.list",
    ),
    blank=("properties.metadata.items",),
    relations=(
        account("properties.serviceAccounts[].email", "templates", name="service_accounts"),
        address("networks", "properties.networkInterfaces[].network", "gcp.compute.network"),
    ),
)

GROUPS = Asset(
    kind="gcp.compute.instance_group_manager",
    title="Managed instance group",
    types=("compute.googleapis.com/InstanceGroupManager",),
    schema="compute:v1:InstanceGroupManager",
    policy=False,
    adds={"group_key": {}, "instance_group_id": {}},
    rest=compute(
        "gcp.compute.instance_group_manager",
        "Managed instance group",
        "instanceGroupManagers",
        "compute.instanceGroupManagers.list",
    ),
    relations=(
        address("template", "instanceTemplate", "gcp.compute.instance_template", "groups"),
        address("health_checks", "autoHealingPolicies[].healthCheck", "gcp.compute.health_check"),
    ),
)

AUTOSCALERS = Asset(
    kind="gcp.compute.autoscaler",
    title="Autoscaler",
    types=("compute.googleapis.com/Autoscaler",),
    schema="compute:v1:Autoscaler",
    policy=False,
    rest=compute("gcp.compute.autoscaler", "Autoscaler", "autoscalers", "compute.autoscalers.list"),
    relations=(address("group", "target", "gcp.compute.instance_group_manager", "autoscalers"),),
)

POLICIES = Asset(
    kind="gcp.compute.resource_policy",
    title="Snapshot or start schedule",
    types=("compute.googleapis.com/ResourcePolicy",),
    schema="compute:v1:ResourcePolicy",
    policy=False,
    rest=compute(
        "gcp.compute.resource_policy",
        "Snapshot or start schedule",
        "resourcePolicies",
        "compute.resourcePolicies.list",
    ),
)

COMMITMENTS = Asset(
    kind="gcp.compute.commitment",
    title="Committed use",
    types=("compute.googleapis.com/Commitment",),
    schema="compute:v1:Commitment",
    policy=False,
    rest=compute(
        "gcp.compute.commitment", "Committed use", "commitments", "compute.commitments.list"
    ),
)

PROJECT = Asset(
    kind="gcp.compute.project",
    title="Compute Engine settings of a project",
    types=("compute.googleapis.com/Project",),
    schema="compute:v1:Project",
    id="projects/{account}",
    policy=False,
    blank=("commonInstanceMetadata.items",),
    rest=Listing(
        kind="gcp.compute.project",
        title="Compute Engine settings of a project",
        api=COMPUTE,
        id="projects/{account}",
        name=("name",),
        permission="compute.projects.get",
    ),
    relations=(
        Relation(
            name="project",
            path="name",
            to="gcp.cloudresourcemanager.project",
            by="projectId",
            reverse="compute",
            within="account",
        ),
        Relation(
            name="instances",
            path="@account",
            to="gcp.compute.instance",
            by="@account",
            reverse="compute_project",
            within="account",
        ),
    ),
)

TABLES = (
    INSTANCES,
    DISKS,
    SNAPSHOTS,
    IMAGES,
    TEMPLATES,
    GROUPS,
    AUTOSCALERS,
    POLICIES,
    COMMITMENTS,
    PROJECT,
)
