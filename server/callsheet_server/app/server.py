"""A running server: every part of it, put together, and its end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.session import Draining, EngineSummary
from callsheet_residency.state import StateStore
from callsheet_server.app.connections import Connections
from callsheet_server.app.settings import Settings
from callsheet_server.app.waiting_room import WaitingRoom
from callsheet_server.engine.engine import DoneMove, Engine, EngineInfo
from callsheet_server.engine.mover import Mover
from callsheet_server.handlers.adapter_changes import AdapterChanges
from callsheet_server.handlers.dispatch import Dispatcher
from callsheet_server.handlers.edits import WorldEditor
from callsheet_server.handlers.guests import Guests
from callsheet_server.handlers.hearing import Hearing
from callsheet_server.handlers.membership import Membership
from callsheet_server.handlers.rate_limits import RateLimits
from callsheet_server.handlers.saving import SaveKeeper
from callsheet_server.outgoing.errors import misfits_error
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.policies import LIVE_POLICIES
from callsheet_server.rooms.long_work import LongWork
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.rooms.rooms import Rooms
from callsheet_server.rooms.subscriptions import Subscriptions
from callsheet_server.session.error_message import error_message
from callsheet_server.session.quota import QuotaBook
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.storage.saved import SavedWorld
from callsheet_server.storage.storage import Storage
from callsheet_server.talk.answering import Answerer
from callsheet_server.talk.conversations import Conversations
from callsheet_server.talk.moderation import Moderator
from callsheet_server.talk.recall import Retriever
from callsheet_server.talk.reply import Reply
from callsheet_server.telemetry import Telemetry
from callsheet_server.trace.recorder import Recorder
from callsheet_server.transport.access_tokens import AccessToken, TokenFile
from callsheet_server.transport.http import Page
from callsheet_server.transport.listener import Listener

__all__ = ["CallsheetServer", "Started"]

logger = logging.getLogger(__name__)

HOUSEKEEPING_S = 0.05
HURRY_S = 0.5
"""Time clients have to take their goodbye when ``close`` is hurried."""
MAX_OPEN_REPLIES = 4_096
"""Replies the model may be asked for at a time, in all worlds; past it the least urgent is shed."""
RECONNECT_AFTER_S = 2.0
"""Wait that clients are told at shutdown: a restart usually takes about this long."""


@dataclass(frozen=True, slots=True)
class Started:
    """Parts that a server is built from, each ready for use; the server closes them."""

    engine: Engine
    stores: Sequence[StateStore]
    """Stores of the engine, and those of the host's own kinds of state."""
    work: LongWork
    """Work on worlds that is done in slices."""
    storage: Storage
    saved: Iterable[SavedWorld]
    """Worlds of before a restart."""
    moderator: Moderator
    token_file: TokenFile | None
    tokens: Sequence[AccessToken]
    """Tokens of ``token_file``."""
    listener: Listener
    """Lets clients into ``waiting``."""
    waiting: WaitingRoom
    page: Mapping[str, Callable[[], Page]]
    recorder: Recorder | None
    """Told of every tick and call."""


class CallsheetServer:
    """One engine and any number of worlds behind one port.

    Made by ``app.start``: ``async with running_server(settings, engine) as server``.
    """

    def __init__(self, settings: Settings, started: Started) -> None:
        """Put the parts together, restore saved worlds, and begin housekeeping.

        Nobody is let in before ``open``.
        """
        clock = time.monotonic
        engine = started.engine
        self.settings = settings
        self.engine = engine
        self.storage = started.storage
        self.work = started.work
        self.moderator = started.moderator
        self.recorder = started.recorder
        self.clock = clock
        self.draining = False
        """True once ``close`` has begun: nobody new should be sent here."""
        self.housekeeping_failures = 0
        self.telemetry = Telemetry()
        self.quotas = QuotaBook(settings.quota, settings.quota)
        self.sessions = SessionRegistry(
            settings.server,
            settings.limits,
            self.quotas,
            lambda: _summary(engine.info),
            lambda: secrets.token_urlsafe(16),
            self.storage.journal,
        )
        # Persona, what is recalled and the reply need room in the context too.
        half_tokens = engine.info.context_limit_tokens // 2
        memory_tokens = min(settings.reply.memory_tokens, half_tokens)
        self.rooms = Rooms(settings.limits, memory_tokens, self.storage.journal, self.storage.saves)
        self.controller = ResidencyController(
            started.stores,
            settings.residency.planning(),
            LIVE_POLICIES[settings.residency.policy],
        )
        self.mover = Mover(started.stores, self.controller, self._moved)
        self.pipeline = Pipeline(
            engine,
            started.stores,
            self.controller,
            self.mover,
            clock,
            self.telemetry.planned,
            settings.reply.style,
        )
        self.retriever = Retriever(self.storage, settings.reply)
        self.answerer = Answerer(engine, self.moderator, self.retriever, settings.reply)
        self.conversations = Conversations(
            self.answerer,
            settings.reply,
            min(MAX_OPEN_REPLIES, engine.info.max_requests or MAX_OPEN_REPLIES),
            self._called,
            self.telemetry.shed,
            self._ended,
            clock,
        )
        self.subscriptions = Subscriptions(self.pipeline, engine)
        guests = Guests(settings.server.observers_may_act, self.moderator, clock)
        rate_limits = RateLimits(settings.limits, self._npcs_of)
        editor = WorldEditor(self.pipeline, self.conversations, rate_limits)
        self.membership = Membership(
            self.sessions,
            self.rooms,
            self.storage,
            self.pipeline,
            self.conversations,
            guests,
            rate_limits,
            editor,
            self.work,
            clock,
        )
        self.connections = Connections(
            self.sessions,
            self.rooms,
            self.membership,
            Dispatcher(
                self.pipeline,
                self.conversations,
                guests,
                Hearing(self.moderator, settings.reply.max_heard_chars, clock),
                rate_limits,
                editor,
                SaveKeeper(self.pipeline, self.conversations, editor, self.work),
                AdapterChanges(engine, clock),
                self.work,
                clock,
                self.rooms,
            ),
            self.pipeline,
            engine,
            self.telemetry,
            self.recorder,
            self.work,
            clock,
        )
        self.pages = {**self.telemetry.pages(self), **started.page}
        """Pages for plain HTTP requests on the same port, by path."""
        self.listener = started.listener
        self._waiting = started.waiting
        self._use_tokens(started.tokens)
        self.membership.restore(started.saved)
        self._background = [asyncio.create_task(self._keep_house())]
        if started.token_file is not None:
            follow = started.token_file.follow(self._use_tokens)
            self._background.append(asyncio.create_task(follow))

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        return self.listener.port

    def open(self) -> None:
        """Let clients in, those first who have waited for it."""
        self._waiting.open(self.connections.connect, self.pages, self.sessions.may_observe)

    async def close(self) -> None:
        """Drain, say goodbye, free everything. May be called twice."""
        self.draining = True
        if self._background:
            for task in self._background:
                task.cancel()
            await asyncio.gather(*self._background, return_exceptions=True)
            self.sessions.shut(RECONNECT_AFTER_S)
            await self._drain()
            await self.listener.close()
            await self.work.close()
            await self.mover.close()
            self._background.clear()
        self.moderator.close()
        if self.recorder is not None:
            await asyncio.to_thread(self.recorder.close)
        await self.storage.close()
        await self.engine.close()

    def hurry(self) -> None:
        """While ``close`` runs: wait for nobody any more. Replies and then connections are cut."""
        self.conversations.cancel_all()
        asyncio.get_running_loop().call_later(HURRY_S, self.listener.abort)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken.

        Moves must be idle, and known to the controller: see its method of the same name.
        """
        self.controller.check_integrity()
        self.engine.check_integrity()
        self.conversations.check_integrity()
        self.membership.check_integrity()

    async def _drain(self) -> None:
        timeout_s = self.settings.server.drain_timeout_s
        notice = Draining(deadline_s=timeout_s, reconnect_after_s=RECONNECT_AFTER_S)
        for session in self.sessions:
            session.send(notice, key="draining")
        await self.conversations.drain(timeout_s, RECONNECT_AFTER_S)
        await self.storage.flush()
        if self.storage.keeps:
            return  # The sessions outlive this process: the listener's "going away" says so.
        now_s = self.clock()
        for session in list(self.sessions):
            session.fail(
                error_for(ErrorCode.DRAINING, "the server stops", retry_after_s=RECONNECT_AFTER_S),
                now_s,
            )

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            for job in (
                self.membership.sweep,
                self._catch_up,
                self.pipeline.step,
                self._report,
                self._publish,
            ):
                try:
                    job()
                except Exception:
                    self.housekeeping_failures += 1
                    logger.exception("housekeeping failed; it goes on")

    def _catch_up(self) -> None:
        self.pipeline.catch_up(self.rooms.values())

    def _report(self) -> None:
        for move in self.engine.take_moves():
            self._moved(move)
        misfits = groupby(sorted(self.engine.misfits.take()), key=lambda found: found[0].world)
        for world, group in misfits:
            error = misfits_error([(key.npc, why) for key, why in group])
            logger.warning("world %s: %s", world, error.message)
            game = self.rooms[world].game if world in self.rooms else None
            if game is not None:
                game.send(error_message(error))

    def _publish(self) -> None:
        self.subscriptions.update(self.rooms.values(), self.clock())

    # --- what the parts tell each other ------------------------------------------------------

    def _called(self, room: Room, npc: str) -> None:
        self.telemetry.called(room, npc)
        self.pipeline.demand(room, npc)

    def _ended(self, reply: Reply) -> None:
        self.telemetry.replied(reply)
        if self.recorder is not None and reply.heard:
            self.recorder.call(reply, self.engine.prefixes)

    def _moved(self, move: DoneMove) -> None:
        self.telemetry.moved(move)
        self.subscriptions.moved(self.rooms, move)

    def _npcs_of(self, token: AccessToken) -> int:
        """NPCs alive in all worlds whose games presented ``token``."""
        games = [s for s in self.sessions if s.role == "game" and s.token == token]
        return sum(len(self.rooms[game.world].world.npcs) for game in games)

    def _use_tokens(self, tokens: Sequence[AccessToken]) -> None:
        self.sessions.use_tokens(tokens, self.clock())


def _summary(info: EngineInfo) -> EngineSummary:
    return EngineSummary(
        name=info.name,
        version=info.version,
        model=info.model,
        device=info.device,
        context_limit_tokens=info.context_limit_tokens,
        keeps_residency=info.keeps_residency,
        replicas=info.replicas if info.replicas > 1 else None,
    )
