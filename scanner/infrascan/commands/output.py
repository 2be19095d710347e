"""What a command printed, without the secrets in it: as JSON where it is JSON, else line by line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from infrascan import redact

# Blocks of YAML and of `kubectl describe` whose lines are values of variables or of secrets.
BLOCK = re.compile(r"^(?P<indent>[\s\-]*)(?P<name>data|stringData|env|Environment):\s*$")
LINE = re.compile(r"^(?P<head>\s*(?:-\s+)?[^\s:#][^:]*:\s+)(?P<value>\S.*)$")
REFERENCES = ("<set to", "<none>", "<Optional")
VARIABLES = frozenset({"env", "Env", "environment", "Environment", "Variables", "variables"})


def cleaned(vector: Sequence[str], text: str) -> str:
    """The text, redacted, and without characters that steer a terminal."""
    if not text:
        return ""
    text = visible(text)
    if text.lstrip()[:1] in {"{", "["}:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            pass  # cut off, or not JSON after all: line by line
        else:
            return json.dumps(redact.scrub(without(data)), indent=2, ensure_ascii=False) + "\n"
    if vector and vector[0] in {"kubectl", "helm"}:
        text = "\n".join(manifest(text.split("\n")))
    return redact.text(text)


def visible(text: str) -> str:
    """Without control characters but line breaks and tabs, and without invisible ones."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each for each in text if each in "\n\t" or each == " " or shown(each))


def shown(letter: str) -> bool:
    return letter.isprintable() or letter == "\u3000"


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
        elif key in VARIABLES and strings(item):
            changed[key] = redact.environment(item)
        else:
            changed[key] = without(item)
    return changed


def strings(item: Any) -> bool:
    """True for a map of strings, or a list of named values."""
    if isinstance(item, dict):
        return all(isinstance(each, str) for each in item.values())
    return isinstance(item, list) and all(isinstance(e, dict) and "name" in e for e in item)


def manifest(lines: list[str]) -> list[str]:
    """Lines of YAML, or of a description, with the values in blocks of variables and secrets blanked."""
    secret = secrets(lines)
    done: list[str] = []
    depth = -1  # of the block we are in
    block = ""
    skipping = -1  # of a value that runs over several lines
    for number, line in enumerate(lines):
        bare = line.lstrip(" -")
        indent = len(line) - len(bare)
        if skipping >= 0 and line.strip():
            if len(line) - len(line.lstrip()) > skipping:
                continue
            skipping = -1
        if depth >= 0 and line.strip() and outside(line, indent, depth):
            depth, block = -1, ""
        if "last-applied-configuration:" in line:
            done.append(line.partition(":")[0] + f": {redact.MARK}")
            skipping = len(line) - len(line.lstrip())
            continue
        if (
            depth < 0
            and (found := BLOCK.match(line))
            and (found["name"][0] in "eE" or secret[number])
        ):
            depth, block = len(found["indent"]), found["name"]
        elif depth >= 0 and (pair := LINE.match(line)) and held(block, line, pair["value"]):
            done.append(f"{pair['head']}{redact.MARK}")
            skipping = len(line) - len(line.lstrip())
            continue
        done.append(line)
    return done


def outside(line: str, indent: int, depth: int) -> bool:
    """True for a line that ends the block: YAML lists may stand as far left as their name."""
    if line.startswith("---"):
        return True
    return indent <= depth and not line.lstrip().startswith("- ")


def held(block: str, line: str, value: str) -> bool:
    """True where the line's value is one of a variable or of a secret."""
    if block == "env":
        return line.lstrip(" -").startswith("value:")
    return not value.startswith(REFERENCES)


def secrets(lines: list[str]) -> list[bool]:
    """For each line, whether the YAML document it is in has a Secret."""
    marks: list[bool] = []
    start = 0
    for number in range(len(lines) + 1):
        if number == len(lines) or lines[number].startswith("---"):
            has = any(
                re.match(r"[\s\-]*kind:\s*[\"']?Secret\b", line) for line in lines[start:number]
            )
            marks += [has] * (number - start)
            start = number
    return marks
