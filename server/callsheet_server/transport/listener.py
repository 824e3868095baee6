"""The WebSocket end of the server. Nothing else on the server imports websockets."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from callsheet.wire.fields import SUBPROTOCOL
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.transport.door import LONGEST_PAUSE_S, Door, DoorSocket
from callsheet_server.transport.http import Pages, is_handshake, respond, too_many_requests
from callsheet_server.transport.origin import host_problem, origin_problem
from callsheet_server.transport.outbox import Outbox
from callsheet_server.transport.peer import (
    CLOSE_TIMEOUT_S,
    FIRST_FRAME_BYTES,
    Peer,
    Receiver,
)
from callsheet_server.transport.settings import ServerSettings
from callsheet_server.transport.tls import tls_context
from callsheet_server.transport.tls_handshake import HANDSHAKE_TIMEOUT_S

__all__ = ["Binding", "Listener", "bind"]

logger = logging.getLogger(__name__)

WRITE_HIGH_WATER_BYTES = 262_144
QUEUED_FRAMES = 4
"""Received frames that wait in a connection before its socket is no longer read."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An address that is ours: clients are refused until a listener is started on it."""

    sockets: Sequence[DoorSocket]
    tls: ssl.SSLContext | None

    @property
    def port(self) -> int:
        """The port in use; the one the system chose if the settings say 0."""
        return int(self.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Let the address go. May be called twice."""
        for one in self.sockets:
            one.close()


async def bind(settings: ServerSettings) -> Binding:
    """Claim the address that the settings name, and read certificate and key.

    Raises:
        OSError: the address is taken or not ours.
        SettingFileError: certificate or key cannot be used.
    """
    tls = await asyncio.to_thread(tls_context, settings)
    sockets: list[DoorSocket] = []
    found = await asyncio.get_running_loop().getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            sockets.append(DoorSocket(family, kind, protocol))
            if os.name == "posix":  # Elsewhere it would let two servers share the port.
                sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sockets[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sockets[-1].bind(address)
    except OSError:
        for one in sockets:
            one.close()
        raise
    return Binding(tuple(sockets), tls)


class Listener:
    """Accepts connections and runs one reader and one writer for each."""

    def __init__(
        self,
        binding: Binding,
        server: ServerSettings,
        limits: LimitSettings,
        connect: Callable[[Outbox], Receiver],
        pages: Pages,
        may_observe: Callable[[str | None], bool],
    ) -> None:
        """``may_observe``: whether this token, or none, lets one see what goes on in all worlds."""
        self._binding = binding
        self._settings = server
        self._limits = limits
        self._connect = connect
        self._pages = pages
        self._may_observe = may_observe
        self._servers: list[Server] = []
        self._connections: dict[Peer, Outbox] = {}
        self._door = Door(behind_proxy=bool(server.allowed_hosts))
        self._closing = False

    @property
    def port(self) -> int:
        """The port in use."""
        return self._binding.port

    async def start(self) -> None:
        """Let clients in."""
        for one in self._binding.sockets:
            self._servers.append(await self._serve(one))

    async def _serve(self, one: DoorSocket) -> Server:
        one.door = self._door
        limits = self._limits
        peer = partial(
            Peer,
            door=self._door,
            tls=self._binding.tls,
            messages_per_s=limits.max_messages_per_s + limits.max_ticks_per_s,
        )
        return await serve(
            self._handle,
            sock=one,
            compression=None,
            create_connection=peer,  # type: ignore[arg-type]  # a wrapper will do, it says
            max_size=FIRST_FRAME_BYTES,
            max_queue=QUEUED_FRAMES,
            write_limit=WRITE_HIGH_WATER_BYTES,
            ping_interval=None,
            open_timeout=LONGEST_PAUSE_S + HANDSHAKE_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            process_request=self._respond,
            select_subprotocol=_select_subprotocol,
            server_header=None,
        )

    async def _respond(self, peer: ServerConnection, request: Request) -> Response | None:
        assert isinstance(peer, Peer)
        if not await peer.is_let_in(request.headers):
            return too_many_requests()
        if is_handshake(request):
            return None
        if not self._door.may_ask(peer.address, asyncio.get_running_loop().time()):
            return too_many_requests()
        return respond(request, self._settings, self._pages, self._may_observe)

    async def close(self) -> None:
        """Stop listening; close what is open once its outbox is empty. May be called twice."""
        for server in self._servers:
            server.close(close_connections=False)
        self._closing = True
        self._door.close()
        for outbox in self._connections.values():
            _say_goodbye(outbox)
        for server in self._servers:
            await server.wait_closed()
        self._binding.close()

    def abort(self) -> None:
        """Drop every connection as it is."""
        for peer in self._connections:
            peer.transport.abort()

    async def _handle(self, peer: ServerConnection) -> None:
        assert isinstance(peer, Peer)
        outbox = Outbox(peer.address, peer.welcome)
        self._connections[peer] = outbox
        if self._closing:
            _say_goodbye(outbox)
        receiver = self._connect(outbox)
        peer.meet(receiver)
        assert peer.request is not None
        headers = peer.request.headers
        problem = host_problem(self._settings, headers) or origin_problem(self._settings, headers)
        if problem is not None:
            receiver.refuse(problem)
        timeout_s = self._settings.hello_timeout_s
        alarm = asyncio.get_running_loop().call_later(timeout_s, receiver.hello_timeout, timeout_s)
        tasks = [
            asyncio.create_task(_write(peer, outbox)),
            asyncio.create_task(_abort_if_stuck(peer, outbox)),
        ]
        try:
            while True:
                frame = await peer.recv()
                await receiver.ready()
                receiver.receive(frame)
                if peer.has_frames:
                    await asyncio.sleep(0)  # It must not starve the others.
        except ConnectionClosed as closed:
            logger.debug("connection closed: %s", closed)
        finally:
            alarm.cancel()
            del self._connections[peer]
            for task in tasks:
                task.cancel()
            receiver.lost(_close_code(peer))


def _select_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Clients need not offer one (Unity's and Godot's often cannot)."""
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def _say_goodbye(outbox: Outbox) -> None:
    outbox.close(CloseCode.GOING_AWAY, "the server stops")


def _close_code(peer: ServerConnection) -> int:
    """The code that was sent first, whichever side sent it."""
    protocol = peer.protocol
    first = protocol.close_rcvd if protocol.close_rcvd_then_sent else protocol.close_sent
    return CloseCode.ABNORMAL_CLOSURE if first is None else first.code


async def _abort_if_stuck(peer: Peer, outbox: Outbox) -> None:
    """Drop the socket of a peer that takes neither what was queued nor the close."""
    await outbox.closed.wait()
    peer.wind_up()
    await asyncio.sleep(2 * CLOSE_TIMEOUT_S)
    peer.transport.abort()


async def _write(peer: Peer, outbox: Outbox) -> None:
    try:
        while frames := await outbox.next():
            await peer.send_texts(frames)
            if outbox.waiting:
                await asyncio.sleep(0)  # A long outbox must not starve the other connections.
        assert outbox.closing is not None
        await peer.close(*outbox.closing)
    except ConnectionClosed:  # The reader reports it, but may wait for its turn.
        outbox.close(CloseCode.ABNORMAL_CLOSURE, "the connection is gone")
