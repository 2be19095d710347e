"""The model's part in each format: what it cost is never made up, and nothing of it acts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infrascan.model import Evidence, Severity
from infrascan.model.research import Claim, Research, Usage
from infrascan.render import modelled, render
from tests.reason.model.estate import clean, estate

SCAN = estate(clean, 4)
HOSTILE = "x\u202e<img src=x onerror=alert(1)> @everyone https://evil.example `rm` | \x1b[31m"
CLAIM = Claim(
    title=f"2 findings meet on aws.s3.bucket “{HOSTILE}”",
    severity=Severity.HIGH,
    confirmed=False,
    resources=(SCAN.resources[0].key,),
    evidence=(Evidence(resource=SCAN.resources[0].key, path="public", value=True),),
    findings=(SCAN.findings[0].id,),
    says="The findings hold together [1].",
    next_check="read the events of it",
)


def told(name: str, usd: float | None = 0.0123, **changes: object) -> str:
    line = Usage(
        step="claim",
        model="openai/gpt-5.4",
        calls=3,
        input_tokens=1_200,
        output_tokens=300,
        usd=usd,
        cached=2,
    )
    research = Research(
        model="openai/gpt-5.4",
        summary="1 open, with a next check.",
        claims=(CLAIM,),
        usage=(line,),
        accepted=1,
        repaired=1,
        dropped={"false fact": 2, "missing edge": 1},
    )
    scan = replace(SCAN, research=replace(research, **changes))  # type: ignore[arg-type]
    return "".join(render(name, scan))


@pytest.mark.parametrize("name", ["html", "markdown", "terminal", "json"])
def test_each_format_says_what_held_what_did_not_and_what_it_cost(name: str):
    text = " ".join(told(name).split())

    assert "gpt-5.4" in text
    assert "read the events of it" in text
    assert "1,200" in text or '"input_tokens":1200' in text.replace(" ", "")
    assert "0.0123" in text
    assert "false fact" in text
    assert "missing edge" in text


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
@pytest.mark.parametrize(("usd", "shown"), [(None, "unpriced"), (0.0, "$0")])
def test_a_model_without_a_price_is_never_free_and_a_local_one_is(
    name: str, usd: float | None, shown: str
):
    text = told(name, usd).replace("\\$", "$")

    assert shown in text
    assert "$0.00" not in text.partition("esearch by a model")[2].partition("indings")[0]
    if usd is None:
        assert '"usd": null' in told("json", usd) or '"usd":null' in told("json", usd)


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
def test_names_in_claims_do_not_act(name: str):
    text = told(name)

    assert "\u202e" not in text
    assert "\x1b[31m" not in text
    if name == "html":
        assert "<img src=x" not in text
    if name == "markdown":
        assert "<img src=x" not in text.replace("\\<", "")
        assert " @everyone " not in text
        assert " https://evil.example " not in text


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
def test_a_banner_says_why_there_is_no_models_part(name: str):
    why = "anthropic has no key: set ANTHROPIC_API_KEY; the report is rule-only"
    text = " ".join(told(name, claims=(), usage=(), banner=why).replace("\\", "").split())

    assert why in text


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
def test_without_a_model_no_format_speaks_of_one(name: str):
    assert "esearch by a model" not in "".join(render(name, SCAN))


def test_dollars():
    assert [modelled.spent(usd) for usd in (None, 0.0, 0.00004, 0.5, 12.345)] == [
        "unpriced",
        "$0",
        "<$0.0001",
        "$0.5000",
        "$12.35",
    ]
