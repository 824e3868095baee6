import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_loadtest.metronome import Metronome


def test_lateness_does_not_add_up() -> None:
    beat = Metronome(0.1, 10.0)
    assert beat.advance(10.03) == pytest.approx(0.07)
    assert beat.advance(10.17) == pytest.approx(0.03)
    assert beat.due_s == pytest.approx(10.2)
    assert beat.take_skipped() == 0


def test_a_beat_that_is_a_whole_period_late_is_skipped() -> None:
    beat = Metronome(0.1, 10.0)
    assert beat.advance(10.35) == 0.0
    assert beat.due_s == pytest.approx(10.3)
    assert beat.take_skipped() == 2
    assert beat.take_skipped() == 0


@given(work_s=st.lists(st.floats(0, 1), max_size=50), period_s=st.floats(0.005, 0.5))
def test_beats_stay_on_the_grid_and_are_never_a_period_late(
    work_s: list[float], period_s: float
) -> None:
    beat, now_s = Metronome(period_s, 0.0), 0.0
    beats = skipped = 0
    for busy_s in work_s:
        now_s += busy_s
        now_s += beat.advance(now_s)
        beats, skipped = beats + 1, skipped + beat.take_skipped()
        assert beat.due_s == pytest.approx((beats + skipped) * period_s)
        assert now_s - beat.due_s < period_s * (1 + 1e-6)
