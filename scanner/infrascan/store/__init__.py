"""Scans on disk: written once, read by anyone, compared, and asked in SQL.

Nothing here renders, and nothing here calls a provider.
"""

from infrascan.store.archive import latest, prune, read, resolve, scans, write
from infrascan.store.disk import home
from infrascan.store.journal import Journal
from infrascan.store.manifest import CorruptError, ScanInfo

__all__ = [
    "CorruptError",
    "Journal",
    "ScanInfo",
    "home",
    "latest",
    "prune",
    "read",
    "resolve",
    "scans",
    "write",
]
