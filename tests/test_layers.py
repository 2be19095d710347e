"""Imports point one way, and importing does nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import infrascan

PACKAGE = Path(infrascan.__file__).parent
# Lower layers first; a module may import from layers below its own, and from its own package.
LAYERS = (
    ("model", "paths", "shipped"),
    ("packing",),
    ("redact", "proof"),
    ("collect", "evaluate", "graph", "pricing", "store", "render", "question"),
    ("providers", "queries"),
    ("reason", "commands", "workers"),
    ("pipeline",),
    ("lookups",),
    ("questions",),
    ("watch",),
    ("mcp_server",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
SDKS = {
    "boto3": "providers/aws",
    "botocore": "providers/aws",
    "kubernetes": "providers/kubernetes",
    "google": ("providers/gcp", "reason/model"),
    "grpc": "providers/gcp",
    "azure": "providers/azure",
    "cloudflare": "providers/cloudflare",
    "httpx": "providers/http",
    "mcp": "mcp_server",
    "instructor": "reason/model",
    "openai": "reason/model",
    "anthropic": "reason/model",
    "cohere": "reason/model",
    "duckdb": "store",
    "pyarrow": "store",
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module} | {f"{node.module}.{alias.name}" for alias in node.names})
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in {"__init__", "model"}:
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "infrascan" or len(parts) < 2 or parts[1] in {own, "__version__"}:
            continue
        assert RANK[parts[1]] < RANK[own], f"{own} imports {parts[1]}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_sdks_stay_in_their_place(path: Path):
    where = path.relative_to(PACKAGE).as_posix()
    for name in imported(path):
        home = SDKS.get(name.split(".")[0])
        assert home is None or where.startswith(home), f"{where} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_runs_away(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_one_broad_except_is_in_the_engine():
    broad = [
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]

    assert ["collect/engine.py"] == broad


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom infrascan.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit: pass\n"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}

    heavy = {
        "trio",
        "rich",
        "pydantic",
        "jinja2",
        "boto3",
        "kubernetes",
        "httpx",
        "google",
        "azure",
        "cloudflare",
        "mcp",
        "pyarrow",
        "duckdb",
        "yaml",
        "re2",
    }
    assert set() == loaded & heavy
    assert "infrascan run --demo" in done.stdout
