"""Servers that send distances: who is here, and whose time is up. Needs numpy only."""

from __future__ import annotations

import numpy as np

from callsheet_sglang.wire import Distances

__all__ = ["EXPIRE_S", "Attendance", "farewell"]

EXPIRE_S = 15.0
"""Silence after which a sender's NPCs are forgotten; it sends ten times a second."""


class Attendance:
    """Senders by when they were heard of last, on the clock of the process that hears them."""

    def __init__(self) -> None:
        self._heard_s: dict[int, float] = {}

    def admit(self, sender: int, now_s: float, *, full: bool) -> bool:
        """Note an update; False = its sender is not known, and must begin with a full one.

        Sender 0, a server from before there were several, knows no such answer.
        """
        if sender and not full and sender not in self._heard_s:
            return False
        self._heard_s[sender] = now_s
        return True

    def expire(self, now_s: float) -> list[int]:
        """Forget, and return, the senders whose time is up."""
        gone = [one for one, heard_s in self._heard_s.items() if now_s - heard_s > EXPIRE_S]
        for sender in gone:
            del self._heard_s[sender]
        return gone


def farewell(sender: int, now_s: float) -> Distances:
    """Make the update by which all of a sender's NPCs are forgotten."""
    return Distances(0, now_s, np.empty(0, np.uint32), np.empty(0, np.float32), True, sender)
