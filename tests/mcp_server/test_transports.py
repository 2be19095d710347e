"""Foreign clients over both transports: the SDK of Python, that of Node, and a bare POST."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import jsonschema
import pytest
import trio
from mcp import Client, StdioServerParameters

from tests.mcp_server.conftest import Served, ended, environment, started

# The SDK's client leaves its streams to the garbage collector, which trio reports.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

QUESTION = {"question": "which volumes are not encrypted?", "demo": True, "limit": 3}


def on_trio(work):
    async def bounded():
        with trio.fail_after(60):
            return await work()

    return trio.run(bounded)


def stdio(home: Path) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable, args=["-m", "infrascan", "mcp"], env=environment(home)
    )


async def conversation(client: Client) -> dict[str, object]:
    """What any client does: list, check health, research with progress, read the report."""
    heard: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        heard.append((done, total))

    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    version = await client.call_tool("infrascan_version", {})
    answer = await client.call_tool("deep_research", QUESTION, progress_callback=progress)
    report = await client.read_resource(answer.structured_content["report"])
    return {
        "tools": tools,
        "version": version,
        "answer": answer,
        "report": report.contents[0].text,
        "progress": heard,
    }


def check(talk: dict[str, object]) -> None:
    tools, answer, version = talk["tools"], talk["answer"], talk["version"]
    for name, result in (("deep_research", answer), ("infrascan_version", version)):
        assert not result.is_error
        jsonschema.validate(result.structured_content, tools[name].output_schema)
        assert result.content[0].text
        assert tools[name].annotations.read_only_hint
    found = answer.structured_content
    assert 0 < len(found["findings"]) <= 3
    assert all(finding["evidence"] for finding in found["findings"])
    assert "encrypted" in found["findings"][0]["title"].lower()
    assert talk["report"].startswith("# ")
    done = [step for step, _ in talk["progress"]]
    assert len(done) >= 2
    assert done == sorted(set(done))


def test_stdio_with_the_python_client(tmp_path: Path):
    async def work():
        async with Client(stdio(tmp_path)) as client:
            return await conversation(client)

    check(on_trio(work))


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
def test_http_with_the_python_client_in_each_era(served: Served, mode: str):
    async def work():
        async with Client(served.url, mode=mode) as client:
            return await conversation(client)

    check(on_trio(work))


def test_both_transports_offer_the_same_tools(served: Served, tmp_path: Path):
    async def listed(target) -> str:
        async with Client(target) as client:
            tools = (await client.list_tools()).tools
            return json.dumps([tool.model_dump(mode="json") for tool in tools], sort_keys=True)

    assert on_trio(lambda: listed(served.url)) == on_trio(lambda: listed(stdio(tmp_path)))


@pytest.mark.parametrize("path", ["/mcp", "/"])
def test_a_bare_post_without_any_handshake_is_answered(served: Served, path: str):
    call = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "deep_research", "arguments": QUESTION},
    }

    answer = httpx.post(f"http://127.0.0.1:{served.port}{path}", json=call, timeout=60)

    assert 200 == answer.status_code
    assert answer.headers["content-type"].startswith("application/json")
    assert 7 == answer.json()["id"]
    assert answer.json()["result"]["structuredContent"]["findings"]


def test_stdout_of_stdio_holds_nothing_but_messages_and_ends_with_its_input(tmp_path: Path):
    asked = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "bare", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "infrascan", "mcp"],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    lines = []
    for message in asked:
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        if "id" in message:
            lines.append(process.stdout.readline())
    rest, errors = process.communicate(timeout=10)

    assert [1, 2] == [json.loads(line)["id"] for line in lines]
    assert b"" == rest
    assert b"Traceback" not in errors
    assert 0 == process.returncode


@pytest.mark.node
def test_the_node_client_lists_calls_hears_progress_and_cancels(
    served: Served, node_modules: Path, tmp_path: Path
):
    script = Path(__file__).with_name("client.mjs")
    linked = tmp_path / "client.mjs"
    linked.write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(node_modules)

    done = subprocess.run(
        ["node", str(linked), served.url], capture_output=True, text=True, timeout=60, check=False
    )

    assert 0 == done.returncode, done.stderr
    said = json.loads(done.stdout)
    assert {"deep_research", "infrascan_version"} <= set(said["tools"])
    assert said["findings"] > 0
    assert said["progress"] >= 2
    assert said["cancelled"]


def test_many_clients_at_once_get_their_own_answers(served: Served):
    limits = list(range(1, 9))
    got: dict[int, int] = {}

    async def one(limit: int) -> None:
        async with Client(served.url) as client:
            answer = await client.call_tool("deep_research", {"demo": True, "limit": limit})
            got[limit] = len(answer.structured_content["findings"])

    async def work():
        async with trio.open_nursery() as nursery:
            for limit in limits:
                nursery.start_soon(one, limit)

    on_trio(work)

    assert {limit: limit for limit in limits} == got


def test_a_foreign_host_or_origin_is_refused(served: Served):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}

    rebound = httpx.post(served.url, json=call, headers={"Host": "evil.example"})
    crossed = httpx.post(served.url, json=call, headers={"Origin": "http://evil.example"})

    assert 421 == rebound.status_code
    assert 403 == crossed.status_code


def test_a_body_beyond_the_cap_is_refused_and_the_server_lives(served: Served):
    big = httpx.post(served.url, content=b"x" * (2 << 20), timeout=30)
    broken = httpx.post(
        served.url, content=b"{nonsense", headers={"content-type": "application/json"}
    )
    fine = httpx.post(served.url, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})

    assert 413 == big.status_code
    assert 400 == broken.status_code
    assert 200 == fine.status_code


def test_a_token_is_asked_for_where_one_is_set(tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("correct-horse-battery-staple\n", encoding="utf-8")
    server = started(tmp_path, "--token-file", str(token))
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    try:
        without = httpx.post(server.url, json=call)
        wrong = httpx.post(server.url, json=call, headers={"Authorization": "Bearer nope"})
        right = httpx.post(
            server.url, json=call, headers={"Authorization": "Bearer correct-horse-battery-staple"}
        )
    finally:
        ended(server)

    assert [401, 401, 200] == [r.status_code for r in (without, wrong, right)]


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("0.0.0.0:39393", "a token is required"),
        ("nonsense", "not HOST:PORT"),
        ("127.0.0.1:99999", "not HOST:PORT"),
    ],
)
def test_an_address_it_must_not_use_is_one_line_and_exit_code_2(
    tmp_path: Path, listen: str, said: str
):
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "mcp", "--transport", "http", "--listen", listen],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert 2 == done.returncode
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_one_line_and_exit_code_2(served: Served, tmp_path: Path):
    listen = f"127.0.0.1:{served.port}"
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "mcp", "--transport", "http", "--listen", listen],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert 2 == done.returncode
    assert "another infrascan" in done.stderr


def test_a_mistake_in_a_call_is_an_answer_that_says_what_is_right(served: Served):
    async def work():
        async with Client(served.url) as client:
            provider = await client.call_tool("deep_research", {"providers": ["asw"]})
            scan = None
            try:
                await client.read_resource("infrascan://scans/nope/report.md")
            except Exception as error:  # noqa: BLE001 - whatever the client raises, its text counts
                scan = str(error)
            return provider, scan

    provider, scan = on_trio(work)

    assert provider.is_error
    assert "aws" in provider.content[0].text
    assert scan
    assert "Traceback" not in scan
