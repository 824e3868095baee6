"""Adapters of NPCs, as an array indexed by handle. Needs numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["AdapterUse"]


class AdapterUse:
    """The adapter that each NPC uses."""

    def __init__(self) -> None:
        self.version = 0
        """Changes whenever an NPC's adapter does."""
        self._index: dict[str | None, int] = {None: 0}
        self._column: NDArray[np.int32] = np.zeros(0, np.int32)
        """Index into ``names`` by handle; 0, the base model, for NPCs never heard of."""

    def __getitem__(self, handle: int) -> str | None:
        """The adapter's name; None = the base model."""
        return self.names[self._column[handle]] if handle < len(self._column) else None

    @property
    def names(self) -> Sequence[str | None]:
        """Every adapter ever named, the base model first."""
        return list(self._index)

    def assign(self, adapters: Mapping[int, str | None]) -> None:
        """Take in what NPCs use from now on; those not named keep theirs."""
        if not adapters:
            return
        self.version += 1
        handles = np.fromiter(adapters, np.intp, len(adapters))
        if (rows := int(handles.max()) + 1) > len(self._column):
            more = np.zeros(max(rows, 2 * len(self._column)) - len(self._column), np.int32)
            self._column = np.concatenate([self._column, more])
        self._column[handles] = [
            self._index.setdefault(name, len(self._index)) for name in adapters.values()
        ]

    def forget(self, gone: NDArray[np.bool_]) -> None:
        """NPCs whose row of ``gone``, (N,) bool, is True use the base model from now on."""
        column = self._column[: len(gone)]
        changed = gone[: len(column)] & (column != 0)
        if changed.any():
            column[changed] = 0
            self.version += 1

    def distance_s(self, npc_distance_s: NDArray[np.float32]) -> dict[str | None, float]:
        """The smallest distance among the NPCs that use an adapter, by the adapter's name.

        Args:
            npc_distance_s: (N,) float32, by handle.
        """
        nearest = np.full(len(self._index), np.inf, np.float32)
        users = np.zeros(len(npc_distance_s), np.int32)
        known = min(len(users), len(self._column))
        users[:known] = self._column[:known]
        np.minimum.at(nearest, users, npc_distance_s)
        return dict(zip(self._index, nearest.tolist(), strict=True))
