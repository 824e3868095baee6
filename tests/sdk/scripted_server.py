"""A real WebSocket server that follows a script: a coroutine per connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sdk.link import welcome
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from callsheet.wire.base import ServerMessage
from callsheet.wire.codec import encode
from callsheet.wire.tick import Tick, decode_tick

__all__ = ["Peer", "Play", "scripted_server"]


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def read(self, kind: str) -> Any:
        """The next message of a type, as a dict; the next tick for "tick". Pings are answered."""
        while True:
            frame = await self.connection.recv()
            message: Any = decode_tick(frame) if isinstance(frame, bytes) else json.loads(frame)
            found = "tick" if isinstance(message, Tick) else message["type"]
            if found == kind:
                return message
            if found == "ping":
                sent_s = message["client_time_s"]
                await self.send({"type": "pong", "client_time_s": sent_s, "server_time_s": 1.0})
            else:
                assert found == "ack", f"waited for {kind}, got {found}"

    async def send(self, message: ServerMessage | dict[str, Any]) -> None:
        frame = json.dumps(message) if isinstance(message, dict) else encode(message).decode()
        await self.connection.send(frame)

    async def welcome(self, **changes: Any) -> Any:
        """Read hello, answer it, return it."""
        hello = await self.read("hello")
        await self.send(welcome(**changes))
        return hello

    async def reply(self, said: Any, first_seq: int, *pieces: str) -> None:
        """A whole reply to a say."""
        fixed = {"id": said["id"], "reply": 1}
        speaker = {"kind": "narrator"}
        await self.send(
            fixed
            | {"type": "reply_start", "seq": first_seq, "npc": said["npc"], "speaker": speaker}
            | {"heard": said.get("text", "")}
        )
        for seq, text in enumerate(pieces, first_seq + 1):
            await self.send(fixed | {"type": "reply_delta", "seq": seq, "text": text})
        await self.send(
            fixed
            | {"type": "reply_end", "seq": first_seq + len(pieces) + 1, "npc": said["npc"]}
            | {"text": "".join(pieces), "finish_reason": "stop"}
        )

    async def until_bye(self) -> None:
        await self.read("bye")
        await self.connection.close(1000)


Play = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def scripted_server(*plays: Play) -> AsyncIterator[str]:
    """A server whose n-th connection follows the n-th play; yields its URL.

    At the end every play must have come to its end, without an error.
    """
    waiting = list(plays)
    errors: list[BaseException] = []
    ended = asyncio.Event()
    ends = 0

    async def follow(connection: ServerConnection) -> None:
        nonlocal ends
        try:
            await waiting.pop(0)(Peer(connection))
        except (ConnectionClosed, AssertionError, IndexError) as error:
            errors.append(error)
        ends += 1
        ended.set()

    async with serve(follow, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"
        while ends < len(plays) and not errors:
            ended.clear()
            await ended.wait()
    assert errors == []
