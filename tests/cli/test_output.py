"""Where results go: folders, pipes and full disks; and what is never mixed in."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.command import (
    CLEAN,
    COVERAGE,
    ESCAPE,
    FINDINGS,
    INTERRUPTED,
    USAGE,
    Command,
    ended,
    squeezed,
)
from tests.servers.kubernetes import ApiServer, Fault

K8S = ("run", "--providers", "k8s")
NAME = "Zürich 東京"


@pytest.fixture
def cluster(k8s: Callable[..., ApiServer]) -> ApiServer:
    return k8s()


def test_without_options_there_are_a_summary_a_page_and_a_text(
    infrascan: Command, cluster: ApiServer
):
    done = infrascan("run")
    assert (done.code, done.complaints) == (CLEAN, [])
    assert "infrascan-report/report.html" in done.out
    folder = infrascan.folder / "infrascan-report"
    assert {path.name for path in folder.iterdir()} == {"report.html", "report.md"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert ESCAPE not in done.out + done.err


def test_quiet_says_nothing_when_all_is_well(infrascan: Command, cluster: ApiServer):
    done = infrascan(*K8S, "--quiet")
    assert (done.code, done.out, done.err) == (CLEAN, "", "")
    assert (infrascan.folder / "infrascan-report" / "report.html").exists()


def test_json_on_standard_output_is_json_and_nothing_else(infrascan: Command, cluster: ApiServer):
    done = infrascan(*K8S, "--format", "json", "--output", "-")
    assert done.code == CLEAN
    assert done.json["findings"]
    assert done.complaints == []
    assert not (infrascan.folder / "infrascan-report").exists()
    both = infrascan(*K8S, "--format", "json", "--format", "terminal", "--output", "-")
    assert both.json["findings"]
    assert "Coverage" in both.err


def test_each_format_is_a_file_of_its_kind(infrascan: Command, cluster: ApiServer):
    done = infrascan(*K8S, "--format", "sarif,junit,csv", "--output", "a/b")
    assert done.code == CLEAN
    folder = infrascan.folder / "a" / "b"
    assert json.loads((folder / "report.sarif").read_text())["version"] == "2.1.0"
    assert ElementTree.parse(folder / "report.junit.xml").getroot().tag == "testsuites"
    rows = list(csv.DictReader(io.StringIO((folder / "report.csv").read_text())))
    assert rows
    for name in ("report.sarif", "report.junit.xml", "report.csv"):
        assert f"wrote a/b/{name}" in done.err


def test_json_logs_are_json_to_the_last_line(infrascan: Command, k8s: Callable[..., ApiServer]):
    k8s(faults=[Fault("/api/v1/pods", "403")])
    for more in ([], ["--format", "csv", "--min-coverage", "100"]):
        done = infrascan(*K8S, "--json-logs", *more)
        events = [json.loads(line) for line in done.err.splitlines()]
        assert {"planned", "partition", "call_failed"} <= {event["event"] for event in events}
        assert all(event["time"].endswith("Z") for event in events)
    assert "--min-coverage asks for 100" in events[-1]["text"]


def test_the_gates_decide_the_exit_code(infrascan: Command, k8s: Callable[..., ApiServer]):
    server = k8s()
    worst = {f["severity"] for f in infrascan(*K8S, "--format", "json", "--output", "-").json["findings"]}  # fmt: skip
    assert "critical" in worst or "high" in worst
    assert infrascan(*K8S, "-q", "--fail-on", "high").code == FINDINGS
    passing = ("--fail-on", "info", "--severity", "critical", "--category", "cost")
    assert infrascan(*K8S, "-q", *passing, "--min-coverage", "50").code == CLEAN
    server.faults.append(Fault("/apis?/(.*/)?v1/[a-z]+[?]", "403"))
    done = infrascan(*K8S, "-q", "--min-coverage", "90%")
    assert done.code == COVERAGE
    assert "--min-coverage asks for 90" in done.complaint


def test_filters_choose_the_rules(infrascan: Command, cluster: ApiServer):
    words = ("--format", "json", "--output", "-")
    some = infrascan(*K8S, "--category", "cost", "--category", "reliability", *words).json
    assert {rule["category"] for rule in some["rules"]} == {"cost", "reliability"}
    worse = infrascan(*K8S, "--severity", "high", *words).json
    assert {rule["severity"] for rule in worse["rules"]} == {"critical", "high"}


@pytest.mark.parametrize(
    "words", [("rules", "list", "--json"), ("run", "--format", "json", "--output", "-")]
)
def test_a_reader_that_has_seen_enough_is_no_fault(
    infrascan: Command, cluster: ApiServer, words: tuple[str, ...]
):
    with infrascan.start(*words) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.stdout.close()
        process.stdout = None
        done = ended(process)
    assert (done.code, done.complaints) == (CLEAN, [])


def test_standard_output_that_is_full_is_one_line(infrascan: Command, cluster: ApiServer):
    for words in (("rules", "list"), ("--help",), ("run", "--format", "json", "--output", "-")):
        with Path("/dev/full").open("w") as full:
            done = infrascan(*words, stdout=full)
        assert done.code == USAGE
        assert "standard output" in done.complaint
    (scan,) = infrascan("scans", "--json").json
    assert f"infrascan report {scan['id']} --output DIR" in done.complaint


def test_standard_output_that_is_closed_is_no_fault(infrascan: Command, cluster: ApiServer):
    for words in (("rules", "list"), K8S, (*K8S, "--format", "json", "--output", "-")):
        done = infrascan(*words, stdout=None, preexec_fn=lambda: os.close(1))
        assert done.code in (CLEAN, USAGE)
        assert len([line for line in done.complaints if "rules" not in line]) <= 1


@pytest.mark.parametrize(
    "env",
    [{"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}],
)
def test_names_of_any_script_pass_through_a_narrow_terminal(
    infrascan: Command, cluster: ApiServer, env: dict[str, str]
):
    done = infrascan(*K8S, env=env)
    assert done.code == CLEAN
    query = "select data from resources where kind = 'k8s.pod'"
    stored = infrascan("sql", query, "--json", env=env)
    assert NAME in stored.out or NAME in json.dumps(stored.json, ensure_ascii=False)
    assert infrascan("sql", query, env=env).code == CLEAN


def on_terminal(infrascan: Command, *words: str, **env: str) -> tuple[int, str]:
    """Run on a terminal; returns the exit code and all that was shown."""
    mine, theirs = pty.openpty()
    with infrascan.start(*words, env=env, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(mine, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        process.wait(60)
    os.close(mine)
    return process.returncode, shown.decode()


def test_colours_are_for_terminals_that_want_them(infrascan: Command, cluster: ApiServer):
    code, shown = on_terminal(infrascan, *K8S, TERM="xterm-256color")
    assert code == CLEAN
    assert f"{ESCAPE}[" in shown
    assert shown.count(f"{ESCAPE}[?25l") == shown.count(f"{ESCAPE}[?25h")  # the cursor is back
    code, shown = on_terminal(infrascan, *K8S, TERM="xterm-256color", NO_COLOR="1")
    assert code == CLEAN
    assert f"{ESCAPE}[3" not in shown
    code, shown = on_terminal(infrascan, *K8S, TERM="dumb")
    assert code == CLEAN
    assert ESCAPE not in shown


def test_an_output_that_cannot_be_written_is_said_before_the_scan(
    infrascan: Command, cluster: ApiServer
):
    (infrascan.folder / "file").write_text("mine")
    for place in ("file", "file/below", "/proc/reports", "x" * 300):
        done = infrascan("run", "--output", place)
        assert done.code == USAGE
        assert done.complaint.startswith(f"infrascan: --output {place}: ")
        assert done.complaint.endswith("name a folder that can be written")
    assert cluster.requests == []
    assert (infrascan.folder / "file").read_text() == "mine"


def test_a_home_that_cannot_be_written_is_said_before_the_scan(
    infrascan: Command, cluster: ApiServer
):
    (infrascan.folder / "file").write_text("mine")
    for place in (infrascan.folder / "file", infrascan.folder / "file" / "below", "/proc/home"):
        done = infrascan("run", env={"INFRASCAN_HOME": str(place)})
        assert done.code == USAGE
        assert str(place) in done.complaint
        assert "INFRASCAN_HOME" in done.complaint
    assert cluster.requests == []


def test_a_report_that_does_not_fit_leaves_the_old_one_and_says_how_to_get_it(
    infrascan: Command, cluster: ApiServer
):
    folder = infrascan.folder / "infrascan-report"
    folder.mkdir()
    (folder / "report.html").write_text("the old one")
    done = squeezed(infrascan, 60_000, "run", "--format", "html")
    assert done.code == USAGE
    (scan,) = infrascan("scans", "--json").json
    assert "infrascan-report/report.html could not be written" in done.complaint
    assert f"infrascan report {scan['id']} --output DIR" in done.complaint
    assert [path.name for path in folder.iterdir()] == ["report.html"]
    assert (folder / "report.html").read_text() == "the old one"
    again = infrascan("report", scan["id"], "--output", "elsewhere")
    assert again.code == CLEAN
    assert (infrascan.folder / "elsewhere" / "report.html").stat().st_size > 60_000


def test_a_scan_that_cannot_be_stored_is_reported_all_the_same_and_can_be_resumed(
    infrascan: Command, cluster: ApiServer
):
    words = (*K8S, "--format", "csv")
    done = squeezed(infrascan, 16_000, *words)
    assert done.code == USAGE
    assert "cannot store the scan" in done.complaint
    assert done.complaint.endswith("then the same command with --resume stores it")
    assert (infrascan.folder / "infrascan-report" / "report.csv").exists()
    assert infrascan("scans", "--json").json == []
    assert not list((infrascan.kept / "scans").glob(".*"))
    cluster.requests.clear()
    assert infrascan(*words, "--resume").code == CLEAN
    assert len(infrascan("scans", "--json").json) == 1
    assert not any("/pods" in request.path for request in cluster.requests)


def test_a_disk_that_is_full_from_the_start_ends_in_a_line_for_each_thing_that_is_lost(
    infrascan: Command, cluster: ApiServer
):
    done = squeezed(infrascan, 1_000, *K8S, "--format", "csv")
    assert done.code == USAGE
    journal, store, report = done.complaints
    assert "the scan goes on, but could not be resumed" in journal
    assert "cannot store the scan" in store
    assert "report.csv could not be written" in report
    assert "is stored" not in done.err


def test_ctrl_c_before_anything_began_is_silent(infrascan: Command, cluster: ApiServer):
    """In the middle of starting up there is nothing to keep."""
    import signal
    import time

    for delay in (0.05, 0.15, 0.3):
        with infrascan.start(*K8S, stderr=subprocess.PIPE) as process:
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        # A fast machine may be through before the signal: then it is simply done.
        assert process.returncode in (0, INTERRUPTED, -signal.SIGINT, COVERAGE)
        if process.returncode == INTERRUPTED:
            assert "Traceback" not in err
