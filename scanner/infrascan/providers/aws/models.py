"""Service models cut down to the operations the tables name.

botocore parses the whole model of a service to make its first client, which costs more time and
memory than all the calls of a scan. So the parts that are used are kept in the user's cache
folder, made once per botocore version and state of the tables. Without that folder everything
works, slower.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader, instance_cache

FORMAT = 1
BUILD_SECONDS = 120
# What a model says that no call needs.
UNUSED = frozenset(
    {
        *("documentation", "documentationUrl", "deprecatedMessage", "deprecatedSince"),
        *("pattern", "min", "max", "examples", "errors", "authors", "sensitive"),
    }
)
# Operations that no table names; every operation of a service that maps to none.
ALWAYS: Mapping[str, tuple[str, ...]] = {
    "ce": ("GetCostAndUsage",),
    "cloudwatch": ("GetMetricData",),
    "ec2": ("DescribeRegions",),
    # State files of Terraform, and other vendors' buckets.
    "s3": (
        *("GetObject", "ListBuckets", "GetBucketAcl", "GetBucketPolicy", "GetBucketVersioning"),
        *("GetBucketLifecycleConfiguration", "GetBucketCors"),
    ),
    "sts": (),  # credentials may need any of them
}


class PrunedLoader(Loader):  # type: ignore[misc]
    """botocore's loader, which looks among the pruned models first."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    @instance_cache  # type: ignore[untyped-decorator]
    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        if api_version is None:
            found = self.pruned(f"{service_name}.{type_name}")
            if found is not None:
                return found
        return super().load_service_model(service_name, type_name, api_version)

    @instance_cache  # type: ignore[untyped-decorator]
    def load_data(self, name: str) -> Any:
        found = self.pruned(name) if "/" not in name else None
        return super().load_data(name) if found is None else found

    def pruned(self, name: str) -> Any:
        try:
            return json.loads((self.folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None


def loader(*, build: bool = False) -> Any:
    """A loader over the pruned models when they are there; `build` makes them first."""
    folder = place()
    if folder is not None:
        if build and not folder.is_dir():
            make(folder)
        if folder.is_dir():
            return PrunedLoader(folder)
    return Loader()


def place() -> Path | None:
    """Where the pruned models of this botocore and these tables are kept."""
    home = os.environ.get("INFRASCAN_CACHE")
    if not home:
        try:
            home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        except RuntimeError:  # a user without a home
            return None
        home = str(Path(home) / "infrascan")
    return Path(home) / f"aws-models-{botocore.__version__}-{digest()}"


@cache
def digest() -> str:
    text = json.dumps([FORMAT, {name: sorted(ops) for name, ops in operations().items()}])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def operations() -> dict[str, set[str]]:
    """The operations of each service that a scan can call; none where it may be any."""
    from infrascan.providers.aws import TABLES
    from infrascan.providers.aws.tables import Batch

    found: dict[str, set[str]] = {name: set(ops) for name, ops in ALWAYS.items()}
    for listing in TABLES:
        here = found.setdefault(listing.service, set())
        if listing.operation:
            here.add(listing.operation)
        for parent in listing.parents:
            found.setdefault(parent.service or listing.service, set()).add(parent.operation)
        for detail in listing.details:
            there = found.setdefault(detail.service or listing.service, set())
            there.add(detail.operation)
            if isinstance(detail, Batch) and detail.prepare:
                there.add(detail.prepare)
    return found


def make(folder: Path) -> None:
    """Build the pruned models in a process of its own, whose memory is not ours to carry."""
    try:
        subprocess.run(  # noqa: S603 (our own module)
            [sys.executable, "-m", "infrascan.providers.aws.models", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return  # the whole models do as well


def build(folder: Path) -> None:
    """Write the pruned models beside `folder`, then put them there whole."""
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    full = Loader()
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        aside = Path(name) / "models"
        aside.mkdir()
        for service, wanted in operations().items():
            model = full.load_service_model(service, "service-2")
            rules = full.load_service_model(service, "endpoint-rule-set-1")
            write(aside / f"{service}.service-2.json", pruned(model, wanted))
            write(aside / f"{service}.endpoint-rule-set-1.json", bare(rules))
        for data in ("partitions", "sdk-default-configuration"):
            write(aside / f"{data}.json", full.load_data(data))
        write(aside / "endpoints.json", endpoints(full.load_data("endpoints")))
        try:
            aside.rename(folder)
        except OSError:
            return  # another process was first


def write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")


def pruned(model: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """A service model with the operations wanted and the shapes they reach."""
    names = set(wanted) or set(model["operations"])
    kept = {name: bare(model["operations"][name]) for name in sorted(names)}
    shapes: dict[str, Any] = {}
    ahead = [shape for operation in kept.values() for shape in references(operation)]
    while ahead:
        name = ahead.pop()
        if name not in shapes:
            shapes[name] = bare(model["shapes"][name])
            ahead.extend(references(shapes[name]))
    rest = {key: model[key] for key in model if key not in {"operations", "shapes", *UNUSED}}
    return {**rest, "operations": kept, "shapes": shapes}


def references(data: Any) -> Iterator[str]:
    """The names of shapes that a part of a model refers to."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key == "shape" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(data, list):
        for value in data:
            yield from references(value)


def bare(data: Any, *, names: bool = False) -> Any:
    """Part of a model without what no call needs. The keys of `members` are names, and stay."""
    if isinstance(data, Mapping):
        return {
            key: bare(value, names=key == "members")
            for key, value in data.items()
            if names or key not in UNUSED or isinstance(value, Mapping)
        }
    if isinstance(data, list):
        return [bare(value) for value in data]
    return data


def endpoints(data: Mapping[str, Any]) -> dict[str, Any]:
    """botocore's list of endpoints, for the services in use."""
    used = {*operations(), "sso", "oidc", "elasticloadbalancing", "elasticfilesystem"}
    used |= {"monitoring", "api.ecr", "s3-control", "cognito-identity"}
    return {
        **data,
        "partitions": [
            {
                **partition,
                "services": {
                    name: service for name, service in partition["services"].items() if name in used
                },
            }
            for partition in data["partitions"]
        ],
    }


if __name__ == "__main__":
    build(Path(sys.argv[1]))
