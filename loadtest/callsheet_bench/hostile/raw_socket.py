"""A bare WebSocket client that sends whatever it is told to, in any order and half of it."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

__all__ = [
    "BINARY",
    "CONTINUATION",
    "LOST",
    "PATIENCE_S",
    "PING",
    "TEXT",
    "RawSocket",
    "frame",
    "header",
]

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
LOST: Final = 1006
"""Close code of a connection that ended without one."""
NO_CODE: Final = 1005
"""Close code of a close frame without one."""
PATIENCE_S: Final = 10.0
READ_BYTES: Final = 65_536
KEY: Final = "Y2FsbHNoZWV0LWVuZW1pZQ=="
NO_MASK: Final = bytes(4)
"""Masking key that leaves a payload as it is: an attacker saves itself the work."""


def frame(opcode: int, payload: bytes = b"", *, last: bool = True) -> bytes:
    """Return one frame as a client sends it (RFC 6455, section 5.2)."""
    return header(opcode, len(payload), last=last) + payload


def header(opcode: int, size_bytes: int, *, last: bool = True) -> bytes:
    """Return a frame without its payload."""
    first = (0x80 if last else 0) | opcode
    if size_bytes < 126:
        return struct.pack("!BB", first, 0x80 | size_bytes) + NO_MASK
    if size_bytes < 65_536:
        return struct.pack("!BBH", first, 0x80 | 126, size_bytes) + NO_MASK
    return struct.pack("!BBQ", first, 0x80 | 127, size_bytes) + NO_MASK


class RawSocket:
    """One connection, blocking. Every wait ends after ``PATIENCE_S``, as if it had been lost."""

    def __init__(
        self, port: int, address: str = "127.0.0.1", *, receive_buffer_bytes: int | None = None
    ) -> None:
        """Connect from ``address``, shake hands; raises OSError if the server does not want to."""
        self._read = b""
        self._ended_with = LOST
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE_S)
        if receive_buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        try:
            self._socket.bind((address, 0))
            self._socket.connect(("127.0.0.1", port))
            self._socket.sendall(
                f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n"
                f"Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            if not self._take_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101"):
                raise ConnectionRefusedError("the server did not shake hands")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def say(self, **message: Any) -> None:
        """Send a message as JSON."""
        self.send(frame(TEXT, json.dumps(message).encode()))

    def hello(self, role: str, world: str, **fields: Any) -> dict[str, Any]:
        """Say hello; return the first answer."""
        client = {"name": "hostile", "version": "1"}
        self.say(type="hello", protocol="1.2", role=role, world=world, client=client, **fields)
        return next(self.messages(), {"type": "lost"})

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request; return the message that answers it."""
        self.say(**request)
        for message in self.messages():
            if message.get("id") == request["id"] and message["type"] != "reply_start":
                return message
        raise ConnectionResetError("lost before the answer")

    def messages(self) -> Iterator[dict[str, Any]]:
        """The messages that come, until the connection ends."""
        with contextlib.suppress(OSError):
            while (received := self._receive())[0] != CLOSE:
                if received[0] == TEXT:
                    yield json.loads(received[1])

    def close_code(self) -> int:
        """Read to the end; return the code that the server closed with."""
        try:
            while self._receive()[0] != CLOSE:
                pass
        except OSError:
            pass
        return self._ended_with

    def has_more(self) -> bool:
        """True if bytes were received that nobody has taken yet."""
        return bool(self._read)

    def drop(self) -> None:
        """Vanish: the peer gets a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _receive(self) -> tuple[int, bytes]:
        first, second = self._take(2)
        size_bytes = second & 127
        if size_bytes == 126:
            (size_bytes,) = struct.unpack("!H", self._take(2))
        elif size_bytes == 127:
            (size_bytes,) = struct.unpack("!Q", self._take(8))
        opcode, payload = first & 15, self._take(size_bytes)
        if opcode == CLOSE:
            self._ended_with = int.from_bytes(payload[:2]) if payload else NO_CODE
        return opcode, payload

    def _take(self, size_bytes: int) -> bytes:
        while len(self._read) < size_bytes:
            self._fill()
        taken, self._read = self._read[:size_bytes], self._read[size_bytes:]
        return taken

    def _take_until(self, end: bytes) -> bytes:
        while end not in self._read:
            self._fill()
        taken, _, self._read = self._read.partition(end)
        return taken

    def _fill(self) -> None:
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise ConnectionResetError("the server hung up")
        self._read += data
