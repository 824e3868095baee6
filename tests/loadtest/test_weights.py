"""Models of a town with room for two of three: who looks ahead has them loaded."""

from __future__ import annotations

from callsheet_bench.local.weights_planned import hit_rates


def test_distances_have_the_model_loaded_more_often_than_lru() -> None:
    rates = hit_rates(seed=3)
    assert rates["distance"] > 0.95
    assert rates["lru"] < 0.75
