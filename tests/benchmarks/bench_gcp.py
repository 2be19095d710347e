"""Fifty thousand assets through the inventory: CPU and memory of the provider.

    python -m tests.benchmarks.bench_gcp [ASSETS] [alone]

The server runs in a process of its own. Printed are the CPU seconds and the peak memory of the
process that reads. With `alone` answers go past the engine, which looks through each for secrets.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ASSETS = 50_000


def serve(count: int, folder: str, pipe: Connection) -> None:
    """Pages are made once, as bytes: the server costs next to nothing."""
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from google.cloud.asset_v1.types import asset_service

    from tests.providers.gcp.estate import recorded
    from tests.servers.gcp import LIST, Estate, GcpServer, message

    # What Terraform is about to make says little; assets that are there are larger.
    source = [a for a in recorded().assets if len(json.dumps(a["resource"]["data"])) > 900]
    pages: list[bytes] = []
    for first in range(0, count, 1000):
        assets = [varied(source[at % len(source)], at) for at in range(first, first + 1000)]
        more = str(len(pages) + 1) if first + 1000 < count else ""
        pages.append(message(assets, "RESOURCE", more).SerializeToString())
    empty = message([], "RESOURCE", "").SerializeToString()
    nodes = message(recorded().assets[:1], "RESOURCE", "").SerializeToString()

    def answer(request: Any, _: Any) -> bytes:
        types = list(request.asset_types)
        if len(types) == 3:
            return nodes if int(request.content_type) == 1 else empty
        if int(request.content_type) != 1 or "compute.googleapis.com/Instance" not in types:
            return empty
        return pages[int(request.page_token or 0)]

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            if details.method != LIST:
                return None
            return grpc.unary_unary_rpc_method_handler(
                answer, request_deserializer=asset_service.ListAssetsRequest.deserialize
            )

    with GcpServer(Estate(recorded().assets)) as server:
        fast = grpc.server(ThreadPoolExecutor(2), options=[("grpc.max_send_message_length", -1)])
        fast.add_generic_rpc_handlers((Handler(),))
        server.port = fast.add_insecure_port("localhost:0")
        fast.start()
        pipe.send((server.environment(Path(folder)), sum(map(len, pages))))
        pipe.recv()
        fast.stop(None)


def varied(asset: dict[str, Any], number: int) -> dict[str, Any]:
    """The same asset under another name."""
    text = json.dumps(asset["resource"]["data"])
    data = json.loads(text)
    if isinstance(data.get("name"), str):
        data["name"] = f"{data['name']}-{number}"
    return {**asset, "name": f"{asset['name']}-{number}", "resource": {"data": data}}


def measured() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def read() -> dict[str, float]:
    import trio

    from infrascan.collect.asking import Asker
    from infrascan.collect.engine import Silent
    from infrascan.collect.limits import Limits
    from infrascan.collect.provider import Ask, Selection
    from infrascan.model import ReadError, Resource
    from infrascan.providers.gcp import Gcp
    from infrascan.providers.gcp.kinds import ASSETS as TABLES
    from tests.providers.gcp.estate import OBSERVED

    cpu, memory = measured()
    began = time.perf_counter()
    gcp = Gcp(Selection(observed=OBSERVED, scopes={"gcp": ("projects/recorded",)}))
    found: list[Resource] = []

    def keep(resource: Resource) -> None:
        resource.pack()  # as the engine does once a partition is read
        found.append(resource)

    async def main() -> None:
        ask: Ask = gcp.send if "alone" in sys.argv else Asker(gcp, Limits(), Silent())
        await gcp.connect(ask)
        for partition in await gcp.partitions(ask):
            table = TABLES[partition.kind]
            if not table.types or table.metrics or table.recommenders:
                continue  # calls beside the inventory
            try:
                await gcp.read(partition, ask, keep)
            except ReadError as error:
                sys.exit(f"{partition.place}: {error}")

    trio.run(main)
    after, peak = measured()
    return {
        "assets": len(found) + sum(map(len, gcp.scopes[0].inventory.resources.values())),  # type: ignore[union-attr]
        "cpu_seconds": round(after - cpu, 2),
        "wall_seconds": round(time.perf_counter() - began, 2),
        "peak_mb": round(peak, 1),
        "before_mb": round(memory, 1),
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ASSETS
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        server = spawn.Process(target=serve, args=(count, folder, theirs))
        server.start()
        environment, size = ours.recv()
        os.environ.update(environment)
        result = read()
        ours.send("stop")
        server.join()
    print(json.dumps({**result, "wire_mb": round(size / 1e6, 1)}))


if __name__ == "__main__":
    main()
