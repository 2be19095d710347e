"""No secret gets past `redact`, and what is no secret stays as it is."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan import redact
from infrascan.collect.recording import Replay
from infrascan.pipeline import DEMO
from infrascan.shipped import shipped
from tests.promises.canaries import FORMS, SIGN

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


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("holder", ["{}", "CI_{}", 'note="{}"', "({})", "a {} b", "x,{},y"])
def test_a_secret_is_found_behind_a_name_in_quotes_and_in_json_within_json(name: str, holder: str):
    if name == "password-flag" and holder == "CI_{}":
        holder = "CI {}"  # a name glued to a program is another program
    said = holder.format(FORMS[name])
    for data in (
        [said],
        {"Description": said},
        {said: ""},
        [json.dumps({"a": json.dumps([said])})],
    ):
        assert SIGN[:10] not in json.dumps(redact.scrub(data))


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*FORMS.values(), " ", "\n", '"', "token: ", "Bearer ", "=", "a"])))
def test_secrets_in_any_order_are_taken_out_once_and_for_all(parts: list[str]):
    once = redact.text(" ".join(parts))

    assert SIGN[:10] not in once
    assert once == redact.text(once)
    assert [once] == redact.scrub([once])


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*FORMS.values(), *SECRETS.values(), "x", " "]), max_size=4))
def test_whatever_would_be_taken_out_is_hinted_at(parts: list[str]):
    text = " ".join(parts)

    assert not redact.SECRET.search(text) or redact.hint().search(text)


HOSTILE = (
    "-eyJaaaaaaaa",
    "eyJaaaaaaaa.eyJaaaaaaaa",
    "-----BEGIN A ",
    "-----BEGIN PRIVATE KEY-----",
    "a://b:",
    "curl a ",
    "a-a.password",
    "bearer  ",
    "--token",
    "sk-a-",
    "pypi-a",
    'password=\\"',
    "https://hooks.slack.com/services/",
    "SG.a.",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_time_in_line_with_its_length(piece: str):
    tail = " ghp_" + "a" * 36  # so that it is looked at at all

    def seconds(length: int) -> float:
        text = piece * (length // len(piece)) + tail
        took = []
        for _ in range(2):
            began = time.thread_time()
            redact.text(text)
            took.append(time.thread_time() - began)
        return min(took)

    short, long = seconds(3_000), seconds(24_000)

    assert long < 40 * max(short, 0.001), (short, long)  # eight times as long; its square is 64


PUBLIC = (
    "arn:aws:iam::111122223333:role/github-deploy-shop",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "registry.example/shop/api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e2b1d0aa-5c1f-4d0e-9a51-0000000ac3e1",
    "AKIAIOSFODNN7EXAMPLE",
    "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E",
    "/subscriptions/e2b1d0aa/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/tokens",
    "projects/acme/secrets/db-password/versions/3",
    "basic-authentication-is-disabled-for-all",
    "the Basic tier of Redis",
    "--token-ttl 3600 --password-file /run/secrets/db",
    "curl -u $USER https://api.example/",
    "git@github.com:acme/shop.git",
    "skeleton-key: sk-learn and sk-image",
)


@pytest.mark.parametrize("text", PUBLIC)
def test_ids_digests_and_prose_stay_readable(text: str):
    assert text == redact.text(text)
    assert {"Id": text} == redact.scrub({"Id": text})


@pytest.mark.parametrize("field", sorted(redact.PUBLIC_FIELDS))
def test_the_vendors_public_fields_stay_readable(field: str):
    assert {field: "required-or-some-page"} == redact.scrub({field: "required-or-some-page"})


def test_the_recorded_demo_holds_nothing_to_take_out():
    """Its answers were cleaned once; that its ids stay readable, is that they stay as they are."""
    for line in Replay.open(shipped("estates") / DEMO).answers.values():
        assert line.get("answer") == redact.scrub(line.get("answer")), line["api"]


def test_the_word_after_a_flag_of_a_command_is_hidden():
    words = ["serve", "--db-password", "tulip-field", "--token", "/run/token", "--port", "8080"]

    assert {"args": ["serve", "--db-password", "[redacted:password]", *words[3:]]} == redact.scrub(
        {"args": words}
    )
