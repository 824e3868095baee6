"""Functions of a game that carry out what NPCs want to do."""

from __future__ import annotations

import asyncio
import enum
import logging
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

import callsheet
from callsheet import Action, NamesFrom, NpcSpec
from callsheet.core.game_actions import ActionBook, ActionRefusedError
from callsheet.wire import ActionDone

DOORS: dict[str, list[str]] = {"keeper": ["front", "back"]}


class How(enum.Enum):
    WIDE = "wide"
    AJAR = "ajar"


def doors_in_reach(npc: str) -> list[str]:
    return DOORS.get(npc, [])


@callsheet.action
def open_door(
    npc: str,
    door: Annotated[str, NamesFrom(doors_in_reach)],
    how: How = How.WIDE,
    times: Annotated[int, Field(ge=1, le=3)] = 1,
) -> str:
    """Open a door for somebody who asks."""
    return f"{npc} {door} {how.name} {times}"


@callsheet.action
def knock(npc: str, door: Annotated[str, NamesFrom(doors_in_reach)] = "any") -> None:
    """Knock."""


def asked(name: str, npc: str = "keeper", **arguments: Any) -> Action:
    return Action(reply=1, action=7, npc=npc, name=name, arguments=arguments)


def test_a_signature_is_the_spec() -> None:
    spec = open_door.spec("keeper")
    assert spec is not None
    assert (spec.name, spec.description) == ("open_door", "Open a door for somebody who asks.")
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "door": {"type": "string", "enum": ["front", "back"]},
            "how": {"type": "string", "enum": ["wide", "ajar"], "default": "wide"},
            "times": {"type": "integer", "minimum": 1, "maximum": 3, "default": 1},
        },
        "required": ["door"],
        "additionalProperties": False,
    }
    assert open_door("keeper", "front") == "keeper front WIDE 1"


def test_what_cannot_be_named_now_is_not_offered() -> None:
    specs = callsheet.action_specs("stranger", open_door, knock)
    assert [spec.name for spec in specs] == ["knock"]
    assert specs[0].parameters["properties"] == {}
    assert len(callsheet.action_specs("keeper", open_door, knock)) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"door": "front"}, "keeper front WIDE 1"),
        ({"door": "back", "how": "ajar", "times": 3}, "keeper back AJAR 3"),
    ],
)
def test_arguments_arrive_as_the_function_has_them(arguments: dict[str, Any], said: str) -> None:
    assert open_door.begin(asked("open_door", **arguments)) == said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "'door'"),
        ({"door": "cellar"}, "'door' must be one of front, back"),
        ({"door": "front", "times": 4}, "'times'"),
        ({"door": "front", "how": "rude"}, "'how'"),
        ({"door": "front", "zzz": 1}, "'zzz'"),
    ],
)
def test_arguments_that_do_not_fit_fail(arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(ActionRefusedError, match=why):
        open_door.begin(asked("open_door", **arguments))


def test_a_function_that_says_too_little_is_refused() -> None:
    def silent(npc: str) -> None: ...

    with pytest.raises(TypeError, match=r"not told what silent does(.|\n)*docstring"):
        callsheet.action(silent)


def test_what_nobody_carries_out_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    book = ActionBook()
    for _ in range(2):
        with pytest.raises(ActionRefusedError, match="carries out no action dance"):
            book.begin(asked("dance"))
    assert [record.message for record in caplog.records] == [
        "'keeper' wants to do dance, and nobody carries it out: give carry_out an @action "
        "function of that name"
    ]


@pytest.mark.parametrize(
    ("returned", "ok", "message"),
    [(None, True, ""), (True, True, ""), (False, False, ""), ("It creaks.", True, "It creaks.")],
)
def test_what_a_function_returns_is_told(returned: object, ok: bool, message: str) -> None:
    result = ActionBook().succeeded(asked("open_door"), returned)
    assert (result.action, result.ok, result.message) == (7, ok, message)


def test_what_a_function_raises_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    result = ActionBook().failed(asked("open_door"), KeyError("x" * 2_000))
    assert not result.ok
    assert len(result.message) == 1_000
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_npc_knows_what_its_function_did(url: str, fails: bool) -> None:
    finished = asyncio.Event()

    @callsheet.action
    async def open_gate(npc: str, gate: Literal["north"]) -> str:
        """Open the gate."""
        await asyncio.sleep(0)
        finished.set()
        if fails:
            raise RuntimeError("it is stuck")
        return f"{npc} opened the {gate} gate"

    async with (
        callsheet.connect(url, role="game", world="town") as game,
        callsheet.connect(url, role="mod", world="town") as mod,
    ):
        game.carry_out(open_gate)
        names = [f"keeper{n}" for n in range(16)]
        await game.spawn(
            [
                NpcSpec(npc=name, name=name, action_specs=callsheet.action_specs(name, open_gate))
                for name in names
            ]
        )
        done: asyncio.Queue[Any] = asyncio.Queue()
        mod.on(done.put_nowait, ActionDone)
        await mod.register_script(callsheet.RegisterScript(id=1, script="s", npcs=tuple(names)))
        for name in names:
            reply = await game.say(name, "Open the gate, please.")
            await reply
            if reply.actions:
                break
        else:
            pytest.fail("nobody opens the gate")
        await finished.wait()
        told = await done.get()
        assert told.ok != fails
        expected = "open_gate: it is stuck" if fails else f"{name} opened the north gate"
        assert told.message == expected


async def test_functions_without_asyncio_may_ask_the_server(url: str) -> None:
    def play() -> None:
        with callsheet.blocking.connect(url, role="game", world="town") as game:

            @callsheet.action
            def note(npc: str) -> str:
                """Note that you were asked."""
                game.set_facts(npc, {"asked": True})
                return "noted"

            game.carry_out(note)
            names = [f"clerk{n}" for n in range(16)]
            specs = [
                NpcSpec(npc=name, name=name, action_specs=callsheet.action_specs(name, note))
                for name in names
            ]
            game.spawn(specs)
            for name in names:
                reply = game.say(name, "Make a note.")
                reply.end()
                if reply.actions:
                    for _ in range(1_000):
                        if game.get_facts(name) == {"asked": True}:
                            return
            raise AssertionError("nothing was noted")

    await asyncio.to_thread(play)
