"""A game client written from docs/game-client-profile.md alone: a bare WebSocket, no SDK."""

import json
import math
import struct
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.protocol import State

__all__ = ["BareGame"]

Message = dict[str, Any]
Positions = dict[int, tuple[float, float, float]]


class BareGame:
    """The profile's client: connects, resumes, spawns, ticks, asks and reads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._seq = 0
        self._next_id = 1
        self._tick = 0
        self.welcome: Message = {}
        self.received: list[Message] = []
        """What was handled, in order."""

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.socket.state is State.OPEN:
            await self.socket.close()

    async def connect(self) -> None:
        """Say hello; go on with the session if there was one."""
        self.socket: ClientConnection = await connect(f"ws://127.0.0.1:{self._port}/")
        hello: Message = {
            "type": "hello",
            "protocol": "1.3",
            "role": "game",
            "world": "town",
            "client": {"name": "bare", "version": "1"},
        }
        if self.welcome:
            hello["resume"] = {
                "session": self.welcome["session"],
                "token": self.welcome["resume_token"],
                "last_seq": self._seq,
            }
        await self.send(hello)
        self.welcome = await self.next("welcome")
        if not self.welcome["resumed"]:
            self._seq, self._next_id = 0, 1

    async def send(self, message: Message) -> None:
        await self.socket.send(json.dumps(message))

    async def ask(self, **request: Any) -> int:
        """Send a request with the next id."""
        request_id = self._next_id
        self._next_id += 1
        await self.send({"id": request_id, **request})
        return request_id

    async def next(self, *types: str) -> Message:
        """Handle messages until one of these types comes."""
        while True:
            message: Message = json.loads(await self.socket.recv())
            if seq := message.get("seq"):
                if seq <= self._seq:
                    continue
                self._seq = seq
            self.received.append(message)
            if message["type"] in types:
                return message

    async def ping(self) -> None:
        """Keep the session, and acknowledge what was handled."""
        await self.send({"type": "ping", "client_time_s": 1.5, "ack": self._seq})
        await self.next("pong")

    async def keyframe(self, npcs: Positions, players: Positions, *, ack: bool = False) -> None:
        """Tell where everybody is; each stands still."""
        self._tick += 1
        counts = (len(npcs), self._tick / 20, len(players))
        frame = struct.pack("<2sBBHHIIdII", b"CS", 1, 1, ack, 0, self._tick, *counts, 0)
        for handle, position in npcs.items():
            frame += struct.pack("<I3f3ffI", handle, *position, 0, 0, 0, math.nan, 0)
        for handle, position in players.items():
            frame += struct.pack("<I3f3fI", handle, *position, 0, 0, 0, 0)
        await self.socket.send(frame)
