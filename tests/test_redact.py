"""No secret gets past `redact`, and what is no secret stays as it is."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infrascan import redact

# Made up, in the shapes that vendors document.
SECRETS = {
    "private-key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabcdef\n-----END RSA PRIVATE KEY-----",
    "github-token": "ghp_" + "a1B2" * 9,
    "gitlab-token": "glpat-" + "x9" * 10,
    "slack-token": "xoxb-" + "1234567890-abcdef",
    "slack-webhook": "https://hooks.slack.com/services/T000/B000/" + "k" * 24,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "google-api-key": "AIza" + "S" * 35,
    "stripe-key": "sk_live_" + "4" * 24,
    "openai-key": "sk-proj-" + "Q7" * 20,
    "anthropic-key": "sk-ant-" + "api03-" + "z" * 40,
    "sendgrid-key": "SG." + "a" * 22 + "." + "b" * 43,
    "npm-token": "npm_" + "c" * 36,
    "docker-token": "dckr_pat_" + "d" * 27,
    "digitalocean-token": "dop_v1_" + "0f" * 32,
    "vault-token": "hvs." + "e" * 24,
    "huggingface-token": "hf_" + "g" * 34,
    "azure-storage-key": "AccountKey=" + "h" * 86 + "==",
    "azure-sas": "https://x.blob.core.windows.net/c?sv=1&sig=" + "i" * 43,
    "aws-signature": "https://s3.example/o?X-Amz-Signature=" + "0a" * 32,
    "aws-secret-key": "aws_secret_access_key = " + "J" * 40,
    "url-password": "postgres://app:correct-horse@db.internal:5432/app",
    "bearer-token": "Authorization: Bearer " + "k" * 32,
    "password": "Server=db;User=sa;Password=hunter2hunter2;",
}
CORE = {  # the part that must never survive
    "azure-storage-key": "h" * 86,
    "azure-sas": "i" * 43,
    "aws-signature": "0a" * 32,
    "aws-secret-key": "J" * 40,
    "url-password": "correct-horse",
    "bearer-token": "k" * 32,
    "password": "hunter2hunter2",
}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_is_replaced_by_its_class_wherever_it_stands(name: str):
    secret = SECRETS[name]
    core = CORE.get(name, secret)
    for holder in (
        secret,
        f"note: {secret} (rotate)",
        f'{{"a": "{secret}"}}',
    ):
        for data in (holder, [holder], {"Description": holder}, {"a": [{"b": holder}]}):
            cleaned = json.dumps(redact.scrub(data))
            assert core not in cleaned
            assert f"[redacted:{name}]" in cleaned


@pytest.mark.parametrize("name", sorted(SECRETS))
@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_no_surrounding_text_lets_a_secret_through(name: str, before: str, after: str):
    core = CORE.get(name, SECRETS[name])
    cleaned = redact.text(f"{before} {SECRETS[name]} {after}")

    assert core not in cleaned


@pytest.mark.parametrize(
    "data",
    [
        {"Arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf"},
        {"NextToken": "eyJ2ZXJzaW9uIjoxfQ=="},
        {"HttpTokens": "required"},
        {"KeyId": "AKIAIOSFODNN7EXAMPLE"},
        {"automountServiceAccountToken": False},
        {"Url": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"},
        {"Tags": [{"Key": "team", "Value": "payments"}]},
        {"secretName": "db-credentials"},
        {"tokenExpirationSeconds": 3600},
        {"Description": "rotates the password every 30 days"},
    ],
)
def test_what_is_no_secret_stays(data):
    assert data == redact.scrub(data)


def test_a_name_that_says_secret_hides_its_value():
    data = {
        "Tags": [{"Key": "db_password", "Value": "tulip"}, {"Key": "team", "Value": "blue"}],
        "labels": {"api-key": "tulip"},
        "annotations": {"example.com/token": "tulip"},
    }

    assert "tulip" not in json.dumps(redact.scrub(data))
    assert "blue" in json.dumps(redact.scrub(data))


def test_no_value_of_a_variable_survives_and_its_class_does():
    pairs = [
        {"name": "MODE", "value": "fast"},
        {"name": "DB_PASSWORD", "value": "tulip"},
        {"name": "AWS_ACCESS_KEY_ID", "value": "AKIAIOSFODNN7EXAMPLE"},
        {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "EMPTY", "value": ""},
    ]

    assert [
        {"name": "MODE", "value": "[redacted]"},
        {"name": "DB_PASSWORD", "value": "[redacted:password]"},
        {"name": "AWS_ACCESS_KEY_ID", "value": "[redacted:aws-access-key]"},
        {"name": "FROM", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "EMPTY", "value": ""},
    ] == redact.environment(pairs)
    assert {"A": "[redacted]", "TOKEN": "[redacted:password]"} == redact.environment(
        {"A": "x", "TOKEN": "y"}
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(json_values)
def test_scrubbing_twice_changes_nothing_more(data):
    once = redact.scrub(data)

    assert once == redact.scrub(once)


@given(json_values)
def test_scrubbing_keeps_the_shape(data):
    def shape(value):
        if isinstance(value, dict):
            return {key: shape(item) for key, item in value.items()}
        if isinstance(value, list):
            return [shape(item) for item in value]
        return "" if isinstance(value, str) else value

    assert shape(data) == shape(redact.scrub(data))


pieces = st.one_of(
    st.sampled_from(sorted(v for k, v in SECRETS.items() if k != "private-key")),
    st.sampled_from(["password", "token:", "= ", "curl", "-u", "app:correct-horse", "bearer"]),
    st.sampled_from(["AKIAIOSFODNN7EXAMPLE", "J" * 40, "eyJhbGciOiJIUzI1NiJ9.eyJ", "x" * 90]),
    st.sampled_from(["--api-key", "\n", "é\u2028", '": "']),
    st.text(alphabet="ab:=\"' \n\\-é", max_size=12),
)


@given(st.lists(st.tuples(pieces, st.sampled_from(["", " ", "\n", "\n\n\n", " : "])), max_size=40))
def test_a_long_text_is_redacted_as_a_short_one(found: list[tuple[str, str]]):
    whole = "".join(piece + after for piece, after in found)
    assert "".join(redact.parts(whole)) == redact.SECRET.sub(redact.mark, whole)


@pytest.mark.parametrize("filling", ['"', "\n", "token:", "x = 1\n", "a b\n"])
def test_a_long_text_costs_no_more_than_its_length(filling: str):
    text = "token=" + filling * (400_000 // len(filling)) + "\nghp_" + "a" * 36
    began = time.process_time()
    cleaned = redact.text(text)
    assert time.process_time() - began < 5
    assert "ghp_" not in cleaned


def test_one_secret_in_a_long_list_is_found():
    items = [{"name": f"disk-{n}", "note": "a word"} for n in range(1000)]
    items[777]["note"] = "sk-" + "a1B2" * 12
    found = redact.scrub({"items": items})["items"]

    assert "[redacted:openai-key]" == found[777]["note"]
    assert items[:777] == found[:777]
