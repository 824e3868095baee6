"""A server that has been through a lot and is alone again holds nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer, scripted
from waiting import until

from callsheet.wire import (
    ActionSpec,
    Bye,
    ConfigureWorld,
    Ok,
    RegisterScript,
    ReplyDelta,
    ScriptRegistered,
    Speaker,
    Subscribe,
    WorldClosed,
)
from callsheet_residency.state import StateKind
from callsheet_server.app.server import CallsheetServer


async def play(server: CallsheetServer, world: str) -> None:
    """A game, a mod and an observer; replies end, break off and are left open."""
    async with (
        Client(server.port, world=world) as game,
        Client(server.port, role="mod", world=world) as mod,
        Client(server.port, role="observer", world=world) as observer,
    ):
        await game.ask(ConfigureWorld(id=game.next_id(), lore=f"The land of {world}."), Ok)
        spawned = await game.spawn("bob", "ida", "broken")
        wave = ActionSpec(name="wave", description="", parameters={"type": "object"})
        events: Any = ("hear", "near", "tick")
        register = RegisterScript(
            id=1, script="s", npcs=("bob", "ida"), events=events, actions=(wave,)
        )
        await mod.ask(register, ScriptRegistered)
        topics: Any = ("replies", "residency", "npcs", "stats")
        await observer.ask(Subscribe(id=1, topics=topics, interval_s=0.05), Ok)
        handles = [npc.handle for npc in spawned.npcs]
        players = [player.handle for player in spawned.players]
        await game.tick(handles, [[0, 0, 0]] * 3, players=players, player_position_m=[1, 0, 0])
        await game.reply(await game.say("broken"))
        await game.say("bob")
        await game.say("bob")
        await mod.say("ida", speaker=Speaker(kind="narrator"))
        await game.get(ReplyDelta)
        await game.send(Bye())
        await game.closed()
        await observer.get(WorldClosed)


@pytest.fixture
async def quiet(start_server: StartServer) -> CallsheetServer:
    """A server where three worlds have come and gone."""
    engine = scripted(fail_npcs=("broken",), token_delay_s=0.005)
    server = await start_server(engine, reply={"hear_timeout_s": 0.01})
    await asyncio.gather(*(play(server, f"world{number}") for number in range(3)))
    await until(lambda: not len(server.sessions) and not server.rooms)
    await server.mover.idle()
    server.pipeline.step()
    return server


async def test_no_session_room_or_reply_is_left(quiet: CallsheetServer) -> None:
    assert quiet.rooms == {}
    talk: Any = quiet.conversations
    waiting = talk._answerer._calls._waiting
    assert (dict(talk._open), dict(talk._turns), waiting) == ({}, {}, {})


async def test_no_state_is_left(quiet: CallsheetServer) -> None:
    (store,) = quiet.engine.stores
    controller: Any = quiet.controller
    engine: Any = quiet.engine
    assert (engine._profiles, engine._running, store._items) == ({}, {}, {})  # type: ignore[attr-defined]
    assert quiet.controller.ledger(StateKind.PREFIX).row_of == {}
    assert (controller._users, controller._distance_s) == ({}, {})
    assert (controller._pending, controller._in_flight) == (set(), set())


async def test_the_next_game_of_a_world_starts_from_nothing(server: CallsheetServer) -> None:
    lore: dict[str, str] = {}
    engine: Any = server.engine

    def set_world_prefix(world: str, text: str) -> Iterator[None]:
        lore[world] = text
        yield

    engine.set_world_prefix, engine.forget_world = set_world_prefix, lore.__delitem__
    async with Client(server.port, role="observer") as observer:
        async with Client(server.port) as game:
            await game.ask(ConfigureWorld(id=1, lore="Old tales.", npc_max_speed_mps=9.0), Ok)
            assert lore == {"town": "Old tales."}
            await game.send(Bye())
            await game.closed()
        await observer.get(WorldClosed)
        assert lore == {}
        async with Client(server.port) as game:
            await game.spawn("bob")
            world = server.rooms["town"].world
            assert (world.lore, world.npc_max_speed_mps, len(world.npcs)) == ("", 2.0, 1)
