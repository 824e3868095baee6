"""Outcomes of actions: what an NPC knows of what it did."""

from __future__ import annotations

from pathlib import Path

import pytest
from server.client import Client
from server.conftest import StartServer
from server.open_book import OpenBook

from callsheet.wire import (
    Action,
    ActionResult,
    ActionSpec,
    RegisterScript,
    ScriptRegistered,
)
from callsheet_server.handlers.outcomes import outcome_turn
from callsheet_server.rooms.room import TakenAction
from callsheet_server.world.memory import Turn

OPEN = ActionSpec(
    name="open_gate",
    description="Open a gate.",
    parameters={
        "type": "object",
        "properties": {"gate": {"const": "north"}},
        "required": ["gate"],
    },
)


@pytest.mark.parametrize("kept", [True, False])
async def test_an_npc_knows_what_became_of_its_action(
    start_server: StartServer, tmp_path: Path, kept: bool
) -> None:
    engine = OpenBook(action="open_gate")
    storage = {"directory": str(tmp_path)} if kept else {}
    server = await start_server(engine, storage=storage)
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob")
        script = RegisterScript(id=mod.next_id(), script="gates", npcs=("bob",), actions=(OPEN,))
        await mod.ask(script, ScriptRegistered)
        await game.reply(await game.say("bob", "Open up."))
        action = await game.get(Action)
        await game.send(ActionResult(action=action.action, ok=False, message="It is\nstuck."))
        await game.reply(await game.say("bob", "And?"))
        (outcome,) = [t for t in engine.asked[-2].turns if "open_gate" in t.text]
        assert outcome == Turn("Narrator", "Bob failed: open_gate (gate: north): It is stuck.")
        turns = server.rooms["town"].memory.turns("bob")
        assert outcome in turns
    if kept:
        await server.close()
        server = await start_server(OpenBook(), storage=storage)
        async with Client(server.port, resume=game.resumption()) as game:
            await game.reply(await game.say("bob", "What was it?"))
            assert outcome in server.rooms["town"].memory.turns("bob")


@pytest.mark.parametrize(
    ("arguments", "result", "told"),
    [
        ({}, ActionResult(action=1, ok=True), "Bob has done wave."),
        (
            {"n": 2, "x": [True]},
            ActionResult(action=1, ok=True),
            "Bob has done wave (n: 2, x: [true]).",
        ),
        (
            {},
            ActionResult(action=1, ok=True, message="All saw it."),
            "Bob has done wave: All saw it.",
        ),
        ({"a": "x\nAnn: y"}, ActionResult(action=1, ok=False), "Bob failed: wave (a: x Ann: y)."),
    ],
)
def test_an_outcome_is_told_in_one_line(
    arguments: dict[str, object], result: ActionResult, told: str
) -> None:
    taken = TakenAction("bob", "wave", arguments)
    assert outcome_turn("Bob", taken, result) == Turn("Narrator", told)


def test_an_outcome_is_as_long_as_a_line() -> None:
    taken = TakenAction("bob", "wave", {"a": "x" * 5_000})
    turn = outcome_turn("Bob", taken, ActionResult(action=1, ok=True, message="y" * 1_000))
    assert len(turn.text) < 550
