"""Not read is not absent, with each call of the platforms around them denied in turn."""

from __future__ import annotations

import pytest

from tests.promises.estate import apis, check


@pytest.mark.parametrize(("provider", "api"), apis("cloudflare", "github", "docker", "terraform"))
def test_a_denied_call_never_turns_a_verdict_round(provider: str, api: str):
    check(provider, api)
