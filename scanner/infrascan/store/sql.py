"""Read-only SQL over stored scans, in a DuckDB that can reach nothing else.

One SELECT at a time; no file but the tables of the scans asked for; no extension, no setting, no
network; bounded memory, time and answer. SQL of somebody else runs in a process of its own besides.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrascan.model import SEVERITIES, InputError
from infrascan.store.cells import cell
from infrascan.store.manifest import CorruptError, ScanInfo, opened, verified
from infrascan.store.scans import resolve, scans
from infrascan.store.views import SCANS, VIEWS, literal, quoted, select

STATEMENT_CHARACTERS = 100_000
ANSWER_CHARACTERS = 4_000_000
SEVERITY_COLUMNS = frozenset(severity.value for severity in SEVERITIES)
EXPLAINS = ("explain", "analyze")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one query may use."""

    rows: int = 1_000
    seconds: float = 20.0
    megabytes: int = 1_024
    threads: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The answer to a query, in JSON values. `notes` says what was cut or left out."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    notes: list[str]


def query(
    home: Path,
    statement: str,
    *,
    scan: str = "latest",
    untrusted: bool = False,
    limits: Limits | None = None,
) -> Rows:
    """Ask one scan, or `all` of them, a single SELECT. Raises `InputError`.

    Views: resources, edges, findings, unknowns, gaps, coverage, each with a column `scan`; and
    scans, with a row for every stored one.
    """
    if len(statement) > STATEMENT_CHARACTERS:
        raise InputError(f"a statement has at most {STATEMENT_CHARACTERS:,} characters")
    known = scans(home)
    chosen = [s for s in known if not s.problem] if scan == "all" else [resolve(home, scan)]
    notes = [f"scan {s.id} is left out: {s.problem}" for s in known if s.problem]
    sound: list[ScanInfo] = []
    for one in chosen:
        try:
            prove(one)
            sound.append(one)
        except CorruptError as error:
            if scan != "all":
                raise CorruptError(f"scan {one.id} cannot be used: {error}") from error
            notes.append(f"scan {one.id} is left out: {error}")
    if not sound:
        raise InputError(f"no scan that can be used is stored in {home}")
    limits = limits or Limits()
    job = {
        "statement": statement,
        "scans": [[one.id, str(one.path)] for one in sound],
        "rows": [list(described(one)) for one in known],
        "limits": [limits.rows, limits.seconds, limits.megabytes, limits.threads],
    }
    answer = elsewhere(job, limits) if untrusted else here(job)
    return Rows(
        columns=answer["columns"],
        rows=answer["rows"],
        truncated=answer["truncated"],
        notes=[*(notes if scan == "all" else ()), *answer["notes"]],
    )


def prove(scan: ScanInfo) -> None:
    for name, file in opened(scan.path)["tables"].items():
        verified(scan.path / f"{name}.parquet", file)


def described(scan: ScanInfo) -> Iterator[Any]:
    """A row of the view `scans`."""
    for name in SCANS:
        yield scan.severities.get(name, 0) if name in SEVERITY_COLUMNS else getattr(scan, name)


def here(job: Mapping[str, Any]) -> dict[str, Any]:
    """The answer, from this process."""
    import duckdb

    limits = Limits(
        **dict(zip(("rows", "seconds", "megabytes", "threads"), job["limits"], strict=True))
    )
    try:
        with locked_down(job, limits) as connection, deadline(connection, limits.seconds):
            statement = single(connection, job["statement"])
            return answer(connection.execute(statement), limits)
    except duckdb.InterruptException as error:
        raise InputError(f"the query took longer than {limits.seconds:g} s") from error
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise InputError(f"the query needs more than {limits.megabytes:,} MB") from error
    except duckdb.Error as error:
        raise InputError(words(str(error))) from error


def asked(scan: ScanInfo, statement: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a statement of our own, by name of column. Raises `CorruptError`."""
    import duckdb

    try:
        prove(scan)
        job = {"scans": [[scan.id, str(scan.path)]], "rows": []}
        with locked_down(job, Limits()) as connection:
            result = connection.execute(statement, list(parameters))
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except (CorruptError, duckdb.IOException) as error:
        raise CorruptError(f"scan {scan.id} cannot be used: {words(str(error))}") from error


@contextmanager
def locked_down(job: Mapping[str, Any], limits: Limits) -> Iterator[Any]:
    """A connection to the views of these scans, and to nothing else."""
    import duckdb

    # Both the file and the pattern that matches only it are asked for when a view is read.
    files = {
        path
        for _, folder in job["scans"]
        for name in VIEWS
        for path in (f"{folder}/{name}.parquet", f"{literal(folder)}/{name}.parquet")
    }
    settings: dict[str, Any] = {
        "memory_limit": f"{limits.megabytes}MB",
        "threads": str(limits.threads),
        "temp_directory": "",
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_persistent_secrets": "false",
        "preserve_insertion_order": "true",
        "secret_directory": "none",
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.execute(f"SET allowed_paths = [{', '.join(map(quoted, sorted(files)))}]")
        for name in VIEWS:
            connection.execute(f"CREATE VIEW {name} AS {select(name, job['scans'])}")
        columns = ", ".join(f"{name} {kind}" for name, kind in SCANS.items())
        connection.execute(f"CREATE TABLE scans ({columns})")
        marks = ", ".join("?" * len(SCANS))
        if job["rows"]:
            connection.executemany(f"INSERT INTO scans VALUES ({marks})", job["rows"])  # noqa: S608
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        # A WITH may hold a DELETE and passes for a SELECT.
        connection.execute("BEGIN TRANSACTION READ ONLY")
        yield connection


@contextmanager
def deadline(connection: Any, seconds: float) -> Iterator[None]:
    """Interrupt the connection when the time is up."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def single(connection: Any, text: str) -> Any:
    """The one statement in `text`, if it only reads. Raises `InputError`."""
    import duckdb

    statements = connection.extract_statements(text)
    if len(statements) != 1:
        raise InputError(f"one statement at a time, please: there are {len(statements)}")
    (statement,) = statements
    if statement.type == duckdb.StatementType.SELECT:
        return statement
    if statement.type == duckdb.StatementType.EXPLAIN:
        explained = statement.query.strip()
        for word in EXPLAINS:
            if explained[: len(word)].lower() == word:
                explained = explained[len(word) :].strip()
        inner = connection.extract_statements(explained)
        if len(inner) == 1 and inner[0].type == duckdb.StatementType.SELECT:
            return statement
    name = str(statement.type).rpartition(".")[2]
    raise InputError(
        f"stored scans are read-only: a {name} statement is refused; "
        "use SELECT, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"
    )


def answer(result: Any, limits: Limits) -> dict[str, Any]:
    """The rows as JSON values, as many as the limits allow."""
    columns = [column[0] for column in result.description or ()]
    rows: list[list[Any]] = []
    notes: list[str] = []
    size = 0
    while fetched := result.fetchmany(256):
        for row in fetched:
            values = [cell(value) for value in row]
            size += sum(len(str(value)) for value in values)
            if len(rows) == limits.rows:
                notes.append(f"there are more than {limits.rows:,} rows; these are the first")
            elif size > ANSWER_CHARACTERS:
                notes.append(f"there is more than {ANSWER_CHARACTERS:,} characters of rows")
            else:
                rows.append(values)
                continue
            return {"columns": columns, "rows": rows, "truncated": True, "notes": notes}
    return {"columns": columns, "rows": rows, "truncated": False, "notes": notes}


def words(said: str) -> str:
    """What DuckDB says, in one line."""
    if "pytz" in said:
        return "times with a zone cannot be shown; cast them: CAST(x AS VARCHAR)"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("LINE ", "^"))]
    return " ".join(kept or ["the query failed"])[:500]


# The child finds modules where this process found them, whatever the environment says.
CHILD = """
import json, sys
job = json.load(sys.stdin)
sys.path[:] = job["path"]
from infrascan.store.sql import serve
serve(job)
"""
GRACE_SECONDS = 5.0  # to start Python and load DuckDB, which takes 0.2 on an idle machine


def elsewhere(job: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """The answer, from a process that is bounded by the kernel and has no environment."""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", "-B", "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    ) as child:
        assert child.stdin
        assert child.stdout
        timer = threading.Timer(limits.seconds + GRACE_SECONDS, child.kill)
        timer.start()
        try:
            with child.stdin as pipe:
                pipe.write(json.dumps({**job, "path": sys.path}).encode())
            said = child.stdout.read(ANSWER_CHARACTERS * 8)
        except BrokenPipeError:
            said = b""
        finally:
            timer.cancel()
            child.kill()
    try:
        found: dict[str, Any] = json.loads(said)
    except ValueError as error:
        raise InputError(
            f"the query was stopped: it needs more than {limits.seconds:g} s"
            f" or {limits.megabytes:,} MB"
        ) from error
    if "error" in found:
        raise InputError(found["error"])
    return found


def serve(job: Mapping[str, Any]) -> None:
    """Answer one query on stdout, after giving up what a query does not need."""
    import resource

    _, seconds, megabytes, _ = job["limits"]
    bounds: Sequence[tuple[int, int]] = (
        (resource.RLIMIT_CPU, int(seconds * 2 + GRACE_SECONDS)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, (megabytes + 2_048) * 2**20),
    )
    for what, bound in bounds:
        resource.setrlimit(what, (bound, bound))
    try:
        said: dict[str, Any] = here(job)
    except InputError as error:
        said = {"error": str(error)}
    sys.stdout.write(json.dumps(said))
    sys.stdout.flush()
