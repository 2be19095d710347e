"""Rows to a Parquet file and back, a bounded number of them in memory at a time.

The only module that imports pyarrow, and only once it is asked to: that alone takes a tenth of a
second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from infrascan.store.records import decoded

# A row group ends at either; both bound the memory of writing and of reading.
ROWS = 10_000
CHARACTERS = 4_000_000

# Text that is not valid Unicode cannot be put in a column. The column then holds the nearest text
# that is, and `exact` holds, as JSON, what was there.
EXACT = "exact"

Row = tuple[Any, ...]


def loaded() -> None:
    """Import pyarrow ahead of the first use: it takes a tenth of a second."""
    import pyarrow.parquet  # noqa: F401


def schema(columns: Mapping[str, str]) -> Any:
    import pyarrow as pa

    types = {
        "word": pa.string(),
        "text": pa.string(),
        "number": pa.float64(),
        "count": pa.int64(),
        "flag": pa.bool_(),
    }
    fields = [pa.field(name, types[kind]) for name, kind in columns.items()]
    return pa.schema([*fields, pa.field(EXACT, pa.string())])


def store(path: Path, columns: Mapping[str, str], rows: Iterable[Row]) -> int:
    """Write the rows to a new file and return how many there were."""
    import pyarrow.parquet as pq

    words: Any = [name for name, kind in columns.items() if kind == "word"]
    shape = schema(columns)
    total = 0
    with pq.ParquetWriter(path, shape, compression="zstd", use_dictionary=words) as writer:
        for group in groups(rows):
            writer.write_batch(batch(group, shape), row_group_size=ROWS)
            total += len(group)
    return total


def groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    size = 0
    for row in rows:
        group.append(row)
        size += sum(len(value) for value in row if isinstance(value, str))
        if len(group) == ROWS or size > CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def batch(rows: list[Row], shape: Any) -> Any:
    import pyarrow as pa

    columns: list[Any] = [*zip(*rows, strict=True), [None] * len(rows)]
    try:
        arrays = [pa.array(c, field.type) for c, field in zip(columns, shape, strict=True)]
    except UnicodeEncodeError:
        columns = [*zip(*(repaired(row, shape.names) for row in rows), strict=True)]
        arrays = [pa.array(c, field.type) for c, field in zip(columns, shape, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=shape)


def repaired(row: Row, names: list[str]) -> Row:
    """The row in valid Unicode, and what that changed as the last column."""
    valid = [unicode(value) if isinstance(value, str) else value for value in row]
    changed = {n: was for n, was, now in zip(names, row, valid, strict=False) if was != now}
    # Doubly encoded: half a surrogate pair is written as an escape, which is valid Unicode.
    return (*valid, ascii_json(changed) if changed else None)


def unicode(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def ascii_json(value: Mapping[str, Any]) -> str:
    import json

    return json.dumps(value)


def stored(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a file, read a row group at a time.

    Raises what pyarrow raises, and `KeyError` for a file that lacks a column.
    """
    import pyarrow.parquet as pq

    names = list(columns)
    words = [name for name, kind in columns.items() if kind == "word"]
    with pq.ParquetFile(path, read_dictionary=words) as file:
        present = set(file.schema_arrow.names)
        if missing := [name for name in [*names, EXACT] if name not in present]:
            raise KeyError(", ".join(missing))
        for group in file.iter_batches(batch_size=ROWS, columns=[*names, EXACT], use_threads=False):
            exact = group.column(EXACT)
            rows = zip(*(values(group.column(name)) for name in names), strict=True)
            if exact.null_count == len(exact):
                yield from rows
            else:
                yield from restored(rows, exact.to_pylist(), names)


def values(column: Any) -> list[Any]:
    """The column as Python values; a word that repeats is one string in memory."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        listed: list[Any] = column.to_pylist()
        return listed
    words = column.dictionary.to_pylist()
    return [None if at is None else words[at] for at in column.indices.to_pylist()]


def restored(rows: Iterable[Row], exact: list[str | None], names: list[str]) -> Iterator[Row]:
    for row, changed in zip(rows, exact, strict=True):
        if changed is None:
            yield row
        else:
            was = decoded(changed)
            yield tuple(was.get(name, value) for name, value in zip(names, row, strict=True))
