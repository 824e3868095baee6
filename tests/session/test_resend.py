from __future__ import annotations

import pytest

from callsheet.wire import CallsheetError, ErrorCode, Ok, encode, parse_server_message
from callsheet_server.session.resend import ResendBuffer


def seqs(frames: object) -> list[int | None]:
    return [parse_server_message(f).seq for f in frames]  # type: ignore[attr-defined, union-attr]


def after(replay: ResendBuffer, seq: int) -> list[int | None]:
    """Frames that a new connection gets."""
    replay.rewind(seq)
    return seqs(replay.take_ready())


def filled(count: int, max_messages: int = 100, max_bytes: int = 100_000) -> ResendBuffer:
    replay = ResendBuffer(max_messages, max_bytes)
    for number in range(1, count + 1):
        replay.add(Ok(id=number))
    seqs(replay.take_ready())
    return replay


def test_messages_are_numbered_from_one() -> None:
    replay = ResendBuffer(10, 10_000)
    assert replay.last_seq == 0
    assert [replay.add(Ok(id=7)).seq, replay.add(Ok(id=7)).seq] == [1, 2]
    assert seqs(replay.take_ready()) == [1, 2]
    assert seqs(replay.take_ready()) == []
    assert replay.last_seq == 2


@pytest.mark.parametrize(
    ("acked", "seq", "expected"),
    [(0, 0, [1, 2, 3, 4]), (2, 2, [3, 4]), (2, 3, [4]), (2, 0, [3, 4]), (4, 4, []), (0, 99, [])],
)
def test_what_is_replayed(acked: int, seq: int, expected: list[int]) -> None:
    replay = filled(4)
    replay.ack(acked)
    assert after(replay, seq) == expected
    replay.check_integrity()


def test_acks_may_come_twice_and_out_of_order() -> None:
    replay = filled(4)
    for seq in (3, 1, 3):
        replay.ack(seq)
    assert after(replay, 0) == [4]
    assert replay.add(Ok(id=5)).seq == 5
    replay.check_integrity()


def test_what_was_never_sent_cannot_be_acked() -> None:
    replay = filled(4)
    with pytest.raises(CallsheetError) as raised:
        replay.ack(5)
    error = raised.value
    assert (error.code, error.field, error.value, error.limit) == (
        ErrorCode.BAD_MESSAGE,
        "seq",
        "5",
        4,
    )


@pytest.mark.parametrize(("max_messages", "max_bytes"), [(4, 100_000), (100, 120)])
def test_what_is_kept_is_bounded(max_messages: int, max_bytes: int) -> None:
    replay = ResendBuffer(max_messages, max_bytes)
    kept = 4 if max_messages == 4 else 120 // len(encode(Ok(seq=1, id=1)))
    for number in range(1, kept + 1):
        replay.add(Ok(id=number))
    with pytest.raises(CallsheetError) as raised:
        replay.add(Ok(id=99))
    assert raised.value.code == ErrorCode.SLOW_CONSUMER
    assert replay.last_seq == kept
    replay.check_integrity()
    assert seqs(replay.take_ready())[-1] == kept
    replay.ack(kept)
    assert replay.add(Ok(id=99)).seq == kept + 1


def test_what_is_held_holds_up_what_comes_after_it() -> None:
    replay = filled(1)
    first, second = replay.add(Ok(id=2), held=True), replay.add(Ok(id=3), held=True)
    replay.add(Ok(id=4))
    assert seqs(replay.take_ready()) == []
    replay.release(second)
    assert seqs(replay.take_ready()) == []
    with pytest.raises(CallsheetError):
        replay.ack(2)
    replay.release(first, Ok(id=77))
    frames = list(replay.take_ready())
    assert seqs(frames) == [2, 3, 4]
    assert parse_server_message(frames[0]) == Ok(seq=2, id=77)
    replay.check_integrity()


def test_after_a_restart_what_the_client_has_not_is_numbered_on() -> None:
    replay = ResendBuffer(100, 100_000)
    replay.restore((seq, encode(Ok(seq=seq, id=seq))) for seq in (3, 7, 9))
    replay.add(Ok(id=12))
    replay.number_from(5)
    frames = list(replay.take_ready())
    assert [parse_server_message(f) for f in frames] == [
        Ok(seq=6, id=7),
        Ok(seq=7, id=9),
        Ok(seq=8, id=12),
    ]
    assert replay.add(Ok(id=13)).seq == 9
    replay.ack(8)
    replay.check_integrity()


def test_what_was_sent_and_never_acked_makes_room() -> None:
    replay = filled(4, max_messages=4)
    assert replay.add(Ok(id=5)).seq == 5
    assert replay.dropped == 1
    assert after(replay, 1) == [2, 3, 4, 5]
    replay.check_integrity()


def test_what_was_not_sent_yet_is_never_dropped() -> None:
    replay = ResendBuffer(4, 100_000)
    for number in range(4):
        replay.add(Ok(id=number + 1))
    with pytest.raises(CallsheetError) as raised:
        replay.add(Ok(id=5))
    assert raised.value.code is ErrorCode.SLOW_CONSUMER
    assert replay.dropped == 0
