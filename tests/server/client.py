"""A bare client of the wire protocol: it sends models and waits for models.

It checks what every client may rely on: reliable messages arrive numbered without gaps, and text
frames stay under 64,000 bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from callsheet.wire import (
    PROTOCOL,
    AnyServerMessage,
    ClientInfo,
    ClientMessage,
    Error,
    ErrorCode,
    Hello,
    NpcSpec,
    PlayerSpec,
    Reliable,
    ReplyDelta,
    ReplyEnd,
    Request,
    Resume,
    Role,
    Say,
    Spawn,
    Spawned,
    Speaker,
    Tick,
    TickKind,
    Welcome,
    encode,
    encode_tick,
    npc_records,
    parse_server_message,
    player_records,
)

MAX_SERVER_MESSAGE_BYTES = 64_000
PLAYER = Speaker(kind="player", id="ann")

M = TypeVar("M", bound=AnyServerMessage)


class Client:
    """One connection. ``async with Client(port, role="game") as game`` says hello and hangs up."""

    def __init__(
        self,
        port: int,
        role: Role = "game",
        world: str = "town",
        token: str | None = None,
        resume: Resume | None = None,
        protocol: str = PROTOCOL,
    ) -> None:
        self.hello = Hello(
            role=role,
            world=world,
            token=token,
            resume=resume,
            protocol=protocol,
            client=ClientInfo(name="tests", version="1"),
        )
        self.received: list[AnyServerMessage] = []
        """Everything that came, in order."""
        self.last_seq = resume.last_seq if resume is not None else 0
        self._port = port
        self._taken = 0
        self._untaken: list[AnyServerMessage] = []
        self._ids = itertools.count(1)
        self._ticks = itertools.count(1)

    async def __aenter__(self) -> Self:
        await self.dial()
        try:
            await self.send(self.hello)
            self.welcome = await self.get(Welcome)
        except BaseException:
            self.drop()
            raise
        if self.welcome.resumed:
            self._ids = itertools.count(self.welcome.last_request_id + 1)
        else:
            self.last_seq = 0
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.socket.close()

    async def dial(self) -> None:
        """Connect without saying hello."""
        self.socket: ClientConnection = await connect(
            f"ws://127.0.0.1:{self._port}/", compression=None, ping_interval=None
        )

    def drop(self) -> None:
        """Lose the connection without a closing handshake."""
        self.socket.transport.abort()

    def resumption(self, last_seq: int | None = None) -> Resume:
        """Fields of a hello that goes on with this session."""
        return Resume(
            session=self.welcome.session,
            token=self.welcome.resume_token,
            last_seq=self.last_seq if last_seq is None else last_seq,
        )

    # --- out ---------------------------------------------------------------------------------

    def next_id(self) -> int:
        return next(self._ids)

    async def send(self, *messages: ClientMessage) -> None:
        for message in messages:
            await self.socket.send(encode(message), text=True)

    async def send_raw(self, frame: str | bytes) -> None:
        """A text frame (str) or a binary frame (bytes), whatever is in it."""
        await self.socket.send(frame)

    async def tick(
        self,
        handles: Sequence[int] = (),
        position_m: ArrayLike = (),
        *,
        kind: TickKind = TickKind.KEYFRAME,
        game_time_s: float = 0.0,
        players: Sequence[int] = (),
        player_position_m: ArrayLike = (),
        number: int | None = None,
        ack: bool = True,
        **columns: Any,
    ) -> None:
        """Send a tick; (N, 3) and (P, 3) positions, other columns as in ``npc_records``."""
        npcs = np.reshape(np.asarray(position_m, np.float32), (-1, 3))
        there = np.reshape(np.asarray(player_position_m, np.float32), (-1, 3))
        tick = Tick(
            kind,
            next(self._ticks) if number is None else number,
            game_time_s,
            ack,
            npc_records(handles, npcs, **columns),
            player_records(players, there),
        )
        await self.socket.send(encode_tick(tick))

    # --- in ----------------------------------------------------------------------------------

    async def get(self, kind: type[M], **fields: Any) -> M:
        """The first message of this kind with these values that was not taken yet; wait for it."""
        for index in itertools.count():
            if index == len(self._untaken):
                await self._receive()
            message = self._untaken[index]
            if isinstance(message, kind) and _has(message, fields):
                del self._untaken[index]
                return message
        raise AssertionError("unreachable")

    async def ask(self, message: Request, kind: type[M]) -> M:
        """Send a request and wait for its answer, which must be of this kind."""
        await self.send(message)
        answer = await self._answer_to(message.id)
        assert isinstance(answer, kind), f"{message} was answered by {answer}"
        return answer

    async def refusal(self, message: Request) -> Error:
        """Send a request and wait for the error that answers it."""
        await self.send(message)
        answer = await self._answer_to(message.id)
        assert isinstance(answer, Error), f"{message} was answered by {answer}"
        return answer

    async def error(self, code: ErrorCode) -> Error:
        """Wait for an error that answers no request."""
        return await self.get(Error, code=code)

    async def closed(self) -> int:
        """Wait until the server closes the connection; the close code."""
        try:
            while True:
                await self._receive()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006

    async def settle(self) -> None:
        """Return once the server has carried out everything sent before.

        The duplicate's error is the answer to a question that changes nothing.
        """
        number = self.next_id()
        await self.send_raw(f'{{"type":"explain","id":{number},"npc":"nobody"}}')
        await self.get(Error, id=number)

    async def _answer_to(self, request_id: int) -> AnyServerMessage:
        for index in itertools.count():
            if index == len(self._untaken):
                await self._receive()
            if getattr(self._untaken[index], "id", None) == request_id:
                return self._untaken.pop(index)
        raise AssertionError("unreachable")

    async def _receive(self) -> None:
        text = await self.socket.recv(decode=False)
        message = parse_server_message(text)
        assert len(text) < MAX_SERVER_MESSAGE_BYTES
        if isinstance(message, Reliable) and message.seq is not None:
            assert message.seq == self.last_seq + 1, f"{message.seq} after {self.last_seq}"
            self.last_seq = message.seq
        self.received.append(message)
        self._untaken.append(message)

    # --- what most tests need ------------------------------------------------------------------

    async def spawn(self, *npcs: str, players: Sequence[str] = ("ann",), **spec: Any) -> Spawned:
        """Spawn NPCs at the origin, named after their ids, and players."""
        spec = {"position": (0.0, 0.0, 0.0), "persona": "A villager.", **spec}
        return await self.ask(
            Spawn(
                id=self.next_id(),
                npcs=tuple(NpcSpec(npc=npc, name=npc.title(), **spec) for npc in npcs),
                players=tuple(PlayerSpec(player=p, name=p.title()) for p in players),
            ),
            Spawned,
        )

    async def say(self, npc: str, text: str = "good day", **options: Any) -> int:
        """Say something to an NPC; the request's id."""
        number = self.next_id()
        options = {"speaker": PLAYER, **options}
        await self.send(Say(id=number, npc=npc, text=text, **options))
        return number

    async def reply(self, request_id: int) -> ReplyEnd:
        """Wait for the end of a reply; its deltas must join to its text."""
        end = await self.get(ReplyEnd, id=request_id)
        assert self.said(end.reply) == end.text
        return end

    def said(self, reply: int) -> str:
        """The deltas of a reply that came so far, joined."""
        return "".join(
            m.text for m in self.received if isinstance(m, ReplyDelta) and m.reply == reply
        )


def _has(message: AnyServerMessage, fields: dict[str, Any]) -> bool:
    return all(getattr(message, name) == value for name, value in fields.items())
