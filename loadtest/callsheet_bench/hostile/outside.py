"""Attacks by those who were not let in: before ``hello``, or with a bad one."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections import deque
from collections.abc import Iterator

from callsheet_bench.hostile.attack import Ground, attack
from callsheet_bench.hostile.raw_socket import (
    CONTINUATION,
    LOST,
    PATIENCE_S,
    PING,
    TEXT,
    RawSocket,
    frame,
    header,
)

NORMAL = 1000
FLOODING = 4009
TOO_LARGE = 1009
PROTOCOL_ERROR = 4000
HELLO_TIMEOUT = 4004
TOO_MANY_REQUESTS = 429
"""HTTP status."""
MIB = 2**20
MAY_WAIT = 64
"""Connections of one address that the server lets wait for their hello."""
PAGES_AT_ONCE = 100
PAGES_TOGETHER = 20
WORLDS = 100
"""More than one address may begin at once."""


def repeat(ground: Ground, data: bytes, *, role: str | None = None) -> Iterator[int]:
    """Send the same bytes for as long as the server takes them; then connect again."""
    passing = ground.passing()
    for _ in passing:
        try:
            with ground.connect() as peer:
                if role is not None:
                    peer.hello(role, "elsewhere")
                with contextlib.suppress(OSError):
                    peer.send(data)
                    for _ in passing:
                        peer.send(data)
                yield peer.close_code()
        except OSError:
            yield LOST


@attack(FLOODING, LOST)
def pings_before_hello(ground: Ground) -> Iterator[int]:
    """CPU, by empty pings."""
    yield from repeat(ground, frame(PING) * 400)


@attack(FLOODING, LOST)
def fragments_before_hello(ground: Ground) -> Iterator[int]:
    """CPU and memory, by a message of endless empty fragments."""
    more = frame(CONTINUATION, last=False) * 400
    yield from repeat(ground, frame(TEXT, b"{", last=False) + more)


@attack(PROTOCOL_ERROR, FLOODING, LOST)
def empty_frames(ground: Ground) -> Iterator[int]:
    """CPU, by empty text frames."""
    yield from repeat(ground, frame(TEXT) * 400)


@attack(TOO_LARGE, LOST)
def large_first_frame(ground: Ground) -> Iterator[int]:
    """CPU and memory, by a hello of 4 MiB with a million faults."""
    faults = b",".join([b"[]"] * (4 * MIB // 3 - 100))
    hello = (
        b'{"type":"hello","protocol":"1.2","role":"game","world":"w","client":[' + faults + b"]}"
    )
    yield from repeat(ground, frame(TEXT, hello))


@attack(PROTOCOL_ERROR, LOST)
def deep_first_frame(ground: Ground) -> Iterator[int]:
    """Recursion, by brackets inside brackets."""
    hello = b'{"type":"hello","resume":' + b"[" * 1_000 + b"]" * 1_000 + b"}"
    yield from repeat(ground, frame(TEXT, hello))


@attack(LOST, TOO_LARGE)
def unfinished_first_frames(ground: Ground) -> Iterator[int]:
    """Memory, by 200 first frames of which the last byte does not come."""
    yield from _crowd(ground, 200, header(TEXT, 4 * MIB) + bytes(MIB))


@attack(LOST, HELLO_TIMEOUT)
def silent_connections(ground: Ground) -> Iterator[int]:
    """Open files, by connections that never say hello."""
    yield from _crowd(ground, 2_000, b"")


def _crowd(ground: Ground, size: int, data: bytes) -> Iterator[int]:
    """Keep so many connections open, each with the same bytes sent and not more."""
    crowd: deque[RawSocket] = deque()
    for _ in ground.passing():
        try:
            crowd.append(ground.connect())
            crowd[-1].send(data)
        except OSError:
            yield LOST
        if len(crowd) > size:
            with crowd.popleft() as oldest:
                yield oldest.close_code()
    with contextlib.ExitStack() as stack:
        for left, oldest in zip(range(len(crowd), 0, -1), crowd, strict=True):
            stack.enter_context(oldest)
            if left > MAY_WAIT or oldest is crowd[0]:
                yield oldest.close_code()


@attack(besides=(LOST,))
def vanishing(ground: Ground) -> Iterator[int]:
    """The log, by connections that are reset with pongs on their way."""
    pings = frame(PING, bytes(125)) * 50
    for _ in ground.passing():
        try:
            peer = ground.connect()
            peer.send(pings)
            peer.drop()
        except OSError:
            yield LOST


def _bare(ground: Ground) -> socket.socket:
    """Connect, without a handshake."""
    return socket.create_connection(
        ("127.0.0.1", ground.port), timeout=PATIENCE_S, source_address=(ground.address, 0)
    )


@attack(LOST)
def half_handshakes(ground: Ground) -> Iterator[int]:
    """Open files and the log, by handshakes that stop in the middle."""
    crowd: deque[socket.socket] = deque()
    for _ in ground.passing():
        with contextlib.suppress(OSError):
            crowd.append(_bare(ground))
            crowd[-1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Endless: ")
        if len(crowd) > 500:
            crowd.popleft().close()
    crowd[0].settimeout(PATIENCE_S)
    with contextlib.suppress(ConnectionResetError):
        assert not crowd[0].recv(1), "an answer to half a request"
    yield LOST


@attack(TOO_MANY_REQUESTS)
def pages(ground: Ground) -> Iterator[int]:
    """CPU, by asking for the metrics over and over."""
    request = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for _ in ground.passing(at_least=2 * PAGES_AT_ONCE // PAGES_TOGETHER):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            peers = [stack.enter_context(_bare(ground)) for _ in range(PAGES_TOGETHER)]
            for peer in peers:
                peer.sendall(request)
            for peer in peers:
                if peer.recv(65_536).startswith(b"HTTP/1.1 429"):
                    yield TOO_MANY_REQUESTS
                while peer.recv(65_536):
                    pass


@attack(PROTOCOL_ERROR, besides=(LOST,))
def new_worlds(ground: Ground) -> Iterator[int]:
    """Disk, memory and the other worlds' commits, by observers of ever new worlds."""
    names = itertools.count()
    for _ in ground.passing(at_least=WORLDS):
        try:
            with ground.connect() as peer:
                if peer.hello("observer", f"nowhere-{next(names)}")["type"] != "welcome":
                    yield peer.close_code()
        except OSError:
            yield LOST


@attack(PROTOCOL_ERROR, besides=(NORMAL, LOST))
def new_games(ground: Ground) -> Iterator[int]:
    """Disk, by games of ever new worlds that leave at once."""
    names = itertools.count()
    for _ in ground.passing(at_least=WORLDS):
        try:
            with ground.connect() as peer:
                if peer.hello("game", f"somewhere-{next(names)}")["type"] == "welcome":
                    peer.say(type="bye")
                yield peer.close_code()
        except OSError:
            yield LOST
