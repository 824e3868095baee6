from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.world.gaps import GapStats

GAPS = st.lists(st.floats(0.125, 1e4, width=32), min_size=1, max_size=GapStats.MEMORY)


def fed(gaps: list[float]) -> GapStats:
    stats = GapStats.empty(3)
    for gap_s in gaps:
        stats = stats.update(np.array([1]), np.array([gap_s], np.float32))
    return stats


@given(GAPS)
def test_the_first_gaps_are_counted_exactly(gaps: list[float]) -> None:
    stats = fed(gaps)
    assert stats.mean_s[1] == pytest.approx(np.mean(gaps), rel=1e-4)
    std_s = np.std(gaps, ddof=1) if len(gaps) > 1 else gaps[0]
    assert stats.std_s[1] == pytest.approx(std_s, rel=1e-2, abs=1e-2 * max(gaps))
    assert np.isnan(stats.mean_s[[0, 2]]).all()
    assert np.isnan(stats.std_s[[0, 2]]).all()


def test_new_habits_replace_old_ones() -> None:
    stats = fed([100.0] * 50 + [10.0] * 80)
    assert stats.mean_s[1] == pytest.approx(10.0, abs=1.0)


def test_an_update_leaves_the_old_statistics_alone() -> None:
    before = fed([5.0])
    before.update(np.array([1]), np.array([50.0], np.float32))
    assert before.mean_s[1] == 5.0
    assert before.count[1] == 1
