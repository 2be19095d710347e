"""Amazon Web Services: tables that say what to read, and one module that calls AWS."""

from __future__ import annotations

from collections.abc import Mapping

from infrascan.providers.aws import (
    balancing,
    compute,
    containers,
    ec2,
    edge,
    iam,
    keys,
    messaging,
    network,
    rds,
    s3,
    storage,
    watching,
)
from infrascan.providers.aws.tables import Listing

TABLES: tuple[Listing, ...] = (
    *ec2.TABLES,
    *network.TABLES,
    *s3.TABLES,
    *rds.TABLES,
    *iam.TABLES,
    *compute.TABLES,
    *balancing.TABLES,
    *containers.TABLES,
    *keys.TABLES,
    *messaging.TABLES,
    *storage.TABLES,
    *watching.TABLES,
    *edge.TABLES,
)

LISTINGS: Mapping[str, Listing] = {listing.kind: listing for listing in TABLES}
