"""The game times at which methods of scripts are due (``at``, ``every``)."""

from __future__ import annotations

from collections.abc import Iterable

from callsheet.wire.world import ScheduledCall

__all__ = ["Schedule"]

Key = tuple[str, str]
"""A script and an NPC."""


class Schedule:
    """Game time of the latest tick of every NPC, and what is due at the next."""

    def __init__(self) -> None:
        self._ticked_s: dict[Key, float] = {}

    def clear(self) -> None:
        """Forget all ticks."""
        self._ticked_s.clear()

    def forget(self, key: Key) -> None:
        """Forget the ticks of an NPC that left."""
        self._ticked_s.pop(key, None)

    def set_time(self, time_s: float, keys: Iterable[Key]) -> None:
        """Go on from a time, earlier or later: what lies between is not due."""
        self._ticked_s = dict.fromkeys(keys, time_s)

    def take_due(
        self, key: Key, calls: Iterable[tuple[str, ScheduledCall]], time_s: float
    ) -> list[str]:
        """Return the methods due at a tick, and remember it.

        Nothing is due at a tick that goes back; what is scheduled after it is due once more.
        """
        before_s = self._ticked_s.get(key, time_s)
        self._ticked_s[key] = time_s
        return [method for method, call in calls if _is_due(call, before_s, time_s)]


def _is_due(call: ScheduledCall, after_s: float, until_s: float) -> bool:
    """Whether a scheduled call falls into (after, until]."""
    if call.every_s is None or until_s < call.at_s:
        return after_s < call.at_s <= until_s
    last_s = call.at_s + (until_s - call.at_s) // call.every_s * call.every_s
    return last_s > after_s
