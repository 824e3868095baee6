"""Several servers on one SGLang: their NPCs are told apart, and planned for together."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_sglang.http.attendance import EXPIRE_S, Attendance, farewell
from callsheet_sglang.npc_table import NpcTable
from callsheet_sglang.senders import Senders
from callsheet_sglang.wire import Distances, session_id

ANN, BOB = 7, 8


def update(sender: int, seq: int, distance_s: dict[int, float], *, full: bool = False) -> Distances:
    handles = np.array(list(distance_s), np.uint32)
    return Distances(
        seq, 0.0, handles, np.array(list(distance_s.values()), np.float32), full, sender
    )


def distance_of(table: NpcTable, sender: int, npc: int) -> float:
    row = table.find(session_id(npc, sender))
    return math.inf if row is None else float(table.distance_s()[row])


def test_two_servers_do_not_overwrite_each_other() -> None:
    table = NpcTable()
    table.take(update(ANN, 100, {0: 1.0, 1: 2.0}, full=True))
    table.take(update(BOB, 5, {0: 3.0}, full=True))
    assert [distance_of(table, ANN, npc) for npc in (0, 1)] == [1.0, 2.0]
    assert distance_of(table, BOB, 0) == 3.0
    table.take(update(BOB, 6, {0: 4.0}))
    table.take(update(BOB, 6, {0: 9.0}))
    assert distance_of(table, BOB, 0) == 4.0, "each has a sequence of its own"
    table.take(update(ANN, 101, {1: 5.0}, full=True))
    assert [distance_of(table, ANN, npc) for npc in (0, 1)] == [math.inf, 5.0]
    assert distance_of(table, BOB, 0) == 4.0


def test_each_is_told_of_its_own() -> None:
    table = NpcTable()
    for sender in (0, ANN, BOB):
        row = table.row(session_id(3, sender))
        assert row is not None
        table.set_residency(row, kept_tokens=10 + sender, device_tokens=10 + sender)
    for sender in (0, ANN, BOB):
        told = table.residency(0, 1, sender)
        assert (told.handles.tolist(), told.device_tokens.tolist()) == ([3], [10 + sender])
    table.assign(ANN, {3: "smith"})
    rows = {sender: table.find(session_id(3, sender)) for sender in (0, ANN, BOB)}
    used = {sender: table.adapters[row] for sender, row in rows.items() if row is not None}
    assert used == {0: None, ANN: "smith", BOB: None}


def test_who_leaves_takes_all_its_npcs_along_and_nobody_elses() -> None:
    table = NpcTable()
    table.take(update(ANN, 1, {0: 1.0, 1: 1.0}, full=True))
    table.take(update(BOB, 1, {0: 1.0}, full=True))
    gone = table.find(session_id(0, ANN))
    assert gone is not None
    table.set_residency(gone, kept_tokens=5)
    assert table.take(farewell(ANN, 0.0)).tolist() == [gone], "what it owned is to be forgotten"
    assert distance_of(table, BOB, 0) == 1.0
    table.set_residency(gone, kept_tokens=0)
    table.take(update(BOB, 2, {1: 2.0}))
    assert table.find(session_id(0, ANN)) is None, "its rows are others' to take"
    table.senders.check_integrity()


def test_silence_ends_a_sender_and_it_must_begin_anew() -> None:
    here = Attendance()
    assert not here.admit(ANN, 0.0, full=False)
    assert here.admit(ANN, 0.0, full=True)
    assert here.admit(0, 0.0, full=False), "an older server is never refused"
    assert here.expire(EXPIRE_S) == []
    assert here.admit(0, EXPIRE_S, full=False)
    assert here.expire(EXPIRE_S + 1.0) == [ANN]
    assert not here.admit(ANN, EXPIRE_S + 1.0, full=False)


towns = st.dictionaries(st.integers(0, 40), st.floats(0.0, 1e3, width=32), max_size=30)


@given(towns, towns, st.data())
def test_two_servers_with_a_town_each_are_planned_for_as_one_with_both(
    one: dict[int, float], other: dict[int, float], data: st.DataObject
) -> None:
    both, pool = NpcTable(), NpcTable()
    both.take(update(ANN, 1, one | {41 + npc: s for npc, s in other.items()}, full=True))
    pool.take(update(ANN, 1, one, full=True))
    pool.take(update(BOB, 1, other, full=True))
    expected = both.distance_s()
    assert sorted(pool.distance_s()[np.isfinite(pool.due_s)].tolist()) == sorted(
        expected[np.isfinite(both.due_s)].tolist()
    ), "the same distances: whatever is made of them is the same"
    for sender, town in ((ANN, one), (BOB, other)):
        for npc, distance_s in town.items():
            assert distance_of(pool, sender, npc) == np.float32(distance_s)


steps = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.integers(0, 70), max_size=6), st.booleans()),
    max_size=30,
)


@given(steps)
def test_rows_are_somebodys_one_at_a_time(sequence: list[tuple[int, list[int], bool]]) -> None:
    senders, expected = Senders(), dict[tuple[int, int], int]()
    for sender, numbers, gives in sequence:
        rows = senders.rows(sender, np.array(numbers, np.intp)).tolist()
        for number, row in zip(numbers, rows, strict=True):
            assert expected.setdefault((sender, number), row) == row
        if not gives and rows:
            gone = np.zeros(max(expected.values()) + 1, np.bool_)
            gone[rows] = True
            senders.release(gone)
            expected = {npc: row for npc, row in expected.items() if row not in rows}
        senders.check_integrity()
        for (of, number), row in expected.items():
            assert senders.find(of, number) == row


def test_a_server_alone_finds_its_numbers_as_they_are() -> None:
    senders = Senders()
    assert senders.rows(ANN, np.array([5, 0, 900], np.intp)).tolist() == [5, 0, 900]
    assert senders.rows(BOB, np.array([5, 1], np.intp)).tolist() == [2, 1]
