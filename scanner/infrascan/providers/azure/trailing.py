"""What was written to Azure: the Activity Log, which every subscription keeps for ninety days.

Read only when asked for: the entries of the last day. The columns that hold requests, claims and
addresses are not asked for, and dropped where they come all the same.
"""

from __future__ import annotations

from infrascan.providers.azure.tables import NEXT, SUBSCRIPTION
from infrascan.providers.rest.tables import Listing

COLUMNS = (
    *("caller", "category", "correlationId", "eventDataId", "eventName"),
    *("eventTimestamp", "level", "operationId", "operationName", "resourceGroupName"),
    *("resourceId", "resourceProviderName", "resourceType", "status", "subStatus"),
    *("submissionTimestamp", "subscriptionId"),
)
WORDS = (  # each {value, localizedValue}
    *("category", "eventName", "operationName", "status", "subStatus"),
    *("resourceProviderName", "resourceType"),
)

ACTIVITY = Listing(
    kind="azure.insights.activity",
    title="Write to Azure in the Activity Log",
    api=f"GET {SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values",
    params={
        "api-version": "2015-04-01",
        "$filter": "eventTimestamp ge '{day_ago_utc}' and eventTimestamp le '{now_utc}'",
        "$select": ",".join(COLUMNS),
    },
    items="value[]",
    paging=NEXT,
    id="{eventDataId}",
    name=("operationName.value", "eventDataId"),
    permission="Microsoft.Insights/eventtypes/values/Read",
    drop=(
        *("value[].properties", "value[].claims", "value[].authorization", "value[].httpRequest"),
        "value[].description",
    ),
    fields={name: {"value": {}, "localizedValue": {}} if name in WORDS else {} for name in COLUMNS},
    live=True,
)
TABLES = (ACTIVITY,)
