"""What commands print has no secrets in it, in whatever form they print it."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infrascan.commands.output import cleaned, manifest

CANARY = "hunter2-canary"
GET = ["kubectl", "get", "pods", "-o", "yaml"]
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "db",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY},
    },
    "data": {"password": CANARY, "key.pem": CANARY},
    "stringData": {"user": CANARY},
}
POD = {
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {
        "containers": [
            {"name": "app", "image": "nginx", "env": [{"name": "COLOUR", "value": CANARY}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db"}}}]}
        ],
        "nodeName": "n1",
    },
}  # fmt: skip
LIST = {"kind": "List", "items": [POD, SECRET, POD]}


@pytest.mark.parametrize("value", [SECRET, POD, LIST], ids=["secret", "pod", "list"])
@pytest.mark.parametrize("form", ["json", "compact", "yaml", "documents"])
def test_values_of_secrets_and_variables_are_not_shown(value, form):
    text = {
        "json": lambda: json.dumps(value, indent=2),
        "compact": lambda: json.dumps(value),
        "yaml": lambda: yaml.safe_dump(value),
        "documents": lambda: "---\n" + yaml.safe_dump(POD) + "---\n" + yaml.safe_dump(value),
    }[form]()
    assert CANARY in text

    shown = cleaned(GET, text)

    assert CANARY not in shown
    assert "[redacted" in shown
    if value is not SECRET:
        assert "nginx" in shown
        assert "n1" in shown


def test_a_manifest_that_is_cut_off_hides_as_much():
    for text in (yaml.safe_dump(LIST), json.dumps(LIST, indent=4)):
        for end in range(0, len(text), 7):
            assert CANARY not in cleaned(GET, text[:end], whole=False), text[:end]
    line = json.dumps([LIST] * 20)
    for end in range(2_000, len(line), 997):
        assert CANARY not in cleaned(GET, line[:end], whole=False)


def test_values_of_several_lines_are_hidden_whole():
    text = "kind: Secret\ndata:\n  a: |\n    one hunter2-canary\n    two hunter2-canary\n  b: x\ntype: Opaque\n"

    shown = cleaned(["helm", "get", "manifest", "web"], text)

    assert CANARY not in shown
    assert "type: Opaque" in shown


def test_a_description_shows_names_of_variables_and_not_values():
    text = (
        "Containers:\n  app:\n    Image:  nginx\n    Environment:\n      COLOUR:  hunter2-canary\n"
        "      KEY:     <set to the key 'k' in secret 'db'>  Optional: false\n    Mounts:\n      /var from x (ro)\n"
    )

    shown = cleaned(["kubectl", "describe", "pod", "web"], text)

    assert CANARY not in shown
    for part in ("nginx", "COLOUR", "<set to the key 'k' in secret 'db'>", "/var from x (ro)"):
        assert part in shown


def test_containers_of_docker_keep_names_of_variables_only():
    text = json.dumps([{"Config": {"Env": [f"COLOUR={CANARY}", "PATH=/bin"], "Image": "nginx"}}])

    shown = cleaned(["docker", "inspect", "web"], text)

    assert ["COLOUR=[redacted]", "PATH=[redacted]"] == json.loads(shown)[0]["Config"]["Env"]


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2-canary",
        "DB_PASSWORD=hunter2-canary",
        '{"AccessKey": {"SecretAccessKey": "hunter2/canary/hunter2/canary/hunter2/ca"}}',
        "postgres://web:hunter2-canary@db/shop",
        "Authorization: Bearer hunter2-canary-hunter2-canary",
        "-----BEGIN PRIVATE KEY-----\nhunter2-canary\n-----END PRIVATE KEY-----",
    ],
)
def test_secrets_in_logs_are_not_shown(text):
    assert "hunter2" not in cleaned(["kubectl", "logs", "web"], f"line one\n{text}\nline three")


def test_what_steers_a_terminal_or_hides_is_taken_out():
    shown = cleaned(["kubectl", "logs", "web"], "a\x1b[2Jb\u202ec\u200bd\re\x07\ttab\nnext ü 語")

    assert "a[2Jbcde\ttab\nnext ü 語" == shown


@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error(text):
    shown = cleaned(GET, text)

    assert all(each in "\n\t" or each.isprintable() or each == "\u3000" for each in shown)


@given(
    st.lists(
        st.sampled_from(
            [
                "kind: Secret",
                "data:",
                "  a: hunter2",
                "---",
                "  env:",
                "  - name: x",
                "    value: y",
                "",
                "x: |",
                "    z",
            ]
        ),
        max_size=12,
    )
)
def test_lines_without_blocks_stay_as_they_are(lines):
    kept = manifest(list(lines))

    assert len(kept) <= len(lines)
    if not any(line.strip(" -") in {"data:", "env:"} for line in lines):
        assert lines == kept
