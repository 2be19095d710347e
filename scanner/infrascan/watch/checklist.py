"""Checks to be asked at each run: a YAML file, a Markdown checklist, or questions themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infrascan.model import InputError, Severity
from infrascan.watch.news import Check

BOX = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[[ xX]?\]\s+(?P<question>\S.*?)\s*$")
FIELDS = frozenset({"question", "name", "severity"})
MOST = 100  # checks


def checks(given: Sequence[str]) -> tuple[Check, ...]:
    """The checks that options name: a file, or a question. Raises `InputError`."""
    found: dict[str, Check] = {}
    for text in given:
        path = Path(text).expanduser()
        file = text.endswith((".yaml", ".yml", ".md")) or path.is_file()
        for check in of_file(path) if file else (Check(question=text.strip(), name=text.strip()),):
            if not check.question:
                raise InputError("--checks is empty; name a file or a question")
            if found.setdefault(check.name, check) != check:
                raise InputError(f"two checks are named {check.name!r}")
    if len(found) > MOST:
        raise InputError(f"{len(found)} checks are more than {MOST}")
    return tuple(found.values())


def of_file(path: Path) -> Iterator[Check]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise InputError(f"--checks {path}: {said}") from error
    found = list(boxes(text) if path.suffix == ".md" else entries(text, path))
    if not found:
        raise InputError(f"--checks {path}: holds no check; {FORMS}")
    yield from found


FORMS = "write `- [ ] question` in Markdown, or a list `checks:` of questions in YAML"


def boxes(text: str) -> Iterator[Check]:
    """Each box of a checklist, ticked or not: a tick says how it was when somebody wrote it."""
    for line in text.splitlines():
        if box := BOX.match(line):
            yield Check(question=box["question"], name=box["question"])


def entries(text: str, path: Path) -> Iterator[Check]:
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise InputError(
            f"--checks {path}:{line} {getattr(error, 'problem', None) or 'is not YAML'}"
        ) from error
    listed = content.get("checks") if isinstance(content, dict) else content
    if not isinstance(listed, list):
        raise InputError(f"--checks {path}: has no list `checks:`")
    for number, entry in enumerate(listed, 1):
        yield of_entry(entry, f"--checks {path}: check {number}")


def of_entry(entry: Any, where: str) -> Check:
    if isinstance(entry, str) and entry.strip():
        return Check(question=entry.strip(), name=entry.strip())
    if not isinstance(entry, dict) or not isinstance(entry.get("question"), str):
        raise InputError(f"{where} is neither a question nor has one")
    if unknown := sorted(str(name) for name in entry.keys() - FIELDS):
        raise InputError(f"{where}: unknown {unknown[0]!r}; there are {', '.join(sorted(FIELDS))}")
    question = entry["question"].strip()
    try:
        severity = Severity(entry.get("severity", "high"))
    except ValueError:
        raise InputError(
            f"{where}: severity {entry['severity']!r} is none of {', '.join(Severity)}"
        ) from None
    return Check(question=question, name=str(entry.get("name") or question), severity=severity)
