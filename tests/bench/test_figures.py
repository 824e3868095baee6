from __future__ import annotations

import pytest

from callsheet_bench.client import Sample
from callsheet_bench.figures import FIGURES, figures_of_round, ratios, spread
from callsheet_bench.trace_player import RoundResult


def sample(device: int, host: int, prefill_s: float = 1.0) -> Sample:
    return Sample(
        ttft_s=0.5,
        total_s=2.0,
        prefix_tokens=1000,
        device_tokens=device,
        host_tokens=host,
        queue_s=0.25,
        prefill_s=prefill_s,
        decode_s=0.5,
    )


def test_a_round_is_boiled_down_per_reply() -> None:
    result = RoundResult(
        samples=(sample(1000, 0), sample(200, 800), sample(0, 0), sample(200, 0)),
        wall_s=8.0,
        cpu_s=6.0,
        game_s=16.0,
        counted={"loaded_bytes": 8e6, "written_bytes": 4e6, "load_wait_s": 2.0},
    )
    figures = figures_of_round(result)
    assert set(figures) == set(FIGURES)
    assert figures["replies_per_s"] == 0.5
    assert figures["cpu_s_per_reply"] == 1.5
    assert figures["device_share"] == pytest.approx(0.35)
    assert figures["host_share"] == pytest.approx(0.2)
    assert figures["miss_share"] == pytest.approx(0.45)
    assert figures["loaded_mb_per_reply"] == 2.0
    assert figures["game_speed"] == 2.0
    # a wait for loads is part of SGLang's prefill, and is shown apart from it
    assert figures["load_wait_ms"] == 500.0
    assert figures["prefill_ms"] == 500.0


def test_a_spread_is_median_and_extremes() -> None:
    found = spread([3.0, 1.0, 2.0, 9.0, 2.5])
    assert (found.median, found.low, found.high, found.rounds) == (2.5, 1.0, 9.0, 5)
    with pytest.raises(ValueError, match="no rounds"):
        spread([])


def test_ratios_pair_the_rounds_that_both_played() -> None:
    ours = {0: 2.0, 1: 4.0, 2: 3.0, 4: 1.0}
    theirs = {0: 1.0, 1: 1.0, 3: 5.0, 4: 0.0}
    assert ratios(ours, theirs) == [2.0, 4.0]
