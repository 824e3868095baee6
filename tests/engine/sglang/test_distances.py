"""Distances that SGLang holds stay within the tolerance, and little is sent for that."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from callsheet_server.engine.sglang.distances import DistanceTable, Tolerance
from callsheet_sglang.wire import Distances, decode_distances, encode_distances

TOLERANCE = Tolerance(seconds=0.25, ratio=0.1)
HANDLES = 12


class Receiver:
    """The plugin's side, as the wire format defines it."""

    def __init__(self) -> None:
        self.due_s: dict[int, float] = {}
        self.now_s = 0.0

    def take(self, body: bytes) -> None:
        update: Distances = decode_distances(body)
        self.now_s = update.now_s
        if update.full:
            self.due_s.clear()
        for handle, distance_s in zip(
            update.handles.tolist(), update.distance_s.tolist(), strict=True
        ):
            if np.isnan(distance_s):
                self.due_s.pop(handle, None)
            else:
                self.due_s[handle] = update.now_s + distance_s

    def distance_s(self) -> dict[int, float]:
        return {handle: max(0.0, due - self.now_s) for handle, due in self.due_s.items()}


def send(table: DistanceTable, receiver: Receiver, now_s: float, max_npcs: int) -> int:
    """One message goes through; returns how many NPCs it named."""
    update = table.take(now_s, max_npcs)
    assert len(update.handles) <= max_npcs
    receiver.take(encode_distances(update))
    table.confirm()
    return len(update.handles)


def agrees(table: DistanceTable, receiver: Receiver) -> None:
    """Same NPCs, distances within the tolerance."""
    truth = {h: float(d) for h, d in enumerate(table.true_s.tolist()) if not np.isnan(d)}
    believed = receiver.distance_s()
    assert believed.keys() == truth.keys()
    for handle, true_s in truth.items():
        allowed_s = max(TOLERANCE.seconds, TOLERANCE.ratio * min(true_s, believed[handle]))
        off_s = abs(true_s - believed[handle]) if true_s != believed[handle] else 0.0
        assert off_s <= allowed_s * (1 + 1e-6) + 1e-6, f"{handle}: {believed[handle]} for {true_s}"


distances = st.one_of(
    st.just(float("inf")), st.just(0.0), st.floats(0, 1e6, width=32, allow_nan=False)
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.integers(0, HANDLES - 1), distances),
        st.tuples(st.just("forget"), st.integers(0, HANDLES - 1), st.none()),
        st.tuples(st.just("wait"), st.none(), st.floats(0, 1e4)),
        st.tuples(st.just("send"), st.none(), st.none()),
        st.tuples(st.just("fail"), st.none(), st.booleans()),
    ),
    max_size=60,
)


@given(steps, st.integers(1, HANDLES))
@settings(max_examples=200)
def test_after_any_sequence_the_receiver_comes_within_the_tolerance(
    sequence: list[tuple[str, int | None, float | bool | None]], max_npcs: int
) -> None:
    table, receiver, now_s = DistanceTable(TOLERANCE, first_seq=0), Receiver(), 1000.0
    present: set[int] = set()
    for kind, handle, value in sequence:
        if kind == "note":
            assert handle is not None
            assert value is not None
            table.add(handle)
            table.note(np.array([handle]), np.array([value], np.float32))
            present.add(handle)
        elif kind == "forget" and handle in present:
            assert handle is not None
            table.forget(handle)
            present.discard(handle)
        elif kind == "wait":
            assert value is not None
            now_s += value
        elif kind == "send":
            send(table, receiver, now_s, max_npcs)
        elif kind == "fail":
            update = table.take(now_s, max_npcs)
            if value:  # It arrived, and the answer was lost.
                receiver.take(encode_distances(update))
            table.restart()
    for _ in range(HANDLES * 2):
        send(table, receiver, now_s, max_npcs)
    agrees(table, receiver)
    assert send(table, receiver, now_s, max_npcs) == 0, "what is known is sent again"


@given(st.lists(st.sampled_from(["forget", "send", "restart"]), max_size=20))
def test_a_handle_is_free_once_and_only_when_nobody_knows_it(sequence: list[str]) -> None:
    table, receiver = DistanceTable(TOLERANCE, first_seq=0), Receiver()
    free = list(range(4))
    taken: list[int] = []
    for step in ["send", *sequence, "send", "send"]:
        if free:
            taken.append(free.pop())
            table.add(taken[-1])
        if step == "forget" and taken:
            handle = taken.pop(0)
            if table.forget(handle):
                assert handle not in receiver.due_s, "free at once, and SGLang knows it"
                free.append(handle)
        elif step == "restart":
            table.restart()
        else:
            update = table.take(1.0, 100)
            receiver.take(encode_distances(update))
            freed = table.confirm()
            assert not freed & set(receiver.due_s), "freed, and SGLang still knows it"
            free.extend(freed)
        assert len(set(free)) == len(free)
        assert not set(free) & set(taken)


def test_the_nearest_go_first_when_not_all_fit() -> None:
    table, receiver = DistanceTable(TOLERANCE, first_seq=0), Receiver()
    for handle in range(100):
        table.add(handle)
    table.note(np.arange(100), np.arange(100, 0, -1).astype(np.float32))
    send(table, receiver, 0.0, 10)
    assert set(receiver.due_s) == set(range(90, 100))


def town(npcs: int, ticks: int, tick_s: float) -> NDArray[np.float32]:
    """(ticks, npcs): people who come nearer, turn round, meet somebody and are left alone again."""
    draw = np.random.default_rng(3)
    speed = draw.choice([-1.0, 0.0, 1.0], (1 + ticks // 50, npcs), p=[0.2, 0.3, 0.5])
    speed = np.repeat(speed, 50, axis=0)[:ticks]
    distance_s = draw.uniform(0, 300, npcs) - np.cumsum(speed * tick_s, axis=0)
    distance_s[:, draw.random(npcs) < 0.2] = np.inf
    return np.maximum(distance_s, 0.0).astype(np.float32)


def test_a_town_costs_a_fraction_of_sending_everyone() -> None:
    npcs, ticks, tick_s = 2000, 200, 0.1
    table, receiver = DistanceTable(TOLERANCE, first_seq=0), Receiver()
    for handle in range(npcs):
        table.add(handle)
    sent = 0
    for tick, distance_s in enumerate(town(npcs, ticks, tick_s)):
        table.note(np.arange(npcs), distance_s)
        sent += send(table, receiver, tick * tick_s, npcs)
        agrees(table, receiver)
    assert sent < 0.05 * npcs * ticks, f"{sent} of {npcs * ticks} distances were sent"
