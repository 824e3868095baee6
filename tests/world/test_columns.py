from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.world.columns import Columns


def handles(*values: int) -> np.typing.NDArray[np.uint32]:
    return np.array(values, np.uint32)


def test_rows_are_fresh_and_found_by_their_handle() -> None:
    columns = Columns()
    first, second = columns.take(), columns.take()
    assert (first, second) == (0, 1)
    rows, known = columns.find(columns.handle[[second, first]])
    assert rows.tolist() == [second, first]
    assert known.all()
    assert np.isnan(columns.scheduled_call_s[first])
    assert not columns.active[first]


def test_a_handle_is_void_once_its_row_is_given_back_and_for_the_next_one_on_it() -> None:
    columns = Columns()
    row = columns.take()
    old = int(columns.handle[row])
    columns.position_m[row] = 7
    columns.give_back(row)
    assert not columns.find(handles(old))[1].any()
    assert columns.take() == row
    assert int(columns.handle[row]) != old
    assert not columns.find(handles(old))[1].any()
    assert columns.position_m[row].tolist() == [0, 0, 0]


def test_handles_of_one_row_differ_for_4096_lives() -> None:
    columns, seen = Columns(), set()
    for _ in range(4_096):
        row = columns.take()
        seen.add(int(columns.handle[row]))
        columns.give_back(row)
    assert len(seen) == 4_096


def test_columns_grow_and_keep_what_they_hold() -> None:
    columns = Columns()
    for index in range(1_000):
        row = columns.take()
        columns.position_m[row] = index
    assert columns.position_m[:1_000, 0].tolist() == list(range(1_000))
    assert columns.find(columns.handle[:1_000])[1].all()
    assert not columns.alive[1_000:].any()


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_no_handle_is_out_of_range(values: list[int]) -> None:
    columns = Columns()
    mine = [int(columns.handle[columns.take()]) for _ in range(3)]
    rows, known = columns.find(handles(*values))
    assert ((rows >= 0) & (rows < len(columns.alive))).all()
    assert known.tolist() == [value in mine for value in values]


def test_nothing_is_found_in_nothing() -> None:
    assert not Columns().find(handles(0, 1 << 20))[1].any()


def test_a_handle_is_taken_back_after_a_restart_and_no_old_one_given_out_again() -> None:
    before = Columns()
    rows = [before.take() for _ in range(5)]
    handles = [int(before.handle[row]) for row in rows]
    before.give_back(3)
    again = int(before.handle[before.take()])
    before.give_back(3)
    after = Columns()
    for handle in (*handles[:3], again, handles[4]):
        after.retire(handle)
    for handle in (handles[4], handles[0], handles[2]):
        assert int(after.handle[after.take_back(handle)]) == handle
    _, known = after.find(np.array([handles[4], handles[1], again], np.uint32))
    assert known.tolist() == [True, False, False]
    fresh = {int(after.handle[after.take()]) for _ in range(3)}
    assert fresh.isdisjoint({*handles, again})
    assert len(fresh) == 3


def test_a_handle_is_retired_whose_row_is_beyond_the_first_arrays() -> None:
    before = Columns()
    rows = [before.take() for _ in range(200)]
    far = int(before.handle[rows[-1]])
    after = Columns()
    after.retire(far)
    assert int(after.handle[after.take_back(far)]) == far
