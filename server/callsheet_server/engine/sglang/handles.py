"""Numbers that stand for NPCs where SGLang is concerned."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from callsheet_server.world.key import NpcKey

__all__ = ["Handles"]


class Handles:
    """Dense numbers from 0, smallest first; a number is reused only once it was given back."""

    def __init__(self) -> None:
        self._of: dict[NpcKey, int] = {}
        self._keys: list[NpcKey | None] = []
        self._free: list[int] = []
        self._rows: dict[str, tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.intp]]] = {}
        """World -> (its NPC ids by row, rows in use, their handles); dropped when it changes."""

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
            self._rows.pop(key.world, None)
        return handle

    def drop(self, key: NpcKey) -> int | None:
        """Drop an NPC; its number stands for nobody until it is given back."""
        handle = self._of.pop(key, None)
        if handle is not None:
            self._keys[handle] = None
            self._rows.pop(key.world, None)
        return handle

    def give_back(self, handle: int) -> None:
        """Give a number back that nobody remembers: it may stand for another NPC."""
        heapq.heappush(self._free, handle)

    def rows(self, world: str, npcs: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the NPCs of a world's list that have a number: rows and numbers, two (N,) intp.

        They are kept for as long as ``npcs`` is the same tuple and no number changes hands.
        """
        known = self._rows.get(world)
        if known is None or known[0] is not npcs:
            handles = np.fromiter(
                (self._of.get(NpcKey(world, npc), -1) for npc in npcs), np.intp, len(npcs)
            )
            rows = np.flatnonzero(handles >= 0)
            known = self._rows[world] = npcs, rows, handles[rows]
        return known[1], known[2]

    def forget_world(self, world: str) -> None:
        """Drop a world's rows: nobody asks for them any more."""
        self._rows.pop(world, None)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for key, handle in self._of.items():
            assert self._keys[handle] == key, f"{key} has {handle}, which is {self._keys[handle]}"
        assert len(set(self._free)) == len(self._free), "a number was given back twice"
        for handle in self._free:
            assert self._keys[handle] is None, f"{handle} is free and stands for somebody"
