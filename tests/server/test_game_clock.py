"""The game's clock: it pauses, jumps ahead, and goes back when a keyframe says so."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

from server.client import Client
from server.conftest import StartServer

from callsheet.wire import (
    ErrorCode,
    Explain,
    Explanation,
    NpcTick,
    RegisterScript,
    ScheduledCall,
    ScriptRegistered,
    TickAck,
    TickKind,
    encode_tick,
    npc_records,
    player_records,
)
from callsheet.wire.tick import Tick
from callsheet_server.trace.file import read_trace
from callsheet_server.trace.recorder import Recorder

HOUR_S = 3600.0


async def distance_s(game: Client, npc: str = "bob") -> float:
    found = await game.ask(Explain(id=game.next_id(), npc=npc), Explanation)
    return math.inf if found.distance_s is None else found.distance_s


async def test_a_night_slept_through_brings_the_next_mornings_call(
    start_server: StartServer,
) -> None:
    server = await start_server()
    async with Client(server.port) as game:
        every_day = ScheduledCall(at_s=8 * HOUR_S, every_s=24 * HOUR_S)
        (bob,) = (await game.spawn("bob", schedule=(every_day,))).npcs
        for hour, hours_left in ((22, 10), (22, 10), (30, 2), (31.5, 0.5)):
            await game.tick([bob.handle], [[0, 0, 0]], game_time_s=hour * HOUR_S)
            assert await distance_s(game) == hours_left * HOUR_S


async def test_time_that_goes_back_in_silence_is_told_of_and_a_rewind_is_taken(
    start_server: StartServer,
) -> None:
    server = await start_server()
    async with Client(server.port) as game:
        (bob,) = (await game.spawn("bob", schedule=(ScheduledCall(at_s=500.0),))).npcs
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=1000.0)
        assert await distance_s(game) == math.inf, "the call is past"
        await game.tick([bob.handle], [[1, 0, 0]], game_time_s=100.0)
        error = await game.error(ErrorCode.TIME_BACKWARDS)
        assert "rewind" in error.message
        world = server.rooms["town"].world
        assert world.game_time_s == 1000.0
        await rewind(game, bob.handle, 100.0)
        assert world.game_time_s == 100.0
        assert await distance_s(game) == 400.0, "the call is still to come"
        await game.tick([bob.handle], [[1, 0, 0]], game_time_s=101.0)
        await game.get(TickAck, game_time_s=101.0)
        assert await distance_s(game) == 399.0
        world.check_integrity()


async def rewind(game: Client, handle: int, time_s: float) -> None:
    tick = Tick(
        TickKind.KEYFRAME,
        next(game._ticks),
        time_s,
        True,
        npc_records([handle], [[0, 0, 0]]),
        player_records([], []),
        rewind=True,
    )
    await game.send_raw(encode_tick(tick))
    await game.get(TickAck, game_time_s=time_s)


async def test_a_delta_does_not_rewind(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port) as game:
        text = '{"type":"tick","kind":"delta","tick":1,"game_time_s":0,"rewind":true}'
        await game.send_raw(text)
        error = await game.error(ErrorCode.BAD_TICK)
        assert (error.field, error.message) == ("rewind", "only a keyframe may rewind")


async def test_scripts_are_ticked_again_after_a_rewind(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        (bob,) = (await game.spawn("bob")).npcs
        script = RegisterScript(
            id=mod.next_id(), script="s", npcs=("bob",), events=("tick",), tick_interval_s=10.0
        )
        await mod.ask(script, ScriptRegistered)
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=1000.0)
        assert (await mod.get(NpcTick)).game_time_s == 1000.0
        await rewind(game, bob.handle, 100.0)
        assert (await mod.get(NpcTick)).game_time_s == 100.0
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=110.0)
        assert (await mod.get(NpcTick)).game_time_s == 110.0


async def test_a_recording_goes_on_through_a_rewind(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = await start_server()
    recorder = await asyncio.to_thread(Recorder, tmp_path / "t.trace")
    server.connections._recorder = recorder
    async with Client(server.port) as game:
        (bob,) = (await game.spawn("bob")).npcs
        await game.tick([bob.handle], [[0, 0, 0]], game_time_s=1000.0)
        await rewind(game, bob.handle, 100.0)
        await game.tick([bob.handle], [[1, 0, 0]], game_time_s=101.0)
        await game.get(TickAck, game_time_s=101.0)
    await asyncio.to_thread(recorder.close)
    trace = await asyncio.to_thread(read_trace, tmp_path / "t.trace")
    assert [tick.time_s for tick in trace.ticks] == [1000.0, 1000.0, 1001.0]
