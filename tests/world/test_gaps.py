from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.world.gaps import MEMORY, add_gap


def fed(gaps: list[float]) -> tuple[float, float]:
    mean_s = std_s = float("nan")
    for count, gap_s in enumerate(gaps, start=1):
        mean_s, std_s = add_gap(count, gap_s, mean_s, std_s)
    return mean_s, std_s


@given(st.lists(st.floats(0.0, 1e4), min_size=1, max_size=MEMORY))
def test_the_first_gaps_are_counted_exactly(gaps: list[float]) -> None:
    assert fed(gaps) == pytest.approx((np.mean(gaps), np.std(gaps)), rel=1e-6, abs=1e-6)


def test_new_habits_replace_old_ones() -> None:
    mean_s, std_s = fed([100.0] * 50 + [10.0] * 150)
    assert mean_s == pytest.approx(10.0, abs=0.1)
    assert std_s < 1.0
