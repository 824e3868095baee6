"""Schemas of actions: good ones pass, bad ones are named, and a message has not too many."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.wire import ActionSpec, CallsheetError, ErrorCode
from callsheet_server.talk.action_schemas import (
    MAX_MESSAGE_NODES,
    MAX_SCHEMA_NODES,
    check_actions,
)


def action(name: str, **schema: Any) -> ActionSpec:
    return ActionSpec(name=name, description=f"To {name}.", parameters={"type": "object", **schema})


TREE = action(
    "plant",
    properties={"tree": {"$ref": "#/$defs/tree"}, "again": {"$ref": "#"}},
    required=["tree"],
    **{"$defs": {"tree": {"properties": {"child": {"$ref": "#/$defs/tree"}}}}},
)
WAVE = action("wave")


def test_good_actions_pass() -> None:
    check_actions({"actions": [TREE, WAVE]})
    check_actions({"actions": []})


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (WAVE, "actions.1.name"),
        (action("none"), "actions.1.name"),
        (action("go", type="array"), "actions.1.parameters"),
        (action("go", properties=3), "actions.1.parameters"),
        (action("go", required=["x" * 100_000, 3]), "actions.1.parameters"),
        (action("go", **{"$ref": "https://example.org/x"}), "actions.1.parameters"),
        (action("go", **{"$ref": "file:///etc/passwd"}), "actions.1.parameters"),
        (action("go", properties={"x": {"$dynamicRef": "y"}}), "actions.1.parameters"),
        (action("go", properties={"x": {"$ref": "#/$defs/none"}}), "actions.1.parameters"),
        (action("go", properties={"x": {"$ref": "#anchor"}}), "actions.1.parameters"),
        (action("go", **{"$ref": "#/type"}), "actions.1.parameters"),
        (action("go", properties={"x": {"type": "strin"}}), "actions.1.parameters"),
        (action("go", anyOf=[]), "actions.1.parameters"),
        (action("go", properties={"x": {"maxLength": -1}}), "actions.1.parameters"),
        (action("go", anyOf=[{"$id": "urn:x"}]), "actions.1.parameters"),
        (action("go", properties={"x": {"pattern": "(a+)+$"}}), "actions.1.parameters"),
        (action("go", patternProperties={"(a+)+$": {}}), "actions.1.parameters"),
        (action("go", unevaluatedProperties=False), "actions.1.parameters"),
        (action("go", enum=[{}] * MAX_SCHEMA_NODES), "actions"),
    ],
)
def test_bad_actions_are_named(bad: ActionSpec, field: str) -> None:
    with pytest.raises(CallsheetError) as raised:
        check_actions({"actions": [WAVE, bad]})
    error = raised.value
    assert (error.code, error.field) == (ErrorCode.BAD_VALUE, field)
    assert len(error.message) < 400


def test_an_argument_may_be_called_pattern() -> None:
    check_actions({"actions": [action("sew", properties={"pattern": {"type": "string"}})]})


def test_what_is_alike_counts_once_in_a_message() -> None:
    many = [action(f"a{n}", enum=[0] * 200) for n in range(4)]
    check_actions({f"npcs.{n}.action_specs": many for n in range(1_000)})
    others = {
        f"npcs.{n}.action_specs": [action("go", enum=[n] * 900)]
        for n in range(MAX_MESSAGE_NODES // 900 + 1)
    }
    with pytest.raises(CallsheetError) as raised:
        check_actions(others)
    assert raised.value.field == list(others)[-1]
