"""Rows of the table, given to the NPCs of several servers. Needs numpy only.

Each server numbers its NPCs for itself, from 0. An NPC gets the row of its own number if that is
free, else the lowest that is: so a server that is alone finds its numbers as they are. The same
calls in the same order give the same rows.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from callsheet_sglang.wire import MAX_NPCS

__all__ = ["NO_ROW", "Senders"]

NO_ROW = -1

Rows = NDArray[np.intp]
T = TypeVar("T", np.intp, np.bool_)


class Senders:
    """Rows by sender and number, and back."""

    def __init__(self) -> None:
        self._rows: dict[int, Rows] = {}
        """By sender: (N,) the row of each of its numbers; ``NO_ROW`` = none."""
        self._taken = np.zeros(0, np.bool_)
        """(rows,) True = somebody's."""

    def find(self, sender: int, number: int) -> int | None:
        """The row of an NPC; None = it has none."""
        rows = self._rows.get(sender)
        if rows is None or number >= len(rows) or rows[number] == NO_ROW:
            return None
        return int(rows[number])

    def row(self, sender: int, number: int) -> int | None:
        """The row of an NPC, given to it now if it has none; None = all are taken."""
        if (found := self.find(sender, number)) is not None:
            return found
        row = int(self.rows(sender, np.array([number], np.intp))[0])
        return None if row == NO_ROW else row

    def rows(self, sender: int, numbers: Rows) -> Rows:
        """The rows of NPCs, given to them now if they have none; ``NO_ROW`` = all are taken."""
        if not len(numbers):
            return np.empty(0, np.intp)
        known = self._rows.setdefault(sender, np.empty(0, np.intp))
        known = self._rows[sender] = _grown(known, int(numbers.max()) + 1, NO_ROW)
        new = np.unique(numbers[known[numbers] == NO_ROW])
        if len(new):
            self._taken = _grown(self._taken, int(new.max()) + 1, False)
            own = new[~self._taken[new]]
            known[own] = own
            self._taken[own] = True
            others = new[known[new] == NO_ROW]
            free = self._lowest_free(len(others))
            known[others[: len(free)]] = free
            self._taken[free] = True
        return known[numbers]

    def of(self, sender: int) -> tuple[Rows, Rows]:
        """The numbers of a sender's NPCs, ascending, and their rows."""
        known = self._rows.get(sender, np.empty(0, np.intp))
        numbers = np.flatnonzero(known != NO_ROW)
        return numbers, known[numbers]

    def release(self, rows: NDArray[np.bool_]) -> None:
        """Take rows back, (N,) bool by row: nobody has them now."""
        for sender, known in list(self._rows.items()):
            mine = known[known != NO_ROW]
            mine = mine[mine < len(rows)]
            gone = mine[rows[mine]]
            if not len(gone):
                continue
            self._taken[gone] = False
            known[np.isin(known, gone)] = NO_ROW
            if (known == NO_ROW).all():
                del self._rows[sender]

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        rows = [row for sender in self._rows for row in self.of(sender)[1].tolist()]
        assert len(set(rows)) == len(rows), "a row is two NPCs'"
        assert set(rows) == set(np.flatnonzero(self._taken).tolist()), "rows are miscounted"

    def _lowest_free(self, count: int) -> Rows:
        free = np.flatnonzero(~self._taken)[:count]
        if len(free) < count:
            self._taken = _grown(self._taken, len(self._taken) + count, False)
            free = np.flatnonzero(~self._taken)[:count]
        return free[free < MAX_NPCS]


def _grown(column: NDArray[T], size: int, fill: int) -> NDArray[T]:
    if size <= (had := len(column)):
        return column
    return np.concatenate([column, np.full(max(size, 2 * had, 64) - had, fill, column.dtype)])
