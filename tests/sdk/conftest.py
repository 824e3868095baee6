"""A real server with the scripted engine, and mods as real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from programs import program

from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.transport.settings import ServerSettings

ROOT = Path(__file__).parents[2]


def real_server(
    port: int = 0, hear_timeout_s: float = 10.0, worlds: str = ""
) -> AbstractAsyncContextManager[CallsheetServer]:
    """A server whose engine needs no model, and which waits for mods that a busy machine slows.

    It keeps its worlds in the folder ``worlds``.
    """
    settings = Settings(
        server=ServerSettings(
            port=port, drain_timeout_s=0.1, hello_timeout_s=60.0, heartbeat_interval_s=60.0
        ),
        storage=StorageSettings(directory=worlds),
        reply=ReplySettings(hear_timeout_s=hear_timeout_s),
        scripted=ScriptedSettings(token_delay_s=0.005, rebuild_s=0.0),
    )
    return running_server(settings, ScriptedEngine(settings.scripted))


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Address of a server."""
    async with real_server() as server:
        yield f"ws://127.0.0.1:{server.port}"


@pytest.fixture
async def kept_url(tmp_path: Path) -> AsyncIterator[str]:
    """Address of a server that keeps its worlds."""
    async with real_server(worlds=str(tmp_path / "worlds")) as server:
        yield f"ws://127.0.0.1:{server.port}"


@pytest.fixture
async def hasty_url() -> AsyncIterator[str]:
    """Address of a server that gives mods 0.25 s to answer."""
    async with real_server(hear_timeout_s=0.25) as server:
        yield f"ws://127.0.0.1:{server.port}"


class Cable:
    """Stands between a client and a server, and can be pulled."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: list[asyncio.StreamWriter] = []
        self.pulled = 0

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, server_writer]
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carry(reader, server_writer))
            both.create_task(self._carry(server_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    def pull(self) -> None:
        """Cut every connection, without a goodbye; from any thread of the test."""
        self.pulled += 1
        ends, self._ends = self._ends, []
        for end in ends:
            end.transport.abort()


@pytest.fixture
async def cable(url: str) -> AsyncIterator[tuple[str, Cable]]:
    """A URL that leads to the server, and the cable in between."""
    cable = Cable(int(url.rpartition(":")[2]))
    listener = await asyncio.start_server(cable.connect, "127.0.0.1", 0)
    yield f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}", cable
    cable.pull()
    listener.close()
    await listener.wait_closed()


class Program:
    """A Python program under test, and what it has printed."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.printed = ""

    async def until(self, text: str) -> str:
        """Read on until this is printed; returns what was printed since the last call."""
        assert self.process.stdout
        printed = ""
        try:
            while text not in printed:
                line = (await self.process.stdout.readline()).decode()
                assert line, f"ended without printing {text!r}:\n{self.printed}"
                printed += line
                self.printed += line
        except asyncio.CancelledError as error:
            error.add_note(f"waited for {text!r} after:\n{self.printed}")
            raise
        return printed

    async def end(self) -> tuple[int, str]:
        """Wait for its end: exit status, and everything it printed."""
        assert self.process.stdout
        self.printed += (await self.process.stdout.read()).decode()
        return await self.process.wait(), self.printed


class Programs:
    """Starts programs; the fixture ends them."""

    def __init__(self, stack: contextlib.AsyncExitStack) -> None:
        self._stack = stack

    async def start(self, *arguments: str) -> Program:
        paths = os.pathsep.join((str(ROOT / "sdk_python"), str(ROOT / "server")))
        process = await self._stack.enter_async_context(
            program(
                *arguments,
                env=os.environ | {"PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        )
        return Program(process)


@pytest.fixture
async def programs() -> AsyncIterator[Programs]:
    async with contextlib.AsyncExitStack() as stack:
        yield Programs(stack)
