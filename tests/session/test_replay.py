from __future__ import annotations

import pytest

from callsheet.wire import CallsheetError, ErrorCode, Ok, encode, parse_server_message
from callsheet_server.session.replay import ReplayBuffer


def seqs(frames: object) -> list[int | None]:
    return [parse_server_message(f).seq for f in frames]  # type: ignore[attr-defined, union-attr]


def filled(count: int, max_messages: int = 100, max_bytes: int = 100_000) -> ReplayBuffer:
    replay = ReplayBuffer(max_messages, max_bytes)
    for number in range(1, count + 1):
        replay.add(Ok(id=number))
    return replay


def test_messages_are_numbered_from_one() -> None:
    replay = ReplayBuffer(10, 10_000)
    assert replay.last_seq == 0
    assert seqs([replay.add(Ok(id=7)), replay.add(Ok(id=7))]) == [1, 2]
    assert replay.last_seq == 2


@pytest.mark.parametrize(
    ("acked", "after", "expected"),
    [(0, 0, [1, 2, 3, 4]), (2, 2, [3, 4]), (2, 3, [4]), (2, 0, [3, 4]), (4, 4, []), (0, 99, [])],
)
def test_what_is_replayed(acked: int, after: int, expected: list[int]) -> None:
    replay = filled(4)
    replay.ack(acked)
    assert seqs(replay.after(after)) == expected
    replay.check_integrity()


def test_acks_may_come_twice_and_out_of_order() -> None:
    replay = filled(4)
    for seq in (3, 1, 3):
        replay.ack(seq)
    assert seqs(replay.after(0)) == [4]
    assert seqs([replay.add(Ok(id=5))]) == [5]
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
    replay = ReplayBuffer(max_messages, max_bytes)
    kept = 4 if max_messages == 4 else 120 // len(encode(Ok(seq=1, id=1)))
    for number in range(1, kept + 1):
        replay.add(Ok(id=number))
    with pytest.raises(CallsheetError) as raised:
        replay.add(Ok(id=99))
    assert raised.value.code == ErrorCode.SLOW_CONSUMER
    assert replay.last_seq == kept
    replay.check_integrity()
    replay.ack(kept)
    assert seqs([replay.add(Ok(id=99))]) == [kept + 1]
