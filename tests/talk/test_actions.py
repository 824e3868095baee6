from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from callsheet.wire import ActionSpec, CallsheetError, ErrorCode
from callsheet_server.talk.actions import (
    MAX_SCHEMA_NODES,
    action_schema,
    action_turn,
    check_actions,
    permitted,
    read_choice,
)


def action(name: str, **schema: Any) -> ActionSpec:
    return ActionSpec(name=name, description=f"To {name}.", parameters={"type": "object", **schema})


TREE = action(
    "plant",
    properties={"tree": {"$ref": "#/$defs/tree"}, "again": {"$ref": "#"}},
    required=["tree"],
    **{
        "$defs": {"tree": {"properties": {"child": {"$ref": "#/$defs/tree"}}, "required": ["kind"]}}
    },
)
WAVE = action("wave")


def choice(name: str, arguments: Any = None) -> str:
    value = {"action": name} if arguments is None else {"action": name, "arguments": arguments}
    return orjson.dumps(value).decode()


def test_none_comes_first() -> None:
    assert action_schema([WAVE, TREE])["anyOf"][0]["properties"]["action"] == {"const": "none"}
    offer = action_turn("Bob", [WAVE, TREE]).text
    assert offer.index("none") < offer.index("wave")


def test_the_offer_is_one_of_the_actions_or_none() -> None:
    schema = action_schema([WAVE, TREE])
    Draft202012Validator.check_schema(schema)
    assert read_choice(choice("wave", {}), [WAVE, TREE]) == ("wave", {})
    assert read_choice(choice("none"), [WAVE, TREE]) is None
    turn = action_turn("Bob", [WAVE, TREE])
    assert turn.speaker == "Narrator"
    for word in ("Bob", "wave", "To plant.", "none"):
        assert word in turn.text


def test_references_still_point_where_they_did() -> None:
    tree = {"kind": "oak", "child": {"kind": "elm"}}
    good = {"tree": tree, "again": {"tree": {"kind": "ash"}}}
    assert read_choice(choice("plant", good), [WAVE, TREE]) == ("plant", good)
    for bad in ({"tree": {"kind": "oak", "child": {}}}, {"tree": tree, "again": {}}):
        assert read_choice(choice("plant", bad), [WAVE, TREE]) is None
    assert "$ref" in TREE.parameters["properties"]["tree"]  # The script's own schema is untouched.
    assert TREE.parameters["properties"]["tree"]["$ref"] == "#/$defs/tree"


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"action":"wa',
        "[]",
        "null",
        choice("dance", {}),
        choice("wave"),
        choice("wave", 1),
        choice("none", {}),
        '{"action":"wave","arguments":{},"x":1}',
    ],
)
def test_what_is_not_a_valid_choice_is_no_action(text: str) -> None:
    assert read_choice(text, [WAVE, TREE]) is None


def test_good_actions_pass() -> None:
    check_actions([TREE, WAVE])
    check_actions([])


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (WAVE, "actions.1.name"),
        (action("none"), "actions.1.name"),
        (action("go", type="array"), "actions.1.parameters"),
        (action("go", properties=3), "actions.1.parameters"),
        (action("go", required=["x" * 100_000] * 2), "actions.1.parameters"),
        (action("go", **{"$ref": "https://example.org/x"}), "actions.1.parameters"),
        (action("go", **{"$ref": "file:///etc/passwd"}), "actions.1.parameters"),
        (action("go", properties={"x": {"$dynamicRef": "y"}}), "actions.1.parameters"),
        (action("go", properties={"x": {"$ref": "#/$defs/none"}}), "actions.1.parameters"),
        (action("go", properties={"x": {"$ref": "#anchor"}}), "actions.1.parameters"),
        (action("go", anyOf=[{"$id": "urn:x"}]), "actions.1.parameters"),
        (action("go", properties={"x": {"pattern": "(a+)+$"}}), "actions.1.parameters"),
        (action("go", patternProperties={"(a+)+$": {}}), "actions.1.parameters"),
        (action("go", unevaluatedProperties=False), "actions.1.parameters"),
        (action("go", enum=[{}] * MAX_SCHEMA_NODES), "actions"),
    ],
)
def test_bad_actions_are_named(bad: ActionSpec, field: str) -> None:
    with pytest.raises(CallsheetError) as raised:
        check_actions([WAVE, bad])
    error = raised.value
    assert (error.code, error.field) == (ErrorCode.BAD_VALUE, field)
    assert len(error.message) < 400


def test_an_argument_may_be_called_pattern() -> None:
    check_actions([action("sew", properties={"pattern": {"type": "string"}})])


def test_only_what_is_permitted_is_offered() -> None:
    assert permitted([WAVE, TREE], None) == (WAVE, TREE)
    assert permitted([WAVE, TREE], ("wave", "fly")) == (WAVE,)
    assert permitted([WAVE, TREE], ()) == ()
    assert read_choice(choice("plant", {"tree": {"kind": "oak"}}), [WAVE]) is None


def exponential() -> ActionSpec:
    """Small, and 2^40 checks to judge the smallest value."""
    levels = {
        f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(40)
    }
    return action("go", **{"$defs": {**levels, "d40": {}}, "$ref": "#/$defs/d0"})


def endless() -> ActionSpec:
    return action("go", **{"$ref": "#"})


@pytest.mark.parametrize("hostile", [exponential(), endless()])
def test_a_hostile_schema_is_given_up(
    hostile: ActionSpec, caplog: pytest.LogCaptureFixture
) -> None:
    check_actions([hostile])
    assert read_choice(choice("go", {}), [hostile]) is None
    assert "takes too long" in caplog.text
    assert read_choice(choice("wave", {}), [WAVE]) == ("wave", {})
