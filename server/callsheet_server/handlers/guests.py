"""Observers who joined a world: each has one player of its own, and speaks as that player."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callsheet.wire.errors import CallsheetError, ErrorCode, error_for
from callsheet.wire.talk import Say
from callsheet.wire.world import Join, Joined, MovePlayer
from callsheet_server.rooms.room import Room
from callsheet_server.session.session import Session
from callsheet_server.talk.moderation import Moderator
from callsheet_server.talk.prompting import shown_name
from callsheet_server.world.errors import duplicate
from callsheet_server.world.world import Player

__all__ = ["Guests"]


class Guests:
    """Lets observers in, moves them, and shows them out."""

    def __init__(self, allowed: bool, moderator: Moderator, clock: Callable[[], float]) -> None:
        self._allowed = allowed
        self._moderator = moderator
        self._clock = clock
        self._joining: set[asyncio.Task[None]] = set()
        """Those whose names are being judged."""

    def check_allowed(self, what: str) -> None:
        """Refuse observers that may only look on.

        Raises:
            CallsheetError: ``forbidden``.
        """
        if not self._allowed:
            raise error_for(
                ErrorCode.FORBIDDEN,
                f"observers may not {what} on this server: server.observers_may_act is false",
                field="type",
            )

    def join(self, room: Room, session: Session, message: Join) -> None:
        """Add the session's player to the world, once moderation has judged its name.

        Raises:
            CallsheetError: ``forbidden``, ``duplicate_player`` or ``limit_exceeded``.
        """
        self.check_allowed("join")
        message = message.model_copy(update={"name": shown_name(message.name)})
        if not self._moderator.is_on:
            self._join(room, session, message)
            return
        task = asyncio.create_task(self._join_judged(room, session, message))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    async def _join_judged(self, room: Room, session: Session, message: Join) -> None:
        try:
            await self._moderator.check_name(room.name, message.name)
            if session.id in room.sessions:
                self._join(room, session, message)
        except CallsheetError as error:
            error.request_id = message.id
            room.counters.errors += 1
            session.fail(error, self._clock())

    def _join(self, room: Room, session: Session, message: Join) -> None:
        if (mine := self._player(room, session)) is not None:
            raise duplicate("player", mine.spec.player, "type")
        guest = room.world.add_guest(message.name, message.position)
        room.guests[session.id] = guest.spec.player
        joined = Joined(
            id=message.id,
            player=guest.spec.player,
            max_speed_mps=room.world.player_max_speed_mps,
        )
        session.answer(joined, message.id)

    def move(self, room: Room, session: Session, message: MovePlayer) -> None:
        """Place the session's player; estimates follow with the game's next tick.

        Raises:
            CallsheetError: ``unknown_player``, it has none.
        """
        player = self._joined(room, session)
        player.position_m[:] = message.position
        player.velocity_mps[:] = message.velocity

    def check_speaker(self, room: Room, session: Session, message: Say) -> None:
        """Make sure that an observer speaks for nobody but itself.

        Raises:
            CallsheetError: ``unknown_player`` or ``forbidden``.
        """
        mine = self._joined(room, session).spec.player
        if (message.speaker.kind, message.speaker.id) != ("player", mine):
            raise error_for(
                ErrorCode.FORBIDDEN,
                f"an observer speaks as its own player, {mine!r}",
                field="speaker.id",
                value=message.speaker.id,
            )

    def leave(self, room: Room, session: Session) -> None:
        """Remove the player of a session that is over."""
        player = self._player(room, session)
        room.guests.pop(session.id, None)
        if player is not None:
            room.world.despawn((), (player.spec.player,))

    def _player(self, room: Room, session: Session) -> Player | None:
        return room.world.players.get(room.guests.get(session.id, ""))

    def _joined(self, room: Room, session: Session) -> Player:
        player = self._player(room, session)
        if player is None:
            raise error_for(
                ErrorCode.UNKNOWN_PLAYER,
                "this session has no player in this world; send join first",
                field="type",
            )
        return player
