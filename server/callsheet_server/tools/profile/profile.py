"""A workload's characteristics, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from callsheet_residency.settings import PolicySettings
from callsheet_server.distance import Assumptions
from callsheet_server.tools.profile.activity import Activity, activity
from callsheet_server.tools.profile.capacity import Capacity, capacity
from callsheet_server.tools.profile.predictability import Predictability, predictability
from callsheet_server.trace import Trace

__all__ = ["Profile", "characterise"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Profile of a workload."""

    world: str
    npcs: int
    players: int
    seconds: float
    """Game time from the first tick to the last."""
    ticks: int
    calls: int
    activity: Activity
    predictability: Predictability
    capacity: Capacity

    def as_json(self) -> dict[str, Any]:
        """All of it, ready for JSON; units are in the names."""
        return asdict(self)


def characterise(
    trace: Trace,
    wanted_hit_rate: float = 0.95,
    step_s: float = 1.0,
    window_s: float = 60.0,
    report: Callable[[str], None] = lambda _: None,
) -> Profile:
    """Characterise a trace; takes seconds to minutes. Deterministic; no I/O.

    Args:
        trace: what happened.
        wanted_hit_rate: share of calls that are to find their prefix on the device.
        step_s: game time in which somebody calls or does not.
        window_s: how long what was used counts as in use.
        report: told what is being done.

    Raises:
        ValueError: nobody calls in the trace, or it has no tick.
    """
    if not trace.calls or not trace.ticks:
        raise ValueError(
            f"the trace has {len(trace.ticks)} ticks and {len(trace.calls)} calls; "
            "a workload without either has no characteristics"
        )
    report("counting calls")
    active = activity(trace, step_s, window_s)
    report("asking the estimators")
    predictable = predictability(trace, Assumptions(), PolicySettings().prefetch_horizon_s)
    return Profile(
        world=trace.world,
        npcs=len(trace.npcs),
        players=len(trace.players),
        seconds=trace.ticks[-1].time_s - trace.ticks[0].time_s,
        ticks=len(trace.ticks),
        calls=len(trace.calls),
        activity=active,
        predictability=predictable,
        capacity=capacity(trace, wanted_hit_rate, report),
    )
