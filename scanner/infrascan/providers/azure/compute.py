"""Virtual machines and what they run on."""

from __future__ import annotations

from infrascan.providers.azure.tables import leads, metrics, row

MACHINE = "Microsoft.Compute/virtualMachines"

MACHINES = row(
    "compute.virtual_machine",
    "Virtual machine",
    MACHINE,
    details=(
        metrics(
            MACHINE,
            {"cpu": "Percentage CPU", "network_out": "Network Out Total"},
            aggregation="Average,Maximum,Total",
            when="properties.extended.instanceView.powerState.code=PowerState/running",
        ),
    ),
    relations=(
        leads(
            "network_interfaces",
            "properties.networkProfile.networkInterfaces[].id",
            "network.network_interface",
            reverse="virtual_machines",
        ),
        leads(
            "disks",
            "properties.storageProfile.osDisk.managedDisk.id",
            "compute.disk",
            reverse="virtual_machines",
        ),
        leads(
            "disks",
            "properties.storageProfile.dataDisks[].managedDisk.id",
            "compute.disk",
            reverse="virtual_machines",
        ),
        leads(
            "availability_set",
            "properties.availabilitySet.id",
            "compute.availability_set",
            reverse="virtual_machines",
        ),
        leads(
            "scale_set",
            "properties.virtualMachineScaleSet.id",
            "compute.virtual_machine_scale_set",
            reverse="virtual_machines",
        ),
        leads(
            "image",
            "properties.storageProfile.imageReference.id",
            "compute.image",
            reverse="virtual_machines",
        ),
    ),
    drop=(
        "properties.osProfile.customData",
        "properties.userData",
        "properties.osProfile.adminPassword",
    ),
)

EXTENSIONS = row(
    "compute.virtual_machine_extension",
    "Virtual machine extension",
    "Microsoft.Compute/virtualMachines/extensions",
    relations=(
        leads(
            "virtual_machine",
            "@id",
            "compute.virtual_machine",
            reverse="extensions",
            matching=r"^(.+)/[^/]+/[^/]+$",
        ),
    ),
    drop=("properties.settings", "properties.protectedSettings"),  # scripts, with what they hold
)

SCALE_SETS = row(
    "compute.virtual_machine_scale_set",
    "Virtual machine scale set",
    "Microsoft.Compute/virtualMachineScaleSets",
    details=(
        metrics(
            "Microsoft.Compute/virtualMachineScaleSets",
            {"cpu": "Percentage CPU"},
            aggregation="Average,Maximum",
        ),
    ),
    relations=(
        leads(
            "subnets",
            "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations[]"
            ".properties.ipConfigurations[].properties.subnet.id",
            "network.subnet",
            reverse="scale_sets",
        ),
        leads(
            "network_security_groups",
            "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations[]"
            ".properties.networkSecurityGroup.id",
            "network.network_security_group",
            reverse="scale_sets",
        ),
    ),
    drop=(
        "properties.virtualMachineProfile.osProfile.customData",
        "properties.virtualMachineProfile.osProfile.adminPassword",
        "properties.virtualMachineProfile.userData",
        "properties.virtualMachineProfile.extensionProfile.extensions[].properties.settings",
    ),
)

AVAILABILITY_SETS = row(
    "compute.availability_set", "Availability set", "Microsoft.Compute/availabilitySets"
)

DISKS = row("compute.disk", "Managed disk", "Microsoft.Compute/disks")

SNAPSHOTS = row(
    "compute.snapshot",
    "Disk snapshot",
    "Microsoft.Compute/snapshots",
    relations=(
        leads(
            "disk",
            "properties.creationData.sourceResourceId",
            "compute.disk",
            reverse="snapshots",
            missing="deleted_sources",
        ),
    ),
)

IMAGES = row("compute.image", "Machine image", "Microsoft.Compute/images")

TABLES = (MACHINES, EXTENSIONS, SCALE_SETS, AVAILABILITY_SETS, DISKS, SNAPSHOTS, IMAGES)
