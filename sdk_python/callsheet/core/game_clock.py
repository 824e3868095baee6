"""The clock of a game that has none of its own."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

__all__ = ["GameClock"]


class GameClock:
    """Game time, s: it runs at any speed, pauses, jumps ahead and goes back.

    It begins at 0 and runs with real time. Its methods may be called from any thread.
    """

    def __init__(self, real_s: Callable[[], float] = time.monotonic) -> None:
        """``real_s``: real time, s, of any clock that does not go back."""
        self._real_s = real_s
        self._lock = threading.Lock()
        self._speed, self._paused = 1.0, False
        self._set_time_s, self._set_at_s = 0.0, real_s()

    @property
    def time_s(self) -> float:
        """Game time now. Set it to load yesterday."""
        with self._lock:
            return self._now_s()

    @time_s.setter
    def time_s(self, time_s: float) -> None:
        with self._lock:
            self._go_on_from(time_s)

    @property
    def speed(self) -> float:
        """Seconds of game time in a second of real time."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if not 0 <= speed < math.inf:
            raise ValueError(f"speed: {speed!r} is not 0 or more; to go back, set time_s")
        with self._lock:
            self._go_on_from(self._now_s())
            self._speed = speed

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        with self._lock:
            self._go_on_from(self._now_s())
            self._paused = paused

    def skip(self, seconds: float) -> None:
        """Jump ahead: eight hours of sleep are 28,800 s."""
        with self._lock:
            self._go_on_from(self._now_s() + seconds)

    def _now_s(self) -> float:
        run_s = 0.0 if self._paused else self._real_s() - self._set_at_s
        return self._set_time_s + run_s * self._speed

    def _go_on_from(self, time_s: float) -> None:
        self._set_time_s, self._set_at_s = time_s, self._real_s()
