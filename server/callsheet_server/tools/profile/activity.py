"""Activity over time: the share of NPCs that call, and the state in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from callsheet_server.trace import Trace

__all__ = ["Activity", "activity"]


@dataclass(frozen=True, slots=True)
class Activity:
    """Calls and NPCs in use, step by step; S steps."""

    step_s: float
    window_s: float
    time_s: list[float]
    """(S,) ends of the steps."""
    calling_share: list[float]
    """(S,) share of the NPCs that call in the step."""
    working_set_npcs: list[int]
    """(S,) NPCs that called in the window that ends with the step."""
    working_set_bytes: list[int]
    """(S,) their state."""
    mean_calling_share: float
    p95_calling_share: float
    max_calling_share: float
    ever_calling_share: float
    """Share of the NPCs that call at all."""


def activity(trace: Trace, step_s: float, window_s: float) -> Activity:
    """Measure the activity of a trace with at least one tick.

    Args:
        trace: what happened.
        step_s: length of a step, in seconds of game time.
        window_s: how long what was used counts as in use.
    """
    count = len(trace.npcs)
    start_s, end_s = trace.ticks[0].time_s, trace.ticks[-1].time_s
    steps = max(1, int(np.ceil((end_s - start_s) / step_s)))
    time_s = start_s + step_s * np.arange(1, steps + 1)
    size_bytes = np.array([npc.size_bytes for npc in trace.npcs], np.int64)
    last_s = np.full(count, -np.inf)
    share, held_npcs, held_bytes = [], [], []
    calls = iter(trace.calls)
    call = next(calls, None)
    for until_s in time_s.tolist():
        callers = set()
        while call is not None and call.time_s <= until_s:
            callers.add(call.row)
            last_s[call.row] = call.time_s
            call = next(calls, None)
        held = last_s > until_s - window_s
        share.append(len(callers) / count)
        held_npcs.append(int(held.sum()))
        held_bytes.append(int(size_bytes[held].sum()))
    return Activity(
        step_s=step_s,
        window_s=window_s,
        time_s=time_s.tolist(),
        calling_share=share,
        working_set_npcs=held_npcs,
        working_set_bytes=held_bytes,
        mean_calling_share=float(np.mean(share)),
        p95_calling_share=float(np.percentile(share, 95)),
        max_calling_share=max(share),
        ever_calling_share=len({c.row for c in trace.calls}) / count,
    )
