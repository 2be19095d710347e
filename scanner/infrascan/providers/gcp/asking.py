"""How the services themselves are asked, where the inventory does not answer. Tables only."""

from __future__ import annotations

from typing import Any

from infrascan.providers.gcp.tables import PAGED
from infrascan.providers.rest.tables import ONE_PAGE, Detail, Listing, Paging, Parent

COMPUTE = "GET compute.googleapis.com/compute/v1/projects/{project}"


def compute(
    kind: str, title: str, collection: str, permission: str, *, aggregated: bool = True
) -> Listing:
    """The list of a collection of Compute Engine: of all places at once, or a global one."""
    place = "aggregated" if aggregated else "global"
    return Listing(
        kind=kind,
        title=title,
        api=f"{COMPUTE}/{place}/{collection}",
        params={"maxResults": 500},
        items="items[]",
        optional=not aggregated,
        paging=PAGED,
        id="{selfLink!address}",
        name=("name",),
        region="{zone|region|!base}" if aggregated else "",
        permission=permission,
    )


def listed(
    kind: str,
    title: str,
    api: str,
    items: str,
    permission: str,
    *,
    id: str = "{name}",
    paging: Paging = PAGED,
    params: dict[str, Any] | None = None,
    region: str = "",
    parents: tuple[Parent, ...] = (),
    details: tuple[Detail, ...] = (),
    adds: dict[str, str] | None = None,
) -> Listing:
    """The list of any other service, which leaves `items` out when there are none."""
    return Listing(
        kind=kind,
        title=title,
        api=api,
        items=items,
        optional=True,
        params=params or {},
        paging=paging,
        id=id,
        name=("{name!base}",),
        region=region,
        permission=permission,
        parents=parents,
        details=details,
        adds=adds or {},
    )


__all__ = ["COMPUTE", "ONE_PAGE", "PAGED", "Detail", "Parent", "compute", "listed"]
