"""Reports of one scan, kept to be read in review: INFRASCAN_GOLDEN=write pytest refreshes them."""

from __future__ import annotations

import base64
import json
import os
import re
import zlib
from pathlib import Path

import pytest

from infrascan.render import EXTENSIONS, FORMATS, render

from . import made_scans

GOLDEN = Path(__file__).parent / "golden"


def readable(name: str, text: str) -> str:
    """The page without its style and script, and with its blocks unpacked."""
    if name != "html":
        return text.replace("\r\n", "\n")
    text = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", text, flags=re.DOTALL)
    text = re.sub(r"sha256-[\w+/=]+", "sha256-…", text)
    return re.sub(r'(data-block="\w+">)([^<]+)', unpacked, text)


def unpacked(match: re.Match[str]) -> str:
    value = json.loads(zlib.decompress(base64.b64decode(match[2])))
    return f"{match[1]}{json.dumps(value, indent=1)}"


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_the_one_that_was_reviewed(name: str):
    text = readable(name, "".join(render(name, made_scans.estate(20))))
    path = GOLDEN / f"report{EXTENSIONS[name]}"
    if os.environ.get("INFRASCAN_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
