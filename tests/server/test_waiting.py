"""Clients that come while the engine is not ready."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from server.client import Client
from server.conftest import PATIENT_SERVER, StartServer
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import callsheet
from callsheet.wire import PROTOCOL
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import start_server as start_directly
from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.transport.settings import ServerSettings

HELLO = {
    "type": "hello",
    "protocol": PROTOCOL,
    "role": "game",
    "world": "town",
    "client": {"name": "tests", "version": "1"},
}


class SlowEngine(ScriptedEngine):
    """An engine that starts when it is told to."""

    def __init__(self) -> None:
        super().__init__(ScriptedSettings(token_delay_s=0.0))
        self.go_on = asyncio.Event()
        self.fault: EngineStartError | None = None
        self.report: Callable[[Progress], None] = lambda _: None

    async def start(self, report: Callable[[Progress], None]) -> None:
        self.report = report
        report(Progress("model", 12, 98, "B"))
        await self.go_on.wait()
        if self.fault is not None:
            raise self.fault
        await super().start(report)


class Starting:
    """A server whose engine is not ready yet."""

    def __init__(self) -> None:
        self.engine = SlowEngine()
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        settings = Settings(server=ServerSettings(**PATIENT_SERVER))
        start = start_directly(settings, self.engine, listening=self._port.set_result)
        self.server: asyncio.Task[CallsheetServer] = asyncio.create_task(start)

    async def port(self) -> int:
        return await self._port

    async def hello(self, port: int) -> ClientConnection:
        socket = await connect(f"ws://127.0.0.1:{port}")
        await socket.send(json.dumps(HELLO))
        return socket


async def read(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def test_who_waits_is_told_of_the_progress_and_then_welcomed() -> None:
    starting = Starting()
    socket = await starting.hello(await starting.port())
    told = {"type": "engine_progress", "phase": "download", "done_bytes": 12, "total_bytes": 98}
    assert await read(socket) == told
    starting.engine.report(Progress("model", 98, 98, "B"))
    while (message := await read(socket))["done_bytes"] != 98:
        assert message == told
    starting.engine.report(Progress("llama.cpp", 0, 0, "steps"))
    while (message := await read(socket))["phase"] == "download":
        pass
    assert message == {"type": "engine_progress", "phase": "load", "done_bytes": 0}
    starting.engine.go_on.set()
    while (message := await read(socket))["type"] == "engine_progress":
        pass
    assert message["type"] == "welcome"
    await socket.send('{"type":"spawn","id":1,"npcs":[{"npc":"bob","name":"Bob"}]}')
    assert (await read(socket))["type"] == "spawned"
    await socket.close()
    await (await starting.server).close()


async def test_the_sdk_waits_longer_than_it_would_for_a_silent_server() -> None:
    starting = Starting()
    heard: list[callsheet.EngineProgress] = []
    settings = callsheet.ClientSettings(open_timeout_s=2.0, connect_timeout_s=2.0)
    url = f"ws://127.0.0.1:{await starting.port()}"
    client = callsheet.connect(url, role="game", world="town", settings=settings)
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    def hear(progress: callsheet.EngineProgress) -> None:
        heard.append(progress)
        if loop.time() - began_s > 3.0:
            starting.engine.go_on.set()

    client.on(hear, callsheet.EngineProgress)
    async with client:
        assert client.welcome.engine.name == "scripted"
    assert heard[0].total_bytes == 98
    await (await starting.server).close()


async def test_who_waits_is_told_why_the_engine_does_not_start() -> None:
    starting = Starting()
    socket = await starting.hello(await starting.port())
    assert (await read(socket))["type"] == "engine_progress"
    starting.engine.fault = EngineStartError("model: the disk is full")
    starting.engine.go_on.set()
    while (message := await read(socket))["type"] == "engine_progress":
        pass
    assert message["code"] == "engine_unavailable"
    assert message["message"] == "model: the disk is full"
    with pytest.raises(ConnectionClosed):
        await read(socket)
    assert socket.close_code == 4011
    with pytest.raises(EngineStartError):
        await starting.server


async def test_who_hangs_up_while_waiting_is_forgotten() -> None:
    starting = Starting()
    port = await starting.port()
    socket = await starting.hello(port)
    assert (await read(socket))["type"] == "engine_progress"
    await socket.close()
    starting.engine.go_on.set()
    server = await starting.server
    async with Client(port) as game:
        assert game.welcome.resumed is False
    server.check_integrity()
    await server.close()


async def test_who_may_not_connect_is_refused_before_the_engine_is_ready() -> None:
    starting = Starting()
    url = f"ws://127.0.0.1:{await starting.port()}"
    async with connect(url, additional_headers={"Origin": "https://elsewhere.example"}) as socket:
        assert (await read(socket))["code"] == "unauthorized"
    async with connect(url) as socket:
        await socket.send("x" * 20_000)
        assert (await read(socket))["code"] == "message_too_large"
    starting.engine.go_on.set()
    await (await starting.server).close()


async def test_a_stop_while_the_engine_starts_lets_go_of_who_waits() -> None:
    starting = Starting()
    socket = await starting.hello(await starting.port())
    assert (await read(socket))["type"] == "engine_progress"
    starting.server.cancel()
    async for _ in socket:
        pass
    assert socket.close_code == 1001
    with pytest.raises(asyncio.CancelledError):
        await starting.server


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


async def test_health_is_told_before_readiness(start_server: StartServer) -> None:
    starting = Starting()
    url = f"http://127.0.0.1:{await starting.port()}"
    assert await asyncio.to_thread(status, f"{url}/healthz") == 200
    assert await asyncio.to_thread(status, f"{url}/readyz") == 503
    assert await asyncio.to_thread(status, f"{url}/") == 200  # the page shows how far it is
    assert await asyncio.to_thread(status, f"{url}/metrics") == 404
    starting.engine.go_on.set()
    server = await starting.server
    assert await asyncio.to_thread(status, f"{url}/readyz") == 200
    await server.close()
