"""The keys of a rule file: one table for the loader, the JSON Schema and the reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from infrascan.model import Category, Severity

CONTROLS = re.compile(r"[a-z0-9]+(?:[-._][a-z0-9]+)*")
OUTCOMES = ("flag", "pass", "unknown")
STRING = {"type": "string", "minLength": 1}
STRINGS = {"type": "array", "items": STRING}


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a mapping of the rule file may have."""

    name: str
    doc: str
    required: bool = False
    schema: Any = None


FIX = (
    Key("text", "what to change, naming the setting", required=True, schema=STRING),
    Key("command", "one command, with {name} and other placeholders", schema=STRING),
)
SAVING = (
    Key(
        "share",
        "the part of the monthly cost that goes away",
        schema={"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    ),
    Key(
        "to",
        "the fields as they would be after the fix, priced again",
        schema={"type": "object", "minProperties": 1},
    ),
)
EXAMPLE = (
    *(Key(outcome, f"says in words why the verdict is {outcome}", schema=STRING) for outcome in OUTCOMES),
    Key("given", "the resource's data; relations by name, as lists of data", required=True, schema={"type": "object"}),
    Key("unread", "fields and relations that could not be read", schema=STRINGS),
    Key("name", "the resource's name, where it matters", schema=STRING),
    Key("now", "the time that ages count from", schema=STRING),
)  # fmt: skip
KEYS = (
    Key("id", "the path with dots: aws.rds.instance-open-to-internet", required=True, schema=STRING),
    Key(
        "title",
        "a fact about the resource, at most 80 characters",
        required=True,
        schema={"type": "string", "minLength": 1, "maxLength": 80},
    ),
    Key("category", "cost, security or reliability", required=True, schema={"enum": [c.value for c in Category]}),
    Key("severity", "critical, high, medium, low or info", required=True, schema={"enum": [s.value for s in Severity]}),
    Key(
        "resource",
        "the kind that the rule is about, or a list of kinds",
        required=True,
        schema={"anyOf": [STRING, {"type": "array", "items": STRING, "minItems": 1}]},
    ),
    Key("with", "other providers that must be in the scan, because their relations lead here", schema=STRINGS),
    Key("flag_when", "the condition under which a resource is flagged", required=True, schema={"$ref": "#/$defs/condition"}),
    Key("why", "who can do what, or what is lost, in words for a non-specialist", required=True, schema=STRING),
    Key("fix", "what to do about it", required=True),
    Key("references", "URLs of the vendor's documentation", schema=STRINGS),
    Key(
        "controls",
        "controls of frameworks that the rule belongs to",
        schema={"type": "object", "additionalProperties": STRINGS},
    ),
    Key("saving", "what the fix saves: all, {share: 0.5} or {to: {VolumeType: gp3}}; cost rules only"),
    Key("examples", "cases that prove the rule", required=True),
    Key("aliases", "ids that the rule had before", schema=STRINGS),
    Key("status", "stable, or preview while it is being tried", schema={"enum": ["stable", "preview"]}),
)  # fmt: skip
