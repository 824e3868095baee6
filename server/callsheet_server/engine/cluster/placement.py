"""Homes of NPCs: which replica speaks as whom. Pure: arrays in, arrays out; no I/O, no clock.

An NPC stays where it is. A new one goes to the replica it wants most (rendezvous hashing) of those
whose load is below the bound. One with an adapter may only be where the adapter has a home; an
adapter gets another home when all of its homes are full, on a replica with a free adapter slot and
the least load. Load is counted in NPCs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet_server.engine.cluster.hashing import hash_of, scores

__all__ = ["BOUND", "NOWHERE", "Placement"]

BOUND: Final = 1.25
"""Most load of a replica, as a multiple of the mean. Of two workers a 3:1 split already costs half
of the second one; 1.25 keeps four in five NPCs at their first choice."""
LEAST_BOUND: Final = 16
"""NPCs with adapters that a replica is given in any case: so few are no reason for another home."""
NOWHERE: Final = -1
NO_ADAPTER: Final = 0
CHUNK: Final = 65_536
"""Rows whose scores are computed at a time."""

Rows = NDArray[np.intp]


class Placement:
    """Homes of NPCs, by row; rows are the caller's. N replicas, A adapters known so far."""

    def __init__(self, names: Sequence[str], slots: int) -> None:
        """Begin with nobody.

        Args:
            names: of the replicas; they alone decide who wants to be where.
            slots: adapters that a replica holds on its device.
        """
        self._replicas = np.array([hash_of(name) for name in names], np.uint64)
        self._slots = slots
        self.open = np.ones(len(names), np.bool_)
        """(N,) bool: takes new NPCs; False = lost or draining."""
        self.home = np.full(0, NOWHERE, np.int16)
        """(capacity,) int16, by row: index of the replica; ``NOWHERE`` = the row is nobody's."""
        self._keys = np.zeros(0, np.uint64)
        self._adapter_of = np.zeros(0, np.int32)
        self._adapters: dict[str | None, int] = {None: NO_ADAPTER}
        self._adapter_hash = np.zeros(1, np.uint64)
        self.shares = np.zeros((1, len(names)), np.int64)
        """(A + 1, N) int64: NPCs of an adapter on a replica; row 0 = those without one."""

    @property
    def load(self) -> NDArray[np.int64]:
        """(N,) int64: NPCs at home on each replica."""
        load: NDArray[np.int64] = self.shares.sum(axis=0)
        return load

    @property
    def adapters_at(self) -> NDArray[np.int64]:
        """(N,) int64: adapters that have a home on each replica."""
        adapters: NDArray[np.int64] = np.count_nonzero(self.shares[1:], axis=0)
        return adapters

    def bound(self, more: int = 0) -> int:
        """Most NPCs that an open replica is given, if ``more`` come."""
        total = int(self.shares.sum()) + more
        return math.ceil(BOUND * total / (int(self.open.sum()) or len(self.open)))

    # --- coming, going -----------------------------------------------------------------------

    def add(self, rows: Rows, keys: NDArray[np.uint64], adapter: str | None) -> NDArray[np.int16]:
        """Give homes to newcomers of one adapter.

        Args:
            rows: (K,) intp, nobody's so far.
            keys: (K,) uint64, a hash of each NPC that never changes.
            adapter: their adapter; None = the base model.

        Returns:
            (K,) int16 indices of replicas. If none is open, all are taken for open.
        """
        self._reserve(int(rows.max()) + 1 if len(rows) else 0)
        assert (self.home[rows] == NOWHERE).all(), "a row that is somebody's is added"
        self._keys[rows] = keys
        self._adapter_of[rows] = self._adapter_number(adapter)
        self._place(rows, self._adapter_of[rows[0]] if len(rows) else NO_ADAPTER)
        return self.home[rows]

    def remove(self, rows: Rows) -> None:
        """Take out those who are gone."""
        np.subtract.at(self.shares, (self._adapter_of[rows], self.home[rows]), 1)
        self.home[rows] = NOWHERE

    def move(self, rows: Rows, targets: NDArray[np.int16]) -> None:
        """Note that these have a new home."""
        np.subtract.at(self.shares, (self._adapter_of[rows], self.home[rows]), 1)
        self.home[rows] = targets
        np.add.at(self.shares, (self._adapter_of[rows], targets), 1)

    def at(self, replica: int) -> Rows:
        """(K,) intp: rows at home on a replica."""
        return np.flatnonzero(self.home == replica)

    def elsewhere(self, rows: Rows) -> NDArray[np.int16]:
        """(K,) int16: where these would be at home if they came now. Nothing is changed."""
        return self._copy().rehome(rows)

    def rehome(self, rows: Rows) -> NDArray[np.int16]:
        """Give these a new home on an open replica, whatever theirs was; return the homes."""
        adapters = self._adapter_of[rows]
        self.remove(rows)
        for adapter in np.unique(adapters):
            self._place(rows[adapters == adapter], int(adapter))
        return self.home[rows]

    # --- moving ahead of need ----------------------------------------------------------------

    def wanted_moves(self, may_move: Rows, most: int) -> tuple[Rows, NDArray[np.int16]]:
        """Find moves that bring the cluster nearer to where everybody should be.

        First those on a closed replica (it drains), then those who would rather be on another one
        that has room, or are on one above the bound. Nothing is changed.

        Args:
            may_move: (K,) intp rows that nobody would miss now, in the order to take them.
            most: moves at most.

        Returns:
            rows and their new homes, equally long.
        """
        homes = self.home[may_move]
        closed = may_move[~self.open[homes]][:most]
        if not self.open.any():
            return may_move[:0], homes[:0]
        trial = self._copy()
        found, targets = [closed], [trial.rehome(closed)]
        left = most - len(closed)
        if left > 0:
            rows, there = trial._homeward(may_move[self.open[homes]], left)
            found.append(rows)
            targets.append(there)
        return np.concatenate(found), np.concatenate(targets)

    def _homeward(self, rows: Rows, most: int) -> tuple[Rows, NDArray[np.int16]]:
        """Moves between open replicas: to the first choice while it is below the mean."""
        load = self.load
        mean = load[self.open].mean()
        plain = rows[self._adapter_of[rows] == NO_ADAPTER]
        first = self._choices(plain, self.open).argmax(axis=1).astype(np.int16)
        away = first != self.home[plain]
        found, targets = plain[away], first[away]
        room = np.maximum(0, np.ceil(mean) - load).astype(np.int64)
        fits = _first_of_each(targets, room)
        found, targets = found[fits][:most], targets[fits][:most]
        if len(found) or self.open.sum() < 2:
            return found, targets
        found, targets = self._merge(rows, most)
        return (found, targets) if len(found) else self._regroup(rows, most)

    def _merge(self, rows: Rows, most: int) -> tuple[Rows, NDArray[np.int16]]:
        """Give up the smallest share on a replica with more adapters than slots.

        It must fit with another home of its adapter, or in a free slot.
        """
        room = np.where(self.open, self.bound() - self.load, 0)
        free = self.adapters_at < self._slots
        for giver in np.flatnonzero(self.open & (self.adapters_at > self._slots)).tolist():
            shares = self.shares[:, giver]
            for adapter in np.argsort(shares, kind="stable").tolist():
                if adapter == NO_ADAPTER or not shares[adapter]:
                    continue
                other = (room >= shares[adapter]) & (free | (self.shares[adapter] > 0))
                other[giver] = False
                if other.any():
                    taker = int(np.where(other, self.shares[adapter], -1).argmax())
                    return self._some(rows, giver, adapter, taker, most)
        return rows[:0], self.home[rows[:0]]

    def _some(
        self, rows: Rows, giver: int, adapter: int, taker: int, most: int
    ) -> tuple[Rows, NDArray[np.int16]]:
        of_adapter = self._adapter_of[rows] == adapter
        chosen = rows[(self.home[rows] == giver) & of_adapter][:most]
        return chosen, np.full(len(chosen), taker, np.int16)

    def _regroup(self, rows: Rows, most: int) -> tuple[Rows, NDArray[np.int16]]:
        """Move NPCs of one adapter from the fullest replica to the emptiest, if it is over."""
        load = np.where(self.open, self.load, -1)
        giver = int(load.argmax())
        taker = int(np.where(self.open, self.load, load.max() + 1).argmin())
        gap = int(load[giver] - load[taker])
        none = rows[:0], self.home[rows[:0]]
        if load[giver] <= self.bound():
            return none
        shares, there = self.shares[:, giver].copy(), self.shares[:, taker] > 0
        shares[NO_ADAPTER] = 0
        whole = np.where(shares <= gap // 2, shares, 0)
        for choice in (
            (whole * there, whole, shares) if self._has_slot(taker) else (shares * there,)
        ):
            if choice.any():
                return self._some(rows, giver, int(choice.argmax()), taker, min(most, gap // 2))
        return none

    def _has_slot(self, replica: int) -> bool:
        return bool(self.adapters_at[replica] < self._slots)

    # --- choosing ----------------------------------------------------------------------------

    def _place(self, rows: Rows, adapter: int) -> None:
        """Give homes to rows of one adapter that have none."""
        allowed = self.open if self.open.any() else np.ones_like(self.open)
        bound = self.bound(len(rows))
        if adapter != NO_ADAPTER:
            bound = max(bound, LEAST_BOUND)
        while len(rows):
            room = np.where(allowed, np.maximum(0, bound - self.load), 0)
            roomy = room > 0
            if adapter != NO_ADAPTER:
                homes = roomy & (self.shares[adapter] > 0)
                if not homes.any():
                    homes[self._new_home(adapter, roomy)] = True
                roomy = homes
            rows = self._settle(rows, roomy, np.where(roomy, room, 0))

    def _settle(self, rows: Rows, roomy: NDArray[np.bool_], room: NDArray[np.int64]) -> Rows:
        """Send each row to its best roomy replica until that is full; return those left over."""
        left = []
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            best = self._choices(part, roomy).argmax(axis=1).astype(np.int16)
            fits = _first_of_each(best, room)
            self.home[part[fits]] = best[fits]
            counts = np.bincount(best[fits], minlength=len(room))
            np.add.at(self.shares, (self._adapter_of[part[fits]], best[fits]), 1)
            room = room - counts
            left.append(part[~fits])
        return np.concatenate(left) if left else rows

    def _new_home(self, adapter: int, roomy: NDArray[np.bool_]) -> int:
        """Choose another replica for an adapter: a free slot, then the least load, then hashing."""
        over = np.maximum(0, self.adapters_at + 1 - self._slots)
        wanted = scores(self._adapter_hash[adapter : adapter + 1], self._replicas)[0]
        return int(np.lexsort((~wanted, self.load, over, ~roomy))[0])

    def _choices(self, rows: Rows, roomy: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """(K, N) uint64: how much each row wants each replica; 0 = it may not be there."""
        wanted = scores(self._keys[rows], self._replicas) | np.uint64(1)
        return np.where(roomy, wanted, np.uint64(0))

    # --- books -------------------------------------------------------------------------------

    def _adapter_number(self, adapter: str | None) -> int:
        number = self._adapters.setdefault(adapter, len(self._adapters))
        if number == len(self.shares):
            self._adapter_hash = np.append(self._adapter_hash, np.uint64(hash_of(adapter or "")))
            self.shares = np.pad(self.shares, ((0, 1), (0, 0)))
        return number

    def _reserve(self, capacity: int) -> None:
        if capacity > (had := len(self.home)):
            room = (0, max(capacity, 2 * had, 64) - had)
            self.home = np.pad(self.home, room, constant_values=NOWHERE)
            self._keys = np.pad(self._keys, room)
            self._adapter_of = np.pad(self._adapter_of, room)

    def _copy(self) -> Placement:
        trial = copy.copy(self)
        trial.home, trial.shares = self.home.copy(), self.shares.copy()
        return trial

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        rows = np.flatnonzero(self.home != NOWHERE)
        counted = np.zeros_like(self.shares)
        np.add.at(counted, (self._adapter_of[rows], self.home[rows]), 1)
        assert (counted == self.shares).all(), "shares and homes differ"


def _first_of_each(targets: NDArray[np.int16], room: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(K,) bool: the rows that fit, of those that go to a target the first ``room[target]``."""
    order = np.argsort(targets, kind="stable")
    starts = np.searchsorted(targets[order], np.arange(len(room)))
    rank = np.arange(len(targets)) - starts[targets[order]]
    fits = np.zeros(len(targets), np.bool_)
    fits[order] = rank < room[targets[order]]
    return fits
