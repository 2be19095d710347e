"""The documents say what is: their commands parse, their tables are those the tool prints."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from infrascan.cli import main
from infrascan.cli.parser import parser
from infrascan.evaluate import load
from infrascan.evaluate.loading import OTHERS
from infrascan.pipeline import all_kinds
from infrascan.providers import PROVIDERS
from infrascan.shipped import shipped

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    *("README.md", "rules/README.md", "scanner/README.md", ".github/CONTRIBUTING.md"),
    "scanner/infrascan/mcp_server/README.md",
)


def commands(document: str) -> list[str]:
    """Every infrascan command line in a document's code."""
    text = (ROOT / document).read_text(encoding="utf-8")
    code = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text)
    lines = [line.strip().removeprefix("$ ") for block in code for line in block.splitlines()]
    found = [part.strip() for line in lines for part in re.split(r"&&|\|", line.split("  #")[0])]
    return [line for line in found if re.match(r"infrascan [a-z-]", line)]


@pytest.mark.parametrize(
    ("document", "command"), [(d, c) for d in DOCUMENTS for c in dict.fromkeys(commands(d))]
)
def test_a_command_in_a_document_parses(document: str, command: str):
    words = shlex.split(re.sub(r"[>].*", "", command))[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            parser().parse_args(words)
        except SystemExit as end:
            assert end.code == 0, f"{document}: {command}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str):
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), f"{document} links to {target}"


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit):
        main(["rules", "list", *words, "--markdown"])
    return capsys.readouterr().out


def test_the_catalogue_counts_the_rules_that_ship(capsys: pytest.CaptureFixture[str]):
    text = (ROOT / "rules" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- catalogue: .*? -->\n(.*?)<!-- end of catalogue -->", text, re.DOTALL)

    assert found
    assert listed(capsys).strip() == found[1].strip(), (
        "rules/README.md is behind: put the output of `infrascan rules list --markdown` "
        "between the markers"
    )


@pytest.mark.parametrize(
    "name",
    sorted(p.name for p in (ROOT / "rules").iterdir() if p.is_dir() and p.name not in OTHERS),
)
def test_each_folder_of_rules_lists_those_in_it(capsys: pytest.CaptureFixture[str], name: str):
    page = ROOT / "rules" / name / "README.md"
    assert listed(capsys, "--provider", name) == page.read_text(encoding="utf-8"), (
        f"run: infrascan rules list --provider {name} --markdown > rules/{name}/README.md"
    )


def test_the_readme_counts_kinds_and_rules():
    kinds = all_kinds()
    rules = load([shipped("rules")], kinds)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", text, re.MULTILINE)

    assert [
        (
            name,
            str(sum(kind.provider == name for kind in kinds.values())),
            str(sum(rule.id.startswith(f"{name}.") for rule in rules)),
        )
        for name in PROVIDERS
    ] == said


def test_the_output_in_the_readme_is_that_of_the_demo(tmp_path: Path):
    """Each line shown, but for the dots, is one that the first command prints."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```console\n\$ .*?\n(.*?)```", text, re.DOTALL)
    assert shown
    variables = {**os.environ, "COLUMNS": "100", "INFRASCAN_HOME": str(tmp_path / "scans")}
    done = subprocess.run(
        [sys.executable, "-m", "infrascan", "run", "--demo"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    printed = {line.rstrip() for line in done.stdout.splitlines()}

    lines = [line.rstrip() for line in shown[1].splitlines()]
    assert [] == [line for line in lines if line.strip() not in {"", "…"} and line not in printed]
