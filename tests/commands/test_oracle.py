"""The grammar against the tools themselves: each flag is theirs, and takes a value where theirs does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from infrascan.commands.grammar import tool
from infrascan.commands.syntax import Verb, flags

# What the tools print of a flag: its letter, its name, and what shows whether it takes a value.
LINE = {
    "kubectl": re.compile(r"^\s+(?:-(\w), )?--([\w-]+)=(.*):$", re.MULTILINE),
    "docker": re.compile(r"^\s+(?:-(\w), )?\s*--([\w-]+)(?: (\w+))?\s{2,}", re.MULTILINE),
}
SWITCH = {"kubectl": {"true", "false"}, "docker": {None}}
# kubectl's flags that stand alone or have their value joined: pflag's NoOptDefVal.
JOINED = {"dry-run", "cascade"}


def real(name: str, verb: Verb, home: str) -> dict[str, bool]:
    """Each flag of the real tool's verb -> whether it takes a value."""
    done = subprocess.run(
        [name, *verb.words, "--help"], capture_output=True, text=True, timeout=30, check=False,
        env={"PATH": os.environ["PATH"], "HOME": home},
    )  # fmt: skip
    found = {}
    for short, long, shown in LINE[name].findall(done.stdout):
        takes = (shown or None) not in SWITCH[name]
        found |= dict.fromkeys(filter(None, (short, long)), takes)
    return found


@pytest.mark.parametrize("name", ["kubectl", "docker"])
def test_flags_are_those_of_the_real_tool(name, tmp_path):
    if not shutil.which(name):
        pytest.skip(f"needs {name}")
    verbs = [
        verb
        for verb in tool(name).verbs
        if verb.flags and not verb.why and verb.words[0] != "compose"  # a plugin, not always there
    ]

    with ThreadPoolExecutor(2) as pool:
        helps = list(pool.map(lambda verb: real(name, verb, str(tmp_path)), verbs))

    wrong = [
        (" ".join(verb.words), spelling)
        for verb, known in zip(verbs, helps, strict=True)
        for spelling, flag in flags(verb.flags).items()
        if known.get(spelling) != flag.value and flag.name not in JOINED
    ]
    assert len(verbs) > 40
    assert [] == wrong
