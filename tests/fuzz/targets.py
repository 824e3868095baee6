"""Targets of fuzzing: functions of bytes that raise if, and only if, something is wrong.

``tick`` and ``text`` take one frame. ``session`` and ``server`` take a *program*: records between
``SEPARATOR``, each an operation (its first byte) and what it is done with. Whatever clients send,
the answer is a code of the error tree, and every refusal is counted where metrics read it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson
from session.links import RecordedLink
from session.test_connection import registry

from callsheet.wire import (
    Ack,
    Bye,
    CallsheetError,
    Error,
    ErrorCode,
    Ok,
    Ping,
    ProtocolError,
    decode_tick,
    encode,
    encode_tick,
    parse_client_message,
    parse_server_message,
)
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import start_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.session.connection import Connection
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.session.session import SessionState
from callsheet_server.transport.outbox import Outbox
from callsheet_server.transport.settings import ServerSettings

__all__ = ["SEPARATOR", "TARGETS", "records"]

SEPARATOR: Final = b"\n--\n"
MAX_RECORDS: Final = 40
CLOSE_CODES: Final = (1000, 1001, 1005, 1006, 1011, 4000, 4006)
LIMITS: Final = LimitSettings(
    max_outbox_messages=64,
    max_outbox_bytes=2_097_152,
    max_sessions=4,
    max_worlds=2,
    max_messages_per_s=50,
    max_ticks_per_s=20,
)


def tick(data: bytes) -> None:
    """A binary tick either decodes, and encodes to the same bytes, or a field is named."""
    try:
        found = decode_tick(data)
    except ProtocolError as error:
        refusal = error
    else:
        assert encode_tick(found) == data
        return
    assert refusal.field, "a refused tick names its field"


def text(data: bytes) -> None:
    """A text frame either parses, and encodes to what parses to the same, or is refused."""
    parsers: tuple[Callable[[bytes | str], Any], ...] = (
        parse_client_message,
        parse_server_message,
    )
    for parse in parsers:
        try:
            message = parse(data)
        except ProtocolError as error:
            refusal = error
        else:
            again = encode(message)
            assert parse(again) == message
            assert encode(parse(again)) == again
            continue
        assert 0 < len(refusal.message) < 2_000, "a refusal is a sentence"
        assert len(refusal.value or "") <= 80, "a refusal shortens what it quotes"


def records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The operations of a program, each with what it is done with."""
    for record in data.split(SEPARATOR)[:MAX_RECORDS]:
        if record:
            yield record[:1], record[1:]


def session(data: bytes) -> None:
    """The session machine of up to four clients, who come, go and resume as the program says."""
    sessions = registry(LIMITS)
    links: list[RecordedLink] = []
    connections: list[Connection] = []
    now_s = 0.0

    def connect() -> None:
        links.append(RecordedLink())
        connections.append(Connection(sessions, links[-1]))

    connect()
    for operation, value in records(data):
        number = value[0] if value else 0
        connection = connections[-1]
        match operation:
            case b"b":
                _refusal_is_counted(sessions, connection, value, now_s)
            case b"w":
                now_s += number / 16
                sessions.sweep(now_s)
            case b"l":
                connection.lost(CLOSE_CODES[number % len(CLOSE_CODES)], now_s)
                connect()
            case b"r":
                before = connection.session
                if before is not None:
                    connect()
                    resume = {"token": before.resume_token, "last_seq": number}
                    hello = _hello(before.role, before.world) | {
                        "resume": resume | {"session": before.id}
                    }
                    connections[-1].receive(_json(hello), now_s)
            case b"n":
                connect()
            case b"s":
                if connection.session is not None:
                    links[-1].stuck = bool(number & 1)
                    connection.session.send(Ok(id=number + 1))
            case _:
                _refusal_is_counted(sessions, connection, value.decode(errors="replace"), now_s)
        for one in sessions:
            one.check_integrity()
    told = {m for link in links for m in link.messages if isinstance(m, Error)}  # Replays repeat.
    assert sum(sessions.errors().values()) >= len(told), "an error was told and not counted"


def _refusal_is_counted(
    sessions: SessionRegistry, connection: Connection, frame: str | bytes, now_s: float
) -> None:
    before = sum(sessions.errors().values())
    session = connection.session
    listens = session is None or session.state is SessionState.OPEN
    refused_before = connection._refused
    taken = connection.receive(frame, now_s)
    if not listens or refused_before:
        assert taken is None, "nobody is there any more"
        return
    counted = sum(sessions.errors().values()) > before
    try:
        found = decode_tick(frame) if isinstance(frame, bytes) else parse_client_message(frame)
    except CallsheetError:
        assert taken is None, "what cannot be read was passed on"
        assert counted, "refused and not counted"
    else:
        done_here = isinstance(found, Ping | Ack | Bye)
        assert taken is not None or done_here or counted, "dropped without a word"


def _hello(role: str, world: str) -> dict[str, Any]:
    client = {"name": "fuzz", "version": "1"}
    return {"type": "hello", "role": role, "world": world, "client": client}


def _json(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()


class _WholeServer:
    """A server with the scripted engine on a loop of its own, without sockets for its clients."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        quick = ScriptedSettings(token_delay_s=0.0, rebuild_s=0.0)
        settings = Settings(server=ServerSettings(port=0, drain_timeout_s=0.0))
        self.server = self.loop.run_until_complete(start_server(settings, ScriptedEngine(quick)))

    async def play(self, data: bytes) -> None:
        clients = {}
        for role in ("game", "mod", "observer"):
            outbox = Outbox()
            clients[role] = self.server.connections.connect(outbox), outbox
            clients[role][0].receive(_json(_hello(role, "fuzz")))
        sent: list[bytes] = []
        for operation, value in records(data):
            role = {b"m": "mod", b"o": "observer"}.get(operation, "game")
            frame = value if operation == b"b" else value.decode(errors="replace")
            clients[role][0].receive(frame)
            await asyncio.sleep(0)
            for _, outbox in clients.values():
                sent += outbox._frames.values()
                outbox._frames.clear()
                outbox._keyed = 0
        for client, outbox in clients.values():
            client.lost(1000)
            sent += outbox._frames.values()
        self.server.membership.sweep()
        while self.server.conversations._open:  # noqa: ASYNC110, nobody announces it
            await asyncio.sleep(0)
        await self.server.mover.idle()
        self.server.pipeline.step()
        await self.server.mover.idle()
        self.server.check_integrity()
        for frame in sent:
            message = parse_server_message(frame)
            wrong = isinstance(message, Error) and message.code is ErrorCode.INTERNAL
            assert not wrong, f"the server failed: {message}"
        assert not self.server.rooms, "a world without sessions is kept"


_whole: _WholeServer | None = None


def server(data: bytes) -> None:
    """A whole server: what a game, a mod and an observer send never makes it fail."""
    global _whole
    if _whole is None:
        logging.disable(logging.CRITICAL)
        _whole = _WholeServer()
    _whole.loop.run_until_complete(_whole.play(data))


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "tick": tick,
    "text": text,
    "session": session,
    "server": server,
}
