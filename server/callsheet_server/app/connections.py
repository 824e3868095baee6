"""Connections of clients: passes their frames to whoever handles what they say."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

from callsheet.wire.base import Request
from callsheet.wire.codec import AnyClientMessage
from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.session import Hello
from callsheet.wire.tick import Tick
from callsheet_server.engine.engine import Engine
from callsheet_server.handlers.dispatch import Dispatcher
from callsheet_server.handlers.membership import Membership
from callsheet_server.log_context import bind
from callsheet_server.outgoing.errors import tick_errors
from callsheet_server.rooms.long_work import LongWork
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.rooms.rooms import Rooms
from callsheet_server.session.connection import Connection
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.session.session import Session
from callsheet_server.telemetry.telemetry import Telemetry
from callsheet_server.trace.recorder import Recorder
from callsheet_server.transport.outbox import Outbox

__all__ = ["Connections"]

logger = logging.getLogger(__name__)


class Connections:
    """Connections that are open. The listener calls ``connect`` for each."""

    def __init__(
        self,
        sessions: SessionRegistry,
        rooms: Rooms,
        membership: Membership,
        dispatcher: Dispatcher,
        pipeline: Pipeline,
        engine: Engine,
        telemetry: Telemetry,
        recorder: Recorder | None,
        work: LongWork,
        clock: Callable[[], float],
    ) -> None:
        """``recorder`` is told of every tick."""
        self.clock = clock
        self._sessions = sessions
        self._rooms = rooms
        self._membership = membership
        self._dispatcher = dispatcher
        self._pipeline = pipeline
        self._engine = engine
        self._telemetry = telemetry
        self._recorder = recorder
        self._work = work
        self._open: set[_Client] = set()
        self._past_dropped_frames = 0
        """Dropped frames of connections that have ended."""

    def __iter__(self) -> Iterator[_Client]:
        return iter(self._open)

    @property
    def dropped_frames(self) -> int:
        """Unreliable frames dropped so far because their readers were too slow."""
        return self._past_dropped_frames + sum(client.outbox.dropped for client in self._open)

    def connect(self, outbox: Outbox) -> _Client:
        """Take a new connection."""
        client = _Client(self, Connection(self._sessions, outbox), outbox)
        self._open.add(client)
        return client

    async def ready(self, connection: Connection, outbox: Outbox) -> None:
        """Wait until a connection's next frame may be handled, or the connection is to close."""
        session = connection.session
        if session is None:
            return
        pause_s = session.resumes_at_s - self.clock()
        if pause_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(outbox.closed.wait(), pause_s)
        await self._work.ready(session.world)

    def receive(self, connection: Connection, frame: str | bytes) -> None:
        """Have a frame's message carried out; a failure of the server itself is told and logged."""
        was_open = connection.is_open
        message = connection.receive(frame, self.clock())
        if was_open and not connection.is_open:
            self._membership.sweep()
        session = connection.session
        if session is None or message is None:
            return
        with bind(session=session.id, world=session.world):
            try:
                self._carry_out(session, message)
            except Exception:
                logger.exception("a message could not be handled")
                request_id = message.id if isinstance(message, Request) else None
                session.fail(
                    error_for(
                        ErrorCode.INTERNAL, "the server failed; see its log", request_id=request_id
                    ),
                    self.clock(),
                )

    def lost(self, client: _Client, close_code: int) -> None:
        """Forget a connection that is gone."""
        self._telemetry.disconnected(close_code)
        self._open.remove(client)
        self._past_dropped_frames += client.outbox.dropped

    def _carry_out(self, session: Session, message: AnyClientMessage | Hello | Tick) -> None:
        if isinstance(message, Hello):
            self._membership.enter(session, message)
        elif isinstance(message, Tick):
            self._tick(self._rooms[session.world], message)
        else:
            self._dispatcher.handle(self._rooms[session.world], session, message)

    def _tick(self, room: Room, tick: Tick) -> None:
        if tick.game_time_s < room.world.game_time_s:
            self._work.run(room.name, self._rewind(room, tick))
        else:
            self._take(room, tick)

    def _rewind(self, room: Room, tick: Tick) -> Iterator[None]:
        """Set a world's clock back, then take the tick that says so."""
        yield from room.rewind(tick.game_time_s)
        self._take(room, tick)

    def _take(self, room: Room, tick: Tick) -> None:
        started_s = self.clock()
        report = self._pipeline.tick(room, tick)
        self._telemetry.ticked(room, report.npc_updates, self.clock() - started_s)
        if self._recorder is not None:
            self._recorder.tick(room, self._engine.prefixes)
        errors = tick_errors(tick, report)
        if errors and (game := room.game) is not None:
            for error in errors:
                game.complain(error, self.clock())


class _Client:
    """One connection, as the transport sees it."""

    def __init__(self, connections: Connections, connection: Connection, outbox: Outbox) -> None:
        self._connections = connections
        self._connection = connection
        self.outbox = outbox

    async def ready(self) -> None:
        await self._connections.ready(self._connection, self.outbox)

    def receive(self, frame: str | bytes) -> None:
        self._connections.receive(self._connection, frame)

    def refuse(self, problem: str) -> None:
        self._connection.refuse(error_for(ErrorCode.UNAUTHORIZED, problem))

    def hello_timeout(self, timeout_s: float) -> None:
        self._connection.hello_timeout(timeout_s)

    def flooded(self, problem: str) -> None:
        self._connection.flooded(problem, self._connections.clock())

    def too_large(self, limit_bytes: int) -> bytes:
        return self._connection.too_large(limit_bytes, self._connections.clock())

    def lost(self, close_code: int) -> None:
        self._connection.lost(close_code, self._connections.clock())
        self._connections.lost(self, close_code)
