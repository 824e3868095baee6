"""A reply's messages, without a socket."""

from __future__ import annotations

import pytest
from session.links import RecordedLink
from session.test_session import WELCOME

from callsheet.wire import Error, ErrorCode, NpcSpec, ReplyDelta, ReplyEnd, Speaker, error_for
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.rooms.room import Room
from callsheet_server.session.session import Session
from callsheet_server.talk.reply import Reply, ReplyFullError
from callsheet_server.world.memory import Turn
from callsheet_server.world.world import WorldLimits


def room_with_bob() -> tuple[Room, Session, RecordedLink]:
    limits = WorldLimits(max_npcs=10, max_npcs_per_spawn=10, max_players=1)
    room = Room("town", limits, memory_tokens=1000)
    room.world.spawn([NpcSpec(npc="bob", name="Bob")], [])
    session, link = Session("s", "game", "town", LimitSettings(), 0.0), RecordedLink()
    session.attach(link, WELCOME, 0, 0.0)
    room.sessions["s"] = session
    return room, session, link


def open_reply(room: Room, asker: Session) -> Reply:
    handle = room.world.turn_opened("bob")
    lease = asker.quotas.open_reply(0, 0.0)
    speaker, number = Speaker(kind="narrator"), room.next_reply()
    return Reply(room, asker, 7, "bob", handle, speaker, "hi", number, 0.0, lease)


@pytest.mark.parametrize("piece", ["word ", "é", "\x01", '"', "\u2028"])
def test_a_reply_too_long_for_one_message_is_cut(piece: str) -> None:
    room, session, link = room_with_bob()
    reply = open_reply(room, session)
    with pytest.raises(ReplyFullError):  # noqa: PT012, how many pieces fit is not the point
        for _ in range(700):
            reply.say(100 * piece)
            session._replay.ack(session._replay.last_seq)
    reply.end("length")
    end = link.messages[-1]
    assert isinstance(end, ReplyEnd)
    assert end.finish_reason == "length"
    assert len(link.frames[-1]) < 64_000
    said = "".join(m.text for m in link.messages if isinstance(m, ReplyDelta))
    assert end.text == said == piece * (len(said) // len(piece))


def test_an_error_before_the_first_word_answers_the_request() -> None:
    room, session, link = room_with_bob()
    open_reply(room, session).fail(error_for(ErrorCode.GENERATION_FAILED, "no"), 0.0)
    error = link.messages[-1]
    assert isinstance(error, Error)
    assert (error.id, error.code) == (7, ErrorCode.GENERATION_FAILED)


def test_what_was_said_to_one_who_is_gone_is_not_remembered() -> None:
    room, session, _ = room_with_bob()
    reply = open_reply(room, session)
    reply.remember(Turn(None, "hello"))
    room.world.despawn(["bob"], [])
    room.memory.forget("bob")
    room.world.spawn([NpcSpec(npc="bob", name="Bob")], [])
    reply.remember(Turn(None, "hello"))
    assert room.memory.turns("bob") == ()
