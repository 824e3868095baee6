"""Lessons: what was thought of some NPCs, kept until it is known what became of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.worth import TAU_S
from callsheet_server.distance.evidence import Evidence

__all__ = ["PERIOD_S", "Lesson", "Lessons"]

PERIOD_S = 0.5
"""Game time between two lessons."""
ROWS = 256
"""NPCs in one lesson at most."""
KNOWN_AFTER_S = 6.0 * TAU_S
"""A call that comes later counts as none."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Some NPCs at one instant."""

    time_s: float
    handle: NDArray[np.uint32]
    evidence: Evidence
    logit: NDArray[np.float32]
    """(R,) log odds as they were said; -inf = no call was expected."""
    raised: NDArray[np.float32]
    """(R, S) what each source added to them."""
    each: float
    """NPCs that each row stands for, times the share of ``TAU_S`` until the next lesson."""


class Lessons:
    """Lessons of one world that wait for their end, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[Lesson] = deque()
        self._calls: deque[tuple[float, int]] = deque()
        """(time, handle) of the calls since the oldest lesson."""
        self._turn = 0
        self._due_s = -np.inf

    def called(self, handles: list[int], now_s: float) -> None:
        """Note calls that have begun."""
        self._calls.extend((now_s, handle) for handle in handles)

    def due(self, now_s: float) -> bool:
        """True if it is time for the next lesson. Time that went back drops what waited."""
        if now_s < self._due_s - PERIOD_S:
            self._waiting.clear()
            self._calls.clear()
            self._due_s = now_s
        return now_s >= self._due_s

    def pick(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Choose the NPCs of a lesson; others every time, if there are too many."""
        step = -(-len(rows) // ROWS) or 1
        self._turn += 1
        return rows[self._turn % step :: step]

    def begin(self, lesson: Lesson) -> None:
        self._waiting.append(lesson)
        self._due_s = lesson.time_s + PERIOD_S

    def ended(self, now_s: float) -> list[tuple[Lesson, NDArray[np.float64]]]:
        """Lessons whose end is known, each with its (R,) times to the next call; +inf = none."""
        known = []
        while self._waiting and now_s - self._waiting[0].time_s >= KNOWN_AFTER_S:
            lesson = self._waiting.popleft()
            while self._calls and self._calls[0][0] <= lesson.time_s:
                self._calls.popleft()
            first_s: dict[int, float] = {}
            for time_s, handle in self._calls:
                first_s.setdefault(handle, time_s)
            came_s = [first_s.get(handle, np.inf) for handle in lesson.handle.tolist()]
            known.append((lesson, np.array(came_s) - lesson.time_s))
        if not self._waiting:
            self._calls.clear()
        return known
