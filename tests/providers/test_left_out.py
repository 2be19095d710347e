"""When an answer without its list is an empty list, and when it is a fault."""

from __future__ import annotations

from typing import Any

import pytest

from infrascan.collect.provider import Call
from infrascan.model import ReadError, Reason
from infrascan.providers.rest.calling import items
from infrascan.providers.rest.tables import NULL, Optional

CALL = Call(provider="x", account="", region="", api="GET /apps")


@pytest.mark.parametrize(
    ("answer", "optional", "total"),
    [
        ({"apps": []}, False, ""),
        ({}, True, ""),
        ({"kind": "appList"}, True, ""),
        ({"meta": {"total": 0}}, True, "meta.total"),
        ({"meta": {}, "links": {}}, True, "meta.total"),  # vendors leave a zero out
        ({"apps": None, "meta": {"total": 0}}, True, "meta.total"),
        ({"apps": None}, NULL, ""),
        ({"apps": None, "Warnings": None}, NULL, ""),
        ({}, NULL, ""),
    ],
)
def test_there_are_none(answer: Any, optional: Optional, total: str) -> None:
    assert items(CALL, answer, "apps[]", optional=optional, total=total) == []


@pytest.mark.parametrize(
    ("answer", "optional", "total"),
    [
        ({}, False, ""),
        ({"apps": None}, False, ""),
        ({"apps": {}}, False, ""),
        (None, True, ""),
        ([], True, ""),
        ({"ok": True}, True, "meta.total"),
        ({"meta": {"total": 3}}, True, "meta.total"),
        ({"apps": None, "meta": {"total": 3}}, True, "meta.total"),
        ({"ok": True}, NULL, ""),
        ("apps", NULL, ""),
    ],
)
def test_it_cannot_be_told(answer: Any, optional: Optional, total: str) -> None:
    with pytest.raises(ReadError) as caught:
        items(CALL, answer, "apps[]", optional=optional, total=total)
    assert caught.value.reason is Reason.MALFORMED
