"""The server put together: sockets, sessions, rooms, pipeline, engine; started, run, stopped."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence

from callsheet.wire.base import Request
from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.session import Draining, EngineSummary, Hello
from callsheet.wire.tick import Tick
from callsheet_server.answer import Answerer
from callsheet_server.dispatch import Dispatcher
from callsheet_server.engine.engine import DoneMove, Engine, Progress
from callsheet_server.engine.mover import Mover
from callsheet_server.guests import Guests
from callsheet_server.observe import Observers
from callsheet_server.open_reply import OpenReply
from callsheet_server.page import load_page
from callsheet_server.pipeline import Pipeline
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.state import StateStore
from callsheet_server.room import Room
from callsheet_server.session.connection import Connection
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.settings import Settings
from callsheet_server.talk import Talk
from callsheet_server.telemetry import Telemetry
from callsheet_server.telemetry.logs import bind
from callsheet_server.trace.recorder import Recorder
from callsheet_server.transport.http import Page
from callsheet_server.transport.listener import Listener
from callsheet_server.transport.outbox import Outbox
from callsheet_server.world.world import TickReport, WorldLimits

__all__ = ["CallsheetServer"]

logger = logging.getLogger(__name__)

HOUSEKEEPING_S = 0.05
RECONNECT_AFTER_S = 2.0
"""What clients are told at shutdown: a restart usually takes about this long."""


class CallsheetServer:
    """One engine and any number of worlds behind one port.

    ``async with CallsheetServer(settings, engine) as server`` starts it and stops it cleanly.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        extra_stores: Sequence[StateStore] = (),
        recorder: Recorder | None = None,
    ) -> None:
        """Put the parts together; nothing is started.

        Args:
            settings: of every layer.
            engine: not started yet.
            extra_stores: state of your own kinds, moved with the NPCs it belongs to.
            recorder: told of every tick and call; closed with the server.
        """
        self.settings = settings
        self.engine = engine
        self._extra_stores = tuple(extra_stores)
        self._recorder = recorder
        self._clock = time.monotonic
        self.rooms: dict[str, Room] = {}
        self.sessions = SessionRegistry(
            settings.server,
            settings.limits,
            self._engine_summary,
            lambda: secrets.token_urlsafe(16),
        )
        self.pages: dict[str, Callable[[], Page]] = {}
        """What plain HTTP requests on the same port get, by path."""
        self.draining = False
        """True once ``close`` has begun: nobody new should be sent here."""
        self.clients: set[_Client] = set()
        """Those with a connection."""
        self._dropped_frames = 0
        """Of connections that have ended."""
        self.telemetry = Telemetry(self)
        self.pages.update(self.telemetry.pages)
        self._listener = Listener(settings.server, settings.limits, self._connect, self.pages)
        self._background: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return self._listener.port

    @property
    def dropped_frames(self) -> int:
        """Unreliable frames dropped so far because their readers were too slow."""
        return self._dropped_frames + sum(client.outbox.dropped for client in self.clients)

    # --- life --------------------------------------------------------------------------------

    async def start(self, report: Callable[[Progress], None] = lambda _: None) -> None:
        """Load the engine, then listen.

        Raises:
            EngineStartError: the engine cannot start; the text names the fix.
            OSError: the port is taken.
        """
        await self.engine.start(report)
        settings, clock = self.settings, self._clock
        stores = (*self.engine.stores, *self._extra_stores)
        self.controller = ResidencyController(stores, settings.residency)
        self.mover = Mover(stores, self.controller, self._moved)
        self.pipeline = Pipeline(
            self.engine,
            stores,
            self.controller,
            self.mover,
            settings.distance,
            clock,
            self.telemetry.planned,
        )
        answerer = Answerer(self.engine, settings.reply)
        self.talk = Talk(
            answerer, settings.limits.max_open_requests, self._called, self._ended, clock
        )
        guests = Guests(settings.server.trusts_observers)
        self._dispatcher = Dispatcher(self.pipeline, self.talk, guests, clock)
        self._observers = Observers(self.pipeline, self.engine)
        self.pages.update(await asyncio.to_thread(load_page))
        await self._listener.start()
        self._background = asyncio.create_task(self._keep_house())

    async def close(self) -> None:
        """Drain, say goodbye, free everything. May be called twice, and without ``start``."""
        self.draining = True
        if self._background is not None:
            self._background.cancel()
            await asyncio.gather(self._background, return_exceptions=True)
            self._background = None
            await self._drain()
            await self._listener.close()
            await self.mover.close()
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close)
        await self.engine.close()

    async def _drain(self) -> None:
        timeout_s = self.settings.server.drain_timeout_s
        notice = Draining(deadline_s=timeout_s, reconnect_after_s=RECONNECT_AFTER_S)
        for session in self.sessions:
            session.send(notice, key="draining")
        await self.talk.drain(timeout_s, RECONNECT_AFTER_S)
        now_s = self._clock()
        for session in list(self.sessions):
            session.fail(
                error_for(ErrorCode.DRAINING, "the server stops", retry_after_s=RECONNECT_AFTER_S),
                now_s,
            )

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken.

        Moves must be idle, and known to the controller: see its method of the same name.
        """
        self.controller.check_integrity()
        self.engine.check_integrity()
        self.talk.check_integrity()
        for session in self.sessions:
            session.check_integrity()
            room = self.rooms[session.world]
            assert room.sessions[session.id] is session, f"{session.id} is not in its room"
        for room in self.rooms.values():
            assert room.sessions, f"world {room.name} has nobody left and is kept"
            room.check_integrity()

    async def __aenter__(self) -> CallsheetServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- frames in ---------------------------------------------------------------------------

    def _connect(self, outbox: Outbox) -> _Client:
        client = _Client(self, Connection(self.sessions, outbox), outbox)
        self.clients.add(client)
        return client

    def _lost(self, client: _Client) -> None:
        self.clients.remove(client)
        self._dropped_frames += client.outbox.dropped

    def _receive(self, connection: Connection, frame: str | bytes) -> None:
        now_s = self._clock()
        message = connection.receive(frame, now_s)
        session = connection.session
        if session is None or message is None:
            return
        with bind(session=session.id, world=session.world):
            try:
                if isinstance(message, Hello):
                    self._join(connection, message)
                elif isinstance(message, Tick):
                    self._tick(self.rooms[session.world], message)
                else:
                    self._dispatcher.handle(self.rooms[session.world], session, message)
            except Exception:
                logger.exception("a message could not be handled")
                request_id = message.id if isinstance(message, Request) else None
                session.fail(
                    error_for(
                        ErrorCode.INTERNAL, "the server failed; see its log", request_id=request_id
                    ),
                    now_s,
                )

    def _join(self, connection: Connection, hello: Hello) -> None:
        session = connection.session
        assert session is not None
        self._sweep()  # A game that takes over from a lost one starts with an empty world.
        if hello.world not in self.rooms:
            limits = self.settings.limits
            self.rooms[hello.world] = Room(
                hello.world,
                WorldLimits(
                    max_npcs=limits.max_npcs_per_world,
                    max_npcs_per_spawn=limits.max_npcs_per_spawn,
                    max_players=limits.max_players_per_world,
                    max_guests=limits.max_guests_per_world,
                ),
            )
        self.rooms[hello.world].sessions[session.id] = session
        logger.info("%s joined: %s %s", session.role, hello.client.name, hello.client.version)

    def _tick(self, room: Room, tick: Tick) -> None:
        started_s = self._clock()
        report = self.pipeline.tick(room, tick)
        self.telemetry.ticked(room, report.npc_updates, self._clock() - started_s)
        if self._recorder is not None:
            self._recorder.tick(room, self.engine.prefixes)
        game = room.game
        if game is not None:
            for error in _tick_errors(tick, report):
                game.complain(error, self._clock())

    def _called(self, room: Room, npc: str) -> None:
        self.telemetry.called(room, npc)
        self.pipeline.demand(room, npc)

    # --- meanwhile ---------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            try:
                self._sweep()
                self.pipeline.step()
                for move in self.engine.take_moves():
                    self._moved(move)
                self._observers.update(self.rooms.values(), self._clock())
            except Exception:
                logger.exception("housekeeping failed; it goes on")

    def _sweep(self) -> None:
        for session in self.sessions.sweep(self._clock()):
            room = self.rooms[session.world]
            self._dispatcher.leave(room, session)
            if not room.sessions:
                del self.rooms[room.name]

    def _ended(self, reply: OpenReply) -> None:
        self.telemetry.replied(reply)
        if self._recorder is not None and reply.heard:
            self._recorder.call(reply, self.engine.prefixes)

    def _moved(self, move: DoneMove) -> None:
        self.telemetry.moved(move)
        self._observers.moved(self.rooms, move)

    def _engine_summary(self) -> EngineSummary:
        info = self.engine.info
        return EngineSummary(
            name=info.name,
            version=info.version,
            model=info.model,
            device=info.device,
            context_limit_tokens=info.context_limit_tokens,
            keeps_residency=info.keeps_residency,
        )


class _Client:
    """One connection, as the transport sees it."""

    def __init__(self, server: CallsheetServer, connection: Connection, outbox: Outbox) -> None:
        self._server = server
        self._connection = connection
        self.outbox = outbox

    def receive(self, frame: str | bytes) -> None:
        self._server._receive(self._connection, frame)

    def hello_timeout(self, timeout_s: float) -> None:
        self._connection.hello_timeout(timeout_s)

    def lost(self, close_code: int) -> None:
        self._connection.lost(close_code, self._server._clock())
        self._server._lost(self)


def _tick_errors(tick: Tick, report: TickReport) -> list[CallsheetError]:
    """What of a tick was left out, in words."""
    errors = []
    if report.unknown_count:
        shown = ", ".join(map(str, report.unknown_handles))
        errors.append(
            error_for(
                ErrorCode.UNKNOWN_HANDLE,
                f"tick {tick.tick}: {report.unknown_count} records with unknown handles skipped: "
                f"{shown}",
                field="handle",
                value=f"[{shown}]",
            )
        )
    if report.bad_count:
        shown = ", ".join(map(str, report.bad_handles))
        errors.append(
            error_for(
                ErrorCode.BAD_VALUE,
                f"tick {tick.tick}: {report.bad_count} records skipped, of handles {shown}: "
                f"positions and velocities must be finite and within 1e7, next_call_s NaN or at "
                f"least 0, flags at most 3",
                field="npcs",
                value=f"[{shown}]",
            )
        )
    return errors
