from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from ports import free_port
from programs import program
from telemetry.small_world import playing, serving, tick

from callsheet import Client
from callsheet.core.batches import Handles
from callsheet_server.app.server import CallsheetServer

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color"}


PIPE = asyncio.subprocess.PIPE


def top(
    *argv: str, stdin: int | None = None, stdout: int = PIPE
) -> AbstractAsyncContextManager[Process]:
    """Run ``callsheet top`` while the body runs."""
    return program(
        *("-m", "callsheet", "top", *argv),
        env=ENVIRONMENT,
        stdin=stdin,
        stdout=stdout,
        stderr=PIPE,
    )


async def play(game: Client, handles: Handles) -> None:
    """Tick until cancelled; ada is due in a minute, cleo in two."""
    time_s = 0.0
    while True:
        await tick(game, handles, time_s, {"ada": 60.0, "cleo": 120.0})
        time_s += 0.05
        await asyncio.sleep(0.05)


@pytest.fixture
async def server() -> AsyncIterator[CallsheetServer]:
    async with serving() as server, playing(server) as (game, handles):
        playing_on = asyncio.create_task(play(game, handles))
        await (await game.say("ada", "Good day."))
        yield server
        playing_on.cancel()
        await asyncio.gather(playing_on, return_exceptions=True)


def address(server: CallsheetServer) -> tuple[str, ...]:
    return f"ws://127.0.0.1:{server.port}", "--world", "town", "--interval", "0.1"


async def test_the_figures_for_scripts(server: CallsheetServer) -> None:
    async with top(*address(server), "--once", "--json") as process:
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    figures = json.loads(out)
    assert figures["stats"]["npcs"] == 3
    assert figures["stats"]["ttft_resident"]["replies"] + (
        figures["stats"]["ttft_not_resident"]["replies"]
    ) == 1  # fmt: skip
    distances_s = [npc["distance_s"] for npc in figures["npcs"]]
    assert distances_s == sorted(distances_s)
    assert len(distances_s) == 3
    assert figures["ticks_per_s"] > 0


async def test_one_picture(server: CallsheetServer) -> None:
    url = f"ws://127.0.0.1:{server.port}"  # "town" is the world that has a game
    async with top(url, "--once") as process:
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    text = out.decode()
    assert "town: scripted" in text
    for name in ("Ada", "Bram", "Cleo", "schedule", "device", "1 replies"):
        assert name in text


async def test_a_line_of_json_every_interval_until_interrupted(server: CallsheetServer) -> None:
    async with top(*address(server), "--json") as process:
        assert process.stdout is not None
        ticks = [json.loads(await process.stdout.readline())["stats"]["ticks"] for _ in range(3)]
        assert ticks == sorted(ticks)
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130


async def test_it_goes_on_with_a_server_that_comes_back() -> None:
    same_port = {"port": free_port()}
    async with AsyncExitStack() as stack:
        async with serving(server=same_port) as server:
            process = await stack.enter_async_context(top(*address(server), "--json"))
            assert process.stdout is not None
            assert json.loads(await process.stdout.readline())["stats"]["npcs"] == 0
        async with serving(server=same_port) as server, playing(server) as (game, handles):
            await tick(game, handles, 0.0)
            while json.loads(await process.stdout.readline())["stats"]["npcs"] != 3:
                pass


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
async def test_the_live_view_ends_with_q(server: CallsheetServer) -> None:
    ours, theirs = pty.openpty()
    async with top(*address(server), stdin=theirs, stdout=theirs) as process:
        os.close(theirs)
        seen = b""
        while b"Cleo" not in seen:
            seen += await asyncio.to_thread(os.read, ours, 65_536)
        os.write(ours, b"q")
        drain = asyncio.create_task(asyncio.to_thread(_read_to_end, ours))
        assert await process.wait() == 0
        assert b"\x1b[?1049l" in await drain  # the screen from before is back
    os.close(ours)


async def test_no_server_is_said_so() -> None:
    async with top("ws://127.0.0.1:9", "--once") as process:
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode().startswith("callsheet: no Callsheet server at ws://127.0.0.1:9")
    assert err.count(b"\n") == 1


async def test_a_world_without_a_game_is_said_so(server: CallsheetServer) -> None:
    async with top(f"ws://127.0.0.1:{server.port}", "--once", "--world", "twon") as process:
        _, err = await process.communicate()
    assert process.returncode == 1
    assert err.decode() == "callsheet: no game is in world 'twon'; games are in: town\n"


async def test_a_bad_url_is_said_so() -> None:
    async with top("http://127.0.0.1:9", "--once") as process:
        _, err = await process.communicate()
    assert process.returncode == 2
    assert b"ws://" in err


def _read_to_end(descriptor: int) -> bytes:
    seen = b""
    try:
        while data := os.read(descriptor, 65_536):
            seen += data
    except OSError:  # Linux's way to say that the other end is closed
        pass
    return seen
