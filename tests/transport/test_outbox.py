from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.transport.outbox import MAX_UNRELIABLE_FRAMES, WRITE_BYTES, Outbox


async def drained(outbox: Outbox) -> list[bytes]:
    outbox.close(1000, "")
    frames = []
    while some := await outbox.next():
        frames += some
    return frames


async def test_frames_come_out_in_order() -> None:
    outbox = Outbox()
    for frame in (b"1", b"2", b"3"):
        outbox.send(frame)
    assert outbox.waiting == 3
    assert await drained(outbox) == [b"1", b"2", b"3"]
    assert outbox.waiting == 0


async def test_small_frames_are_written_together_and_large_ones_are_not() -> None:
    outbox = Outbox()
    sent = [b"1", b"2", b"x" * WRITE_BYTES, b"3", b"y" * WRITE_BYTES, b"4"]
    for frame in sent:
        outbox.send(frame)
    assert [len(await outbox.next()) for _ in range(3)] == [3, 2, 1]
    assert (outbox.waiting, outbox.reliable_bytes) == (0, 0)


async def test_a_frame_replaces_the_one_with_its_key_in_place() -> None:
    outbox = Outbox()
    outbox.send(b"old", "stats")
    outbox.send(b"reliable")
    outbox.send(b"new", "stats")
    assert await drained(outbox) == [b"new", b"reliable"]
    assert outbox.dropped == 0


async def test_too_many_frames_with_keys_push_the_oldest_of_them_out() -> None:
    outbox = Outbox()
    outbox.send(b"reliable")
    for number in range(MAX_UNRELIABLE_FRAMES + 3):
        outbox.send(b"%d" % number, f"key{number}")
    frames = await drained(outbox)
    assert frames[:2] == [b"reliable", b"3"]
    assert len(frames) == 1 + MAX_UNRELIABLE_FRAMES
    assert outbox.dropped == 3


async def test_a_key_whose_frame_was_taken_starts_again_at_the_end() -> None:
    outbox = Outbox()
    outbox.send(b"a", "key")
    assert await outbox.next() == [b"a"]
    for number in range(3 * MAX_UNRELIABLE_FRAMES):
        outbox.send(b"%d" % number, "key")
        assert await outbox.next() == [b"%d" % number]
    assert outbox.dropped == 0


async def test_after_close_what_is_queued_still_goes_out_and_nothing_more() -> None:
    outbox = Outbox()
    outbox.send(b"1")
    outbox.close(4009, "flooding")
    outbox.close(1000, "bye")
    outbox.send(b"2")
    assert outbox.closing == (4009, "flooding")
    assert await outbox.next() == [b"1"]
    assert await outbox.next() == []
    assert await outbox.next() == []


@pytest.mark.parametrize("event", ["send", "close"])
async def test_a_writer_that_waits_is_woken(event: str) -> None:
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    if event == "send":
        outbox.send(b"1")
    else:
        outbox.close(1000, "")
    assert await waiting == ([b"1"] if event == "send" else [])


async def test_cancelling_a_writer_loses_no_frame() -> None:
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.next())
    await asyncio.sleep(0)
    outbox.send(b"1")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await outbox.next() == [b"1"]


@given(st.lists(st.one_of(st.none(), st.integers(0, 400)), max_size=600))
async def test_reliable_frames_are_all_there_and_the_others_bounded(
    keys: list[int | None],
) -> None:
    outbox = Outbox()
    for number, key in enumerate(keys):
        outbox.send(b"%d" % number, None if key is None else f"key{key}")
    assert outbox.reliable_bytes == sum(len(str(n)) for n, key in enumerate(keys) if key is None)
    frames = [int(frame) for frame in await drained(outbox)]
    assert outbox.reliable_bytes == 0
    reliable = [frame for frame in frames if keys[frame] is None]
    assert reliable == [n for n, key in enumerate(keys) if key is None]
    assert len(frames) - len(reliable) <= MAX_UNRELIABLE_FRAMES
    kept = [keys[frame] for frame in frames if keys[frame] is not None]
    assert len(kept) == len(set(kept))
