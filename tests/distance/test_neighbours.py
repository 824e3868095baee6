from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.distance.neighbours import nearest_other

spot = st.tuples(st.integers(-9, 9), st.integers(-2, 2), st.integers(-9, 9))


@given(st.lists(spot, min_size=2, max_size=60), st.data())
def test_nobody_else_is_nearer(spots: list[tuple[int, int, int]], data: st.DataObject) -> None:
    position_m = np.array(spots, np.float64)
    asking = data.draw(st.sets(st.integers(0, len(spots) - 1), min_size=1))
    rows = np.array(sorted(asking), np.intp)
    found, apart_m = nearest_other(position_m, rows)
    apart = np.linalg.norm(position_m[rows, None] - position_m[None], axis=2)
    apart[np.arange(len(rows)), rows] = np.inf
    assert (found != rows).all()
    assert apart_m == pytest.approx(apart.min(axis=1))
    assert apart[np.arange(len(rows)), found] == pytest.approx(apart_m)
