"""The workspace on the demo estate: every tool, many agents, jobs, resources, prompts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import trio
from mcp import Client
from mcp_types import Implementation

from infrascan.mcp_server.workspace import Options
from tests.mcp_server.conftest import Served, called, ended, in_process, started

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
DEMO = Options(demo=True)

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("infrascan_version", {}),
    ("route_question", {"question": "are all services healthy?"}),
    ("route_question", {"question": "which pods use more than 80% of their memory limit?"}),
    ("why", {"resource": "loyalty"}),
    ("list_scans", {}),
    ("get_findings", {"severity": "high", "limit": 5}),
    ("diff_scans", {"before": "latest", "after": "latest"}),
    ("query_inventory", {"sql": "SELECT kind, count(*) FROM resources GROUP BY 1 ORDER BY 2 DESC"}),
    ("get_paths", {"limit": 3}),
    ("list_clusters", {}),
    ("list_pods", {"namespace": "shop"}),
    ("get_pod_status", {"pod_name": "loyalty", "namespace": "*"}),
    ("get_failing_pods", {}),
    ("describe_pod", {"pod_name": "loyalty-7n9kk69ct-86rrr", "namespace": "shop"}),
    ("list_deployments", {}),
    ("list_ec2_instances", {}),
    ("list_cloudwatch_alarms", {}),
    ("list_s3_buckets", {}),
    ("list_containers", {}),
    ("terraform_state", {}),
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of the demo estate with one stored scan, and a rate that the tests keep to."""
    home = tmp_path_factory.mktemp("demo")
    where = home / "infrascan"
    where.mkdir(mode=0o700)
    policy = where / "policy.yaml"
    policy.write_text("rate: {calls: 100000, seconds: 60}\n")
    policy.chmod(0o600)
    server = started(home, "--demo")
    first = posted(server.url, "deep_research", {"limit": 1})
    assert not first.get("isError"), first
    yield server
    ended(server)


def posted(url: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }
    found: dict[str, Any] = httpx.post(url, json=call, timeout=60).json()["result"]
    return found


def test_every_tool_gives_what_its_schema_says_and_words(demo: Served):
    async def work() -> None:
        async with Client(demo.url) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            for name, arguments in CALLS:
                answer = await client.call_tool(name, arguments)
                assert not answer.is_error, (name, answer.content[0].text)
                jsonschema.validate(answer.structured_content, tools[name].output_schema)
                assert answer.content[0].text.strip()
                size = len(json.dumps(answer.structured_content)) + len(answer.content[0].text)
                assert size < 100_000, name

    trio.run(work)


def test_fifty_agents_at_once(demo: Served):
    """No error, each its own answer, and 19 of 20 within a second on a machine of its own."""
    took: list[float] = []
    wrong: list[str] = []

    async def agent(number: int, client: httpx.AsyncClient) -> None:
        for turn in range(4):
            name, arguments = CALLS[(number + turn * 7) % len(CALLS)]
            body = {
                "jsonrpc": "2.0",
                "id": f"{number}-{turn}",
                "method": "tools/call",
                "params": {"name": name, "arguments": arguments},
            }
            began = time.monotonic()
            answer = (await client.post(demo.url, json=body, timeout=60)).json()
            took.append(time.monotonic() - began)
            if answer.get("id") != f"{number}-{turn}" or answer.get("result", {}).get("isError"):
                wrong.append(f"{name}: {answer}"[:300])

    async def work() -> None:
        limits = httpx.Limits(max_connections=60)
        async with httpx.AsyncClient(limits=limits) as client, trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(agent, number, client)

    for name, arguments in CALLS:  # as on a server that has been up for a while
        posted(demo.url, name, arguments)
    trio.run(work)
    assert wrong == []
    took.sort()
    print(f"p50 {took[100]:.2f} s, p95 {took[189]:.2f} s")
    assert took[189] < 10


def test_answers_of_clients_that_interleave_are_their_own(demo: Served):
    """Eight clients with sessions, 25 calls each, every answer carries its caller's nonce."""
    wrong: list[str] = []

    async def one(number: int) -> None:
        info = Implementation(name=f"agent-{number}", version="1")
        async with Client(demo.url, client_info=info) as client:
            for turn in range(25):
                nonce = f"n{number}x{turn}"
                if turn == 0:
                    tool, asked = "query_inventory", {"sql": f"SELECT '{nonce}' AS nonce"}
                else:
                    tool, asked = "route_question", {"question": f"is service {nonce} healthy?"}
                answer = await client.call_tool(tool, asked)
                if answer.is_error or nonce not in json.dumps(answer.structured_content):
                    wrong.append(f"{nonce}: {answer.content[0].text}")

    async def work() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(one, number)

    trio.run(work)
    assert wrong == []


def test_background_research_survives_its_connection_and_is_found_from_another(demo: Served):
    began = posted(demo.url, "deep_research", {"question": "cost", "background": True})
    job = began["structuredContent"]["job"]
    assert began["structuredContent"]["state"] == "running"
    for _ in range(4):
        found = posted(demo.url, "get_job", {"job": job, "wait_seconds": 30})
        if found["structuredContent"]["state"] != "running":
            break
    told = found["structuredContent"]
    assert told["state"] == "done", told
    assert told["research"]["scan"] == told["scan"]
    assert told["research"]["findings"]


def test_a_job_can_be_stopped_and_says_so(demo: Served):
    question = {"question": "reliability", "background": True}
    job = posted(demo.url, "deep_research", question)["structuredContent"]["job"]
    stopped = posted(demo.url, "cancel_job", {"job": job})["structuredContent"]
    assert stopped["state"] == "cancelled"
    assert posted(demo.url, "get_job", {"job": job})["structuredContent"]["state"] == "cancelled"
    assert posted(demo.url, "get_job", {"job": "job-0"})["isError"]


def test_the_same_research_asked_twice_at_once_is_done_once(tmp_path: Path):
    async def work(client: Client) -> set[str]:
        jobs: set[str] = set()

        async def ask() -> None:
            answer = await client.call_tool("deep_research", {"limit": 1})
            jobs.add(answer.structured_content["job"])

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(ask)
        return jobs

    assert len(in_process(tmp_path, work, DEMO)) == 1


def test_since_a_scan_only_what_differs_is_told(demo: Served):
    scans = posted(demo.url, "list_scans", {})["structuredContent"]["scans"]
    whole = next(s for s in scans if s["id"].endswith("-acme"))
    same = posted(demo.url, "deep_research", {"since": whole["id"]})["structuredContent"]
    assert same["since"] == whole["id"]
    assert same["findings"] == []
    assert same["changes"]["findings"]["new"] == 0
    assert same["changes"]["findings"]["unchanged"] > 100


def test_a_question_asked_again_says_what_changed_since(demo: Served):
    asked = {"question": "are all services healthy?"}
    first = posted(demo.url, "route_question", asked)["structuredContent"]
    again = posted(demo.url, "route_question", asked)["structuredContent"]
    assert first["state_hash"] == again["state_hash"]
    assert again["changes"] == []
    assert first["evidence"]


RESOURCES = (
    "infrascan://scans",
    "infrascan://providers",
    "infrascan://audit",
    "infrascan://rules",
    "infrascan://docs/tools",
    "infrascan://docs/rules",
    "infrascan://scans/latest/report.md",
    "infrascan://scans/latest/report.json",
    "infrascan://scans/latest/findings",
    "infrascan://configs/aws.s3.bucket/111122223333/global/arn:aws:s3:::acme-customer-uploads",
    "infrascan://metrics/aws.s3.bucket/111122223333/global/arn:aws:s3:::acme-customer-uploads",
)


OFTEN = tuple(
    call
    for call in CALLS
    if call[0]
    in {"infrascan_version", "list_scans", "get_findings", "list_pods", "terraform_state"}
)


def test_a_thousand_calls_leave_the_server_no_larger(demo: Served):
    """Of what agents ask every half hour, after a first hundred that fill what is kept on purpose."""

    def resident() -> int:
        status = Path(f"/proc/{demo.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    with httpx.Client(timeout=60) as client:

        def calls(count: int) -> None:
            for number in range(count):
                name, arguments = OFTEN[number % len(OFTEN)]
                params = {"name": name, "arguments": arguments}
                body = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
                answer = client.post(demo.url, json=body).json()
                assert not answer["result"].get("isError"), answer

        calls(100)
        before = resident()
        calls(1000)
    after = resident()
    print(f"{before / 1024:.0f} MB, {after / 1024:.0f} MB")
    assert after < before * 1.2


def test_the_report_arrives_as_it_is_written_and_proves_itself(demo: Served, tmp_path: Path):
    """Redaction on the way out changes nothing of a report that holds no secret."""

    async def work() -> str:
        async with Client(demo.url) as client:
            read = await client.read_resource("infrascan://scans/latest/report.json")
            return str(read.contents[0].text)

    report = tmp_path / "report.json"
    report.write_text(trio.run(work), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "verify", str(report), "--json"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_resources_are_listed_and_read(demo: Served):
    async def work() -> None:
        async with Client(demo.url) as client:
            listed = {str(r.uri) for r in (await client.list_resources()).resources}
            assert {"infrascan://scans", "infrascan://audit", "infrascan://rules"} <= listed
            templates = (await client.list_resource_templates()).resource_templates
            kinds = {t.uri_template.split("/")[2].split("{")[0] for t in templates}
            assert {"scans", "findings", "logs", "metrics", "configs", "docs", "rules"} <= kinds
            for address in RESOURCES:
                read = await client.read_resource(address)
                assert len(read.contents[0].text) > 20, address
            finding = (await client.call_tool("get_findings", {"limit": 1})).structured_content
            one = finding["findings"][0]
            assert one["rule"] in (await client.read_resource(f"infrascan://findings/{one['id']}")).contents[0].text  # fmt: skip
            assert "severity" in (await client.read_resource(f"infrascan://rules/{one['rule']}")).contents[0].text  # fmt: skip

    trio.run(work)


def test_prompts_take_their_arguments_and_no_others(demo: Served):
    async def work() -> list[str]:
        refused = []
        async with Client(demo.url) as client:
            names = {prompt.name for prompt in (await client.list_prompts()).prompts}
            assert names == {
                *("triage", "cost_review", "incident_timeline", "security_review", "heartbeat"),
                *("investigate_pod", "deep_research"),
            }
            said = await client.get_prompt(
                "investigate_pod", {"pod": "nginx-1", "namespace": "shop"}
            )
            assert "nginx-1" in said.messages[0].content.text
            for name, arguments in (("heartbeat", {"nope": "1"}), ("triage", {}), ("nope", {})):
                try:
                    await client.get_prompt(name, arguments)
                except Exception as error:  # noqa: BLE001 - whatever the client raises, its text counts
                    refused.append(str(error))
        return refused

    refused = trio.run(work)
    assert len(refused) == 3
    assert "no argument 'nope'" in refused[0]
    assert not any("Traceback" in text for text in refused)


def test_a_client_sees_its_own_part_of_the_audit_log(tmp_path: Path):
    async def work(client: Client) -> str:
        await client.call_tool("list_scans", {})
        return (await client.read_resource("infrascan://audit")).contents[0].text

    one = in_process(tmp_path, work, DEMO, Implementation(name="one", version="1"))
    other = in_process(tmp_path, work, DEMO, Implementation(name="other", version="1"))
    assert '"one/1"' in one
    assert '"one/1"' not in other


def test_an_answer_that_is_too_large_says_how_to_ask_for_less(tmp_path: Path):
    called(tmp_path, "deep_research", DEMO, limit=1)
    wide = called(
        tmp_path, "query_inventory", DEMO, sql="SELECT key, data FROM resources", limit=1000
    )
    assert wide.is_error
    assert "Narrow it by" in wide.content[0].text
    assert "limit" in wide.content[0].text
