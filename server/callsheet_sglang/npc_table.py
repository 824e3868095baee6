"""NPCs as arrays indexed by handle: when each is due, where its KV cache is.

Needs numpy only. The same updates in the same order give the same table, so all tensor-parallel
ranks keep equal ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import Tier
from callsheet_sglang.adapter_use import AdapterUse
from callsheet_sglang.wire import MAX_NPCS, Distances, Residency

__all__ = ["NpcTable"]

FIRST_CAPACITY = 64


class NpcTable:
    """Struct of arrays over handles; all columns have ``capacity`` rows.

    An NPC that was never heard of has its row's initial values: due never, nothing anywhere.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        """The sender's clock, as of the newest update."""
        self.seq = 0
        self.epoch = 0
        """Changes whenever any ``due_s`` does."""
        self.version = 0
        """Changes whenever any row's residency does."""
        self.uses = 0
        self.updates = 0
        """Updates taken in; those that were too old are not counted."""
        self.adapters = AdapterUse()
        self.due_s: NDArray[np.float64] = np.full(FIRST_CAPACITY, np.inf)
        """Sender's clock at the next expected call; +inf = none."""
        self.last_use = np.zeros(FIRST_CAPACITY, np.int64)
        """Rank of its last call among all calls; 0 = never."""
        self.kept_tokens = np.zeros(FIRST_CAPACITY, np.int64)
        """Length of the prefix its next call is expected to begin with; 0 = nothing is known."""
        self.device_tokens = np.zeros(FIRST_CAPACITY, np.int64)
        """Tokens of that prefix on the device, those it shares with others included."""
        self.host_tokens = np.zeros(FIRST_CAPACITY, np.int64)
        """Tokens of that prefix in host memory, copies of those on the device included."""
        self.missing_tokens = np.zeros(FIRST_CAPACITY, np.int64)
        """Tokens of that prefix in host memory only."""
        self.private_tokens = np.zeros(FIRST_CAPACITY, np.int64)
        """Tokens of that prefix on the device that no other NPC shares."""
        self.unbacked_tokens = np.zeros(FIRST_CAPACITY, np.int64)
        """Private tokens without a copy in host memory."""
        self.tier = np.full(FIRST_CAPACITY, Tier.ABSENT, np.int8)
        self.changed_at = np.zeros(FIRST_CAPACITY, np.int64)
        """``version`` at the last change of the row's residency; 0 = never changed."""

    @property
    def capacity(self) -> int:
        """Rows there are; handles from here on were never heard of."""
        return len(self.due_s)

    def reserve(self, handle: int) -> None:
        """Make sure that ``handle`` has a row."""
        if handle < self.capacity:
            return
        assert handle < MAX_NPCS, handle
        rows = max(handle + 1, 2 * self.capacity)
        for name, column in list(vars(self).items()):
            if isinstance(column, np.ndarray):
                initial = {"due_s": np.inf, "tier": Tier.ABSENT}.get(name, 0)
                more = np.full(rows - len(column), initial, column.dtype)
                setattr(self, name, np.concatenate([column, more]))

    def take(self, update: Distances) -> NDArray[np.intp]:
        """Take in an update; one that is not newer than the last is ignored.

        A full update is never too old: it begins a new sequence.

        Returns:
            (M,) intp, NPCs that own something and are to be forgotten.
        """
        nobody = np.empty(0, np.intp)
        if update.seq <= self.seq and not update.full:
            return nobody
        self.seq, self.now_s = update.seq, update.now_s
        self.updates += 1
        if not len(update.handles) and not update.full:
            return nobody
        self.epoch += 1
        handles = update.handles.astype(np.intp)
        self.reserve(int(handles.max(initial=0)))
        gone = np.full(self.capacity, update.full)
        if update.full:
            self.due_s.fill(np.inf)
        gone[handles] = np.isnan(update.distance_s)
        due_s = update.now_s + update.distance_s.astype(np.float64)
        self.due_s[handles] = np.where(np.isnan(due_s), np.inf, due_s)
        self.adapters.forget(gone)
        return np.flatnonzero(gone & (self.kept_tokens > 0))

    def distance_s(self) -> NDArray[np.float32]:
        """(capacity,) float32, seconds to the next expected call, >= 0."""
        return np.maximum(self.due_s - self.now_s, 0.0).astype(np.float32)

    def used(self, handle: int) -> None:
        """Note that this NPC has just called. It must have a row."""
        self.uses += 1
        self.last_use[handle] = self.uses

    def set_residency(self, handle: int, **columns: int) -> None:
        """Write what was measured of one NPC; ``tier`` follows. It must have a row."""
        changed = False
        for name, value in columns.items():
            column: NDArray[Any] = getattr(self, name)
            if column[handle] != value:
                column[handle] = value
                changed = True
        if changed:
            self.version += 1
            self.changed_at[handle] = self.version
            self.tier[handle] = self._tier(handle)

    def residency(self, since: int, bytes_per_token: int) -> Residency:
        """NPCs whose state changed after version ``since``; all if this table is younger."""
        full = since == 0 or since > self.version
        rows = np.flatnonzero(self.changed_at > (0 if full else since))
        return Residency(
            version=self.version,
            bytes_per_token=bytes_per_token,
            handles=rows.astype(np.uint32),
            tier=self.tier[rows].astype(np.uint8),
            device_tokens=self.device_tokens[rows].astype(np.uint32),
            host_tokens=self.host_tokens[rows].astype(np.uint32),
            full=full,
        )

    def _tier(self, handle: int) -> Tier:
        kept = int(self.kept_tokens[handle])
        on_device = int(self.device_tokens[handle])
        if kept == 0 or on_device + int(self.missing_tokens[handle]) < kept:
            return Tier.ABSENT
        return Tier.DEVICE if on_device >= kept else Tier.HOST
