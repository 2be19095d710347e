"""Each call fails in turn, in each way, and what was not read is said."""

from __future__ import annotations

import pytest

from infrascan.providers.azure import TABLES
from infrascan.providers.azure.tables import GRAPH
from tests.providers.azure.estate import opened
from tests.providers.rest_faults import FAULTS, Case, cases, check
from tests.servers.azure import AzureServer
from tests.servers.rest import Request

# Every kind of the graph is read by the same call: three stand for them.
GRAPHED = {"azure.compute.disk", "azure.network.subnet", "azure.storage.storage_account"}
# Where logs go and how busy a thing is are read alike everywhere: one kind stands for each.
ALIKE = {
    "diagnostic_settings": "azure.keyvault.vault",
    "metrics": "azure.compute.virtual_machine",
}


def stands(case: Case) -> bool:
    if case.api == GRAPH:
        return case.listing.kind in GRAPHED
    return all(ALIKE.get(field, case.listing.kind) == case.listing.kind for field in case.fields)


MATRIX = [case for case in cases(TABLES) if stands(case)]


def is_call(request: Request, api: str) -> bool:
    return request.match(api.partition("?")[0]) is not None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_call_is_said(fault: str, server: AzureServer):
    for case in MATRIX:
        check(opened(), server.rest, case, fault, is_call)


def test_the_matrix_has_every_detail():
    said = {(case.listing.kind, field) for case in MATRIX for field in case.fields}
    for listing in TABLES:
        for detail in listing.details:
            assert (ALIKE.get(detail.field, listing.kind), detail.field) in said


def test_a_case_names_its_call():
    assert all(isinstance(case, Case) and str(case) for case in MATRIX)
