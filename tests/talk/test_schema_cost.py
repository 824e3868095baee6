"""Schemas that are small and ask for what is not: refused as they arrive, and quickly."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.wire import ActionSpec, CallsheetError, ErrorCode
from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.json_instance import instance_of
from callsheet_server.talk.action_schemas import check_actions


def check(**schema: Any) -> None:
    spec = ActionSpec(name="go", description="Goes.", parameters={"type": "object", **schema})
    check_actions({"actions": [spec]})


def laughs(levels: int) -> dict[str, Any]:
    """Definitions, each of which holds the next one ten times."""
    array = {"type": "array", "minItems": 10}
    inner = {f"a{n}": {**array, "items": {"$ref": f"#/$defs/a{n + 1}"}} for n in range(levels)}
    return {**inner, f"a{levels}": {"type": "integer"}}


def needed(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"properties": {"a": schema}, "required": ["a"], **more}


HUGE: dict[str, dict[str, Any]] = {
    "items": needed({"type": "array", "minItems": 1_000_000}),
    "text": needed({"type": "string", "minLength": 10_000_000}),
    "properties": {"minProperties": 1_000_000},
    "contains": needed({"type": "array", "contains": True, "minContains": 1_000_000}),
    "billion laughs": needed({"$ref": "#/$defs/a0"}, **{"$defs": laughs(9)}),
    "all of them": needed({"allOf": [True, {"type": "array", "minItems": 10_000}]}),
    "every way": needed({"anyOf": [{"type": "string", "minLength": 10_000}, False]}),
    "itself": {"properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "nothing": needed({"enum": []}),
}
FINE: dict[str, dict[str, Any]] = {
    "any": {},
    "optional": {"properties": {"a": {"type": "string", "minLength": 10_000_000}}},
    "one way": needed({"anyOf": [{"type": "string", "minLength": 10_000}, {"type": "null"}]}),
    "a few laughs": needed({"$ref": "#/$defs/a0"}, **{"$defs": laughs(2)}),
    "a tree": needed(
        {"$ref": "#/$defs/tree"},
        **{
            "$defs": {
                "tree": {
                    "type": "object",
                    "properties": {"left": {"anyOf": [{"$ref": "#/$defs/tree"}, {"const": None}]}},
                    "required": ["left"],
                }
            }
        },
    ),
    "names like keywords": {"properties": {"allOf": {}, "required": {}, "type": {}}},
}


@pytest.mark.parametrize("schema", HUGE.values(), ids=HUGE)
def test_what_nobody_can_fill_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(CallsheetError, match="no value that fits is shorter") as refused:
        check(**schema)
    assert refused.value.code is ErrorCode.BAD_VALUE
    assert refused.value.field == "actions.0.parameters"


@pytest.mark.parametrize("schema", FINE.values(), ids=FINE)
def test_what_can_be_filled_is_not(schema: dict[str, Any]) -> None:
    check(**schema)


def test_references_that_multiply_the_checks_are_refused() -> None:
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    with pytest.raises(CallsheetError, match="judged by more than"):
        check(**needed({"$ref": "#/$defs/d0"}, **{"$defs": {**twice, "d40": {}}}))


@pytest.mark.parametrize("name", ["items", "text", "billion laughs"])
def test_the_scripted_engine_gives_up_on_what_is_huge(name: str) -> None:
    with pytest.raises(GenerationError):
        instance_of({"type": "object", **HUGE[name]}, 0)


def test_the_scripted_engine_gives_up_on_trees_that_branch() -> None:
    fork = {"anyOf": [{"$ref": "#"}, {"type": "null"}]}
    tree = {"type": "object", "properties": {"a": fork, "b": fork}, "required": ["a", "b"]}
    with pytest.raises(GenerationError):
        instance_of(tree, 0)
    assert instance_of(tree, 1) == {"a": None, "b": None}
