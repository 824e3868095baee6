"""Ledger of one store's items and their tiers, as the arrays the planner reads."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.actions import Action
from callsheet_residency.items import Items
from callsheet_residency.state import StateStore, Tier

__all__ = ["Ledger"]

GROWTH = 1024
"""Rows added when all are taken."""

Scalar = TypeVar("Scalar", bound=np.generic)


class Ledger:
    """The planner's view of one ``StateStore``; not thread-safe.

    Rows are handed out per key, kept until ``untrack`` and then reused. ``used_bytes`` counts what
    is stored plus what is reserved: a move in flight takes room at both ends, from ``begin``
    (target reserved) to ``finish`` (source released).
    """

    def __init__(self, store: StateStore) -> None:
        self.store = store
        self.keys: list[Hashable] = []
        """(M,) by row; None = a free row."""
        self.row_of: dict[Hashable, int] = {}
        self.used_bytes = [0, 0, 0]
        """Of device, host and disk; reservations and host copies of device items included."""
        self.distance_s: NDArray[np.float32] = np.full(0, np.inf, np.float32)
        """(M,) float32, written by the controller."""
        self._size_bytes: NDArray[np.int64] = np.zeros(0, np.int64)
        self._tier: NDArray[np.int8] = np.full(0, Tier.ABSENT, np.int8)
        self._rebuild_s: NDArray[np.float32] = np.zeros(0, np.float32)
        self._backed_up: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._pins: NDArray[np.int32] = np.zeros(0, np.int32)
        """(M,) int32: a free row and a moving item have one pin, a user of an item one each."""
        self._free_rows: list[int] = []
        self._moving: dict[int, tuple[Action, Tier | None]] = {}
        """By row: the move in flight and the tier in which it has room reserved."""

    def items(self) -> Items:
        """The planner's input; views of the ledger, valid until it next changes."""
        return Items(
            kind=self.store.kind,
            keys=self.keys,
            distance_s=self.distance_s,
            size_bytes=self._size_bytes,
            tier=self._tier,
            pinned=self._pins > 0,
            rebuild_s=self._rebuild_s,
            backed_up=self._backed_up,
        )

    def track(self, key: Hashable) -> int:
        """Start planning for ``key``, wherever it is; return its row. Known keys keep theirs."""
        if key in self.row_of:
            return self.row_of[key]
        if not self._free_rows:
            self._grow()
        row = self._free_rows.pop()
        self.keys[row] = key
        self.row_of[key] = row
        self._pins[row] = 0
        self.distance_s[row] = np.inf
        self._read(row)
        return row

    def untrack(self, key: Hashable) -> None:
        """Stop planning for ``key``. Unknown keys are ignored, as is the end of its move."""
        row = self.row_of.pop(key, None)
        if row is None:
            return
        if row in self._moving:
            self._release(row)
        self._forget(row)
        self.keys[row] = None
        self._pins[row] = 1
        self._tier[row] = Tier.ABSENT
        self._free_rows.append(row)

    def refresh(self, key: Hashable) -> None:
        """Read size, place and cost again after the store changed on its own. Not while moving."""
        row = self.row_of.get(key)
        if row is not None and row not in self._moving:
            self._forget(row)
            self._read(row)

    def pin(self, key: Hashable) -> None:
        """Keep ``key`` where it is until as many ``unpin`` calls. Unknown keys are ignored."""
        if (row := self.row_of.get(key)) is not None:
            self._pins[row] += 1

    def unpin(self, key: Hashable) -> None:
        """Undo one ``pin``. Unknown keys are ignored."""
        row = self.row_of.get(key)
        if row is not None and self._pins[row] > (row in self._moving):
            self._pins[row] -= 1

    def begin(self, action: Action) -> None:
        """Reserve the target of a move that is about to be carried out."""
        row = self.row_of.get(action.key)
        if row is None or row in self._moving:
            return
        tier = None if action.target is Tier.ABSENT else action.target
        if tier is Tier.HOST and self._backed_up[row]:
            tier = None  # The copy there becomes the item.
        if tier is not None:
            self.used_bytes[tier] += action.size_bytes
        self._moving[row] = (action, tier)
        self._pins[row] += 1

    def finish(self, action: Action) -> None:
        """Release what a move held that has ended, well or not; read where the item is now."""
        row = self.row_of.get(action.key)
        if row is None or row not in self._moving or self._moving[row][0] != action:
            return
        self._release(row)
        self._pins[row] -= 1
        self._forget(row)
        self._read(row)

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming what does not agree; also asks the store to check itself.

        Items that move are not compared with the store, whose mover is changing them. An engine
        that builds or extends state by itself must be quiet, and ``refresh`` have been called.
        """
        store = self.store
        used = [0, 0, 0]
        for row, key in enumerate(self.keys):
            if key is None:
                assert self._pins[row] == 1, f"free row {row} is not pinned"
                continue
            assert self.row_of.get(key) == row, f"{key} is not on row {row}"
            tier, size = Tier(int(self._tier[row])), int(self._size_bytes[row])
            if tier is not Tier.ABSENT:
                used[tier] += size
            if self._backed_up[row]:
                assert tier is Tier.DEVICE, f"{key} is backed up but on {tier.name}"
                used[Tier.HOST] += size
            if row not in self._moving:
                assert store.tier(key) is tier, (
                    f"{key} is on {store.tier(key).name}, not {tier.name}"
                )
                assert store.size_bytes(key) == size, f"{key} is not of {size} bytes"
        for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK):
            capacity = store.capacity_bytes(tier)
            assert used[tier] <= capacity, f"{tier.name} holds {used[tier]} of {capacity} bytes"
        for action, reserved in self._moving.values():
            if reserved is not None:
                used[reserved] += action.size_bytes
        assert used == self.used_bytes, (
            f"counted {used} bytes used, the ledger says {self.used_bytes}"
        )
        assert len(self.row_of) + len(self._free_rows) == len(self.keys), "rows were lost"
        store.check_integrity()

    def _read(self, row: int) -> None:
        key, store = self.keys[row], self.store
        self._size_bytes[row] = store.size_bytes(key)
        self._tier[row] = store.tier(key)
        self._rebuild_s[row] = store.rebuild_s(key)
        self._backed_up[row] = store.backed_up(key)
        self._count(row, 1)

    def _forget(self, row: int) -> None:
        self._count(row, -1)
        self._backed_up[row] = False

    def _count(self, row: int, sign: int) -> None:
        size, tier = int(self._size_bytes[row]), int(self._tier[row])
        if tier != Tier.ABSENT:
            self.used_bytes[tier] += sign * size
        if self._backed_up[row]:
            self.used_bytes[Tier.HOST] += sign * size

    def _release(self, row: int) -> None:
        action, tier = self._moving.pop(row)
        if tier is not None:
            self.used_bytes[tier] -= action.size_bytes

    def _grow(self) -> None:
        rows = len(self.keys)
        self.keys.extend([None] * GROWTH)
        self._free_rows.extend(range(rows + GROWTH - 1, rows - 1, -1))
        self.distance_s = _longer(self.distance_s, np.float32(np.inf))
        self._size_bytes = _longer(self._size_bytes, np.int64(0))
        self._tier = _longer(self._tier, np.int8(Tier.ABSENT))
        self._rebuild_s = _longer(self._rebuild_s, np.float32(0))
        self._backed_up = _longer(self._backed_up, np.bool_(False))
        self._pins = _longer(self._pins, np.int32(1))


def _longer(array: NDArray[Scalar], fill: Scalar) -> NDArray[Scalar]:
    return np.concatenate([array, np.full(GROWTH, fill)])
