"""Reading 50,000 resources through Resource Graph: ours against the bare JSON and the vendor's SDK.

    python tests/benchmarks/bench_azure.py [resources]

The server is a process of its own, and so is each way. CPU is user and system time of that process
from its start, imports included; memory is the peak above that of a bare interpreter. `bare` keeps
the parsed rows and does nothing with them; ours signs in, checks rights, takes out secrets, tells
kinds apart and keeps resources, as a scan does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.servers.azure import AzureServer, Estate
from tests.servers.proxy import Answer
from tests.servers.rest import Request, json_answer

SUBSCRIPTION = "00000000-1111-4222-8333-444444444444"
ROWS = 1000
# Kinds without calls per resource: what is measured is the graph.
TYPES = {
    *("microsoft.compute/disks", "microsoft.compute/snapshots", "microsoft.network/loadbalancers"),
    *("microsoft.network/networkinterfaces", "microsoft.network/networksecuritygroups"),
    *("microsoft.network/publicipaddresses", "microsoft.network/routetables"),
    *("microsoft.network/bastionhosts", "microsoft.operationalinsights/workspaces"),
}
BEGIN = """
import json, os, resource, sys, time
def peak():  # of this program; ru_maxrss also counts the parent's, from before the exec
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
def report(count):
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"rows": count, "cpu": used.ru_utime + used.ru_stime, "kb": peak(),
                      "wall": time.time() - began}))
began = time.time()
URL, SUBSCRIPTION = os.environ["AZURE_RESOURCE_MANAGER_ENDPOINT"], os.environ["SUBSCRIPTION"]
"""
WAYS = {
    "nothing": "report(0)",
    "bare": """
import httpx
from tests.servers.azure import token
client = httpx.Client(headers={"Authorization": "Bearer " + token()})
found, options = [], {"$top": 1000}
while True:
    body = {"subscriptions": [SUBSCRIPTION], "query": "resources", "options": options}
    place = URL + "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    page = client.post(place, json=body).json()
    found += page["data"]
    if not page.get("$skipToken"):
        break
    options["$skipToken"] = page["$skipToken"]
report(len(found))
""",
    "SDK": """
import time as clock
from azure.core.credentials import AccessToken
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions
from tests.servers.azure import token
class Credential:
    def get_token(self, *scopes, **more):
        return AccessToken(token(), int(clock.time()) + 3600)
client = ResourceGraphClient(Credential(), base_url=URL)
found, mark = [], None
while True:
    options = QueryRequestOptions(top=1000, skip_token=mark, result_format="objectArray")
    page = client.resources(QueryRequest(subscriptions=[SUBSCRIPTION], query="r", options=options))
    found += page.data
    mark = page.skip_token
    if not mark:
        break
report(len(found))
""",
    "ours": """
import trio
from datetime import UTC, datetime
from infrascan.collect.engine import Collection
from infrascan.collect.provider import Selection
from infrascan.providers.azure import Azure
provider = Azure(Selection(observed=datetime.now(UTC)))
found = trio.run(Collection(providers=[provider]).run)
assert not found.gaps, found.gaps[:3]
report(len(found.resources))
""",
}


def recorded() -> list[dict]:
    lines = (ROOT / "fixtures" / "azure" / "resources.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["type"].lower() in TYPES]


def pages(count: int) -> dict[str, Answer]:
    """The pages of a query by the token that asks for each, rendered once."""
    known = recorded()
    rows = []
    for number in range(count):
        row = json.loads(json.dumps(known[number % len(known)]))
        row |= {"id": f"{row['id']}-{number:06}", "name": f"{row['name']}-{number:06}"}
        rows.append({**row, "type": row["type"].lower()})
    found = {}
    for start in range(0, count, ROWS):
        page = {
            "totalRecords": count,
            "resultTruncated": "false",
            "data": rows[start : start + ROWS],
        }
        if start + ROWS < count:
            page["$skipToken"] = f"row-{start + ROWS}"
        found[f"row-{start}"] = json_answer(page)
    return found


def serve(count: int) -> None:
    """Be the server: print the environment that leads here, and go on until stdin closes."""
    rendered = pages(count)

    def graph(request: Request) -> Answer | None:
        if "ResourceGraph" not in request.path:
            return None
        return rendered[request.json["options"].get("$skipToken", "row-0")]

    with AzureServer(Estate({SUBSCRIPTION: "large"})) as server:
        server.fault = graph
        print(json.dumps(server.environment()), flush=True)
        sys.stdin.read()


def measured(environment: dict[str, str]) -> dict[str, dict]:
    found = {}
    for name, code in WAYS.items():
        runs = []
        for _ in range(3):
            done = subprocess.run(
                [sys.executable, "-c", BEGIN + code],
                env=environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                print(f"{name}: {done.stderr.strip().splitlines()[-1]}")
                break
            runs.append(json.loads(done.stdout))
        if runs:
            found[name] = min(runs, key=lambda run: run["cpu"])
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    command = [sys.executable, __file__, "serve", str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin and server.stdout
        led = json.loads(server.stdout.readline())
        environment = {**os.environ, **led, "SUBSCRIPTION": SUBSCRIPTION, "PYTHONPATH": str(ROOT)}
        found = measured(environment)
        server.stdin.close()
    bare = found.pop("nothing")
    base = found["bare"]
    for name, run in found.items():
        cpu, memory = run["cpu"] - bare["cpu"], (run["kb"] - bare["kb"]) / 1024
        by = (base["cpu"] - bare["cpu"], (base["kb"] - bare["kb"]) / 1024)
        print(
            f"{name:5} {run['rows']} rows: CPU {cpu:.2f} s ({cpu / by[0]:.2f} of bare), "
            f"memory {memory:.0f} MB ({memory / by[1]:.2f} of bare), wall {run['wall']:.2f} s"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        threading.stack_size(1 << 20)
        serve(int(sys.argv[2]))
    else:
        main()
