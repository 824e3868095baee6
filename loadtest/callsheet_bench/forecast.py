"""Distances the server would expect of a town's people at each moment of a replay.

The estimators are the server's own, fed the ticks of the trace up to that moment: they know where
everybody is, what the game has announced and who has called before, but not who will call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance import Assumptions
from callsheet_server.tools.simulation import Playback
from callsheet_server.trace import Trace, TraceCall
from callsheet_server.trace.trace import TraceTick

__all__ = ["Forecast"]

SETTLE_S = 30.0
"""Estimators carry state from tick to tick; they run from this long before the first distances."""


class Forecast:
    """Distances along a trace. Time is game time and only goes forward."""

    def __init__(self, trace: Trace, first: TraceCall) -> None:
        """Take in the game up to ``first``, calls and their ends as in the trace."""
        self._replay = Playback(trace, Assumptions())
        self._ticks: Iterator[TraceTick] = iter(trace.ticks)
        self._next = next(self._ticks, None)
        self._estimates_from_s = first.time_s - SETTLE_S
        before = [call for call in trace.calls if call.time_s < first.time_s]
        ends = deque(sorted((c.time_s + c.duration_s, c.row) for c in before))
        for call in before:
            self._end_until(ends, call.time_s)
            self.advance(call.time_s)
            self._replay.begin_call(call.row)
        self._end_until(ends, float("inf"))

    @property
    def now_s(self) -> float:
        return self._replay.now_s

    def advance(self, time_s: float) -> None:
        """Take in all ticks before ``time_s``: a call comes before the tick of its time, which may
        announce the caller's next one.
        """
        while self._next is not None and self._next.time_s < time_s:
            self._replay.tick(self._next)
            if self._next.time_s >= self._estimates_from_s:
                self._replay.estimate()
            self._next = next(self._ticks, None)

    def begin_call(self, row: int) -> None:
        """This NPC has been asked something."""
        self._replay.begin_call(row)

    def end_call(self, row: int) -> None:
        """This NPC's reply is complete."""
        self._replay.end_call(row, self.now_s)

    def distance_s(self) -> NDArray[np.float32]:
        """(N,) float32 seconds of game time from ``now_s`` to each NPC's next call."""
        return self._replay.estimated_s()

    def _end_until(self, ends: deque[tuple[float, int]], time_s: float) -> None:
        while ends and ends[0][0] <= time_s:
            end_s, row = ends.popleft()
            self._replay.end_call(row, end_s)
