"""The pruned service models: that they are made once, hold what calls need, and may be absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from botocore.loaders import Loader
from botocore.model import ServiceModel

from infrascan.providers.aws import models
from tests.providers.aws.reader import Reader
from tests.servers.aws import MotoServer


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache") / "models"
    models.build(folder)
    return folder


def test_each_operation_keeps_its_input_and_output(built: Path) -> None:
    pruned, whole = models.PrunedLoader(built), Loader()
    for service, wanted in models.operations().items():
        small = ServiceModel(pruned.load_service_model(service, "service-2"), service)
        full = ServiceModel(whole.load_service_model(service, "service-2"), service)
        assert small.resolved_protocol == full.resolved_protocol
        assert set(small.operation_names) == (wanted or set(full.operation_names))
        for name in small.operation_names:
            few, all_ = small.operation_model(name), full.operation_model(name)
            assert few.http == all_.http
            for mine, theirs in (
                (few.input_shape, all_.input_shape),
                (few.output_shape, all_.output_shape),
            ):
                assert same(mine, theirs, ()), f"{service}.{name}"


def same(mine: object, theirs: object, above: tuple[str, ...]) -> bool:
    """Whether two shapes have the same members all the way down."""
    if mine is None or theirs is None:
        return mine is theirs
    if mine.name in above:
        return True
    inside = (*above, mine.name)
    if mine.serialization != theirs.serialization or mine.type_name != theirs.type_name:
        return False
    if mine.type_name == "structure":
        return list(mine.members) == list(theirs.members) and all(
            same(mine.members[name], theirs.members[name], inside) for name in mine.members
        )
    if mine.type_name == "list":
        return same(mine.member, theirs.member, inside)
    if mine.type_name == "map":
        return same(mine.key, theirs.key, inside) and same(mine.value, theirs.value, inside)
    return True


def test_the_folder_is_a_twentieth_of_what_it_stands_for(built: Path) -> None:
    size = sum(path.stat().st_size for path in built.iterdir())
    assert size < 2_000_000


def test_a_service_that_is_not_there_is_loaded_whole(built: Path) -> None:
    assert models.PrunedLoader(built).load_service_model("sso", "service-2")["operations"]


def test_a_broken_file_is_loaded_whole(built: Path, tmp_path: Path) -> None:
    (tmp_path / "kms.service-2.json").write_text("{")
    assert (
        "Encrypt"
        in models.PrunedLoader(tmp_path).load_service_model("kms", "service-2")["operations"]
    )


def test_the_name_of_the_folder_changes_with_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = models.place()
    assert folder is not None
    import botocore

    assert botocore.__version__ in folder.name
    assert models.digest() in folder.name


def test_a_cache_that_cannot_be_written_costs_speed_only(
    server: MotoServer,
    estate: dict[str, str],
    point: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    monkeypatch.setenv("INFRASCAN_CACHE", str(in_the_way))
    point(server.url)

    async def work() -> int:
        reader = Reader()
        await reader.connect()
        found, error = await reader.read("aws.guardduty.detector")
        reader.aws.close()
        assert error is None
        return len(found)

    assert trio.run(work) == 1


def test_what_is_dropped_from_a_model_is_never_a_member() -> None:
    model = {
        "metadata": {},
        "documentation": "x",
        "operations": {
            "Get": {"output": {"shape": "Out"}, "documentation": "x", "errors": [{"shape": "E"}]},
            "Put": {"input": {"shape": "In"}},
        },
        "shapes": {
            "Out": {
                "type": "structure",
                "members": {
                    "pattern": {"shape": "S", "documentation": "x"},
                    "errors": {"shape": "L"},
                },
            },
            "L": {"type": "list", "member": {"shape": "S"}},
            "S": {"type": "string", "pattern": "x", "min": 1},
            "In": {"type": "structure", "members": {}},
            "E": {"type": "structure", "members": {}},
        },
    }
    assert models.pruned(model, {"Get"}) == {
        "metadata": {},
        "operations": {"Get": {"output": {"shape": "Out"}}},
        "shapes": {
            "Out": {
                "type": "structure",
                "members": {"pattern": {"shape": "S"}, "errors": {"shape": "L"}},
            },
            "L": {"type": "list", "member": {"shape": "S"}},
            "S": {"type": "string"},
        },
    }
    assert json.dumps(model)
