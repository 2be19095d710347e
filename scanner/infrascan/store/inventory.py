"""The resources of two scans, matched by key: in memory, or in DuckDB over their tables.

Both ways answer the same; the second does not bring the documents that did not change into memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from infrascan.model import Scan
from infrascan.store.ledger import Place
from infrascan.store.records import decoded
from infrascan.store.tables import kept
from infrascan.store.views import table

# Parts of a document that move by themselves, whoever does nothing.
RESTLESS = frozenset(
    {
        "managedFields",
        "resourceVersion",
        "observedGeneration",
        "lastHeartbeatTime",
        "lastProbeTime",
        "renewTime",
    }
)
PLAIN = re.compile(r"[A-Za-z0-9_$:@ -]+")
AT_ONCE = 100_000  # changed documents in memory


class Seen(NamedTuple):
    """A resource without its document."""

    key: str
    name: str
    place: Place
    unread: frozenset[str]


class Altered(NamedTuple):
    """A resource in both scans, with what differs: path, value before, value after."""

    seen: Seen
    paths: tuple[tuple[str, Any, Any], ...]
    lost: frozenset[str]  # fields that were read before and are not now


class Compared(NamedTuple):
    removed: list[Seen]
    added: list[Seen]
    altered: list[Altered]
    same: int


class Inventories(Protocol):
    """Two scans' resources."""

    def compared(self) -> Compared: ...
    def before(self, keys: Collection[str]) -> Mapping[str, Seen]: ...
    def after(self, keys: Collection[str]) -> Mapping[str, Seen]: ...


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each path at which two documents differ, with both values; None where there is none."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            was, now = before.get(name), after.get(name)
            if name not in RESTLESS and (was != now or (name in before) != (name in after)):
                yield from differences(was, now, step(path, name))
    elif isinstance(before, list) and isinstance(after, list):
        for at in range(max(len(before), len(after))):
            was = before[at] if at < len(before) else None
            now = after[at] if at < len(after) else None
            if not same(was, now) or at >= min(len(before), len(after)):
                yield from differences(was, now, f"{path}[{at}]")
    else:
        yield path, before, after


def same(before: Any, after: Any) -> bool:
    return type(before) is type(after) and bool(before == after)


def step(path: str, name: str) -> str:
    if not PLAIN.fullmatch(name):
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def altered(
    seen: Seen, before: Mapping[str, Any], after: Mapping[str, Any], was_unread: Collection[str]
) -> Altered | None:
    """What differs in two documents, fields that either side did not read left out."""
    blind = seen.unread.union(was_unread)
    paths = tuple(
        differences(
            {name: value for name, value in before.items() if name not in blind},
            {name: value for name, value in after.items() if name not in blind},
        )
    )
    lost = seen.unread.difference(was_unread)
    return Altered(seen, paths, lost) if paths or lost else None


class InMemory:
    """Two scans that are at hand."""

    def __init__(self, before: Scan, after: Scan) -> None:
        self.was = {resource.key: resource for resource in before.resources}
        self.now = {resource.key: resource for resource in after.resources}

    def before(self, keys: Collection[str]) -> Mapping[str, Seen]:
        return {key: seen(self.was[key]) for key in keys if key in self.was}

    def after(self, keys: Collection[str]) -> Mapping[str, Seen]:
        return {key: seen(self.now[key]) for key in keys if key in self.now}

    def compared(self) -> Compared:
        removed = [seen(r) for key, r in self.was.items() if key not in self.now]
        added = [seen(r) for key, r in self.now.items() if key not in self.was]
        changed = []
        both = 0
        for key, now in self.now.items():
            if was := self.was.get(key):
                both += 1
                found = altered(seen(now), kept(was.data), kept(now.data), was.unread)
                if found:
                    changed.append(found)
        return Compared(
            sorted(removed), sorted(added), sorted(changed, key=by_key), both - len(changed)
        )


def seen(resource: Any) -> Seen:
    place = Place(resource.provider, resource.account, resource.region, resource.kind)
    return Seen(resource.key, resource.name, place, frozenset(resource.unread))


def by_key(change: Altered) -> str:
    return change.seen.key


COLUMNS = "key, name, provider, account, region, kind, unread"


class OnDisk:
    """Two stored scans, given by their folders."""

    def __init__(self, before: Path, after: Path) -> None:
        self.tables = table(str(before), "resources"), table(str(after), "resources")

    def before(self, keys: Collection[str]) -> Mapping[str, Seen]:
        return self.chosen(self.tables[0], keys)

    def after(self, keys: Collection[str]) -> Mapping[str, Seen]:
        return self.chosen(self.tables[1], keys)

    def chosen(self, table: str, keys: Collection[str]) -> Mapping[str, Seen]:
        if not keys:
            return {}
        with connection() as db:
            wanted(db, keys)
            rows = db.execute(f"SELECT {COLUMNS} FROM {table} t SEMI JOIN wanted USING (key)")  # noqa: S608
            return {row[0]: seen_row(row) for row in fetched(rows)}

    def compared(self) -> Compared:
        was, now = self.tables
        with connection() as db:
            db.execute(
                "CREATE TEMP TABLE matched AS SELECT key, w.digest AS was, n.digest AS now,"  # noqa: S608
                " w.digest = n.digest AND w.unread IS NOT DISTINCT FROM n.unread AS same"
                f" FROM {was} w FULL JOIN {now} n USING (key)"
            )
            (same,) = db.execute("SELECT count(*) FROM matched WHERE same").fetchone()
            gone = keys(db, "now IS NULL")
            come = keys(db, "was IS NULL")
            touched = keys(db, "NOT same AND was IS NOT NULL AND now IS NOT NULL")
            changed = [found for some in chunks(touched) for found in self.altered(db, some)]
        return Compared(
            sorted(self.before(gone).values()),
            sorted(self.after(come).values()),
            changed,
            same + len(touched) - len(changed),
        )

    def altered(self, db: Any, keys: Sequence[str]) -> Iterator[Altered]:
        was, now = self.tables
        wanted(db, keys)
        rows = db.execute(
            f"SELECT {', '.join('n.' + name for name in COLUMNS.split(', '))},"  # noqa: S608
            f" w.data, n.data, w.unread"
            f" FROM (SELECT * FROM {was} t SEMI JOIN wanted USING (key)) w"
            f" JOIN (SELECT * FROM {now} t SEMI JOIN wanted USING (key)) n USING (key)"
            " ORDER BY key"
        )
        for *row, before, after, was_unread in fetched(rows):
            names = decoded(was_unread) if was_unread else ()
            if found := altered(seen_row(row), decoded(before), decoded(after), names):
                yield found


def keys(db: Any, condition: str) -> list[str]:
    found = db.execute(f"SELECT key FROM matched WHERE {condition} ORDER BY key")  # noqa: S608
    return [row[0] for row in fetched(found)]


def connection() -> Any:
    import duckdb

    return duckdb.connect(":memory:", config={"temp_directory": "", "threads": 2})


def wanted(db: Any, keys: Iterable[str]) -> None:
    """A table of these keys, by the name `wanted`."""
    import pyarrow as pa

    db.register("keys", pa.table({"key": pa.array(list(keys), pa.string())}))
    db.execute("CREATE OR REPLACE TEMP TABLE wanted AS SELECT key FROM keys")
    db.unregister("keys")


def fetched(result: Any) -> Iterator[Any]:
    while rows := result.fetchmany(5_000):
        yield from rows


def seen_row(row: Sequence[Any]) -> Seen:
    key, name, provider, account, region, kind, unread = row
    names = frozenset(decoded(unread)) if unread else frozenset[str]()
    return Seen(key, name, Place(provider, account, region, kind), names)


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    remaining = iter(keys)
    while some := list(islice(remaining, AT_ONCE)):
        yield some
