"""The proxy does to bytes what it says: otherwise the tests beside this one show nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from toxic.proxy import Proxy, Wire
from waiting import until

Connect = Callable[[Wire], Awaitable["Ends"]]


class Ends:
    """Both ends of connections through a proxy, in the order they were made."""

    def __init__(self) -> None:
        self.server: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.clients: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.proxy: Proxy

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        port = int(self.proxy.url.rpartition(":")[2])
        self.clients.append(await asyncio.open_connection("127.0.0.1", port))
        await until(lambda: len(self.server) == len(self.clients))
        return self.clients[-1]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    ends = Ends()
    listener = await asyncio.start_server(
        lambda reader, writer: ends.server.append((reader, writer)), "127.0.0.1", 0
    )

    async def start(wire: Wire) -> Ends:
        ends.proxy = Proxy(listener.sockets[0].getsockname()[1], wire=wire)
        await ends.proxy.__aenter__()
        return ends

    yield start
    await ends.proxy.__aexit__()
    listener.close()
    for _, writer in ends.server + ends.clients:
        writer.transport.abort()
    await asyncio.sleep(0)
    await listener.wait_closed()


@pytest.mark.parametrize("wire", [Wire(), Wire(dribble_bytes=7), Wire(delay_s=0.01, jitter_s=0.01)])
async def test_what_goes_in_comes_out(connect: Connect, wire: Wire) -> None:
    ends = await connect(wire)
    _, writer = await ends.dial()
    writer.write(bytes(range(256)) * 4)
    assert await ends.server[0][0].readexactly(1_024) == bytes(range(256)) * 4


async def test_a_cut_comes_after_so_many_bytes(connect: Connect) -> None:
    ends = await connect(Wire())
    reader, _ = await ends.dial()
    ends.proxy.cut_after(10)
    ends.server[0][1].write(b"x" * 100)
    assert await reader.read() == b"x" * 10


async def test_a_frozen_wire_stays_open_and_carries_nothing(connect: Connect) -> None:
    ends = await connect(Wire())
    reader, writer = await ends.dial()
    ends.proxy.freeze()
    writer.write(b"hello")
    ends.server[0][1].write(b"hello")
    for end in (reader, ends.server[0][0]):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(end.read(1), 0.05)


async def test_what_was_held_arrives_after_what_was_sent_later(connect: Connect) -> None:
    ends = await connect(Wire())
    reader, writer = await ends.dial()
    ends.proxy.hold()
    writer.write(b"first")
    await until(lambda: any(link._held for link in ends.proxy._links))
    ends.proxy.strand()
    assert await reader.read() == b""
    _, again = await ends.dial()
    again.write(b"second")
    assert await ends.server[1][0].readexactly(6) == b"second"
    ends.proxy.release()
    assert await ends.server[0][0].readexactly(5) == b"first"
