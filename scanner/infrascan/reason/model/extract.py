"""The only way for text of strangers to a model: one text alone, no tools, one word back.

What comes back is a word of `Symptom`, so nothing that a text says can get any further.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from infrascan.reason.model.budget import Budget
from infrascan.reason.model.cache import Cache, key_over
from infrascan.reason.model.client import Model, schema_of
from infrascan.reason.model.untrusted import cut, outward

PROMPTS = Path(__file__).with_name("prompts")
MOST = 20  # texts of one run


class Symptom(StrEnum):
    OUT_OF_MEMORY = "out of memory"
    OUT_OF_DISK = "out of disk"
    OUT_OF_CAPACITY = "out of capacity"
    CRASH = "crash"
    IMAGE_NOT_PULLED = "image not pulled"
    PROBE_FAILS = "probe fails"
    NOT_SCHEDULED = "not scheduled"
    VOLUME_FAILS = "volume fails"
    CONNECTION_FAILS = "connection fails"
    NAME_NOT_FOUND = "name not found"
    CERTIFICATE = "certificate"
    PERMISSION_DENIED = "permission denied"
    RATE_LIMITED = "rate limited"
    TIMEOUT = "timeout"
    WRONG_CONFIGURATION = "wrong configuration"
    OTHER = "other"


class Reading(BaseModel):
    symptom: Symptom


async def symptom_of(text: str, model: Model, budget: Budget, cache: Cache) -> Symptom:
    """What a text reports. Raises `ModelError`."""
    prompt = read("extract")
    line = cut(outward(text))
    key = key_over(model.name, prompt, schema_of(Reading), [line])
    if (kept := cache.get(key)) is not None:
        budget.cached("extract", model.card)
        return Symptom(kept)
    messages = [
        {"role": "system", "content": prompt},
        {"role": "user", "content": f"Text:\n{line}"},
    ]
    found = (await model.ask(Reading, messages, step="extract", output=200)).symptom
    cache.put(key, found.value)
    return found


def read(name: str) -> str:
    """A prompt that ships."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8")
