"""The JSON Schema of rule files, for editors; made from the tables that the loader reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infrascan.evaluate.keys import EXAMPLE, FIX, KEYS, OUTCOMES, SAVING, Key
from infrascan.evaluate.operators import OPERATORS

CONDITION = {"$ref": "#/$defs/condition"}


def schema() -> dict[str, Any]:
    """A JSON Schema (2020-12) that accepts the shape of every rule file that loads.

    Field paths, kinds and placeholders are beyond it: `infrascan rules lint` checks those.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "infrascan rule",
        **mapping(KEYS, nested()),
        "$defs": {
            "condition": {
                "anyOf": [
                    {"$ref": "#/$defs/all"},
                    {"type": "array", "items": CONDITION, "minItems": 1},
                ]
            },
            "all": {
                "type": "object",
                "minProperties": 1,
                "properties": dict.fromkeys(("all", "any", "not"), CONDITION),
                "patternProperties": {
                    rf"\|\s*{operator.name}$": {
                        **(operator.schema if isinstance(operator.schema, dict) else {}),
                        "description": f"{operator.doc}. Takes {operator.operand}.",
                    }
                    for operator in OPERATORS
                },
                "additionalProperties": {
                    "anyOf": [
                        {"type": ["string", "number", "boolean"]},
                        {"type": "array", "minItems": 1},
                        {"$ref": "#/$defs/all"},
                    ]
                },
            },
        },
    }


def nested() -> dict[str, Any]:
    """The schemas of the keys that hold mappings of their own."""
    one_outcome = [{"required": [outcome]} for outcome in OUTCOMES]
    return {
        "fix": mapping(FIX, {}),
        "saving": {
            "anyOf": [{"const": "all"}, {**mapping(SAVING, {}), "minProperties": 1, "maxProperties": 1}]
        },
        "examples": {"type": "array", "items": {**mapping(EXAMPLE, {}), "oneOf": one_outcome}},
    }  # fmt: skip


def mapping(keys: Sequence[Key], nested: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            key.name: {**(nested.get(key.name) or key.schema or {}), "description": key.doc}
            for key in keys
        },
        "required": [key.name for key in keys if key.required],
        "additionalProperties": False,
    }
