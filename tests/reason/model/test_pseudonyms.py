"""What is hidden comes back whole, and nothing of it is in what a model sees."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from infrascan.reason.model.choice import ModelChoice
from infrascan.reason.model.client import open_model
from infrascan.reason.model.pseudonyms import Pseudonyms
from infrascan.reason.model.study import studied
from tests.reason.model.estate import estate
from tests.servers import minds
from tests.servers.models import ModelServer

ACCOUNTS = st.from_regex(r"[0-9]{12}", fullmatch=True)
HOSTS = st.from_regex(
    r"[a-z]{1,8}(-[a-z0-9]{1,5})?\.(example\.com|acme\.io|internal)", fullmatch=True
)
ADDRESSES = st.ip_addresses(v=4).map(str)
NAMES = st.one_of(
    st.from_regex(r"[a-z][a-z0-9]{0,10}([-_./][a-z0-9]{1,6}){0,3}", fullmatch=True),
    st.text(min_size=1, max_size=12),
)
ARNS = st.builds(
    "arn:aws:iam::{}:role/{}".format, ACCOUNTS, st.from_regex(r"[a-z]{1,9}", fullmatch=True)
)
GLUE = st.one_of(
    st.text(max_size=10),
    st.sampled_from([" ", "/", "_", "=", ": ", '"', "name_001", "ip_002 ", "x"]),
)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    names = draw(st.lists(NAMES, max_size=4))
    found = draw(
        st.lists(
            st.one_of(
                ACCOUNTS, HOSTS, ADDRESSES, ARNS, *([st.sampled_from(names)] if names else [])
            ),
            max_size=6,
        )
    )
    return "".join(part for item in found for part in (draw(GLUE), item)) + draw(GLUE), names


@given(texts())
@example(("name_001 and name_001x and web", ["web"]))
@example(("_web_1", ["web"]))
@example(("web", ["web", "name_001"]))
@settings(max_examples=300, deadline=None)
def test_what_is_hidden_comes_back_whole(made: tuple[str, list[str]]):
    text, names = made
    pseudonyms = Pseudonyms(names)
    hidden = pseudonyms.hide(text)

    assert text == pseudonyms.restore(hidden)
    assert text == pseudonyms.restore(pseudonyms.hide(text))


def alone(name: str, text: str) -> bool:
    return re.search(f"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", text) is not None


@given(
    st.lists(
        st.from_regex(r"[a-z]{3,9}(-[a-z0-9]{2,5}){1,2}", fullmatch=True), min_size=1, max_size=5
    ),
    ACCOUNTS,
    HOSTS,
    ADDRESSES,
    ARNS,
)
@settings(max_examples=150, deadline=None)
def test_no_name_stays(names: list[str], account: str, host: str, address: str, arn: str):
    text = f"{names[0]} of {account} at {host} ({address}) runs as {arn}; " + ", ".join(names)
    hidden = Pseudonyms(names).hide(text)

    for original in (
        *names,
        account,
        host,
        arn,
        *(() if address.startswith("0.0.0.0") else (address,)),
    ):
        assert not alone(original, hidden), hidden


def test_the_same_name_has_one_pseudonym_and_another_has_another():
    pseudonyms = Pseudonyms(["shop", "shop-db"])
    hidden = pseudonyms.hide("shop reads shop-db; shop-db is not shop")

    assert (
        hidden == "name_002 reads name_001; name_001 is not name_002"
        or hidden == "name_001 reads name_002; name_002 is not name_001"
    )


def test_everywhere_is_no_ones_address():
    assert Pseudonyms().hide("open to 0.0.0.0/0 and ::/0") == "open to 0.0.0.0/0 and ::/0"


class Named(BaseModel):
    resource: str
    notes: list[str] = []


def test_an_answer_comes_back_with_the_names_put_back():
    def mind(asked: object) -> object:
        (name,) = re.findall(r"name_\d+", asked.prompt)  # type: ignore[attr-defined]
        return {"resource": name, "notes": [f"about {name}"]}

    with ModelServer(mind) as server:

        async def ask() -> Named:
            made = open_model(
                "openai/gpt-5.4",
                environment=server.environment("openai"),
                names=Pseudonyms(["checkout-api"]),
            )
            async with made as model:
                return await model.ask(Named, "Which is checkout-api?")

        answer = trio.run(ask)

    assert answer == Named(resource="checkout-api", notes=["about checkout-api"])
    assert b"checkout-api" not in server.requests[0].seen.body


def test_under_anonymize_no_name_address_or_account_is_sent_and_the_report_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def said(place: str, number: int) -> str:
        if place == "name":
            return f"billing-worker-{number:03}"
        return f"billing-worker-000 of 111122223333 calls db{number}.acme.internal at 10.1.2.{number} every day"

    with ModelServer(minds.honest) as server:
        for name, value in server.environment("openai").items():
            monkeypatch.setenv(name, value)
        choice = ModelChoice(name="openai/gpt-5.4", anonymize=True)
        result = trio.run(studied, estate(said, 30), choice, tmp_path)

    assert any(asked.title == "Reading" for asked in server.asked)
    assert "aws.s3.bucket" in " ".join(asked.prompt for asked in server.asked)
    assert "opens[0].from" in " ".join(asked.prompt for asked in server.asked)
    sent = b"".join(request.seen.body for request in server.requests).decode()
    for original in (
        "billing-worker",
        "111122223333",
        "acme.internal",
        "10.1.2.",
        "arn:aws",
        "thing-00",
    ):
        assert original not in sent
    assert "billing-worker-000" in " ".join(claim.title for claim in result.claims)
