"""Nothing leaks: secrets of every known form, in every text of every answer, are in no output.

The demo estate's answers are given to the scan as if they came over the network, with a canary in
each text in turn. What was kept of them then goes through every door; all of it is searched.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import trio
import trio.testing
from mcp import Client

from infrascan import cli, redact
from infrascan.collect.engine import Collection
from infrascan.collect.recording import Recorder, Replay, lines
from infrascan.mcp_server.workspace import Options
from infrascan.pipeline import DEMO, manifest, replayed
from infrascan.providers import PROVIDERS, load
from infrascan.render import FORMATS
from infrascan.shipped import shipped
from infrascan.store.journal import Journal, whole_records
from tests.mcp_server.conftest import in_process
from tests.promises.canaries import FORMS, PASSES, SIGN, Planted, planted, texts
from tests.servers import minds
from tests.servers.models import ModelServer

OPENAI = "openai/gpt-5.4"
QUESTIONS = (
    "which pods are failing?",
    "list s3 buckets",
    "which deployments run now?",
    "list docker containers",
    "what changed in the last 24 hours?",
    "which certificates expire soon?",
    "list lambda functions",
    f"why does {FORMS['github-classic']} fail? password={FORMS['slack-bot']}",
)


@pytest.fixture(scope="module")
def demo() -> Replay:
    return Replay.open(shipped("estates") / DEMO)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_secret_in_any_text_of_any_answer_is_taken_out(provider: str, demo: Replay):
    sown = 0
    for turn, line in enumerate(lines(demo.folder / f"answers-{provider}.jsonl.gz")):
        answer = planted(line.get("answer"), turn, every=1)
        sown += sum(SIGN in text for text in texts(answer))
        for text in texts(redact.scrub(answer)):
            clean(line["api"], text)
    assert sown > 300


@dataclass
class Estate:
    """What one pass left: a recording, a home, and all that was printed."""

    folder: Path
    number: int  # of the pass
    server: ModelServer = field(init=False)
    planted: Counter[str] = field(default_factory=Counter)
    out: io.TextIOWrapper = field(
        default_factory=lambda: io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    )

    @property
    def recording(self) -> Path:
        return self.folder / DEMO

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def run(self, *words: str | Path) -> int:
        """A command, in this process; what it prints is kept."""
        said = redirect_stdout(self.out), redirect_stderr(self.out)
        with said[0], said[1], pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        return int(ended.value.code or 0)

    @property
    def printed(self) -> str:
        assert isinstance(self.out.buffer, io.BytesIO)
        return self.out.buffer.getvalue().decode()

    def kept(self) -> Iterator[tuple[str, str]]:
        """Every file below the folder as text, whatever its form."""
        for path in sorted(self.folder.rglob("*")):
            if path.suffix == ".parquet":
                yield str(path), repr(pyarrow.parquet.read_table(path).to_pylist())
            elif path.suffix == ".gz":
                yield str(path), gzip.decompress(path.read_bytes()).decode()
            elif path.suffix == ".sqlite":
                with closing(sqlite3.connect(path)) as database:
                    yield str(path), "\n".join(database.iterdump())
            elif path.is_file():
                yield str(path), path.read_text("utf-8", errors="replace")


@pytest.fixture(scope="module", params=range(PASSES))
def estate(
    request: pytest.FixtureRequest, demo: Replay, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Estate]:
    """The demo estate, read as if live with canaries in its answers, recorded and journalled."""
    made = Estate(tmp_path_factory.mktemp("planted"), request.param)
    selection = replayed(demo)
    names = demo.manifest["providers"]
    providers = [Planted(load(name)(selection), demo, request.param) for name in names]
    recorder = Recorder.create(made.recording, manifest(selection, names))
    journal = Journal.begin(made.home, {"pass": request.param}, resume=False, about={})
    collection = Collection(providers=providers, recorder=recorder, sink=journal, live=True)
    try:
        trio.run(collection.run, clock=trio.testing.MockClock(autojump_threshold=0))
    finally:
        recorder.close()
        journal.leave()
    made.planted.update({provider.name: provider.texts for provider in providers})
    with pytest.MonkeyPatch.context() as patch, ModelServer(minds.honest) as server:
        made.server = server
        for name, value in server.environment("openai").items():
            patch.setenv(name, value)
        patch.setenv("INFRASCAN_HOME", str(made.home))
        patch.setattr("infrascan.mcp_server.workspace.shipped", lambda _: made.folder)
        patch.setattr("infrascan.mcp_server.toolsets.research.shipped", lambda _: made.folder)
        formats = ("--format", ",".join(sorted(FORMATS)), "--output", made.folder / "out")
        model = ("--model", OPENAI, "--max-tokens", "60000") if request.param else ()
        code = made.run("run", "--replay", made.recording, "--json-logs", *model, *formats)
        assert code == cli.CLEAN
        yield made


# The doors read what was stored, which every pass searches; going through them takes time.
ONE_PASS = pytest.mark.parametrize("estate", [PASSES - 1], indirect=True)


def clean(what: str, text: str) -> None:
    place = text.casefold().find(SIGN[:10])
    assert place < 0, f"{what}: {text[max(0, place - 200) : place + 80]}"


def test_every_provider_was_given_some(estate: Estate):
    assert set(estate.planted) == set(PROVIDERS)
    assert sum(estate.planted.values()) > 10_000


def test_no_recording_and_no_journal_holds_any(estate: Estate):
    (path,) = (estate.home / "journals").iterdir()
    records = [record for record, _ in whole_records(path)]
    assert len(records) > 300
    for record in records:
        clean("the journal", json.dumps(record, ensure_ascii=False))
    for name, text in estate.kept():
        clean(name, text)


def test_no_report_log_store_bundle_and_no_notification_holds_any(estate: Estate):
    assert estate.run("verify", estate.folder / "out" / "report.json", "--json") == 0
    told = f"file:{estate.folder / 'told.jsonl'}"
    watching = ("--replay", estate.recording, "--once", "--on", "info", "--notify", told)
    if estate.number == PASSES - 1:  # it scans once more
        assert estate.run("watch", *watching) == 0
        assert (estate.folder / "told.jsonl").stat().st_size > 1_000
    assert {path.suffix for path in (estate.folder / "out").iterdir()} >= {".html", ".json", ".csv"}
    unpacked = list(packed((estate.folder / "out" / "report.html").read_text()))
    assert unpacked
    for text in unpacked:
        clean("the packed part of the page", text)
    for name, text in estate.kept():
        clean(name, text)
    clean("what was printed", estate.printed)


def packed(page: str) -> Iterator[str]:
    """The compressed blocks of an HTML report."""
    for block in re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", page):
        try:
            yield zlib.decompress(base64.b64decode(block)).decode()
        except (ValueError, zlib.error):
            continue


@ONE_PASS
def test_no_answer_and_no_history_holds_any(estate: Estate):
    for question in QUESTIONS:
        assert estate.run("ask", "--replay", estate.recording, "--json", question) == 0
    estate.run("why", "--replay", estate.recording, "checkout-api", "--json")
    estate.run("timeline", "--replay", estate.recording, "--json")
    assert estate.run("history", "--json") == 0
    said = estate.printed
    assert '"status": "answered"' in said or '"status": "partial"' in said
    clean("what was printed", said)
    for name, text in estate.kept():
        clean(name, text)


@ONE_PASS
def test_no_answer_over_mcp_holds_any(estate: Estate):
    secrets = list(FORMS.values())

    async def work(client: Client) -> list[str]:
        said: list[str] = []

        async def call(name: str, **arguments: Any) -> Any:
            found = await client.call_tool(name, arguments)
            said.append(found.model_dump_json())
            return found.structured_content or {}

        await call("deep_research", demo=True, providers=["docker", "hetzner"], limit=50)
        await call("why", resource="checkout-api", scan="latest")
        for question in (*QUESTIONS[:2], f"list docker containers {FORMS['github-classic']}"):
            await call("route_question", question=question)
        found = await call("get_findings", limit=30)
        assert "findings" in found, said[-1]
        for one in found["findings"][:5]:
            await call("explain_finding", finding=one["id"])
        for sql in ("SELECT * FROM resources LIMIT 200", "SELECT * FROM gaps LIMIT 200"):
            await call("query_inventory", sql=sql, limit=200)
        await call("get_paths")
        for some in (secrets[start::6] for start in range(6)):
            command = ["kubectl", "delete", "pod", *some]
            await call("run_command", command=command, reason=f"because of {some}")
        for address in ("scans/latest/report.json", "scans/latest/report.md", "scans", "audit"):
            read = await client.read_resource(f"infrascan://{address}")
            said.append(read.model_dump_json())
        return said

    said = in_process(estate.home, work, Options(demo=True))
    assert len(said) > 20
    for text in said:
        clean("an answer", json.dumps(json.loads(text), ensure_ascii=False))
    assert estate.run("approvals", "list", "--json") == 0
    assert estate.run("audit", "list", "--json") == 0
    clean("what was printed", estate.printed)
    for name, text in estate.kept():
        clean(name, text)


@ONE_PASS
def test_no_request_to_a_model_holds_any(estate: Estate):
    requests = estate.server.requests
    made = len(requests)
    odd = "could you enumerate gizmos gobbling ephemeral quux"
    words = ("--replay", estate.recording, "--model", OPENAI, f"{odd} {FORMS['anthropic']}")
    assert estate.run("ask", "--json", *words) == 0
    assert 0 < made < len(requests)
    for each in requests:
        clean("a request", each.seen.body.decode())
    clean("what was printed", estate.printed)
