"""Lines that NPCs are made to remember without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callsheet.wire.errors import CallsheetError
from callsheet.wire.session import Ok
from callsheet.wire.talk import Hear
from callsheet_server.rooms.room import Room
from callsheet_server.session.session import Session
from callsheet_server.talk.learning import learn
from callsheet_server.talk.moderation import Moderator, Utterance
from callsheet_server.talk.prompting import check_speaker, heard_text, speaker_name
from callsheet_server.world.memory import Turn

__all__ = ["Hearing"]


class Hearing:
    """Has NPCs hear lines; those of players are judged before."""

    def __init__(
        self, moderator: Moderator, max_heard_chars: int, clock: Callable[[], float]
    ) -> None:
        self._moderator = moderator
        self._max_heard_chars = max_heard_chars
        self._clock = clock
        self._judging: set[asyncio.Task[None]] = set()

    def hear(self, room: Room, session: Session, message: Hear) -> None:
        """Have NPCs remember a line; answered once that is durable.

        Raises:
            CallsheetError: ``unknown_npc``, ``unknown_player``, ``bad_value`` or
                ``limit_exceeded``.
        """
        room.world.check_known(message.npcs, ())
        check_speaker(room.world, message.speaker)
        text = heard_text(message, self._max_heard_chars)
        session.quotas.take_hearers(len(message.npcs), self._clock())
        name = speaker_name(room.world, message.speaker)
        if message.speaker.kind != "player" or not self._moderator.is_on:
            _remember(room, session, message, Turn(name, text))
            return
        utterance = Utterance("heard", room.name, message.npcs[0], name, text)
        task = asyncio.create_task(self._judge(room, session, message, utterance))
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)

    async def _judge(
        self, room: Room, session: Session, message: Hear, utterance: Utterance
    ) -> None:
        try:
            await self._moderator.check_heard(utterance)
            if session.id in room.sessions:
                _remember(room, session, message, Turn(utterance.speaker, utterance.text))
        except CallsheetError as error:
            error.request_id = message.id
            room.counters.errors += 1
            session.fail(error, self._clock())


def _remember(room: Room, session: Session, message: Hear, turn: Turn) -> None:
    """Let those who are still there remember it."""
    told = {npc: [turn] for npc in message.npcs if npc in room.world.npcs}
    change = learn(room.memory, told, room.world.game_time_s)
    session.answer(Ok(id=message.id), message.id, change)
