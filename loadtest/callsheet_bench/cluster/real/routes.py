"""Rules of where a call goes, as routers in front of several replicas have them."""

from __future__ import annotations

import hashlib
from bisect import bisect
from typing import Protocol

__all__ = ["ConsistentHash", "LeastLoaded", "RoundRobin", "Route"]

POINTS = 64
"""Of a replica on the ring."""


class Route(Protocol):
    """A rule. Every ``choose`` is followed by an ``ended``."""

    def choose(self, npc: str) -> int:
        """Number of the replica that a call goes to."""
        ...

    def ended(self, replica: int) -> None:
        """Note that a call has ended."""
        ...


class RoundRobin:
    """One after the other."""

    def __init__(self, replicas: int) -> None:
        self._replicas = replicas
        self._next = -1

    def choose(self, npc: str) -> int:
        self._next = (self._next + 1) % self._replicas
        return self._next

    def ended(self, replica: int) -> None:
        pass


class LeastLoaded:
    """Fewest calls under way; among equals, fewest so far."""

    def __init__(self, replicas: int) -> None:
        self._open = [0] * replicas
        self._all = [0] * replicas

    def choose(self, npc: str) -> int:
        loads = list(zip(self._open, self._all, strict=True))
        replica = loads.index(min(loads))
        self._open[replica] += 1
        self._all[replica] += 1
        return replica

    def ended(self, replica: int) -> None:
        self._open[replica] -= 1


class ConsistentHash:
    """The next point of a replica on a ring."""

    def __init__(self, replicas: int) -> None:
        self._ring = sorted(
            (_hash(f"replica {replica} point {point}"), replica)
            for replica in range(replicas)
            for point in range(POINTS)
        )

    def choose(self, npc: str) -> int:
        at = bisect(self._ring, (_hash(npc), 0))
        return self._ring[at % len(self._ring)][1]

    def ended(self, replica: int) -> None:
        pass


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
