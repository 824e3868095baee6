"""Figures of one round, and their spread over several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from callsheet_bench.trace_player import RoundResult

__all__ = ["FIGURES", "Spread", "figures_of_round", "gap_shares", "ratios", "spread"]

MIN_GAP = 0.05
"""Share of naive's replies that everybody resident must add: else there is no gap to speak of."""

FIGURES: Mapping[str, str] = {
    "replies_per_s": "replies/s",
    "cpu_s_per_reply": "CPU s/reply",
    "ttft_p50_ms": "TTFT p50 ms",
    "ttft_p95_ms": "TTFT p95 ms",
    "device_share": "device",
    "host_share": "host",
    "miss_share": "miss",
    "loaded_mb_per_reply": "loaded MB/reply",
    "written_mb_per_reply": "written back MB/reply",
    "queue_ms": "queue ms",
    "load_wait_ms": "load wait ms",
    "prefill_ms": "prefill ms",
    "decode_ms": "decode ms",
    "game_speed": "game s per s",
}
"""Figures of a round: name -> heading."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over rounds."""

    median: float
    low: float
    high: float
    rounds: int


def figures_of_round(result: RoundResult) -> dict[str, float]:
    """Boil a round down to ``FIGURES``.

    Shares are of the tokens of all prompts' prefixes (world prefix and persona). Prefill does not
    contain the wait for loads; that has a figure of its own. Times of a request are means.
    """
    samples, replies = result.samples, len(result.samples)
    ttft_ms = 1e3 * np.array([s.ttft_s for s in samples])
    prefix = sum(s.prefix_tokens for s in samples)
    device = sum(s.device_tokens for s in samples) / prefix
    host = sum(s.host_tokens for s in samples) / prefix
    load_wait_s = result.counted["load_wait_s"] / replies
    prefill_s = float(np.mean([s.prefill_s for s in samples]))
    return {
        "replies_per_s": replies / result.wall_s,
        "cpu_s_per_reply": result.cpu_s / replies,
        "ttft_p50_ms": float(np.percentile(ttft_ms, 50)),
        "ttft_p95_ms": float(np.percentile(ttft_ms, 95)),
        "device_share": device,
        "host_share": host,
        "miss_share": 1.0 - device - host,
        "loaded_mb_per_reply": result.counted["loaded_bytes"] / replies / 1e6,
        "written_mb_per_reply": result.counted["written_bytes"] / replies / 1e6,
        "queue_ms": 1e3 * float(np.mean([s.queue_s for s in samples])),
        "load_wait_ms": 1e3 * load_wait_s,
        "prefill_ms": 1e3 * max(0.0, prefill_s - load_wait_s),
        "decode_ms": 1e3 * float(np.mean([s.decode_s for s in samples])),
        "game_speed": result.game_s / result.wall_s,
    }


def spread(values: Sequence[float]) -> Spread:
    """Median and extremes. Raises ``ValueError`` if there are no values."""
    if not values:
        raise ValueError("no rounds, no figure")
    return Spread(float(np.median(values)), min(values), max(values), len(values))


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """Per round that both have: ours over theirs. Noise that both met in a round cancels out.

    Args:
        ours: round -> figure.
        theirs: the same of another system; a figure of 0 is left out.
    """
    return [
        ours[number] / theirs[number]
        for number in sorted(ours.keys() & theirs.keys())
        if theirs[number]
    ]


def gap_shares(
    ours: Mapping[int, float], naive: Mapping[int, float], resident: Mapping[int, float]
) -> list[float]:
    """Per round that all have: (ours - naive) / (resident - naive), where there is a gap.

    Args:
        ours: round -> replies a second.
        naive: the same of what is to be beaten.
        resident: the same of the upper bound.
    """
    return [
        (ours[number] - naive[number]) / (resident[number] - naive[number])
        for number in sorted(ours.keys() & naive.keys() & resident.keys())
        if resident[number] > (1.0 + MIN_GAP) * naive[number]
    ]
