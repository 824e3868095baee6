"""The server put together: sockets, sessions, rooms, pipeline, engine; started, run, stopped."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sys
import time
from collections.abc import Callable, Sequence

from callsheet.wire.base import Request
from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.session import Draining, EngineSummary, Hello
from callsheet.wire.tick import Tick
from callsheet_residency.state import StateStore
from callsheet_server.app.settings import Settings
from callsheet_server.engine.engine import DoneMove, Engine, Progress
from callsheet_server.engine.mover import Mover
from callsheet_server.handlers.dispatch import Dispatcher
from callsheet_server.handlers.edits import Builder
from callsheet_server.handlers.guests import Guests
from callsheet_server.handlers.rate_limits import Budgets
from callsheet_server.log_context import bind
from callsheet_server.outgoing.errors import tick_errors
from callsheet_server.page import load_page
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.rooms.persistence import restore, restore_hints
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room, world_limits
from callsheet_server.rooms.subscriptions import Observers
from callsheet_server.session.connection import Connection
from callsheet_server.session.quota import QuotaBook
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.storage.saved import SavedWorld
from callsheet_server.storage.storage import Storage
from callsheet_server.talk.answering import Answerer
from callsheet_server.talk.conversations import Talk
from callsheet_server.talk.moderation import Moderator
from callsheet_server.talk.recall import Retriever
from callsheet_server.talk.reply import OpenReply
from callsheet_server.telemetry import Telemetry
from callsheet_server.trace.recorder import Recorder
from callsheet_server.transport.access_tokens import Token, TokenFile
from callsheet_server.transport.http import Page
from callsheet_server.transport.listener import Listener
from callsheet_server.transport.outbox import Outbox
from callsheet_server.world.memory import most_turns

__all__ = ["CallsheetServer"]

logger = logging.getLogger(__name__)

HOUSEKEEPING_S = 0.05
HURRY_S = 0.5
"""How long clients have to take their goodbye when ``close`` is hurried."""
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
        self.moderator = Moderator(settings.moderation)
        self.storage = Storage(settings.storage)
        self.quotas = QuotaBook(settings.token_quota, settings.world_quota)
        self.sessions = SessionRegistry(
            settings.server,
            settings.limits,
            self.quotas,
            self._engine_summary,
            lambda: secrets.token_urlsafe(16),
            self.storage.journal,
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
        self._listener = Listener(
            settings.server,
            settings.limits,
            self._connect,
            self.pages,
            self.sessions.may_observe,
        )
        self._background: list[asyncio.Task[None]] = []

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
            StorageError: the worlds on disk cannot be used.
            SettingFileError: a file that a setting names cannot be used.
            OSError: the port is taken.
        """
        token_file = self.settings.server.token_file
        tokens = None if token_file is None else TokenFile(token_file)
        if tokens is not None:
            self._use_tokens(await asyncio.to_thread(tokens.read))
        await asyncio.to_thread(self.moderator.start)
        saved = await self.storage.start(most_turns(self.settings.reply.memory_tokens))
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
            settings.reply.style,
        )
        self.retriever = Retriever(self.storage, settings.reply)
        self.answerer = Answerer(self.engine, self.moderator, self.retriever, settings.reply)
        self.talk = Talk(
            self.answerer,
            settings.reply,
            min(settings.reply.max_open, self.engine.info.max_requests or sys.maxsize),
            self._called,
            self.telemetry.shed,
            self._ended,
            clock,
        )
        guests = Guests(settings.server.observers_may_act)
        budgets = Budgets(settings.limits, self._npcs_of)
        self._builder = Builder(self.pipeline, self.talk, budgets)
        self._dispatcher = Dispatcher(
            self.pipeline, self.talk, guests, budgets, self._builder, clock, self.rooms
        )
        for world in saved:
            self._restore(world)
        self._observers = Observers(self.pipeline, self.engine)
        self.pages.update(await asyncio.to_thread(load_page))
        await self._listener.start()
        self._background.append(asyncio.create_task(self._keep_house()))
        if tokens is not None:
            self._background.append(asyncio.create_task(tokens.follow(self._use_tokens)))

    async def close(self) -> None:
        """Drain, say goodbye, free everything. May be called twice, and without ``start``."""
        self.draining = True
        if self._background:
            for task in self._background:
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)
            self.sessions.shut(RECONNECT_AFTER_S)
            await self._drain()
            await self._listener.close()
            await self.mover.close()
            self._background.clear()
        self.moderator.close()
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close)
        await self.storage.close()
        await self.engine.close()

    def hurry(self) -> None:
        """While ``close`` runs: wait for nobody any more. Replies and then connections are cut."""
        if self._background:
            self.talk.cancel_all()
            asyncio.get_running_loop().call_later(HURRY_S, self._listener.abort)

    async def _drain(self) -> None:
        timeout_s = self.settings.server.drain_timeout_s
        notice = Draining(deadline_s=timeout_s, reconnect_after_s=RECONNECT_AFTER_S)
        for session in self.sessions:
            session.send(notice, key="draining")
        await self.talk.drain(timeout_s, RECONNECT_AFTER_S)
        await self.storage.flush()
        if self.storage.writer is not None:
            return  # The sessions outlive this process: the listener's "going away" says so.
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
        self._room(hello.world).sessions[session.id] = session
        logger.info("%s joined: %s %s", session.role, hello.client.name, hello.client.version)

    def _room(self, world: str) -> Room:
        """The room of a world; a new one if nobody is in it."""
        if world not in self.rooms:
            limits = world_limits(self.settings.limits)
            # Persona, what is recalled and the reply need room in the context too.
            half_tokens = self.engine.info.context_limit_tokens // 2
            memory_tokens = min(self.settings.reply.memory_tokens, half_tokens)
            self.rooms[world] = Room(world, limits, memory_tokens, self.storage.journal(world))
        return self.rooms[world]

    def _restore(self, saved: SavedWorld) -> None:
        """Put a world back as it was before a restart; its game may resume."""
        room = self._room(saved.name)
        for one in saved.sessions:
            session = self.sessions.restore(one, saved.name, self._clock())
            room.sessions[session.id] = session
        restore(room, saved)
        self.pipeline.set_lore(room)
        self._builder.sync_all(room)
        restore_hints(room.world, saved)
        self.pipeline.replan(room)

    def _tick(self, room: Room, tick: Tick) -> None:
        started_s = self._clock()
        report = self.pipeline.tick(room, tick)
        self.telemetry.ticked(room, report.npc_updates, self._clock() - started_s)
        if self._recorder is not None:
            self._recorder.tick(room, self.engine.prefixes)
        game = room.game
        if game is not None:
            for error in tick_errors(tick, report):
                game.complain(error, self._clock())

    def _called(self, room: Room, npc: str) -> None:
        self.telemetry.called(room, npc)
        self.pipeline.demand(room, npc)

    def _npcs_of(self, token: Token) -> int:
        """NPCs alive in all worlds whose games presented ``token``."""
        games = [s for s in self.sessions if s.role == "game" and s.token == token]
        return sum(len(self.rooms[game.world].world.npcs) for game in games)

    def _use_tokens(self, tokens: tuple[Token, ...]) -> None:
        self.sessions.use_tokens(tokens, self._clock())

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
                self.storage.rest(room.name)

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

    def refuse(self, problem: str) -> None:
        self._connection.refuse(error_for(ErrorCode.UNAUTHORIZED, problem))

    def hello_timeout(self, timeout_s: float) -> None:
        self._connection.hello_timeout(timeout_s)

    def lost(self, close_code: int) -> None:
        self._connection.lost(close_code, self._server._clock())
        self._server.telemetry.disconnected(close_code)
        self._server._lost(self)
