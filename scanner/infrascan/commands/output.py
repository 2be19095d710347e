"""What a command printed, without the secrets in it: as JSON where it is JSON, else line by line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from infrascan import redact

# Blocks of YAML, of JSON and of `kubectl describe` whose lines are values of variables or secrets.
BLOCK = re.compile(
    r"^(?P<indent>[\s\-]*)\"?(?P<name>data|stringData|env|Env|Environment|Variables)\"?:\s*[\[{]?\s*$"
)
LINE = re.compile(r"^(?P<head>\s*(?:-\s+)?[^\s:#][^:]*:\s+)(?P<value>\S.*)$")
ENTRY = re.compile(r"^(?P<head>\s*\"[^\"=]*=)(?P<value>.*)$")  # "NAME=value" in docker's lists
SECRET = re.compile(r"[\s\-]*\"?kind\"?:\s*[\"']?Secret\b")
REFERENCES = ("<set to", "<none>", "<Optional")
VARIABLES = frozenset({"env", "Env", "environment", "Environment", "Variables", "variables"})
LONG = 2_000  # characters: JSON on one line
MEMBER = re.compile(r'("[^"\\]{1,200}"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|$)')


def cleaned(vector: Sequence[str], text: str, *, whole: bool = True) -> str:
    """The text, redacted, and without characters that steer a terminal.

    Where it is not whole, what it was about may stand in what is missing, and more is taken out.
    """
    if not text:
        return ""
    text = visible(text)
    structured = text.lstrip()[:1] in {"{", "["}
    if structured:
        try:
            data = redact.scrub(without(json.loads(text)))
            return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        except (ValueError, RecursionError):
            # Cut off, or not JSON after all: line by line.
            text = "\n".join(flat(line) for line in text.split("\n"))
    if structured or (vector and vector[0] in {"kubectl", "helm"}):
        text = "\n".join(manifest(text.split("\n"), whole=whole))
    return redact.text(text)


def visible(text: str) -> str:
    """Without control characters but line breaks and tabs, and without invisible ones."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each for each in text if each in "\n\t\u3000" or each.isprintable())


def without(value: Any) -> Any:
    """JSON without the data of Secrets and the values of variables."""
    if isinstance(value, list):
        return [without(item) for item in value]
    if not isinstance(value, dict):
        return value
    secret = value.get("kind") == "Secret"
    changed: dict[str, Any] = {}
    for key, item in value.items():
        if secret and key in {"data", "stringData"} and isinstance(item, dict):
            changed[key] = dict.fromkeys(item, redact.MARK)
        elif key == "kubectl.kubernetes.io/last-applied-configuration":
            changed[key] = redact.MARK
        elif key in VARIABLES and isinstance(item, list) and all(isinstance(e, str) for e in item):
            changed[key] = [f"{each.partition('=')[0]}={redact.MARK}" for each in item]
        elif key in VARIABLES and named(item):
            changed[key] = redact.environment(item)
        else:
            changed[key] = without(item)
    return changed


def named(item: Any) -> bool:
    """True for a map of strings, or a list of named values."""
    if isinstance(item, dict):
        return all(isinstance(each, str) for each in item.values())
    return isinstance(item, list) and all(isinstance(e, dict) and "name" in e for e in item)


def flat(line: str) -> str:
    """A long line of JSON that cannot be read, without any of its strings."""
    return line if len(line) < LONG else MEMBER.sub(rf'\1"{redact.MARK}"', line)


def manifest(lines: list[str], *, whole: bool = True) -> list[str]:
    """Lines with the values in blocks of variables and of secrets blanked."""
    secret = secrets(lines, whole=whole)
    done: list[str] = []
    depth = -1  # of the block we are in
    block = ""
    skipping = -1  # depth of a value that runs over several lines
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if skipping >= 0 and line.strip():
            if indent > skipping:
                continue
            skipping = -1
        if depth >= 0 and line.strip() and outside(line, depth):
            depth, block = -1, ""
        if "last-applied-configuration" in line and ":" in line:
            head, _, _ = line.partition("last-applied-configuration")
            done.append(f"{head}last-applied-configuration: {redact.MARK}")
            skipping = indent
        elif depth < 0 and (found := BLOCK.match(line)):
            if found["name"][0] in "eEV" or secret[number]:
                depth, block = len(found["indent"]), found["name"]
            done.append(line)
        elif depth >= 0 and (pair := held(block, line)):
            done.append(f"{pair['head']}{redact.MARK}")
            skipping = indent
        else:
            done.append(line)
    return done


def outside(line: str, depth: int) -> bool:
    """True for a line that ends the block: YAML lists may stand as far left as their name."""
    if line.startswith("---"):
        return True
    return len(line) - len(line.lstrip(" -")) <= depth and not line.lstrip().startswith("- ")


def held(block: str, line: str) -> re.Match[str] | None:
    """The line's parts, where its value is one of a variable or of a secret."""
    if block == "Env":
        return ENTRY.match(line)
    pair = LINE.match(line)
    if block == "env" and not line.lstrip(" -").startswith(("value:", '"value":')):
        return None
    return pair if pair and not pair["value"].startswith(REFERENCES) else None


def secrets(lines: list[str], *, whole: bool) -> list[bool]:
    """For each line, whether the document it is in has a Secret, or may have where it is cut off."""
    marks: list[bool] = []
    start = 0
    for number in range(len(lines) + 1):
        if number == len(lines) or lines[number].startswith("---"):
            has = any(SECRET.match(line) for line in lines[start:number])
            marks += [has or (number == len(lines) and not whole)] * (number - start)
            start = number
    return marks
