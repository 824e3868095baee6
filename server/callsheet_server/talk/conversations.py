"""Conversations under way: accepts, orders, cancels and drains replies."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import partial

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.script import ActionVerdict, HearAnswer
from callsheet.wire.talk import Say, Speak, Speaker
from callsheet.wire.world import ActionSpec
from callsheet_server.engine.errors import EngineError, in_full
from callsheet_server.log_context import bind
from callsheet_server.outgoing.errors import from_engine
from callsheet_server.rooms.room import Room
from callsheet_server.session.session import Session
from callsheet_server.talk.admission import Admission
from callsheet_server.talk.answering import Answerer
from callsheet_server.talk.earshot import around, in_earshot, place_of
from callsheet_server.talk.prompting import (
    addressed,
    check_speaker,
    heard_text,
    priority_of,
    speaker_name,
)
from callsheet_server.talk.reply import Reply, Round
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.world.nearness import player_range_m
from callsheet_server.world.world import World

__all__ = ["Conversations"]

logger = logging.getLogger(__name__)


class Conversations:
    """Runs the replies: one task each, one at a time per NPC, in the order they were asked for."""

    def __init__(
        self,
        answerer: Answerer,
        settings: ReplySettings,
        capacity: int,
        called: Callable[[Room, str], None],
        shed: Callable[[Reply], None],
        ended: Callable[[Reply], None],
        clock: Callable[[], float],
    ) -> None:
        """Put it together.

        Args:
            answerer: makes the replies.
            settings: how long what is said and answered may be.
            capacity: replies the model may be asked for at a time.
            called: told of every request for the model.
            shed: told of every reply that had to make room, or found none.
            ended: told of every reply's end.
            clock: seconds.
        """
        self._answerer = answerer
        self._settings = settings
        self._admission = Admission(capacity, _ranges_m)
        self._called = called
        self._on_shed = shed
        self._on_end = ended
        self._clock = clock
        self._open: dict[tuple[str, int, str], Reply] = {}
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._mean_reply_s = 1.0
        """Mean time of late from request to end: about when there is room again."""
        self._draining_retry_s: float | None = None

    def say(self, room: Room, session: Session, message: Say) -> None:
        """Begin to answer.

        Raises:
            CallsheetError: ``unknown_npc``, ``unknown_player``, ``bad_value``, ``limit_exceeded``,
                ``engine_unavailable``, or ``engine_overloaded`` if all who wait are at least as
                urgent.
        """
        check_speaker(room.world, message.speaker)
        text = heard_text(message, self._settings.max_heard_chars)
        message = message.model_copy(
            update={"text": text, "speaker": _shown_speaker(room.world, message.speaker)}
        )
        replies = self._accept_round(room, session, message)
        room.counters.requests += 1
        taken, before = replies[0].take(), None
        for reply in replies:
            answer = partial(self._answerer.answer, reply, message)
            before = self._start(reply, taken, answer, before)
            # After the reply's task: the engine is to see where the prefix lay when it was asked.
            self._called(room, reply.npc)

    def speak(self, room: Room, session: Session, message: Speak) -> None:
        """Make an NPC say a given line, after what it is saying now. Raises as ``say`` does."""
        room.world.npc(message.npc)
        hearers = around(room.world, message.npc, message.audible_m, {message.npc})
        session.quotas.take_hearers(len(hearers), self._clock())
        reply = self._accept(room, session, message, message.npc, Speaker(kind="narrator"), "")
        reply.reply_hearers = hearers
        self._start(reply, reply.take(), partial(self._answerer.recite, reply, message.text))

    def note_for(self, actions: Iterable[ActionSpec], gate: str) -> str | None:
        """Return in one line what the author of actions should know of them; None = nothing.

        ``gate``: where actions are offered that the model does not choose from by itself.
        """
        return self._answerer.note_for(actions, gate)

    def script_answer(self, session: Session, answer: HearAnswer | ActionVerdict) -> None:
        """Take what a mod's script makes of what was heard, or chosen."""
        self._answerer.script_answer(session, answer)

    def cancel(self, session: Session, request: int) -> None:
        """Stop a reply; does nothing if it has ended."""
        self._cancel_where(lambda r: r.asker is session and r.request == request)

    def cancel_npc(self, room: Room, npc: str) -> None:
        """Stop all replies of an NPC that is about to go."""
        self._cancel_where(lambda r: r.room is room and r.npc == npc)
        self._turns.pop((room.name, npc), None)

    def drop(self, room: Room, npcs: Collection[str] | None, why: str) -> None:
        """Stop the replies of NPCs, None = all of a world, as if they had never been asked for."""
        for reply in self._open.values():
            if reply.room is room and (npcs is None or reply.npc in npcs):
                reply.dropped = why
                if reply.task is not None:
                    reply.task.cancel()

    def cancel_session(self, session: Session) -> None:
        """Stop all replies a session asked for."""
        self._cancel_where(lambda r: r.asker is session)

    def cancel_all(self) -> None:
        """Stop all replies."""
        self._cancel_where(lambda _: True)

    def when_ended(self, room: Room, then: Callable[[], None]) -> None:
        """Call ``then`` once every reply that is open in a room has ended."""
        tasks = [r.task for r in self._open.values() if r.room is room and r.task is not None]
        if tasks:
            asyncio.gather(*tasks, return_exceptions=True).add_done_callback(lambda _: then())
        else:
            then()

    async def drain(self, timeout_s: float, retry_after_s: float) -> None:
        """Take no new requests; wait for the open replies, then cancel what is left."""
        self._draining_retry_s = retry_after_s
        tasks = [r.task for r in self._open.values() if r.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        self._admission.check_integrity()
        for key, reply in self._open.items():
            filed = reply.asker.id, reply.request, reply.npc
            assert key == filed, f"{key} is filed under another request"
            assert reply.task is not None, f"{key} was accepted and never started"
            assert not reply.task.done(), f"{key} has ended and is still open"
            assert reply.asker.id in reply.room.sessions, f"{key} was asked by one who is gone"

    def _accept_round(self, room: Room, asker: Session, message: Say) -> list[Reply]:
        """Accept the replies of all who are spoken to, or of none."""
        names = addressed(message)
        for index, name in enumerate(names):
            room.world.npc(name, "npc" if message.npcs is None else f"npcs.{index}")
        turns, accepted = Round(len(names)), list[Reply]()
        try:
            for name in names:
                reply = self._accept(room, asker, message, name, message.speaker, message.text)
                accepted.append(reply)
                reply.round = turns
                reply.priority = priority_of(message)
                _let_overhear(reply, names, message.audible_m)
                hearers = len(reply.line_hearers) + len(reply.reply_hearers)
                hearers += reply.asking_npc is not None
                asker.quotas.take_hearers(hearers, self._clock())
                self._make_room(reply)
        except CallsheetError:
            for reply in accepted:
                reply.lease.close(0)
                self._admission.leave(reply)
            raise
        return accepted

    def _accept(
        self,
        room: Room,
        asker: Session,
        message: Say | Speak,
        npc: str,
        speaker: Speaker,
        heard: str,
    ) -> Reply:
        handle = room.world.npc(npc).handle
        if self._draining_retry_s is not None:
            raise error_for(
                ErrorCode.ENGINE_UNAVAILABLE,
                "the server is shutting down",
                retry_after_s=self._draining_retry_s,
            )
        max_tokens = 0
        if isinstance(message, Say):
            max_tokens = message.max_tokens or self._settings.max_tokens
        lease = asker.quotas.open_reply(max_tokens, self._clock())
        return Reply(
            room=room,
            asker=asker,
            request=message.id,
            npc=npc,
            handle=handle,
            speaker=speaker,
            heard=heard,
            reply=room.next_reply(),
            accepted_s=self._clock(),
            max_tokens=message.max_tokens if isinstance(message, Say) else None,
            lease=lease,
        )

    def _make_room(self, newcomer: Reply) -> None:
        """Let a reply in; if that is one too many, the least urgent gives way."""
        shed = self._admission.admit(newcomer)
        if shed is None:
            return
        error = error_for(
            ErrorCode.ENGINE_OVERLOADED,
            f"{len(self._admission)} more urgent requests wait already",
            retry_after_s=round(self._mean_reply_s, 1),
        )
        self._on_shed(shed)
        if shed.task is None:  # The newcomer, or one that came with it.
            raise error
        if shed.task.cancel():
            shed.shed = error

    def _start(
        self,
        reply: Reply,
        taken: asyncio.Future[CallsheetError | None],
        work: Callable[[], Awaitable[None]],
        before: asyncio.Task[None] | None = None,
    ) -> asyncio.Task[None]:
        """Begin a reply, after ``before`` has ended."""
        reply.world.turn_opened(reply.npc)
        self._open[reply.asker.id, reply.request, reply.npc] = reply
        with bind(npc=reply.npc, request=reply.request):
            reply.task = asyncio.create_task(self._run(reply, taken, work, before))
        reply.task.add_done_callback(lambda task: self._ended(reply, task))
        return reply.task

    async def _run(
        self,
        reply: Reply,
        taken: asyncio.Future[CallsheetError | None],
        work: Callable[[], Awaitable[None]],
        before: asyncio.Task[None] | None,
    ) -> None:
        try:
            if (error := await asyncio.shield(taken)) is not None:
                raise error
            if before is not None:
                await asyncio.wait((before,))
            async with self._turns[reply.room.name, reply.npc]:
                await work()
        except CallsheetError as error:
            reply.fail(error, self._clock())
        except EngineError as error:
            logger.warning("a reply failed: %s", in_full(error))
            reply.fail(from_engine(error), self._clock())
        except Exception:
            logger.exception("a reply failed")
            internal = error_for(ErrorCode.GENERATION_FAILED, "the server failed; see its log")
            reply.fail(internal, self._clock())

    def _ended(self, reply: Reply, task: asyncio.Task[None]) -> None:
        """Clean up after a reply, also after one that was cancelled before its task began."""
        del self._open[reply.asker.id, reply.request, reply.npc]
        reply.lease.close(reply.spent_tokens)
        self._admission.leave(reply)
        reply.world.turn_closed(reply.npc, reply.handle)
        took_s = self._clock() - reply.accepted_s
        self._mean_reply_s += 0.1 * (took_s - self._mean_reply_s)
        if reply.shed is not None:
            reply.fail(reply.shed, self._clock())
        elif task.cancelled():
            reply.end("cancelled")
        self._on_end(reply)

    def _cancel_where(self, condition: Callable[[Reply], bool]) -> None:
        for reply in self._open.values():
            if reply.task is not None and condition(reply):
                reply.task.cancel()


def _let_overhear(reply: Reply, names: Sequence[str], audible_m: float | None) -> None:
    """Find who overhears a line, the first of ``names`` for all, and the reply to it.

    Those spoken to as well hear each other.
    """
    world, speaker, npc = reply.world, reply.speaker, reply.npc
    others = tuple(name for name in names if name != npc)
    those = {*names, speaker.id or ""} if speaker.kind == "npc" else {*names}
    if audible_m is not None and npc == names[0]:
        place_m = place_of(world, speaker, npc)
        reply.line_hearers = in_earshot(world, place_m, audible_m, those)
    reply.reply_hearers = (*others, *around(world, npc, audible_m, those))


def _shown_speaker(world: World, speaker: Speaker) -> Speaker:
    """The speaker as clients are told of it: a name that was given reads as NPCs know it."""
    if speaker.name is None:
        return speaker
    return speaker.model_copy(update={"name": speaker_name(world, speaker)})


def _ranges_m(replies: Sequence[Reply]) -> Sequence[float]:
    """Distances of each reply's NPC from the nearest player of its world."""
    ranges_m = [math.inf] * len(replies)
    by_world: defaultdict[World, list[int]] = defaultdict(list)
    for at, reply in enumerate(replies):
        if reply.npc in reply.world.npcs:
            by_world[reply.world].append(at)
    for world, places in by_world.items():
        of_world = player_range_m(world, [replies[at].npc for at in places]).tolist()
        for at, range_m in zip(places, of_world, strict=True):
            ranges_m[at] = range_m
    return ranges_m
