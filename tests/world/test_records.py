from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.wire.tick import npc_records
from callsheet_server.world.records import all_usable_npcs, usable_npcs

VALUES = st.sampled_from([0.0, -1.5, 1e7, -1e7, 1.1e7, np.inf, -np.inf, np.nan])
HINTS = st.sampled_from([np.nan, 0.0, 3.0, -1.0, np.inf])


@given(
    st.lists(st.tuples(st.tuples(*[VALUES] * 6), HINTS, st.integers(0, 5)), max_size=5),
)
def test_the_fast_check_agrees_with_the_slow_one(
    rows: list[tuple[tuple[float, ...], float, int]],
) -> None:
    vectors = np.array([row[0] for row in rows], np.float32).reshape(-1, 6)
    records = npc_records(
        np.arange(len(rows)),
        vectors[:, :3],
        vectors[:, 3:],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )
    assert all_usable_npcs(records) == bool(usable_npcs(records).all())


@pytest.mark.parametrize(("field", "value"), [("next_call_s", -0.5), ("flags", 4)])
def test_one_bad_record_is_found_among_good_ones(field: str, value: float) -> None:
    records = npc_records([1, 2, 3], np.zeros((3, 3)))
    records[field][1] = value
    assert usable_npcs(records).tolist() == [True, False, True]
    assert not all_usable_npcs(records)
