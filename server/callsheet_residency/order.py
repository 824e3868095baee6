"""Order in which items are loaded and evicted, and an O(N) way to find the first few.

The order is total: by distance; in a tie the item dearest to rebuild per byte counts as nearer;
then the lower row goes first. Distance and cost are folded into one integer key, so that the few
items a plan touches are found by partition, without sorting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.items import Items
from callsheet_residency.state import Tier

__all__ = ["Key", "Order", "ascending"]

FIRST_CHUNK = 32
CHUNK_GROWTH = 4


Key = tuple[float, float]
"""(distance, minus the cost to rebuild per byte)."""


def rank(
    distance_s: NDArray[np.float32], rebuild_s: NDArray[np.float32], size_bytes: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """(N,) uint64 keys, nearer = smaller.

    The bits of non-negative floats, read as integers, order as the floats do: the high half is the
    distance, the low half the inverted rebuild cost per byte.
    """
    per_byte = (rebuild_s / np.maximum(size_bytes, 1)).astype(np.float32)
    near = np.abs(np.maximum(distance_s, np.float32(0.0))).view(np.uint32).astype(np.uint64)
    return (near << np.uint64(32)) | (~per_byte.view(np.uint32)).astype(np.uint64)


def rebuild_s_per_byte(items: Items, row: int) -> float:
    """One row's cost, rounded as ``rank`` rounds it."""
    return float(np.float32(float(items.rebuild_s[row]) / max(int(items.size_bytes[row]), 1)))


class Order:
    """Hands out the rows that may move, alive and not pinned: O(N) a tier, no full sort."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def distance_s(self, row: int) -> float:
        return float(self._items.distance_s[row])

    def key(self, row: int) -> Key:
        """Rank of a row: a smaller key is nearer."""
        return self.distance_s(row), -rebuild_s_per_byte(self._items, row)

    def nearest(self, tier: Tier, horizon_s: float) -> Iterator[int]:
        """Rows of ``tier`` with a distance below ``horizon_s``, nearest first."""
        items = self._items
        near = items.distance_s < horizon_s
        rows = np.flatnonzero((items.tier == tier) & near & ~items.pinned)
        return ascending(rows, self._rank(rows))

    def farthest(self, tier: Tier) -> Iterator[int]:
        """Rows of ``tier``, farthest first."""
        items = self._items
        rows = np.flatnonzero((items.tier == tier) & ~items.pinned)
        return ascending(rows, ~self._rank(rows))

    def _rank(self, rows: NDArray[np.intp]) -> NDArray[np.uint64]:
        items = self._items
        return rank(items.distance_s[rows], items.rebuild_s[rows], items.size_bytes[rows])


def ascending(rows: NDArray[np.intp], keys: NDArray[Any]) -> Iterator[int]:
    """Yield ``rows`` (ascending) by key, then by row; sorts only as much as is asked for."""
    chunk = FIRST_CHUNK
    while len(rows) > chunk:
        bound = np.partition(keys, chunk - 1)[chunk - 1]
        taken = keys < bound
        ties = np.flatnonzero(keys == bound)
        taken[ties[: chunk - np.count_nonzero(taken)]] = True
        yield from _by_key(rows[taken], keys[taken])
        rows, keys = rows[~taken], keys[~taken]
        chunk *= CHUNK_GROWTH
    yield from _by_key(rows, keys)


def _by_key(rows: NDArray[np.intp], keys: NDArray[Any]) -> Sequence[int]:
    ordered: list[int] = rows[np.argsort(keys, kind="stable")].tolist()
    return ordered
