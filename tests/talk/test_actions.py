from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from callsheet.wire import ActionSpec, CallsheetError, NpcSpec, RegisterScript
from callsheet_server.talk.action_schemas import check_actions
from callsheet_server.talk.actions import (
    action_schema,
    action_turn,
    actions_of,
    offered,
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


def npc(**fields: Any) -> NpcSpec:
    return NpcSpec(npc="bob", name="Bob", **fields)


def script(**fields: Any) -> RegisterScript:
    return RegisterScript(id=1, script="smith", npcs=("bob",), **fields)


OTHER_WAVE = WAVE.model_copy(update={"description": "To wave a flag."})


@pytest.mark.parametrize(
    ("of_game", "of_script", "may_take"),
    [
        (npc(), None, ()),
        (npc(action_specs=(WAVE, TREE)), None, (WAVE, TREE)),
        (npc(action_specs=(WAVE, TREE), actions=("wave", "fly")), None, (WAVE,)),
        (npc(action_specs=(WAVE,)), script(actions=(TREE,)), (WAVE, TREE)),
        (npc(action_specs=(WAVE, TREE)), script(game_actions=("plant",)), (TREE,)),
        (npc(action_specs=(WAVE, TREE)), script(game_actions=()), ()),
        (npc(action_specs=(WAVE, TREE)), script(actions=(OTHER_WAVE,)), (TREE, OTHER_WAVE)),
        (npc(actions=()), script(actions=(TREE,)), ()),
    ],
)
def test_a_script_adds_to_what_the_game_gives_or_narrows_it(
    of_game: NpcSpec, of_script: RegisterScript | None, may_take: tuple[ActionSpec, ...]
) -> None:
    assert actions_of(of_game, of_script) == may_take


@pytest.mark.parametrize(
    ("by_game", "by_script", "may_choose", "names"),
    [
        (None, None, True, ["wave"]),
        (None, None, False, []),
        (("give", "wave"), None, False, ["wave", "give"]),
        (None, ("give",), True, ["give"]),
        (("give", "wave"), ("give",), True, ["give"]),
        ((), None, True, []),
        (("fly",), None, True, []),
    ],
)
def test_game_and_script_say_what_is_offered_this_time(
    by_game: tuple[str, ...] | None,
    by_script: tuple[str, ...] | None,
    may_choose: bool,
    names: list[str],
) -> None:
    gated = action("give").model_copy(update={"gated": True})
    found = offered([WAVE, gated], by_game, by_script, may_choose=may_choose)
    assert [spec.name for spec in found] == names


def test_a_choice_of_what_is_not_offered_is_none() -> None:
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
    with pytest.raises(CallsheetError, match="judged by more than"):
        check_actions({"actions": [hostile]})
    assert read_choice(choice("go", {}), [hostile]) is None
    assert "takes too long" in caplog.text
    assert read_choice(choice("wave", {}), [WAVE]) == ("wave", {})
