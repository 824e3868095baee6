"""A thousand connections at once, some of them up to no good; then a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from server.client import Client
from server.conftest import StartServer, scripted
from waiting import until

from callsheet.wire import CloseCode, Error, ErrorCode, Ok, Subscribe, TickAck
from callsheet_server.app.server import CallsheetServer

WORLDS = 100
OBSERVERS = 9
"""Of each world; with its game that makes a thousand."""
NPCS = 20
AT_ONCE = 50
"""Connections opened at a time: a listening socket's backlog is 100."""
FILES = 2 * WORLDS * (1 + OBSERVERS) + 200


@pytest.fixture
def enough_files() -> Iterator[None]:
    """Both ends of every connection are in this process."""
    resource = pytest.importorskip("resource", reason="Windows has no RLIMIT_NOFILE")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"this test needs {FILES} open files; the hard limit is {hard}")
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextlib.asynccontextmanager
async def crowd(server: CallsheetServer) -> AsyncIterator[tuple[list[Client], list[Client]]]:
    """Games and observers, all welcomed."""
    games = [Client(server.port, world=f"w{number}") for number in range(WORLDS)]
    observers = [
        Client(server.port, role="observer", world=f"w{number}")
        for number in range(WORLDS)
        for _ in range(OBSERVERS)
    ]
    everybody = [*games, *observers]
    for start in range(0, len(everybody), AT_ONCE):
        await asyncio.gather(*(one.__aenter__() for one in everybody[start : start + AT_ONCE]))
    yield games, observers
    await asyncio.gather(*(one.socket.close() for one in everybody))


async def play(game: Client) -> None:
    """Spawn, tick, talk."""
    spawned = await game.spawn(*(f"npc{number}" for number in range(NPCS)))
    handles = [npc.handle for npc in spawned.npcs]
    for number in range(1, 6):
        await game.tick(handles, [[number, 0.0, 0.0]] * NPCS, game_time_s=number / 20)
    assert (await game.get(TickAck, tick=5)).tick == 5
    asked = await game.say("npc3")
    assert (await game.reply(asked)).finish_reason == "stop"


async def flood(port: int) -> int:
    """Send nonsense as fast as it goes, and be thrown out. Returns the close code."""
    async with Client(port, role="mod", world="w0") as mod:
        with contextlib.suppress(Exception):
            for _ in range(500):
                await mod.send_raw("{nonsense")
        return await mod.closed()


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
async def test_a_thousand_connections(start_server: StartServer, enough_files: None) -> None:
    server = await start_server(
        scripted(),
        limits={"max_worlds": WORLDS, "max_sessions": WORLDS * (1 + OBSERVERS) + 10},
        drain_timeout_s=300.0,
        heartbeat_interval_s=60.0,
    )
    files_before, tasks_before = open_files(), len(asyncio.all_tasks())
    async with crowd(server) as (games, observers):
        assert len(server.sessions) == WORLDS * (1 + OBSERVERS)
        assert len(server.rooms) == WORLDS
        silent = Client(server.port)
        await silent.dial()
        deaf = observers[0]
        await deaf.ask(Subscribe(id=1, topics=("npcs", "stats"), interval_s=0.1), Ok)
        deaf.socket.transport.pause_reading()
        results = await asyncio.gather(flood(server.port), *(play(game) for game in games))
        assert results[0] == CloseCode.FLOODING
        for game in games:
            assert not any(isinstance(message, Error) for message in game.received)
        errors = server.sessions.errors()
        assert set(errors) == {ErrorCode.BAD_JSON, ErrorCode.FLOODING}
        assert errors[ErrorCode.FLOODING] == 1

        deaf.drop()
        silent.drop()
        closing = asyncio.create_task(server.close())
        for one in (*games, *observers[1:]):
            assert await one.closed() == CloseCode.DRAINING
        await closing
    await until(lambda: len(asyncio.all_tasks()) <= tasks_before)
    assert open_files() <= files_before, "sockets were left open"
    assert not list(server.connections)
    closes = server.pages["/metrics"]().body.decode()
    drained = WORLDS * (1 + OBSERVERS) - 1
    assert f'callsheet_closes_total{{code="4010"}} {drained}.0' in closes
    assert 'callsheet_closes_total{code="4009"} 1.0' in closes
