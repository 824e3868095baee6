"""Numbers that stand for NPCs where SGLang is concerned."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet_server.world.key import NpcKey

__all__ = ["Handles"]


CHUNK_ROWS: Final = 1_024
"""Rows compared at a time, by one comparison of tuples, to find those that have changed."""


class _WorldRows:
    """One world's list of NPCs, and the numbers they had."""

    def __init__(self) -> None:
        self._npcs: tuple[str, ...] = ()
        self._row_of: dict[str, int] = {}
        self.stale: set[str] = set()
        """NPCs whose number changed hands."""
        self.handles = np.empty(0, np.intp)
        """(capacity,) the number of the NPC on each row; -1 = it has none."""
        self.rows = self.picked = np.empty(0, np.intp)
        """Rows with a number, and their numbers."""

    def take(self, npcs: tuple[str, ...]) -> list[int]:
        """Take over a list; return the rows to be looked up."""
        rows = [] if npcs is self._npcs else list(_changed_rows(self._npcs, npcs))
        if (gone := len(self._npcs) - len(npcs)) > 0:
            self.handles[len(npcs) : len(npcs) + gone] = -1
        if (more := len(npcs) - len(self.handles)) > 0:
            more = max(more, len(self.handles))
            self.handles = np.pad(self.handles, (0, more), constant_values=-1)
        for row in rows:
            if row < len(self._npcs) and self._row_of.get(self._npcs[row]) == row:
                del self._row_of[self._npcs[row]]
        for row in rows:
            self._row_of[npcs[row]] = row
        stale, self.stale, self._npcs = self.stale, set(), npcs
        changed = {row for npc in stale if (row := self._row_of.get(npc, -1)) >= 0}
        return [*rows, *changed.difference(rows)]

    def pick(self) -> None:
        """Find the rows with a number anew."""
        self.rows = np.flatnonzero(self.handles >= 0)
        self.picked = self.handles[self.rows]


def _changed_rows(before: tuple[str, ...], now: tuple[str, ...]) -> Iterator[int]:
    """Rows of ``now`` on which ``before`` has another NPC, or none."""
    for first in range(0, len(now), CHUNK_ROWS):
        chunk = slice(first, first + CHUNK_ROWS)
        old, new = before[chunk], now[chunk]
        if old != new:
            yield from (
                first + at for at, npc in enumerate(new) if at >= len(old) or old[at] != npc
            )


class Handles:
    """Dense numbers from 0, smallest first; a number is reused only once it was given back."""

    def __init__(self) -> None:
        self._of: dict[NpcKey, int] = {}
        self._keys: list[NpcKey | None] = []
        self._free: list[int] = []
        self._rows: dict[str, _WorldRows] = {}
        """By world: its list of NPCs as it was seen last."""

    def __iter__(self) -> Iterator[tuple[NpcKey, int]]:
        return iter(self._of.items())

    def __len__(self) -> int:
        return len(self._of)

    def get(self, key: NpcKey) -> int | None:
        """The NPC's number; None = it has none."""
        return self._of.get(key)

    def key(self, handle: int) -> NpcKey | None:
        """The NPC of a number; None = it stands for nobody."""
        return self._keys[handle] if handle < len(self._keys) else None

    def take(self, key: NpcKey) -> int:
        """The NPC's number, given to it now if it has none."""
        handle = self._of.get(key)
        if handle is None:
            if self._free:
                handle = heapq.heappop(self._free)
            else:
                handle = len(self._keys)
                self._keys.append(None)
            self._of[key], self._keys[handle] = handle, key
            self._note(key)
        return handle

    def drop(self, key: NpcKey) -> int | None:
        """Drop an NPC; its number stands for nobody until it is given back."""
        handle = self._of.pop(key, None)
        if handle is not None:
            self._keys[handle] = None
            self._note(key)
        return handle

    def give_back(self, handle: int) -> None:
        """Give a number back that nobody remembers: it may stand for another NPC."""
        heapq.heappush(self._free, handle)

    def rows(self, world: str, npcs: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the NPCs of a world's list that have a number: rows and numbers, two (N,) intp.

        They are kept for as long as ``npcs`` is the same tuple and no number changes hands. Else
        only those NPCs are looked up that are new on their row, or whose number has changed.
        """
        known = self._rows.setdefault(world, _WorldRows())
        if changed := known.take(npcs):
            for row in changed:
                npc = npcs[row]
                known.handles[row] = self._of.get(NpcKey(world, npc), -1) if npc else -1
            known.pick()
        return known.rows, known.picked

    def forget_world(self, world: str) -> None:
        """Drop a world's rows: nobody asks for them any more."""
        self._rows.pop(world, None)

    def _note(self, key: NpcKey) -> None:
        if (rows := self._rows.get(key.world)) is not None:
            rows.stale.add(key.npc)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for key, handle in self._of.items():
            assert self._keys[handle] == key, f"{key} has {handle}, which is {self._keys[handle]}"
        assert len(set(self._free)) == len(self._free), "a number was given back twice"
        for handle in self._free:
            assert self._keys[handle] is None, f"{handle} is free and stands for somebody"
