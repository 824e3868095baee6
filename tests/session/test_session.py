"""The session as a state machine: no socket, time passed in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from session.links import SUMMARY, RecordedLink

from callsheet.wire import (
    CloseCode,
    Error,
    ErrorCode,
    Explain,
    Limits,
    Ok,
    Pong,
    Role,
    Subscribe,
    Tick,
    TickAck,
    TickKind,
    Welcome,
    encode,
    encode_tick,
    error_for,
    npc_records,
    player_records,
)
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.session.session import BACKLOG_FRAMES, Session, SessionState

WELCOME = Welcome(
    protocol="1.0",
    session="s",
    resume_token="t",
    resumed=False,
    last_request_id=0,
    world="w",
    role="game",
    limits=Limits(
        max_message_bytes=1,
        max_tick_bytes=1,
        max_npcs_per_world=1,
        max_npcs_per_spawn=1,
        max_players_per_world=1,
        max_open_requests=1,
        max_messages_per_s=1.0,
        max_ticks_per_s=1.0,
    ),
    heartbeat_interval_s=1.0,
    resume_grace_s=1.0,
    server_version="1",
    server_time_s=0.0,
    engine=SUMMARY,
)


def opened(role: Role = "game", **limits: Any) -> tuple[Session, RecordedLink]:
    session, link = Session("s", role, "w", LimitSettings(**limits), 0.0), RecordedLink()
    session.attach(link, WELCOME, 0, 0.0)
    link.frames.clear()
    return session, link


def tick(number: int, game_time_s: float = 0.0, kind: TickKind = TickKind.KEYFRAME) -> bytes:
    npcs, players = npc_records([], np.zeros((0, 3))), player_records([], np.zeros((0, 3)))
    return encode_tick(Tick(kind, number, game_time_s, True, npcs, players))


def last_error(link: RecordedLink) -> Error:
    error = link.messages[-1]
    assert isinstance(error, Error)
    return error


def request(number: int) -> str:
    return encode(Explain(id=number, npc="bob")).decode()


def test_a_request_is_handed_on_and_remembered() -> None:
    session, link = opened()
    assert session.receive(request(5), 1.0) == Explain(id=5, npc="bob")
    assert session.last_request_id == 5
    assert link.frames == []


def test_a_ping_is_answered_with_the_servers_time() -> None:
    session, link = opened()
    assert session.receive('{"type":"ping","client_time_s":2.5}', 7.25) is None
    assert link.messages == [Pong(client_time_s=2.5, server_time_s=7.25)]


def test_bye_closes_for_good() -> None:
    session, link = opened()
    session.receive('{"type":"bye"}', 1.0)
    assert session.state is SessionState.CLOSED
    assert link.closed == (CloseCode.NORMAL, "bye")
    session.send(Ok(id=1))
    session.fail(error_for(ErrorCode.INTERNAL, "too late"), 2.0)
    assert session.state is SessionState.CLOSED
    session.check_integrity()


def test_ticks_have_a_rate_of_their_own() -> None:
    session, link = opened(max_ticks_per_s=1.0, max_messages_per_s=1.0)
    assert [session.receive(tick(n), 0.0) is not None for n in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    assert session.receive(request(1), 0.0) is not None
    assert last_error(link).code == ErrorCode.LIMIT_EXCEEDED
    assert last_error(link).retry_after_s == 1.0
    assert session.receive(tick(4), 1.0) is not None


def test_a_tick_that_was_dropped_does_not_count_as_the_last_one() -> None:
    session, _ = opened()
    assert session.receive(tick(5, 10.0), 0.0) is not None
    assert session.receive(tick(6, 9.0), 0.0) is None
    assert session.receive(tick(6, 10.0), 0.0) is not None


@pytest.mark.parametrize(
    ("dropped", "code"),
    [
        ([tick(1), tick(0)], ErrorCode.TICK_OUT_OF_ORDER),
        ([tick(2, 9.0), tick(3, 8.0)], ErrorCode.TIME_BACKWARDS),
        ([tick(2, 10.0)[:-1], b"tick"], ErrorCode.BAD_TICK),
        (['{"type":"tick","kind":"keyframe","tick":2}'] * 2, ErrorCode.BAD_MESSAGE),
    ],
    ids=["order", "time", "broken", "broken JSON"],
)
def test_a_tick_that_is_dropped_is_told_of_and_counted(
    dropped: list[bytes | str], code: ErrorCode
) -> None:
    session, link = opened()
    assert session.receive(tick(1, 10.0), 0.0) is not None
    assert [session.receive(frame, 0.0) for frame in dropped] == [None, None]
    assert last_error(link).code == code
    assert session.errors == {code: 2}


def test_a_tick_before_the_first_keyframe_is_told_of_and_counted() -> None:
    session, link = opened()
    assert [session.receive(tick(n, kind=TickKind.DELTA), 0.0) for n in (1, 2)] == [None, None]
    assert last_error(link).code == ErrorCode.BAD_TICK
    assert session.errors == {ErrorCode.BAD_TICK: 2}


@pytest.mark.parametrize("limits", [{"max_ticks_per_s": 20.0}, {"max_bytes_per_s": 1024}])
def test_ticks_past_a_rate_are_told_of_and_counted(limits: dict[str, Any]) -> None:
    session, link = opened(**limits)
    taken = [session.receive(tick(n), 0.0) is not None for n in range(200)]
    assert True in taken
    assert session.errors == {ErrorCode.LIMIT_EXCEEDED: taken.count(False)}
    assert last_error(link).code == ErrorCode.LIMIT_EXCEEDED


def test_a_tick_that_is_too_large_is_told_of_and_counted() -> None:
    session, link = opened(max_tick_bytes=1024)
    assert session.receive(tick(1) + bytes(1024), 0.0) is None
    assert last_error(link).code == ErrorCode.MESSAGE_TOO_LARGE
    assert session.errors == {ErrorCode.MESSAGE_TOO_LARGE: 1}


def test_json_ticks_follow_the_same_rules() -> None:
    session, link = opened()
    text = '{"type":"tick","kind":"%s","tick":%d,"game_time_s":1.0}'
    assert session.receive(text % ("delta", 1), 0.0) is None
    assert last_error(link).code == ErrorCode.BAD_TICK
    found = session.receive(text % ("keyframe", 2), 0.0)
    assert isinstance(found, Tick)
    assert (found.tick, found.kind) == (2, TickKind.KEYFRAME)
    assert session.receive(text % ("delta", 2), 2.0) is None
    assert last_error(link).code == ErrorCode.TICK_OUT_OF_ORDER


def test_the_same_complaint_is_told_once_a_second_per_code() -> None:
    session, link = opened()
    for step in range(21):
        now_s = step / 10
        session.complain(error_for(ErrorCode.BAD_VALUE, "x"), now_s)
        session.complain(error_for(ErrorCode.UNKNOWN_HANDLE, "x"), now_s)
    codes = [m.code for m in link.messages if isinstance(m, Error)]
    assert codes == [ErrorCode.BAD_VALUE, ErrorCode.UNKNOWN_HANDLE] * 3


def test_ten_errors_a_second_are_borne_forever() -> None:
    session, link = opened()
    for step in range(1_000):
        session.receive("{", step / 10)
        session._replay.ack(session._replay.last_seq)
    assert link.closed is None
    for _ in range(101):
        session.receive("{", 100.0)
    assert link.closed == (CloseCode.FLOODING, "flooding")


def test_unreliable_messages_need_a_connection() -> None:
    session, link = opened()
    session.detach(link, 1006, 1.0)
    session.send(TickAck(tick=1, game_time_s=0.0), key="tick_ack")
    session.send(Ok(id=1))
    again = RecordedLink()
    session.attach(again, WELCOME, 0, 2.0)
    assert [m.type for m in again.messages] == ["welcome", "ok"]


def test_the_end_of_an_old_connection_means_nothing_to_a_new_one() -> None:
    session, old = opened()
    new = RecordedLink()
    session.attach(new, WELCOME, 0, 1.0)
    assert old.closed == (CloseCode.SUPERSEDED, "superseded")
    session.detach(old, 1006, 2.0)
    assert session.is_on(new)
    assert session.state is SessionState.OPEN


@pytest.mark.parametrize(
    ("code", "state"),
    [
        *((code, SessionState.DETACHED) for code in (1001, 1005, 1006, 4006, 4011)),
        *((code, SessionState.CLOSED) for code in (1000, 1002, 1007, 1009, 3000, 4000, 4007)),
    ],
)
def test_the_close_code_decides_what_becomes_of_the_session(code: int, state: SessionState) -> None:
    session, link = opened()
    session.detach(link, code, 1.0)
    assert session.state is state
    session.check_integrity()


def test_an_error_that_closes_has_no_seq_and_is_not_replayed() -> None:
    session, link = opened()
    session.send(Ok(id=1))
    session.fail(error_for(ErrorCode.INTERNAL, "sorry", request_id=2), 5.0)
    assert (last_error(link).seq, last_error(link).id) == (None, 2)
    assert link.closed == (CloseCode.INTERNAL, "internal")
    assert (session.state, session.detached_at_s) == (SessionState.DETACHED, 5.0)
    again = RecordedLink()
    session.attach(again, WELCOME, 1, 6.0)
    assert [m.type for m in again.messages] == ["welcome"]


def test_a_slow_consumer_is_cut_off_even_while_away() -> None:
    session, link = opened(max_outbox_messages=64)
    session.detach(link, 1006, 0.0)
    for number in range(1, 66):
        session.send(Ok(id=number))
    assert session.state is SessionState.CLOSED
    session.check_integrity()


def test_a_client_that_lags_is_known() -> None:
    session, link = opened()
    assert session.keeps_up()
    link.stuck = True
    for _ in range(BACKLOG_FRAMES + 1):
        session.send(Ok(id=1))
    assert not session.keeps_up()
    session.detach(link, 1006, 0.0)
    assert not session.keeps_up()


def test_silence_is_counted_from_the_last_frame() -> None:
    session, link = opened()
    session.receive("{", 10.0)
    assert not session.silent(13.0, 1.0)
    assert session.silent(13.1, 1.0)
    session.detach(link, 1006, 13.1)
    assert not session.silent(99.0, 1.0)


def test_a_subscription_is_not_answered_here() -> None:
    session, link = opened("observer")
    message = Subscribe(id=1, topics=("npcs",))
    assert session.receive(encode(message).decode(), 0.0) == message
    assert link.frames == []


def test_acking_what_was_not_read_makes_no_room() -> None:
    session, link = opened(max_outbox_messages=64)
    link.stuck = True
    for number in range(1, 200):
        session.send(Ok(id=number))
        if session.state is SessionState.OPEN:
            session._replay.ack(number)
    assert link.closed == (CloseCode.SLOW_CONSUMER, "slow_consumer")
    assert link.waiting <= 2 * 64 + 2
