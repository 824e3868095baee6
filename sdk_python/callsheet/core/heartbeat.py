"""The heartbeat of an open connection."""

from __future__ import annotations

__all__ = ["Heartbeat"]

SILENT_INTERVALS = 3
"""Intervals after which a server that says nothing is given up."""


class Heartbeat:
    """Time of the next ping, and time since the server was last heard."""

    def __init__(self) -> None:
        self._interval_s = 0.0
        self._opened_at_s = self._heard_at_s = self._ping_at_s = 0.0

    def begin(self, now_s: float, interval_s: float) -> None:
        """Start with a ping that is due now."""
        self._interval_s = interval_s
        self._opened_at_s = self._heard_at_s = self._ping_at_s = now_s

    def heard(self, now_s: float) -> None:
        """Note that the server said something."""
        self._heard_at_s = now_s

    def take_ping(self, now_s: float) -> bool:
        """Whether a ping is due; the next is due an interval later."""
        due = now_s >= self._ping_at_s
        if due:
            self._ping_at_s = now_s + self._interval_s
        return due

    def silent_s(self, now_s: float) -> float | None:
        """Time since the server was heard, if that is too long."""
        silent_s = now_s - self._heard_at_s
        return silent_s if silent_s >= SILENT_INTERVALS * self._interval_s else None

    def has_proven_itself(self, now_s: float) -> bool:
        """Whether the connection has lived for an interval."""
        return now_s - self._opened_at_s >= self._interval_s

    @property
    def next_deadline_s(self) -> float:
        """Time of the next ping, or at which the server has been silent for too long."""
        return min(self._ping_at_s, self._heard_at_s + SILENT_INTERVALS * self._interval_s)
