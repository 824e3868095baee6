"""Connections on real sockets whose peers send too much, or wait too long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from transport.test_listener import Start, start
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.frames import Frame, Opcode

from callsheet_server.transport import door as door_module
from callsheet_server.transport import peer as peer_module
from callsheet_server.transport.door import MAX_WAITING_PER_ADDRESS
from callsheet_server.transport.peer import FIRST_FRAME_BYTES, FIRST_FRAMES

__all__ = ["start"]

PING = Frame(Opcode.PING, b"").serialize(mask=True)
FRAGMENT = Frame(Opcode.CONT, b"", fin=False).serialize(mask=True)


@asynccontextmanager
async def dialed(url: str) -> AsyncIterator[ClientConnection]:
    async with connect(url, compression=None, ping_interval=None) as socket:
        yield socket


async def code_of(socket: ClientConnection) -> int:
    """Read to the end; the code the server closed with."""
    with pytest.raises(ConnectionClosed) as closed:
        await _read_for_ever(socket)
    return 1006 if closed.value.rcvd is None else closed.value.rcvd.code


async def test_a_few_pings_are_answered(start: Start) -> None:
    server = await start()
    async with dialed(server.url) as socket:
        for _ in range(FIRST_FRAMES // 2):
            await (await socket.ping())
        await socket.send("still here")
        assert await socket.recv() == "still here"


@pytest.mark.parametrize("frame", [PING, FRAGMENT], ids=["pings", "fragments"])
async def test_more_frames_than_may_come_before_a_welcome_end_it(
    start: Start, frame: bytes
) -> None:
    server = await start()
    async with dialed(server.url) as socket:
        if frame is FRAGMENT:
            socket.transport.write(Frame(Opcode.TEXT, b"{", fin=False).serialize(mask=True))
        socket.transport.write(frame * 10_000)
        assert await code_of(socket) == 4009
    assert server.echoes[0].problem is not None


async def test_after_the_welcome_there_is_room_for_more(start: Start) -> None:
    server = await start()
    async with dialed(server.url) as socket:
        await socket.send("hello")
        await socket.recv()
        server.echoes[0].outbox.welcome(50_000)
        for _ in range(2 * FIRST_FRAMES):
            await (await socket.ping())
        await socket.send("x" * 50_000)
        assert len(await socket.recv()) == 50_000
        socket.transport.write(PING * 10_000)
        assert await code_of(socket) == 4009


@pytest.mark.parametrize("size", [FIRST_FRAME_BYTES, FIRST_FRAME_BYTES + 1])
async def test_a_first_message_has_16_kib(start: Start, size: int) -> None:
    server = await start()
    async with dialed(server.url) as socket:
        await socket.send("x" * size)
        assert len(await socket.recv()) == (size if size == FIRST_FRAME_BYTES else 19)
        if size > FIRST_FRAME_BYTES:
            with pytest.raises(ConnectionClosedError) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009


async def test_what_is_too_large_is_told_before_the_close(start: Start) -> None:
    server = await start()
    async with dialed(server.url) as socket:
        await socket.send(bytes(FIRST_FRAME_BYTES + 1))
        assert await socket.recv() == f"at most {FIRST_FRAME_BYTES} bytes"
        assert await code_of(socket) == 1009


async def test_pongs_that_nobody_reads_end_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_module, "MAX_UNREAD_PONGS", 3)
    server = await start()
    async with dialed(server.url) as socket:
        await socket.send("hello")
        await socket.recv()
        server.echoes[0].outbox.welcome(2**24)
        socket.transport.pause_reading()
        await socket.send("x" * 2**23)  # It comes back, and fills what lies between the two.
        pings = asyncio.create_task(_ping_for_ever(socket))
        assert await server.echoes[0].lost_with in (1006, 4009)
        assert server.echoes[0].problem == "3 pongs wait to be read"
        socket.transport.abort()
        with pytest.raises(ConnectionClosed):
            await pings


async def _ping_for_ever(socket: ClientConnection) -> None:
    while True:
        await socket.ping()
        await asyncio.sleep(0.01)


async def test_what_comes_after_the_close_is_not_taken_for_ever(start: Start) -> None:
    server = await start()
    async with dialed(server.url) as socket:
        await socket.send("hello")
        await socket.recv()
        server.echoes[0].outbox.welcome(2**16)
        server.echoes[0].outbox.close(4000, "enough")
        with pytest.raises(ConnectionClosed):
            await _send_for_ever(socket)
    assert sum(map(len, server.echoes[0].frames)) < 2**18


async def test_who_vanishes_with_pongs_on_the_way_is_not_logged(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    server = await start()
    for _ in range(20):
        async with dialed(server.url) as socket:
            socket.transport.write(PING * FIRST_FRAMES)
            socket.transport.abort()
    assert {await echo.lost_with for echo in server.echoes} <= {1005, 1006}
    assert caplog.records == []


async def test_who_waits_longest_makes_room(start: Start) -> None:
    """So one who comes to stay gets in, however many stand in the door."""
    server = await start()
    silent = [
        await connect(server.url, compression=None, ping_interval=None)
        for _ in range(MAX_WAITING_PER_ADDRESS)
    ]
    async with dialed(server.url) as honest:
        assert await code_of(silent[0]) == 1006
        await honest.send("hello")
        assert await honest.recv() == "hello"
    for socket in silent:
        await socket.close()


async def test_who_comes_too_soon_is_served_later(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "CONNECTIONS_AT_ONCE", 1.0)
    server = await start()
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(dialed(server.url)) for _ in range(20)]
        for socket in sockets:
            await socket.send("hello")
            assert await socket.recv() == "hello"


async def test_who_comes_far_too_soon_is_cut_before_anything_is_read(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "CONNECTIONS_AT_ONCE", 1.0)
    monkeypatch.setattr(door_module, "CONNECTIONS_PER_S", 0.001)
    server = await start()
    async with dialed(server.url):
        knocks = asyncio.as_completed([knock(server.listener.port) for _ in range(3)])
        assert [await next(knocks) for _ in range(2)] == [b"", b""]
        assert len(server.echoes) == 1
    await server.listener.close()
    assert await next(knocks) == b"", "the end of the server leaves nobody standing"


async def knock(port: int) -> bytes:
    """Connect; the first byte that comes, none if the connection is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return await reader.read(1)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def _read_for_ever(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def _send_for_ever(socket: ClientConnection) -> None:
    while True:
        await socket.send("x" * 10_000)
