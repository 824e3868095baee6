from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.json_instance import instance_of

NESTED = {
    "type": "object",
    "properties": {
        "to": {"$ref": "#/$defs/place"},
        "gifts": {"type": "array", "items": {"enum": ["ale", "bread"]}, "minItems": 2},
        "note": {"type": "string", "minLength": 5},
    },
    "required": ["to", "gifts", "note"],
    "additionalProperties": False,
    "$defs": {"place": {"oneOf": [{"const": "inn"}, {"type": "integer", "minimum": 3}]}},
}


@pytest.mark.parametrize("choice", [0, 1, 7, 255])
@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"const": {"a": [1, None]}},
        {"enum": [1, "two", None]},
        {"type": ["null", "integer", "string"]},
        {"type": "integer"},
        {"type": "integer", "minimum": 2.5},
        {"type": "integer", "exclusiveMinimum": 2},
        {"type": "integer", "exclusiveMinimum": 2.5},
        {"type": "integer", "maximum": -5},
        {"type": "integer", "exclusiveMaximum": 0},
        {"type": "integer", "minimum": 10, "multipleOf": 7},
        {"type": "number", "minimum": 0.25, "maximum": 0.75},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "number", "maximum": -0.5},
        {"type": "boolean"},
        {"type": "string", "minLength": 3, "maxLength": 3},
        {"type": "string", "maxLength": 0},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3},
        NESTED,
    ],
)
def test_what_is_made_is_valid(schema: dict[str, Any], choice: int) -> None:
    assert Draft202012Validator(schema).is_valid(instance_of(schema, choice))


def test_the_choice_decides_and_the_same_choice_makes_the_same() -> None:
    schema = {"enum": ["a", "b", "c"]}
    assert [instance_of(schema, choice) for choice in (0, 1, 2, 3)] == ["a", "b", "c", "a"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^a$"},
        {"type": "array", "minItems": 2, "uniqueItems": True},
        {"not": {}},
        {
            "$defs": {
                "loop": {
                    "type": "object",
                    "properties": {"x": {"$ref": "#/$defs/loop"}},
                    "required": ["x"],
                }
            },
            "$ref": "#/$defs/loop",
        },
    ],
)
def test_what_is_not_understood_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(GenerationError, match="no instance"):
        instance_of(schema, 0)
