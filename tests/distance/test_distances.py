from __future__ import annotations

import numpy as np
from distance.snapshots import INF, NAN, snapshot, snapshots
from hypothesis import given

from callsheet_server.distance import Assumptions, Estimator, Forecast
from callsheet_server.world.snapshot import Snapshot


@given(snapshots(), snapshots())
def test_distances_are_never_nan_or_negative_and_dead_rows_are_never_expected(
    seen: Snapshot, before: Snapshot
) -> None:
    forecast = Forecast(Assumptions())
    forecast.estimate(before)
    if len(seen.alive) < len(before.alive):
        forecast = Forecast(Assumptions())
    made = forecast.estimate(seen)
    assert made.distance_s.dtype == np.float32
    assert made.winner.dtype == np.uint8
    assert (made.distance_s >= 0.0).all()
    assert (made.distance_s[~seen.alive] == INF).all()
    assert ((made.winner == Estimator.NONE) == (made.distance_s == INF)).all()


@given(snapshots())
def test_the_same_ticks_give_the_same_distances(seen: Snapshot) -> None:
    one, two = Forecast(Assumptions()).estimate(seen), Forecast(Assumptions()).estimate(seen)
    assert one.distance_s.tolist() == two.distance_s.tolist()
    assert one.winner.tolist() == two.winner.tolist()


def test_before_anything_was_learned_the_smallest_wins_and_ties_go_to_the_surest() -> None:
    seen = snapshot(
        4,
        1,
        position_m=[[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1e6]],
        in_conversation=[True, False, False, False],
        scheduled_call_s=[1000.0, 1000.0, NAN, NAN],
        player_position_m=[5.0, 0, 0],
        player_max_speed_mps=1.0,
        npc_max_speed_mps=0.0,
    )
    made = Forecast(Assumptions()).estimate(seen)
    assert made.distance_s[:3].tolist() == [0.0, 0.0, 12.0]
    assert made.winner.tolist() == [0, 1, 2, 2]


def test_it_keeps_no_view_of_the_snapshot() -> None:
    seen = snapshot(2, 1, sociability=1.0)
    forecast = Forecast(Assumptions())
    made = forecast.estimate(seen)
    assert forecast.met is not None
    kept = made.distance_s.copy(), forecast.met.handle.copy()
    seen.position_m[:] = 1e5
    seen.handle[:] = 99
    assert made.distance_s.tolist() == kept[0].tolist()
    assert forecast.met.handle.tolist() == kept[1].tolist()
