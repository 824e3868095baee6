"""Servers that stop and come back with the same folder: what was acked is there, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer

from callsheet.wire import (
    ConfigureWorld,
    Error,
    Facts,
    GetFacts,
    Hint,
    HintCalls,
    Ok,
    SetFacts,
    UpdateNpc,
)
from callsheet_server.app import CallsheetServer

Restart = Callable[..., Any]


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    return {"directory": str(tmp_path)}


def turns(server: CallsheetServer, npc: str = "bob") -> list[str]:
    return [turn.text for turn in server.rooms["town"].memory.turns(npc)]


async def test_a_world_and_its_session_outlive_the_server(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    first = await start_server(storage=kept)
    async with Client(first.port) as game:
        spawned = await game.spawn("bob", "eve")
        await game.ask(ConfigureWorld(id=game.next_id(), lore="It rains."), Ok)
        await game.ask(UpdateNpc(id=game.next_id(), npc="eve", persona="A spy."), Ok)
        await game.ask(HintCalls(id=game.next_id(), hints=(Hint(npc="bob", in_s=30.0),)), Ok)
        await game.ask(SetFacts(id=game.next_id(), npc="bob", facts={"debt": 3, "x": [1]}), Ok)
        end = await game.reply(await game.say("bob", "hello"))
        resume = game.resumption()
        game.drop()
        await first.close()

    second = await start_server(storage=kept)
    room = second.rooms["town"]
    assert turns(second) == ["hello", end.text]
    assert room.world.lore == "It rains."
    assert {n.spec.npc: n.handle for n in room.world.npcs.values()} == {
        n.npc: n.handle for n in spawned.npcs
    }
    assert room.world.npcs["eve"].spec.persona == "A spy."
    assert room.world.columns.scheduled_call_s[room.world.npcs["bob"].row] == 30.0
    assert room.memory.facts("bob") == {"debt": 3, "x": [1]}
    async with Client(second.port, resume=resume) as game:
        assert game.welcome.resumed
        assert game.welcome.session == resume.session
        await game.tick([n.handle for n in spawned.npcs], [[0, 0, 0], [1, 0, 0]])
        facts = await game.ask(GetFacts(id=game.next_id(), npc="bob"), Facts)
        assert facts.facts == {"debt": 3, "x": [1]}
        again = await game.reply(await game.say("bob", "still there?"))
        assert again.reply > end.reply
        assert not any(isinstance(m, Error) for m in game.received)
    assert turns(second) == ["hello", end.text, "still there?", again.text]
