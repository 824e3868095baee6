"""The WebSocket end of the server. Nothing else on the server imports websockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from callsheet.wire.fields import SUBPROTOCOL
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.transport.http import Pages, respond
from callsheet_server.transport.origin import host_problem, origin_problem
from callsheet_server.transport.outbox import Outbox
from callsheet_server.transport.settings import ServerSettings
from callsheet_server.transport.tls import tls_context

__all__ = ["Listener", "Receiver"]

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
"""How long a peer has to answer a close before its socket is dropped."""
WRITE_HIGH_WATER_BYTES = 262_144
QUEUED_FRAMES = 4
"""Received frames that wait in a connection before its socket is no longer read."""


class Receiver(Protocol):
    """What the transport hands frames to: one per connection. Calls never block."""

    def receive(self, frame: str | bytes) -> None: ...

    def refuse(self, problem: str) -> None:
        """Called first, if at all: this connection may not be used, and why."""

    def hello_timeout(self, timeout_s: float) -> None:
        """Called once, when the time to say hello is over; ignored if it was said."""

    def lost(self, close_code: int) -> None:
        """Called once, when the connection is gone; 1006 = without a closing handshake."""


class Listener:
    """Accepts connections and runs one reader and one writer for each."""

    def __init__(
        self,
        server: ServerSettings,
        limits: LimitSettings,
        connect: Callable[[Outbox], Receiver],
        pages: Pages,
        may_observe: Callable[[str | None], bool],
    ) -> None:
        """``may_observe``: whether this token, or none, lets one see what goes on in all worlds."""
        self._settings = server
        self._limits = limits
        self._connect = connect
        self._pages = pages
        self._may_observe = may_observe
        self._server: Server | None = None
        self._connections: dict[ServerConnection, Outbox] = {}
        self._closing = False

    @property
    def port(self) -> int:
        """The port in use; the one the system chose if the settings say 0."""
        assert self._server is not None, "the listener is not started"
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def start(self) -> None:
        """Bind and listen.

        Raises:
            OSError: the address is taken or not ours.
            SettingFileError: certificate or key cannot be used.
        """
        tls = await asyncio.to_thread(tls_context, self._settings)
        self._server = await serve(
            self._handle,
            self._settings.host,
            self._settings.port,
            compression=None,
            max_size=max(self._limits.max_message_bytes, self._limits.max_tick_bytes),
            max_queue=QUEUED_FRAMES,
            write_limit=WRITE_HIGH_WATER_BYTES,
            ping_interval=None,
            close_timeout=CLOSE_TIMEOUT_S,
            process_request=lambda _, request: respond(
                request, self._settings, self._pages, self._may_observe
            ),
            select_subprotocol=_select_subprotocol,
            server_header=None,
            ssl=tls,
        )

    async def close(self) -> None:
        """Stop listening; close what is open once its outbox is empty. May be called twice."""
        if self._server is not None:
            self._server.close(close_connections=False)
            self._closing = True
            for outbox in self._connections.values():
                _say_goodbye(outbox)
            await self._server.wait_closed()

    def abort(self) -> None:
        """Drop every connection as it is."""
        for socket in self._connections:
            socket.transport.abort()

    async def _handle(self, socket: ServerConnection) -> None:
        outbox = Outbox()
        self._connections[socket] = outbox
        if self._closing:
            _say_goodbye(outbox)
        receiver = self._connect(outbox)
        assert socket.request is not None
        headers = socket.request.headers
        problem = host_problem(self._settings, headers) or origin_problem(self._settings, headers)
        if problem is not None:
            receiver.refuse(problem)
        timeout_s = self._settings.hello_timeout_s
        alarm = asyncio.get_running_loop().call_later(timeout_s, receiver.hello_timeout, timeout_s)
        tasks = [
            asyncio.create_task(_write(socket, outbox)),
            asyncio.create_task(_abort_if_stuck(socket, outbox)),
        ]
        try:
            while True:
                receiver.receive(await socket.recv())
                # A socket that always has a frame ready must not starve the others.
                await asyncio.sleep(0)
        except ConnectionClosed as closed:
            logger.debug("connection closed: %s", closed)
        finally:
            alarm.cancel()
            del self._connections[socket]
            for task in tasks:
                task.cancel()
            receiver.lost(_close_code(socket))


def _select_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Clients need not offer one (Unity's and Godot's often cannot)."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _say_goodbye(outbox: Outbox) -> None:
    outbox.close(CloseCode.GOING_AWAY, "the server stops")


def _close_code(socket: ServerConnection) -> int:
    """The code that was sent first, whichever side sent it."""
    protocol = socket.protocol
    first = protocol.close_rcvd if protocol.close_rcvd_then_sent else protocol.close_sent
    return CloseCode.ABNORMAL_CLOSURE if first is None else first.code


async def _abort_if_stuck(socket: ServerConnection, outbox: Outbox) -> None:
    """Drop the socket of a peer that takes neither what was queued nor the close."""
    await outbox.closed.wait()
    await asyncio.sleep(2 * CLOSE_TIMEOUT_S)
    socket.transport.abort()


async def _write(socket: ServerConnection, outbox: Outbox) -> None:
    try:
        while (frame := await outbox.next()) is not None:
            await socket.send(frame, text=True)
            # A long outbox must not starve the other connections.
            await asyncio.sleep(0)
        assert outbox.closing is not None
        await socket.close(*outbox.closing)
    except ConnectionClosed:
        pass  # The reader sees the same and reports it.
