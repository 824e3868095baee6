"""The storage behind snapshots: one growing array per attribute, one row per NPC."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns"]

_SPEC: Final[dict[str, tuple[Any, tuple[int, ...], Any]]] = {
    # name: dtype, shape of one row, value of a fresh row
    "alive": (np.bool_, (), False),
    "active": (np.bool_, (), False),
    "handle": (np.uint32, (), 0),
    "position_m": (np.float32, (3,), 0.0),
    "velocity_mps": (np.float32, (3,), 0.0),
    "interaction_radius_m": (np.float32, (), 0.0),
    "sociability": (np.float32, (), 0.0),
    "scheduled_call_s": (np.float64, (), np.nan),
    "open_turns": (np.int32, (), 0),
    "last_call_s": (np.float64, (), np.nan),
}

_SEEN: Final = (
    "handle",
    "position_m",
    "velocity_mps",
    "interaction_radius_m",
    "sociability",
    "scheduled_call_s",
    "last_call_s",
)
"""Columns that the estimators see as they are."""

_ROW_BITS = 20
_ROW_MASK = (1 << _ROW_BITS) - 1
_FIRST_ROWS = 64


class Columns:
    """Rows are taken and given back; a handle holds its row and how often that row was taken.

    So the handle of a despawned NPC is never mistaken for the next NPC on its row, until that
    row has been taken 4,096 times.
    """

    alive: NDArray[np.bool_]
    active: NDArray[np.bool_]
    handle: NDArray[np.uint32]
    position_m: NDArray[np.float32]
    velocity_mps: NDArray[np.float32]
    interaction_radius_m: NDArray[np.float32]
    sociability: NDArray[np.float32]
    scheduled_call_s: NDArray[np.float64]
    open_turns: NDArray[np.int32]
    last_call_s: NDArray[np.float64]

    def __init__(self) -> None:
        self.rows = 0
        """Rows ever taken; the arrays are longer."""
        self._free: list[int] = []
        for name, (dtype, shape, fill) in _SPEC.items():
            setattr(self, name, np.full((_FIRST_ROWS, *shape), fill, dtype))

    def take(self) -> int:
        """Take a fresh row, the lowest that is free after those given back, and mark it alive."""
        row = self._free.pop() if self._free else self._add_row()
        generation = (int(self.handle[row]) >> _ROW_BITS) + 1
        self._fill(row, ((generation & 0xFFF) << _ROW_BITS) | row)
        return row

    def take_back(self, handle: int) -> int:
        """Take the row of a handle that was given out before, and give it that handle again."""
        row = self._row_of(handle)
        self._free.remove(row)
        self._fill(row, handle)
        return row

    def retire(self, handle: int) -> None:
        """Retire a handle of an NPC that is gone: the next one of its row is newer."""
        row = self._row_of(handle)  # before `self.handle` is looked up: it may be another array now
        self.handle[row] = handle

    def give_back(self, row: int) -> None:
        """End the life of the NPC on ``row``; its handle is void from now on."""
        self.alive[row] = False
        self.active[row] = False
        self._free.append(row)

    def is_everyone(self, handles: NDArray[np.uint32]) -> bool:
        """True if these are the handles of all rows, in order, and all rows are alive."""
        if len(handles) != self.rows or self._free:
            return False
        return bool((handles == self.handle[: self.rows]).all())

    def find(self, handles: NDArray[np.uint32]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Look up handles.

        Returns:
            rows: (K,) intp, a valid index even where the handle is unknown.
            known: (K,) bool.
        """
        rows = (handles & _ROW_MASK).astype(np.intp)
        inside = rows < self.rows
        if not inside.all():
            rows = np.where(inside, rows, 0)
        return rows, inside & self.alive[rows] & (self.handle[rows] == handles)

    def seen(self, picked: slice | list[int]) -> dict[str, NDArray[Any]]:
        """Views (copies for a list of rows) of what the estimators see.

        An NPC counts as alive if it is active or has an open turn.
        """
        in_conversation = self.open_turns[picked] > 0
        seen: dict[str, NDArray[Any]] = {name: getattr(self, name)[picked] for name in _SEEN}
        seen["alive"] = self.alive[picked] & (self.active[picked] | in_conversation)
        seen["in_conversation"] = in_conversation
        return seen

    def _add_row(self) -> int:
        row = self.rows
        if row > _ROW_MASK:
            raise AssertionError("a world has at most 2**20 NPC rows")
        self.rows += 1
        if self.rows > len(self.alive):
            self._grow()
        return row

    def _row_of(self, handle: int) -> int:
        """The row a handle names; it is free, or made so."""
        row = handle & _ROW_MASK
        while self.rows <= row:
            self._free.append(self._add_row())
        return row

    def _fill(self, row: int, handle: int) -> None:
        for name, (_, _, fill) in _SPEC.items():
            getattr(self, name)[row] = fill
        self.alive[row] = True
        self.handle[row] = handle

    def _grow(self) -> None:
        for name in _SPEC:
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.full_like(old, _SPEC[name][2])]))
