"""A TCP proxy whose wire can be slow, cut, half open, or deliver late. Knows nothing of frames."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from typing import Self

__all__ = ["Proxy", "Wire"]

READ_BYTES = 1 << 16


@dataclass
class Wire:
    """Conditions under which bytes travel, both ways; may be changed at any time."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Added to the delay: uniform in [0, jitter_s]."""
    dribble_bytes: int | None = None
    """At most so many bytes a write; None = as they came."""


class Proxy:
    """``async with Proxy(port) as proxy``: clients connect to ``proxy.url``."""

    def __init__(self, port: int, seed: int = 0, wire: Wire | None = None) -> None:
        self.wire = wire or Wire()
        self.connections = 0
        """Accepted so far."""
        self._port = port
        self._random = random.Random(seed)
        self._links: set[_Link] = set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        links = list(self._links)
        self.cut()
        await asyncio.gather(*(link.ended.wait() for link in links))
        await self._server.wait_closed()

    def cut(self) -> None:
        """End every connection at both ends, without a goodbye; what was under way is lost."""
        for link in list(self._links):
            link.abort()

    def cut_after(self, down_bytes: int) -> None:
        """Cut each connection when so many more bytes have reached its client: in mid-frame."""
        for link in self._links:
            link.down_left_bytes = down_bytes

    def freeze(self) -> None:
        """Half open: nothing passes on today's connections any more, and nobody is told."""
        for link in self._links:
            link.frozen = True

    def hold(self) -> None:
        """Keep back what the clients of today's connections send from now on."""
        for link in self._links:
            link.holding = True

    def strand(self) -> None:
        """End today's connections at the clients' ends; the server's ends stay open."""
        for link in self._links:
            link.strand()

    def release(self) -> None:
        """Deliver to the server, late, what stranded connections held back."""
        for link in self._links:
            link.release()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            ends = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self.wire, self._random, (reader, writer), ends)
        self._links.add(link)
        try:
            await link.carry()
        finally:
            self._links.discard(link)
            link.ended.set()


class _Link:
    """One connection through the proxy."""

    def __init__(
        self,
        wire: Wire,
        source: random.Random,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.ended = asyncio.Event()
        self.frozen = self.holding = False
        self.down_left_bytes: int | None = None
        self._wire, self._random = wire, source
        self._client, self._server = client, server
        self._stranded = False
        self._held = bytearray()

    async def carry(self) -> None:
        up = asyncio.create_task(self._up())
        try:
            await self._pump(self._server[0], self._client[1], down=True)
        finally:
            self.abort()
            await up

    async def _up(self) -> None:
        await self._pump(self._client[0], self._server[1], down=False)
        if not self._stranded:
            self.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, down: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(READ_BYTES):
                wait_s = self._wire.delay_s + self._random.random() * self._wire.jitter_s
                if wait_s:
                    await asyncio.sleep(wait_s)
                step = self._wire.dribble_bytes or len(data)
                for start in range(0, len(data), step):
                    if not await self._write(writer, data[start : start + step], down=down):
                        return
                    await asyncio.sleep(0)

    async def _write(self, writer: asyncio.StreamWriter, data: bytes, *, down: bool) -> bool:
        """Pass data on, or not; False when this link is over."""
        if self.frozen or (self._stranded and down):
            return True
        if self.holding and not down:
            self._held += data
            return True
        if down and self.down_left_bytes is not None:
            data = data[: self.down_left_bytes]
            self.down_left_bytes -= len(data)
        writer.write(data)
        await writer.drain()
        if down and self.down_left_bytes == 0:
            self.abort()
            return False
        return True

    def strand(self) -> None:
        self._stranded = True
        self._client[1].transport.abort()

    def release(self) -> None:
        if self._stranded and not self._server[1].is_closing():
            self._server[1].write(bytes(self._held))
            self._held.clear()

    def abort(self) -> None:
        for _, writer in (self._client, self._server):
            writer.transport.abort()
