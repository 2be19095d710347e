"""Reading 5,000 pods: our reader against the official client's typed models, as ratios.

    python tests/benchmarks/bench_kubernetes.py [pods]

Each way runs in a process of its own against the same loopback API server. CPU is user and system
time of that process from its start, imports included; memory is the peak above that of a bare
interpreter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.servers.kubernetes import ApiServer

WIRE = ROOT / "fixtures" / "kubernetes" / "wire"
BEGIN = """
import json, os, resource, sys, time
def peak():  # of this program; ru_maxrss also counts the parent's, from before the exec
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
def report(count):
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"pods": count, "cpu": used.ru_utime + used.ru_stime, "kb": peak(),
                      "wall": time.time() - began}))
began = time.time()
"""
WAYS = {
    "nothing": "report(0)",
    "typed": """
from kubernetes import client, config
config.load_kube_config(config_file=os.environ["KUBECONFIG"])
found, token = [], None
while True:
    page = client.CoreV1Api().list_pod_for_all_namespaces(limit=500, _continue=token)
    found += page.items
    token = page.metadata._continue
    if not token:
        break
report(len(found))
""",
    "ours": """
import trio
from datetime import UTC, datetime
from infrascan.collect.provider import Selection
from infrascan.model import Partition
from infrascan.providers.kubernetes import Kubernetes
found = []
provider = Kubernetes(Selection(observed=datetime.now(UTC)))
place = Partition(provider="k8s", account="lab", region="", kind="k8s.pod")
trio.run(provider.read, place, provider.send, found.append)
report(len(found))
""",
    "ours, redacted": """
import trio
from datetime import UTC, datetime
from infrascan import redact
from infrascan.collect.provider import Selection
from infrascan.model import Partition
from infrascan.providers.kubernetes import Kubernetes
found = []
provider = Kubernetes(Selection(observed=datetime.now(UTC)))
place = Partition(provider="k8s", account="lab", region="", kind="k8s.pod")
async def ask(call):
    return redact.scrub(await provider.send(call))
trio.run(provider.read, place, ask, found.append)
report(len(found))
""",
}


def pods(count: int) -> list[dict]:
    """Copies of the recorded pods, each with its own name."""
    recorded = json.loads((WIRE / "list-pods-limit3.body").read_bytes())["items"]
    found = []
    for number in range(count):
        pod = json.loads(json.dumps(recorded[number % len(recorded)]))
        pod["metadata"]["name"] = f"pod-{number:06}"
        found.append({"apiVersion": "v1", "kind": "Pod", **pod})
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with ApiServer(pods(count)) as server, tempfile.TemporaryDirectory() as folder:
        config = server.kubeconfig(Path(folder) / "config")
        environment = {**os.environ, "KUBECONFIG": str(config)}
        measured = {}
        for name, code in WAYS.items():
            runs = []
            for _ in range(3):
                output = subprocess.run(
                    [sys.executable, "-c", BEGIN + code],
                    env=environment,
                    capture_output=True,
                    check=True,
                    text=True,
                ).stdout
                runs.append(json.loads(output))
            measured[name] = min(runs, key=lambda run: run["cpu"])
    bare = measured.pop("nothing")
    typed = measured["typed"]
    for name, run in measured.items():
        cpu, memory = run["cpu"] - bare["cpu"], (run["kb"] - bare["kb"]) / 1024
        typed_cpu, typed_memory = typed["cpu"] - bare["cpu"], (typed["kb"] - bare["kb"]) / 1024
        print(
            f"{name:15} {run['pods']} pods: CPU {cpu:.2f} s ({cpu / typed_cpu:.2f} of typed), "
            f"memory {memory:.0f} MB ({memory / typed_memory:.2f} of typed), wall {run['wall']:.2f} s"
        )


if __name__ == "__main__":
    main()
