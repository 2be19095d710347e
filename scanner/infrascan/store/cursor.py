"""Cursors: opaque marks of where the next page of an answer begins.

A cursor names its scan and the filters it was made for, so that it cannot continue another answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from infrascan.model import InputError


def following(scan: str, filters: Mapping[str, str], start: int, rows: int, total: int) -> str:
    """The cursor of the next page, or "" after the last."""
    if start + rows >= total or not rows:
        return ""
    content = json.dumps([scan, fingerprint(filters), start + rows])
    return base64.urlsafe_b64encode(content.encode()).decode()


def offset(cursor: str, scan: str, filters: Mapping[str, str]) -> int:
    if not cursor:
        return 0
    of, print_, start = decoded(cursor)
    if of != scan or print_ != fingerprint(filters):
        raise InputError("this cursor belongs to another question; ask again without it")
    return start


def decoded(cursor: str) -> tuple[str, str, int]:
    try:
        of, print_, start = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError) as error:
        raise InputError("this is not a cursor of an earlier answer") from error
    if not isinstance(of, str) or not isinstance(start, int) or start < 0:
        raise InputError("this is not a cursor of an earlier answer")
    return of, print_, start


def fingerprint(filters: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(filters, sort_keys=True).encode()).hexdigest()[:12]
