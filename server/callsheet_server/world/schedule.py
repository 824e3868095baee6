"""Time at which an NPC's schedule next asks for the model."""

from __future__ import annotations

import math
from collections.abc import Iterable

from callsheet.wire.world import ScheduledCall

__all__ = ["next_call_s"]


def next_call_s(calls: Iterable[ScheduledCall], from_s: float) -> float:
    """The first time of a schedule from ``from_s`` on, in game time; NaN = none."""
    first_s = min((_next_time(call, from_s) for call in calls), default=math.inf)
    return first_s if math.isfinite(first_s) else math.nan


def _next_time(call: ScheduledCall, from_s: float) -> float:
    if call.at_s >= from_s:
        return call.at_s
    if call.every_s is None:
        return math.inf
    return from_s + (call.at_s - from_s) % call.every_s
