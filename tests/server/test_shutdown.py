"""Stopping, and what happens when the server itself fails."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from programs import program
from server.client import Client
from server.conftest import StartServer, scripted

from callsheet.wire import (
    CloseCode,
    Draining,
    Error,
    ErrorCode,
    Explain,
    ReplyDelta,
    ReplyStart,
)
from callsheet_server.app import server as app_module
from callsheet_server.app import start as app_start
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.engine.engine import Delta, GenerationEnd, GenerationRequest, Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.trace.recorder import Recorder
from callsheet_server.transport.settings import ServerSettings

GOING_AWAY = 1001
SOURCES = [Path(__file__).parents[2] / folder for folder in ("sdk_python", "server")]


async def test_open_replies_finish_before_the_server_stops(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.01), drain_timeout_s=300.0)
    async with (
        Client(server.port) as game,
        Client(server.port, role="observer") as observer,
    ):
        await game.spawn("bob")
        asked = await game.say("bob")
        await game.get(ReplyStart)
        closing = asyncio.create_task(server.close())
        draining = await game.get(Draining)
        assert draining.deadline_s == 300
        refused = await game.say("bob")
        error = await game.get(Error, id=refused)
        assert error.code == ErrorCode.ENGINE_UNAVAILABLE
        assert error.retry_after_s == draining.reconnect_after_s
        assert (await game.reply(asked)).finish_reason == "stop"
        for client in (game, observer):
            assert await client.closed() == CloseCode.DRAINING
            last = client.received[-1]
            assert isinstance(last, Error)
            assert (last.code, last.retry_after_s) == (
                ErrorCode.DRAINING,
                draining.reconnect_after_s,
            )
        await closing


async def test_replies_that_take_too_long_are_cancelled(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.2), drain_timeout_s=0.05)
    async with Client(server.port) as game:
        await game.spawn("bob")
        asked = await game.say("bob")
        await game.get(ReplyDelta)
        closing = asyncio.create_task(server.close())
        assert (await game.reply(asked)).finish_reason == "cancelled"
        assert await game.closed() == CloseCode.DRAINING
        await closing


async def test_a_client_that_never_said_hello_is_sent_away(start_server: StartServer) -> None:
    server = await start_server()
    client = Client(server.port)
    await client.dial()
    await asyncio.gather(server.close(), client.socket.wait_closed())
    assert client.socket.close_code == 1001


async def test_who_comes_while_the_server_drains_is_told_when_to_come_back(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.02), drain_timeout_s=300.0)
    async with Client(server.port) as game, Client(server.port, role="observer") as lost:
        await game.spawn("bob")
        asked = await game.say("bob")
        await game.get(ReplyStart)
        lost.drop()
        closing = asyncio.create_task(server.close())
        draining = await game.get(Draining)
        late = Client(server.port, world="elsewhere")
        await late.dial()
        await late.send(late.hello)
        assert await late.closed() == CloseCode.DRAINING
        error = late.received[-1]
        assert isinstance(error, Error)
        assert (error.code, error.retry_after_s) == (
            ErrorCode.DRAINING,
            draining.reconnect_after_s,
        )
        async with Client(server.port, role="observer", resume=lost.resumption()) as back:
            assert back.welcome.resumed  # What it missed is still to be had.
            assert (await game.reply(asked)).finish_reason == "stop"
            await closing


async def test_a_hurried_close_waits_neither_for_replies_nor_for_clients(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "HURRY_S", 0.05)
    server = await start_server(scripted(token_delay_s=0.2), drain_timeout_s=300.0)
    async with Client(server.port) as game, Client(server.port, role="observer") as stuck:
        await game.spawn("bob")
        asked = await game.say("bob")
        await game.get(ReplyDelta)
        stuck.socket.transport.pause_reading()
        closing = asyncio.create_task(server.close())
        await game.get(Draining)
        server.hurry()
        assert (await game.reply(asked)).finish_reason == "cancelled"
        assert await game.closed() == CloseCode.DRAINING
        await closing
        stuck.drop()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize(("name", "signals"), [("SIGTERM", 1), ("SIGTERM", 2), ("SIGHUP", 1)])
async def test_a_signal_drains_and_a_second_one_hurries(
    tmp_path: Path, name: str, signals: int
) -> None:
    async with program(
        *("-m", "callsheet", "serve", "--engine", "scripted", "--port", "0"),
        *("--set", "scripted.token_delay_s=0.05", "--set", "server.drain_timeout_s=300"),
        *("--set", f"storage.directory={tmp_path}"),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, SOURCES))},
        stdout=asyncio.subprocess.PIPE,
    ) as process:
        assert process.stdout
        while b"ws://" not in (line := await process.stdout.readline()):
            assert line, "the server did not start"
        port = int(line.partition(b"ws://")[2].split(b":")[1].split(b"/")[0])
        async with Client(port) as game:
            await game.spawn("bob")
            asked = await game.say("bob")
            await game.get(ReplyDelta)
            process.send_signal(getattr(signal, name))
            await game.get(Draining)
            if signals == 2:
                process.send_signal(getattr(signal, name))
            end = await game.reply(asked)
            assert end.finish_reason == ("stop" if signals == 1 else "cancelled")
            assert await game.closed() == GOING_AWAY  # The session outlives the process.
            await process.communicate()
            assert process.returncode == 0


async def test_closing_twice_is_fine() -> None:
    server = await app_start.start_server(Settings(server=ServerSettings(port=0)), scripted())
    await server.close()
    await server.close()


class ModelThatLoads(ScriptedEngine):
    """Notes whether it was started and closed."""

    started = closed = False

    async def start(self, report: Callable[[Progress], None]) -> None:
        self.started = True
        await super().start(report)

    async def close(self) -> None:
        self.closed = True
        await super().close()


async def test_a_taken_port_is_found_before_a_model_is_loaded(server: CallsheetServer) -> None:
    engine = ModelThatLoads()
    with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
        await app_start.start_server(Settings(server=ServerSettings(port=server.port)), engine)
    assert not engine.started
    assert engine.closed


class EngineWithoutModel(ScriptedEngine):
    """Cannot start."""

    async def start(self, report: Callable[[Progress], None]) -> None:
        raise EngineStartError("no model")


async def test_a_failed_start_releases_what_it_had_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings.model_validate(
        {"server": {"port": port}, "storage": {"directory": str(tmp_path / "worlds")}}
    )
    recorder = await asyncio.to_thread(Recorder, tmp_path / "trace.jsonl")
    with pytest.raises(EngineStartError):
        await app_start.start_server(settings, EngineWithoutModel(), recorder=recorder)
    ours = [one.name for one in threading.enumerate() if one.name.startswith("callsheet")]
    assert ours == []
    # The port and the folder are free again.
    server = await app_start.start_server(settings, scripted())
    await server.close()


class BrokenEngine(ScriptedEngine):
    """Fails with what no engine may raise."""

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        yield Delta("Well, ")
        raise RuntimeError("a bug")


async def test_a_bug_in_a_reply_ends_that_reply(
    start_server: StartServer,
) -> None:
    server = await start_server(BrokenEngine())
    async with Client(server.port) as game:
        await game.spawn("bob")
        end = await game.reply(await game.say("bob"))
        assert (end.finish_reason, end.code) == ("error", ErrorCode.GENERATION_FAILED)
        assert end.text == "Well"
        await game.settle()


async def test_a_bug_in_a_handler_costs_one_connection_and_can_be_resumed(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start_server()
    async with Client(server.port) as game, Client(server.port, world="other") as other:
        await game.spawn("bob")
        await other.spawn("ida")
        with monkeypatch.context() as patch:
            patch.setattr(server.pipeline, "explain", lambda *_: 1 / 0)
            await game.send(Explain(id=20, npc="bob"))
            assert await game.closed() == CloseCode.INTERNAL
        error = game.received[-1]
        assert isinstance(error, Error)
        assert (error.code, error.id) == (ErrorCode.INTERNAL, 20)
        assert "zero" not in error.message
        async with Client(server.port, resume=game.resumption()) as again:
            assert again.welcome.resumed
            assert again.welcome.last_request_id == 20
            assert (await again.reply(await again.say("bob"))).finish_reason == "stop"
        assert (await other.reply(await other.say("ida"))).finish_reason == "stop"


async def test_housekeeping_goes_on_after_a_bug(
    server: CallsheetServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated = asyncio.Event()

    def sweep() -> None:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr(server.membership, "sweep", sweep)
        broken.setattr(server.subscriptions, "update", lambda *_: updated.set())
        await updated.wait()  # The jobs behind the one that failed are done in the same round.
    assert server.housekeeping_failures > 0
    page = server.pages["/metrics"]().body.decode()
    assert f'{{where="housekeeping"}} {server.housekeeping_failures}.0' in page
