"""Admission of replies, when more is asked for than the engine takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from callsheet_server.engine.engine import Priority

__all__ = ["Admission", "Candidate"]


class Candidate(Protocol):
    """A reply the model is asked for, as admission sees it."""

    @property
    def priority(self) -> Priority: ...

    @property
    def begun(self) -> bool:
        """True if it has said something: then it may finish."""


C = TypeVar("C", bound=Candidate)


class Admission(Generic[C]):
    """At most ``capacity`` at a time. Past it the least urgent of those who wait has to go.

    The least urgent has the lowest priority; of these the farthest from all players; of these the
    last to come. A player's turn never makes room for another player's: who came first stays.
    """

    def __init__(self, capacity: int, ranges_m: Callable[[Sequence[C]], Sequence[float]]) -> None:
        """``ranges_m`` tells how far each one's NPC is from the nearest player now."""
        self._capacity = capacity
        self._ranges_m = ranges_m
        self._inside: dict[C, None] = {}
        """In the order they came."""

    def __len__(self) -> int:
        return len(self._inside)

    def admit(self, newcomer: C) -> C | None:
        """Let somebody in.

        Returns:
            Who has to go for it, and is not inside any more: somebody who waited, or the newcomer
            itself. None if there is room for all.
        """
        self._inside[newcomer] = None
        if len(self._inside) <= self._capacity:
            return None
        last = self._least_urgent([one for one in self._inside if not one.begun])
        self.leave(last)
        return last

    def leave(self, one: C) -> None:
        """Remove a reply that has ended. Without effect if it was sent away."""
        self._inside.pop(one, None)

    def _least_urgent(self, waiting: Sequence[C]) -> C:
        priority = max(one.priority for one in waiting)
        lowest = [one for one in waiting if one.priority == priority]
        if priority == Priority.PLAYER:
            return lowest[-1]
        ranges_m = self._ranges_m(lowest)
        return lowest[max(range(len(lowest)), key=lambda at: (ranges_m[at], at))]

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        assert len(self._inside) <= self._capacity, f"{len(self._inside)} were let in"
