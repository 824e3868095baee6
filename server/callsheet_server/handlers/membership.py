"""Membership of sessions in worlds: they enter, leave, and come back after a restart."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

from callsheet.wire.session import Hello
from callsheet.wire.world import WorldClosed
from callsheet_server.handlers.edits import WorldEditor
from callsheet_server.handlers.guests import Guests
from callsheet_server.handlers.rate_limits import RateLimits
from callsheet_server.rooms.long_work import LongWork
from callsheet_server.rooms.persistence import restore, restore_hints
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.rooms.rooms import Rooms
from callsheet_server.session.registry import SessionRegistry
from callsheet_server.session.session import Session
from callsheet_server.storage.changes import Change, Journal
from callsheet_server.storage.saved import SavedWorld
from callsheet_server.storage.storage import Storage
from callsheet_server.talk.conversations import Conversations

__all__ = ["Membership"]

logger = logging.getLogger(__name__)


class Membership:
    """Keeps rooms and sessions in step: nobody is in a room without a session, or twice."""

    def __init__(
        self,
        sessions: SessionRegistry,
        rooms: Rooms,
        storage: Storage,
        pipeline: Pipeline,
        conversations: Conversations,
        guests: Guests,
        rate_limits: RateLimits,
        editor: WorldEditor,
        work: LongWork,
        clock: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._rooms = rooms
        self._storage = storage
        self._pipeline = pipeline
        self._conversations = conversations
        self._guests = guests
        self._rate_limits = rate_limits
        self._editor = editor
        self._work = work
        self._left: dict[str, int] = {}
        """Times that sessions left a world, while that is being worked off."""
        self._clock = clock

    def enter(self, session: Session, hello: Hello) -> None:
        """Let a session that has said hello into its world."""
        self.sweep()  # A game that takes over from a lost one starts with an empty world.
        self._rooms.open(hello.world).sessions[session.id] = session
        logger.info("%s joined: %s %s", session.role, hello.client.name, hello.client.version)

    def sweep(self) -> None:
        """Show out the sessions that are over for good, and close rooms that are empty then."""
        left: dict[str, Room] = {}
        for session in self._sessions.sweep(self._clock()):
            room = left[session.world] = self._rooms[session.world]
            self._leave(room, session)
        for name, room in left.items():
            self._left[name] = self._left.get(name, 0) + 1
            self._work.run(name, self._close_if_empty(room, self._left[name]))

    def _close_if_empty(self, room: Room, number: int) -> Iterator[None]:
        """Close a room after the last of those who left it, if nobody has come since."""
        if self._left.get(room.name) == number:
            del self._left[room.name]
            if not room.sessions:
                self._rooms.close(room.name)
                self._storage.rest(room.name)
        yield

    def restore(self, worlds: Iterable[SavedWorld]) -> None:
        """Put worlds back as they were before a restart; their games may resume."""
        for saved in worlds:
            room = self._rooms.open(saved.name)
            for one in saved.sessions:
                session = self._sessions.restore(one, saved.name, self._clock())
                room.sessions[session.id] = session
            restore(room, saved)
            for work in (self._pipeline.set_lore(room), self._editor.sync_all(room)):
                for _ in work:
                    pass
            restore_hints(room.world, saved)
            self._pipeline.replan(room)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for session in self._sessions:
            session.check_integrity()
            room = self._rooms[session.world]
            assert room.sessions[session.id] is session, f"{session.id} is not in its room"
        for name, room in self._rooms.items():
            assert room.sessions or not self._work.is_ready(name), f"world {name} is kept"
        self._rooms.check_integrity()

    def _leave(self, room: Room, session: Session) -> None:
        self._conversations.cancel_session(session)
        self._guests.leave(room, session)
        room.subscriptions.pop(session.id, None)
        had_scripts = room.scripts.remove_owner(session.id)
        del room.sessions[session.id]
        if had_scripts:
            self._work.run(room.name, self._editor.sync_all(room))
        if session.role == "game":
            self._rate_limits.note_npcs(session, len(room.world.npcs), self._clock())
            others = list(room.sessions.values())
            self._work.run(room.name, self._close(room, session, others))

    def _close(self, room: Room, game: Session, others: Sequence[Session]) -> Iterator[None]:
        """Empty the world of a game that has left, an NPC a step; tell the others."""
        yield from self._editor.close(room)
        room.journal.submit(Change(must=game.record.ended()))
        if others:
            self._conversations.when_ended(room, lambda: _tell_closed(room.journal, others))


def _tell_closed(journal: Journal, sessions: Iterable[Session]) -> None:
    """Tell that the game has left, after the ends of its replies, which are told once durable."""

    def tell(_: object) -> None:
        for session in sessions:
            session.send(WorldClosed())

    journal.submit(Change(done=tell, failed=tell))
