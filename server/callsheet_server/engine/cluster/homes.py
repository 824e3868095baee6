"""Home replica of every NPC, by key; ``Placement`` decides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np

from callsheet_server.engine.cluster.hashing import hash_of
from callsheet_server.engine.cluster.placement import NOWHERE, Placement
from callsheet_server.engine.sglang.handles import Handles
from callsheet_server.world.key import NpcKey

__all__ = ["Homes"]

WINDOW: Final = 4096
"""Rows looked at for moves at a time: about a millisecond."""


class Homes:
    """Replicas are indices, in the order of ``names``."""

    def __init__(self, names: Sequence[str], slots: int) -> None:
        """As for ``Placement``."""
        self.placement = Placement(names, slots)
        self._rows = Handles()
        self._adapters: dict[NpcKey, str | None] = {}
        self._window = 0
        self._unsettled = 0
        """Rows still to be looked at, until all were seen since something changed."""

    def __contains__(self, key: NpcKey) -> bool:
        return key in self._adapters

    def __len__(self) -> int:
        return len(self._adapters)

    def of(self, key: NpcKey) -> int | None:
        """An NPC's home; None = it has none."""
        row = self._rows.get(key)
        return None if row is None else int(self.placement.home[row])

    def put(self, key: NpcKey, adapter: str | None) -> int:
        """Return an NPC's home, given to it now if it is new or has another adapter."""
        home = self.of(key)
        if home is not None and self._adapters[key] == adapter:
            return home
        self.forget(key)
        row = np.array([self._rows.take(key)], np.intp)
        keys = np.array([hash_of(f"{key.world}\0{key.npc}")], np.uint64)
        self._adapters[key] = adapter
        self._change()
        return int(self.placement.add(row, keys, adapter)[0])

    def forget(self, key: NpcKey) -> None:
        """Take an NPC out. Unknown keys are ignored."""
        row = self._rows.drop(key)
        if row is not None:
            self.placement.remove(np.array([row], np.intp))
            self._rows.give_back(row)
            del self._adapters[key]
            self._change()

    def set_open(self, replica: int, is_open: bool) -> None:
        """Say whether a replica takes NPCs."""
        self.placement.open[replica] = is_open
        self._change()

    def elsewhere(self, keys: Sequence[NpcKey], without: Collection[int] = ()) -> list[int]:
        """Find NPCs other homes, on open replicas that are not among ``without``."""
        rows = np.array([self._rows.take(key) for key in keys], np.intp)
        with self._closed(without):
            homes: list[int] = self.placement.elsewhere(rows).tolist()
        return homes

    def keys(self, world: str) -> list[NpcKey]:
        """NPCs of a world."""
        return [key for key in self._adapters if key.world == world]

    def forget_world(self, world: str) -> None:
        """Forget a world whose NPCs are gone."""
        self._rows.forget_world(world)

    def move(self, key: NpcKey, replica: int) -> None:
        """Note an NPC's new home."""
        row = np.array([self._rows.take(key)], np.intp)
        self.placement.move(row, np.array([replica], np.int16))

    def wanted_moves(self, most: int) -> list[tuple[NpcKey, int]]:
        """Look at the next rows for moves: NPCs and the homes they should have."""
        capacity = len(self.placement.home)
        if self._unsettled <= 0 or not capacity:
            return []
        self._unsettled -= WINDOW
        window = np.arange(self._window, self._window + min(WINDOW, capacity)) % capacity
        self._window = int(window[-1]) + 1
        window = window[self.placement.home[window] != NOWHERE]
        rows, homes = self.placement.wanted_moves(window, most)
        if len(rows):
            self._change()
        keys = (
            (self._rows.key(row), home)
            for row, home in zip(rows.tolist(), homes.tolist(), strict=True)
        )
        return [(key, home) for key, home in keys if key is not None]

    def _change(self) -> None:
        self._unsettled = len(self.placement.home) + WINDOW

    @contextmanager
    def _closed(self, replicas: Collection[int]) -> Iterator[None]:
        """Close replicas meanwhile."""
        was_open = self.placement.open.copy()
        self.placement.open[list(replicas)] = False
        try:
            yield
        finally:
            self.placement.open[:] = was_open

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        self._rows.check_integrity()
        self.placement.check_integrity()
        assert {key for key, _ in self._rows} == set(self._adapters), "rows and adapters differ"
