"""One WebSocket connection, judged by what it costs before anything in it is read.

``websockets`` answers pings and joins fragments by itself, and takes in all that a socket has at
once. So what comes is fed to it in slices, and its frames are counted in between.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Iterable
from typing import Any, Final, Protocol, cast

from websockets.asyncio.server import Server, ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import SEND_EOF, Event, State
from websockets.server import ServerProtocol

from callsheet_server.limits.token_bucket import TokenBucket
from callsheet_server.transport.client_address import client_address, forwarded_address
from callsheet_server.transport.door import Door
from callsheet_server.transport.tls_handshake import shake_hands

__all__ = ["CLOSE_TIMEOUT_S", "FIRST_FRAME_BYTES", "Peer", "Receiver"]

CLOSE_TIMEOUT_S: Final = 2.0
"""Time a peer has to answer a close before its socket is dropped."""
FIRST_FRAME_BYTES: Final = 16_384
"""Longest message before the client is welcomed; a hello has some hundred bytes."""
FIRST_FRAMES: Final = 64
"""Frames that a connection may send before it is welcomed: a hello, in fragments, and pings."""
FIRST_SLICE_BYTES: Final = 1_024
SLICE_BYTES: Final = 16_384
"""Bytes fed at a time, in which 2,700 empty frames fit: some 20 ms."""
FRAMES_FACTOR: Final = 2.0
"""Frames a connection may send per message or tick that it may: for pings and fragments."""
LAST_BYTES: Final = 65_536
"""Bytes taken of a peer after its connection was closed: what was on its way, and its answer."""
MAX_UNREAD_PONGS: Final = 1_000
"""Pongs written to a peer that reads nothing: 127 kB, on top of what its buffer holds."""


class Receiver(Protocol):
    """Receiver of a connection's frames, one per connection. Calls never block."""

    async def ready(self) -> None:
        """Wait until the next frame may be handed over."""

    def receive(self, frame: str | bytes) -> None: ...

    def refuse(self, problem: str) -> None:
        """Called first, if at all: this connection may not be used, and why."""

    def hello_timeout(self, timeout_s: float) -> None:
        """Called once, when the time to say hello is over; ignored if it was said."""

    def flooded(self, problem: str) -> None:
        """Called once, if at all: more frames came than may; nothing is read any more."""

    def too_large(self, limit_bytes: int) -> bytes:
        """Called once, if at all: a message is too large. Returns the frame that says so."""

    def lost(self, close_code: int) -> None:
        """Called once, when the connection is gone; 1006 = without a closing handshake."""


class Peer(ServerConnection):
    """A connection that stops reading when it gets too much, and says why before it is closed."""

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server,
        *,
        door: Door,
        tls: ssl.SSLContext | None,
        messages_per_s: float,
        **options: Any,
    ) -> None:
        """``messages_per_s``: messages and ticks that a session may send."""
        super().__init__(protocol, server, **options)
        self._door = door
        self._tls = tls
        self.address = ""
        """The client's network address, as its limits are counted by."""
        self._let_in_at_s = -math.inf
        """Time since which it counts for its address."""
        self._is_served = False
        """True once bytes of it are read, of TLS those within."""
        self._slice_bytes = FIRST_SLICE_BYTES
        self._frames = TokenBucket(1.0, FIRST_FRAMES, self.loop.time())
        self._frames_per_s = FRAMES_FACTOR * messages_per_s
        self._unread_pongs = 0
        self._last_bytes: int | None = None
        """Bytes that are still taken of a connection that is to be closed; None = it is not."""
        self._stopped = False
        self._told = False
        self._turn: asyncio.TimerHandle | asyncio.Task[None] | None = None
        """Waits for the turn of a connection that its address opened too soon, then for TLS."""
        self._receiver: Receiver | None = None
        """None until the handshake is over."""

    async def is_let_in(self, headers: Headers) -> bool:
        """Wait for the turn of a client behind a proxy; False = it came far too soon."""
        if not self._door.is_proxy(self.address):
            return True
        self.address = forwarded_address(headers) or self.address
        now_s = self.loop.time()
        if not self._door.has_room(self.address, now_s):
            return False
        await asyncio.sleep(self._let_in(now_s, self.transport))
        if not self.transport.is_closing():
            self._door.wait(self, self.address, self.transport.abort)
        return True

    def meet(self, receiver: Receiver) -> None:
        """Hand frames over to ``receiver`` from now on: the handshake is over."""
        self._receiver = receiver
        self._door.shook_hands(self)

    def welcome(self, max_frame_bytes: int) -> None:
        """Take larger messages from now on, and more of them."""
        self._door.pass_by(self)
        self.protocol.max_message_size = max_frame_bytes
        self._slice_bytes = SLICE_BYTES
        rate = self._frames_per_s
        self._frames = TokenBucket(rate, FRAMES_FACTOR * rate, self.loop.time())

    async def send_texts(self, frames: Iterable[bytes]) -> None:
        """Send text frames in one write. Raises ``ConnectionClosed``."""
        if self.protocol.state is not State.OPEN:
            async with self.send_context():  # Waits for the end, and raises.
                return
        for frame in frames:
            self.protocol.send_text(frame)
        self.send_data()
        if self.paused:
            await self.drain()

    @property
    def has_frames(self) -> bool:
        """True if ``recv`` has something to return at once."""
        return len(self.recv_messages.frames) > 0

    def wind_up(self) -> None:
        """Take no more than a little from now on: the connection is to be closed."""
        self._last_bytes = LAST_BYTES

    # --- called by asyncio ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket. What it sends waits for its turn, a TLS handshake too."""
        transport = cast(asyncio.Transport, transport)
        self.address = client_address(transport.get_extra_info("peername")[0])
        now_s = self.loop.time()
        if self._door.is_proxy(self.address):
            self._begin(transport)
        elif self._door.has_room(self.address, now_s):
            transport.pause_reading()
            pause_s = self._let_in(now_s, transport)
            self._turn = self.loop.call_later(pause_s, self._be_read, transport)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        if self._is_served:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), self._slice_bytes):
            if self._stopped:
                self.transport.pause_reading()  # Its queue of frames may have let it go on.
                return
            super().data_received(data[start : start + self._slice_bytes])
            if self.protocol.parser_exc is not None:
                self._stop()
        if self._last_bytes is not None and not self._stopped:
            self._last_bytes -= len(data)
            if self._last_bytes < 0:
                self._stop()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_pongs = 0

    # --- called by websockets ------------------------------------------------------------------

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if not isinstance(event, Frame) or self._stopped:
            return
        if event.opcode is Opcode.PING and self.paused:
            self._unread_pongs += 1
        if self._unread_pongs > MAX_UNREAD_PONGS:
            self._flooded(f"{MAX_UNREAD_PONGS} pongs wait to be read")
        elif self._frames.take(self.loop.time()):
            self._flooded("more frames, pings and fragments included, than a session may send")

    def send_data(self) -> None:
        """Write in one piece what is queued, and what there is to say before a close."""
        queued = self.protocol.data_to_send()
        if self.transport.is_closing() or not queued:
            return  # asyncio would log every write to a connection that is gone.
        self.transport.write(self._last_words() + b"".join(queued))
        if SEND_EOF in queued:
            if self.transport.can_write_eof():
                self.transport.write_eof()
            else:  # TLS
                self.transport.close()

    def _last_words(self) -> bytes:
        too_large = isinstance(self.protocol.parser_exc, PayloadTooBig)
        if not too_large or self._receiver is None or self._told:
            return b""
        self._told = True
        assert self.protocol.max_message_size is not None
        told = self._receiver.too_large(self.protocol.max_message_size)
        return Frame(Opcode.TEXT, told).serialize(mask=False)

    # --- its turn ------------------------------------------------------------------------------

    def _let_in(self, now_s: float, transport: asyncio.Transport) -> float:
        """Count it for its address; return the seconds until its turn."""
        self._let_in_at_s = now_s
        return self._door.let_in(self, self.address, now_s, transport.abort)

    def _be_read(self, transport: asyncio.Transport) -> None:
        self._door.wait(self, self.address, transport.abort)
        self._begin(transport)

    def _begin(self, transport: asyncio.Transport) -> None:
        if self._tls is None:
            self._serve(transport)
            transport.resume_reading()
        else:
            self._turn = self.loop.create_task(self._encrypt(transport, self._tls))

    async def _encrypt(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        shaken = await shake_hands(transport, tls)
        if shaken is None:
            self._leave()
            return
        encrypted, early = shaken
        encrypted.set_protocol(self)
        self._serve(encrypted)
        if early:
            self.data_received(early)

    def _serve(self, transport: asyncio.Transport) -> None:
        self._is_served = True
        super().connection_made(transport)

    def _leave(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
        self._door.pass_by(self)
        now_s = self.loop.time()
        self._door.stayed(self.address, now_s - self._let_in_at_s, now_s)

    # --- the end -------------------------------------------------------------------------------

    def _flooded(self, problem: str) -> None:
        self._stop()
        if self._receiver is not None:
            self._receiver.flooded(problem)

    def _stop(self) -> None:
        """Read nothing more; the socket is dropped once what was queued had time to go out."""
        self._stopped = True
        self.transport.pause_reading()
        self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)
