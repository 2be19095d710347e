"""SQL reads the scans that were asked for, and reaches nothing else."""

from __future__ import annotations

import json
import resource
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from infrascan.model import InputError
from infrascan.store.manifest import CorruptError
from infrascan.store.scans import write
from infrascan.store.sql import Limits, Rows, query
from tests.store.estate import estate

TIGHT = Limits(rows=50, seconds=1.0, megabytes=200)
ROOMY = Limits(rows=50, seconds=60.0, megabytes=200)  # time enough to run out of memory
BOTH = pytest.mark.parametrize("untrusted", [False, True], ids=["here", "in a process"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("it's a [home]*") / "of ? mine"
    write(estate(60, id="older"), home)
    write(estate(120, id="newer"), home)
    return home


def ask(home: Path, statement: str, **more: Any) -> list[list[Any]]:
    return query(home, statement, **more).rows


@BOTH
def test_every_view_answers_with_the_rows_of_the_scan(home: Path, untrusted: bool) -> None:
    scan = estate(120)
    expected = {
        "resources": len(scan.resources),
        "edges": len(scan.edges),
        "findings": len(scan.findings),
        "unknowns": len(scan.unknowns),
        "gaps": len(scan.gaps),
        "coverage": len(scan.coverage),
        "scans": 2,
    }
    parts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in expected)
    assert dict(ask(home, parts, untrusted=untrusted)) == expected


def test_documents_are_searched_as_json(home: Path) -> None:
    (row,) = ask(
        home,
        "SELECT data->>'InstanceType', tags->>'team', metrics->'$.CPUUtilization.days', monthly_cost"
        " FROM resources WHERE data->>'InstanceId' = 'i-00000000000000003'",
    )
    found = next(r for r in estate(120).resources if r.id == "i-00000000000000003")
    assert row == [
        found.data["InstanceType"],
        found.data["tags"]["team"],
        "14",
        found.data["monthly_cost"],
    ]


def test_findings_join_their_resources(home: Path) -> None:
    (row,) = ask(
        home,
        "SELECT count(*), min(severity_rank), count(r.key) FROM findings f"
        " LEFT JOIN resources r ON r.key = f.resource",
    )
    count = len(estate(120).findings)
    assert row == [count, 0, count]


@BOTH
def test_all_scans_are_asked_at_once(home: Path, untrusted: bool) -> None:
    rows = ask(
        home,
        "SELECT scan, count(*) FROM resources GROUP BY 1 ORDER BY 1",
        scan="all",
        untrusted=untrusted,
    )
    assert rows == [["newer", 120], ["older", 60]]
    assert ask(home, "SELECT DISTINCT scan FROM resources", scan="old") == [["older"]]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "  select 1 ; ",
        "-- a remark\nSELECT 1",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "FROM findings LIMIT 1",
        "VALUES (1)",
        "DESCRIBE findings",
        "SHOW TABLES",
        "SUMMARIZE coverage",
        "EXPLAIN SELECT * FROM findings",
        "EXPLAIN ANALYZE SELECT * FROM findings",
    ],
)
def test_statements_that_only_read_are_answered(home: Path, statement: str) -> None:
    assert ask(home, statement)


REFUSED = [
    "",
    ";",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW findings",
    "CREATE TABLE x AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "INSERT INTO scans VALUES (1)",
    "UPDATE scans SET problem = ''",
    "DELETE FROM scans",
    "WITH d AS (DELETE FROM scans RETURNING id) SELECT * FROM d",
    "DROP VIEW findings",
    "ALTER TABLE scans ADD COLUMN x INT",
    "TRUNCATE scans",
    "COPY findings TO '/tmp/out.csv'",
    "COPY (SELECT 1) TO '{home}/scans/newer/manifest.json'",
    "COPY scans FROM '/etc/passwd'",
    "EXPORT DATABASE '/tmp/out'",
    "IMPORT DATABASE '/tmp/out'",
    "ATTACH '/tmp/other.db'",
    "ATTACH ':memory:' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL httpfs FROM 'http://127.0.0.1/'",
    "PRAGMA version",
    "PRAGMA enable_external_access=true",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET allowed_directories = ['/']",
    "SET VARIABLE x = 1",
    "RESET memory_limit",
    "CALL pragma_version()",
    "CALL enable_logging(storage='file', storage_path='/tmp/log')",
    "CHECKPOINT",
    "VACUUM",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "BEGIN",
    "USE memory",
    "CREATE SECRET (TYPE s3)",
    "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
    "EXPLAIN ANALYZE COPY findings TO '/tmp/out.csv'",
    "EXPLAIN ANALYZE DELETE FROM scans",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM read_json('{home}/scans/newer/manifest.json')",
    "SELECT * FROM read_text('{home}/scans/newer/manifest.json')",
    "SELECT * FROM read_parquet('{home}/scans/older/findings.parquet')",
    "SELECT * FROM read_parquet('{home}/scans/newer/../older/findings.parquet')",
    "SELECT * FROM read_parquet('{home}/scans/*/findings.parquet')",
    "SELECT * FROM parquet_metadata('{home}/scans/older/findings.parquet')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM '{home}/scans/older/findings.parquet'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_csv('http://127.0.0.1:{port}/x.csv')",
    "SELECT * FROM read_parquet('s3://bucket/x')",
    "SELECT getenv('HOME')",
    "SELECT * FROM query('DROP VIEW findings')",
    "SELECT * FROM query('SELECT 1; COPY findings TO ''/tmp/out.csv''')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('COPY scans TO ''/tmp/x'''))",
    "SELECT * FROM enable_logging()",
    "SELECT * FROM home",
    "SELECT * FROM job",
]


@BOTH
@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_not_a_read_of_the_scan_is_refused(
    home: Path, untrusted: bool, statement: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        place = str(home).replace("'", "''")
        text = statement.replace("{home}", place).replace("{port}", str(server.getsockname()[1]))
        with pytest.raises(InputError) as error:
            query(home, text, scan="newer", untrusted=untrusted, limits=TIGHT)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert str(error.value)
    assert "\n" not in str(error.value)
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_a_read_of_another_scan_would_have_worked_without_the_lock(home: Path) -> None:
    """The refusals above are not for a wrong path."""
    import duckdb

    place = str(home).replace("'", "''").replace("[", "[[]").replace("*", "[*]")
    place = place.replace("?", "[?]")
    with duckdb.connect() as connection:
        assert connection.execute(
            f"SELECT count(*) FROM read_parquet('{place}/scans/older/findings.parquet')"
        ).fetchall() != [(0,)]
        assert connection.execute(
            f"SELECT length(content) > 100 FROM read_text('{place}/scans/newer/manifest.json')"
        ).fetchall() == [(True,)]


@BOTH
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT count(*) FROM range(1000000000000) a", "longer than 1 s"),
        ("SELECT count(*) FROM resources a, resources b, resources c, resources d, resources e",
         "longer than 1 s"),
        ("SELECT list(range) FROM range(1000000000)", "more than 200 MB"),
        ("SELECT a.data || b.data || c.data FROM resources a, resources b, resources c ORDER BY 1",
         "more than 200 MB"),
    ],
)  # fmt: skip
def test_time_and_memory_are_bounded(
    home: Path, untrusted: bool, statement: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        query(home, statement, untrusted=untrusted, limits=ROOMY if "MB" in said else TIGHT)


def test_a_process_that_takes_too_much_is_ended(home: Path) -> None:
    with pytest.raises(InputError, match=r"more than|stopped"):
        query(home, "SELECT repeat('x', 3000000000)", untrusted=True, limits=TIGHT)


def test_a_process_does_not_inherit_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert ask(home, "SELECT 1", untrusted=True) == [[1]]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@BOTH
def test_rows_beyond_the_limit_are_cut_and_that_is_said(home: Path, untrusted: bool) -> None:
    found = query(home, "SELECT * FROM range(10000000000)", untrusted=untrusted, limits=TIGHT)
    assert found.rows == [[number] for number in range(50)]
    assert found.truncated
    assert found.notes == ["there are more than 50 rows; these are the first"]
    exactly = query(home, "SELECT * FROM range(50)", untrusted=untrusted, limits=TIGHT)
    assert not exactly.truncated


@BOTH
def test_an_answer_that_is_too_wide_is_cut_and_that_is_said(home: Path, untrusted: bool) -> None:
    wide = Limits(rows=1000)
    found = query(
        home, "SELECT repeat('x', 500000) FROM range(100)", untrusted=untrusted, limits=wide
    )
    assert found.truncated
    assert len(found.rows) == 8
    assert "characters" in found.notes[0]


@BOTH
def test_values_are_json(home: Path, untrusted: bool) -> None:
    statement = (
        "SELECT 1::HUGEINT, 1.5::DECIMAL(4,2), DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04:05',"
        " INTERVAL 90 SECOND, 'NaN'::DOUBLE, NULL, true, [1, 2], {'a': 'b'}, MAP {'k': 1},"
        " '\\x01'::BLOB, uuid() IS NOT NULL, '{\"a\": 1}'::JSON"
    )
    found = query(home, statement, untrusted=untrusted)
    assert json.loads(json.dumps(found.rows)) == [
        [1, 1.5, "2026-01-02", "2026-01-02T03:04:05", 90.0, "nan", None, True, [1, 2], {"a": "b"},
         {"k": 1}, "01", True, '{"a": 1}']
    ]  # fmt: skip


@BOTH
def test_the_secrets_of_the_users_own_duckdb_are_not_seen(home: Path, untrusted: bool) -> None:
    assert ask(home, "SELECT * FROM duckdb_secrets()", untrusted=untrusted) == []


def test_a_mistake_is_one_line_that_names_it(home: Path) -> None:
    with pytest.raises(InputError, match='Referenced column "severty" not found') as error:
        query(home, "SELECT severty FROM findings")
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"cast them: CAST\(x AS VARCHAR\)"):
        query(home, "SELECT now()")


def test_queries_from_several_threads_do_not_disturb_each_other(home: Path) -> None:
    found: list[Rows] = []
    threads = [
        threading.Thread(target=lambda: found.append(query(home, "SELECT count(*) FROM resources")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [rows.rows for rows in found] == [[[120]]] * 6


def test_a_damaged_scan_is_refused_and_left_out_of_all_with_a_note(tmp_path: Path) -> None:
    write(estate(20, id="whole"), tmp_path)
    hurt = write(estate(20, id="hurt"), tmp_path) / "findings.parquet"
    content = bytearray(hurt.read_bytes())
    content[len(content) // 2] ^= 1
    hurt.write_bytes(content)
    with pytest.raises(CorruptError, match="scan hurt cannot be used"):
        query(tmp_path, "SELECT 1", scan="hurt")
    everything = query(tmp_path, "SELECT DISTINCT scan FROM resources", scan="all")
    assert everything.rows == [["whole"]]
    assert "scan hurt is left out" in everything.notes[0]


def test_an_empty_home_is_one_line(tmp_path: Path) -> None:
    for scan in ("latest", "all"):
        with pytest.raises(InputError, match="is stored in"):
            query(tmp_path, "SELECT 1", scan=scan)
