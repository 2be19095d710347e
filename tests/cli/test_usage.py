"""Words that are wrong get one line with the right one; help and completion work everywhere."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from infrascan import __version__
from infrascan.cli.parser import parser
from tests.cli.command import CLEAN, USAGE, Command

WRONG = {
    "rnu": "did you mean run?",
    "run --frmat json": "unrecognized arguments: --frmat json",
    "run --providers awz": "unknown provider 'awz': did you mean aws?",
    "run --providers=": "--providers is empty",
    "run --providers aws --region=": "--region is empty",
    "run --format jsn": "unknown format 'jsn'; did you mean json?",
    "run --category secuirty": "did you mean security?",
    "run --severity hihg": "did you mean high?",
    "run --fail-on hgih": "did you mean high?",
    "run --min-coverage most": "'most' is not a number between 0 and 100",
    "run --min-coverage 101": "'101' is not a number between 0 and 100",
    "run --min-coverage nan": "'nan' is not a number between 0 and 100",
    "run --call-timeout soon": "'soon' is not a number of seconds",
    "run --call-timeout nan": "'nan' is not above 0",
    "run --deadline 0": "'0' is not above 0",
    "run --demo --replay x": "--demo and --replay both name a recording",
    "run --demo --resume": "--resume goes on with a scan of the network",
    "run --demo --record x": "--record keeps answers from the network",
    "run --demo --region eu-west-1": "leave out --region",
    "run --demo --project shop --org acme": "leave out --project, --org",
    "run --providers aws --project shop": "a part of gcp is named (projects/shop), but --providers",
    "run --project=": "--project is empty",
    "run --demo --format json,csv --output -": "--output - takes one format, 2 were given",
    "permissions asw": "did you mean aws?",
    "rules show aws.s3.bucket-readable-by-anyon": "did you mean aws.s3.bucket-readable-by-anyone?",
    "rules test aws.s3.bucket-readable-by-anyon": "did you mean aws.s3.bucket-readable-by-anyone?",
    "rules list --provider k9s": "did you mean k8s?",
    "rules list --rules nowhere": "nowhere:1:1: there is no such folder",
    "rules new Aws.S3": "lower-case words joined by dots",
    "rules new aws.s3.x --resource aws.s3.buckte": "did you mean aws.s3.bucket?",
    "rules new aws.sss.x": "name one with --resource",
    "report": "no scan is stored",
    "report nothing": "no scan is stored",
    "diff": "no scan is stored",
    "sql SELECT": "no scan is stored",
    "scans --prune few": "invalid int value: 'few'",
    "scans --prune 0": "at least 1 scan is kept",
    "completion fish": "there are bash, zsh, tcsh",
    "mcp --transport http --listen nowhere": "nowhere",
    "mcp --transport http --listen 0.0.0.0:1": "--token-file",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_word_is_one_line_that_says_what_is_right(infrascan: Command, words: str):
    done = infrascan(*words.split())
    assert WRONG[words] in done.complaint
    assert done.code == USAGE
    assert done.out == ""
    assert not infrascan.kept.exists()


def test_without_any_provider_the_line_says_where_to_look(infrascan: Command):
    done = infrascan("run")
    assert "infrascan providers" in done.complaint
    assert "infrascan run --demo" in done.complaint
    assert done.code == USAGE


def commands(grammar: argparse.ArgumentParser, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    for action in grammar._actions:
        if isinstance(action, argparse._SubParsersAction):
            first: dict[int, str] = {}  # an alias is the same parser under a later name
            for name, inner in action.choices.items():
                if first.setdefault(id(inner), name) == name:
                    yield from commands(inner, *words, name)


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]):
    seen = 0
    for words in commands(parser()):
        with pytest.raises(SystemExit) as ended:
            parser().parse_args([*words, "--help"])
        assert ended.value.code == 0
        assert f"usage: {' '.join(('infrascan', *words))} " in capsys.readouterr().out
        seen += 1
    assert seen > 15


def test_research_is_another_name_for_a_scan():
    words = ["--demo", "--providers", "aws,gcp,azure,k8s,cloudflare,hetzner"]
    assert vars(parser().parse_args(["research", *words])) == vars(
        parser().parse_args(["run", *words])
    )


def test_every_command_names_a_function_that_is_there():
    from importlib import import_module

    for words in commands(parser()):
        grammar = parser()
        for word in words:
            subcommands = next(
                a for a in grammar._actions if isinstance(a, argparse._SubParsersAction)
            )
            grammar = subcommands.choices[word]
        if run := grammar.get_default("run"):
            module, _, function = run.partition(":")
            assert callable(getattr(import_module(f"infrascan.cli.{module}"), function))


def test_the_version_and_the_help_are_on_standard_output(infrascan: Command):
    assert infrascan("--version").out == f"infrascan {__version__}\n"
    done = infrascan("--help")
    assert (done.code, done.err) == (CLEAN, "")
    assert "exit codes:" in done.out


def test_no_command_is_a_wrong_command(infrascan: Command):
    done = infrascan()
    assert "required: COMMAND" in done.complaint
    assert done.code == USAGE


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_completion_script_is_one_that_the_shell_takes(infrascan: Command, shell: str):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    done = infrascan("completion", shell)
    assert (done.code, done.err) == (CLEAN, "")
    read = subprocess.run([shell, "-n"], input=done.out, capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")


def test_bash_completes_a_command_and_its_options(infrascan: Command):
    script = infrascan("completion", "bash").out
    asked = (
        "\nCOMP_WORDS=(infrascan run --fail); COMP_CWORD=2; _shtab_infrascan; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script + asked], capture_output=True, text=True, env={"PATH": "/bin"}
    )
    assert done.stdout.split() == ["--fail-on"], done.stderr
