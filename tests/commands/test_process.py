"""Running a program: no shell, a fixed environment, an end after so many seconds and bytes."""

from __future__ import annotations

import os
import time

import pytest
import trio
from trio.testing import MockClock

from infrascan import commands
from infrascan.commands import RefusedError, process
from infrascan.store import audit
from tests.commands.conftest import ALICE, Machine

MIB = 1024 * 1024


def read(machine: Machine, *vector: str, clock=None, **options):
    async def run():
        return await commands.read(machine.home, vector, requester=ALICE, **options)

    return trio.run(run, clock=clock)


def test_a_read_runs_at_once_and_gives_its_streams_apart(machine):
    machine.tool("kubectl", "echo out; echo err >&2; exit 4")

    output = read(machine, "kubectl", "get", "pods", "-n", "shop")

    assert ("out\n", "err\n", 4, False) == (
        output.stdout,
        output.stderr,
        output.exit_code,
        output.truncated,
    )
    (entry,) = audit.entries(machine.home)
    assert ("command.read", "exit 4", 8) == (entry["event"], entry["outcome"], entry["bytes"])


def test_the_cluster_is_named_by_the_caller(machine):
    read(machine, "kubectl", "get", "pods", context="prod")
    read(machine, "helm", "list", "-A", context="prod")

    assert ["kubectl --context=prod get pods", "helm --kube-context=prod list -A"] == machine.runs
    for context in ("-s=http://evil", "--token=x", "a\nb"):
        with pytest.raises(RefusedError):
            read(machine, "kubectl", "get", "pods", context=context)
    with pytest.raises(RefusedError, match="beside the command"):
        read(machine, "kubectl", "get", "pods", "--context=dev", context="prod")
    assert 2 == len(machine.runs)


@pytest.mark.parametrize(
    "line",
    ["kubectl delete pod x", "kubectl get secret x -o yaml", "kubectl get pods --token=x", "helm uninstall web",
     "kubectl diff -f web.yaml", "aws ec2 describe-instances", "terraform plan", "infrascan scans", "sh -c id",
     "kubectl exec web -- ls", "helm template web ./chart", "kubectl frob"],
)  # fmt: skip
def test_what_is_no_read_of_kubectl_or_helm_does_not_run_at_once(machine, line):
    with pytest.raises(RefusedError):
        read(machine, *line.split())

    assert [] == machine.runs
    assert ["command.refused"] == [entry["event"] for entry in audit.entries(machine.home)]


def test_words_arrive_as_they_are_and_no_shell_sees_them(machine):
    machine.tool("kubectl", 'for word in "$@"; do printf "%s\\0" "$word"; done > "$HOME/words"')
    words = ["; touch x", "| id", "&& id", "$(id)", "`id`", "a'b", 'a"b', "*", "new\nline", "~"]

    read(machine, "kubectl", "describe", "pod", *words)

    got = (machine.root / "home" / "words").read_text().split("\0")[:-1]
    assert ["describe", "pod", *words] == got
    assert not (machine.folder / "x").exists()


def test_the_environment_is_fixed_and_holds_only_the_tools_own_credentials(machine, monkeypatch):
    for name in ("KUBECTL_EXTERNAL_DIFF", "LD_PRELOAD", "EDITOR", "BASH_ENV", "PYTHONPATH", "OPENAI_API_KEY",
                 "GITHUB_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "TF_CLI_ARGS", "HELM_PLUGINS"):  # fmt: skip
        monkeypatch.setenv(name, "evil")
    monkeypatch.setenv("KUBECONFIG", str(machine.root / "home" / ".kube" / "config"))
    monkeypatch.setenv("AWS_PROFILE", "shop")
    machine.tool("kubectl", 'env > "$HOME/env"; pwd; ls -A; read line || echo no input')

    output = read(machine, "kubectl", "get", "pods")

    env = (machine.root / "home" / "env").read_text()
    assert "evil" not in env
    assert "AWS_PROFILE=shop" in env
    assert "KUBECONFIG=" in env
    folder, said = output.stdout.splitlines()
    assert "no input" == said
    assert not os.path.exists(folder)  # noqa: PTH110 (it was made for this one read)


def test_a_relative_path_is_no_place_to_look_for_a_tool(machine, monkeypatch):
    monkeypatch.chdir(machine.root)
    monkeypatch.setenv("PATH", "bin:.:")

    with pytest.raises(RefusedError, match="not installed"):
        read(machine, "kubectl", "get", "pods")


@pytest.mark.parametrize("letter", ["x", "ß", "語", "🔥"])
def test_ten_megabytes_are_cut_to_two_and_the_size_is_told(machine, letter):
    size = len(letter.encode())
    count = 10 * MIB // size
    line = f'"{letter * 1024}"'
    machine.tool(
        "kubectl",
        f"exec python3 -c 'import sys; [sys.stdout.buffer.write({line}.encode()) for _ in range({count // 1024})]'",
    )

    output = read(machine, "kubectl", "get", "pods")

    assert output.truncated
    assert 2 * MIB - 4 <= len(output.stdout.encode()) <= 2 * MIB
    assert count // 1024 * 1024 * size == output.original_bytes
    assert {letter} == set(output.stdout) - {"\ufffd"}


def test_bytes_that_are_no_text_grow_no_larger_than_the_cap(machine):
    machine.tool("kubectl", f"head -c {2 * MIB} /dev/zero | tr '\\0' '\\377'")

    output = read(machine, "kubectl", "get", "pods")

    assert len(output.stdout.encode()) <= 2 * MIB
    assert output.truncated


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_will_not_end_is_killed_with_all_it_started(machine):
    machine.tool(
        "kubectl",
        'trap "" TERM; (trap "" TERM; echo $BASHPID$! ; while :; do sleep 1; done) & '
        'echo $! > "$HOME/child"; echo $$ > "$HOME/own"; echo begun; while :; do sleep 1; done',
    )
    began = time.monotonic()

    # Trio's clock jumps ahead while nothing happens, so that 55 s pass at once.
    output = read(machine, "kubectl", "get", "pods", clock=MockClock(autojump_threshold=0.3))

    assert (True, None) == (output.timed_out, output.exit_code)
    assert "begun" in output.stdout
    assert 55_000 <= output.duration_ms
    assert time.monotonic() - began < 10
    for name in ("own", "child"):
        pid = int((machine.root / "home" / name).read_text())
        for _ in range(50):
            if not alive(pid):
                break
            time.sleep(0.02)
        assert not alive(pid)


def test_a_child_left_behind_holds_nobody_up(machine):
    machine.tool("kubectl", 'sleep 30 & echo $! > "$HOME/child"; echo done')
    began = time.monotonic()

    output = read(machine, "kubectl", "get", "pods")

    assert ("done\n", 0, False) == (output.stdout, output.exit_code, output.timed_out)
    assert time.monotonic() - began < 5


def test_a_cancelled_read_leaves_no_process(machine):
    machine.tool("kubectl", 'echo $$ > "$HOME/own"; exec sleep 30')

    async def run():
        with trio.move_on_after(5) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(commands.read, machine.home, ["kubectl", "get", "pods"])
                while not (machine.root / "home" / "own").exists():
                    await trio.sleep(0.01)
                await trio.sleep(0.05)
                nursery.cancel_scope.cancel()
        return scope.cancelled_caught

    assert not trio.run(run)
    assert not alive(int((machine.root / "home" / "own").read_text()))


def test_many_reads_at_once_do_not_wait_for_each_other(machine):
    machine.tool("kubectl", "sleep 0.3")

    async def run():
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(commands.read, machine.home, ["kubectl", "get", "pods"])

    began = time.monotonic()
    trio.run(run)

    assert time.monotonic() - began < 2.5
    assert 10 == len(machine.runs)
    assert audit.verify(machine.home).ok


def test_variables_that_lead_elsewhere_are_left_out_for_every_tool():
    variables = {
        "PATH": "/bin",
        "AWS_ENDPOINT_URL_S3": "x",
        "AWS_REGION": "eu-west-1",
        "HELM_DRIVER": "sql",
    }

    assert "AWS_ENDPOINT_URL_S3" not in process.surroundings("aws", variables)
    assert "eu-west-1" == process.surroundings("aws", variables)["AWS_REGION"]
    assert "AWS_REGION" not in process.surroundings("docker", variables)
