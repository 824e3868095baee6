"""NPCs as arrays indexed by handle: when each is due, where its KV cache is.

Needs numpy only. The same updates in the same order give the same table, so all tensor-parallel
ranks keep equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import Tier
from callsheet_sglang.adapter_use import AdapterUse
from callsheet_sglang.senders import NO_ROW, Senders
from callsheet_sglang.wire import MAX_NPCS, Distances, Residency, npc_of

__all__ = ["NpcTable"]

FIRST_CAPACITY = 64
LEAST_SHARE = 0.25
"""Of a distance, however long an NPC has waited: replays of towns are alike from 0.12 to 0.25."""


class NpcTable:
    """Struct of arrays over handles; all columns have ``capacity`` rows.

    An NPC that was never heard of has its row's initial values: due never, nothing anywhere.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        """The sender's clock, as of the newest update."""
        self.seq = 0
        """Of the newest update, whoever's."""
        self.senders = Senders()
        self._seqs: dict[int, int] = {}
        """Of each sender's newest update."""
        self._leaving: NDArray[np.bool_] = np.zeros(FIRST_CAPACITY, np.bool_)
        """Forgotten rows; they are taken back once they own nothing."""
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
        self.last_call_s: NDArray[np.float64] = np.zeros(FIRST_CAPACITY)
        """Sender's clock at its last call."""
        self.keep_s: NDArray[np.float64] = np.full(FIRST_CAPACITY, np.inf)
        """Distance by which it is decided who goes; see ``_discounted``."""
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
                initial = {"due_s": np.inf, "keep_s": np.inf, "tier": Tier.ABSENT}.get(name, 0)
                more = np.full(rows - len(column), initial, column.dtype)
                setattr(self, name, np.concatenate([column, more]))

    def take(self, update: Distances) -> NDArray[np.intp]:
        """Take in an update; one that is not newer than its sender's last is ignored.

        A full update is never too old: it begins a new sequence. Handles are rows from here on,
        whatever their senders call them.

        Returns:
            (M,) intp, NPCs that own something and are to be forgotten.
        """
        nobody = np.empty(0, np.intp)
        if update.seq <= self._seqs.get(update.sender, 0) and not update.full:
            return nobody
        self.seq = self._seqs[update.sender] = update.seq
        self.now_s = update.now_s
        self.updates += 1
        if not len(update.handles) and not update.full:
            return nobody
        self.epoch += 1
        self._take_back()
        rows = self.senders.rows(update.sender, update.handles.astype(np.intp))
        distance_s = update.distance_s[rows != NO_ROW].astype(np.float64)
        rows = rows[rows != NO_ROW]
        self.reserve(int(rows.max(initial=0)))
        gone = np.zeros(self.capacity, np.bool_)
        if update.full:
            _, mine = self.senders.of(update.sender)
            self.due_s[mine], gone[mine] = np.inf, True
        gone[rows] = np.isnan(distance_s)
        due_s = update.now_s + distance_s
        self.due_s[rows] = np.where(np.isnan(due_s), np.inf, due_s)
        self.keep_s = self._discounted()
        self._leaving[rows] = False
        self._leaving |= gone
        self.adapters.forget(gone)
        return np.flatnonzero(gone & (self.kept_tokens > 0))

    def _take_back(self) -> None:
        """Take the rows back of those who were forgotten and own nothing any more."""
        free = self._leaving & (self.kept_tokens == 0)
        if free.any():
            self._leaving &= ~free
            self.senders.release(free)

    def assign(self, sender: int, adapters: Mapping[int, str | None]) -> None:
        """Take in the adapters that a sender's NPCs use from now on."""
        found = ((self.senders.row(sender, npc), name) for npc, name in adapters.items())
        self.adapters.assign({row: name for row, name in found if row is not None})

    def find(self, session: str | None) -> int | None:
        """The row of the NPC whose ``session_id`` this is; None = nobody's, or it has none."""
        npc = npc_of(session)
        row = None if npc is None else self.senders.find(*npc)
        return row if row is not None and row < self.capacity else None

    def row(self, session: str | None) -> int | None:
        """The row of the NPC whose ``session_id`` this is, given to it now if it has none."""
        npc = npc_of(session)
        row = None if npc is None else self.senders.row(*npc)
        if row is not None:
            self.reserve(row)
        return row

    def distance_s(self) -> NDArray[np.float32]:
        """(capacity,) float32, seconds to the next expected call, >= 0."""
        return np.maximum(self.due_s - self.now_s, 0.0).astype(np.float32)

    def _discounted(self) -> NDArray[np.float64]:
        """(capacity,) float64, distances times the share of its wait that each NPC has ahead of it.

        A distant call is foreseen vaguely. Of two that are equally far, the one who has waited for
        longer since its last call is the likelier to be early. A distance is never made less than
        a quarter: who is near stays nearer.
        """
        distance_s = np.maximum(self.due_s - self.now_s, 0.0)
        waited_s = np.maximum(self.now_s - self.last_call_s, 0.0)
        ahead = np.ones_like(distance_s)
        known = np.isfinite(distance_s) & (waited_s > 0.0)
        np.divide(distance_s, distance_s + waited_s, out=ahead, where=known)
        discounted: NDArray[np.float64] = distance_s * np.maximum(ahead, LEAST_SHARE)
        return discounted

    def used(self, handle: int) -> None:
        """Note that this NPC has just called. It must have a row."""
        self.uses += 1
        self.last_use[handle] = self.uses
        self.last_call_s[handle] = self.now_s
        self.keep_s[handle] = max(self.due_s.item(handle) - self.now_s, 0.0)

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

    def residency(self, since: int, bytes_per_token: int, sender: int = 0) -> Residency:
        """A sender's NPCs whose state changed after ``since``; all if this table is younger."""
        full = since == 0 or since > self.version
        numbers, rows = self.senders.of(sender)
        known = rows < self.capacity
        numbers, rows = numbers[known], rows[known]
        changed = self.changed_at[rows] > (0 if full else since)
        numbers, rows = numbers[changed], rows[changed]
        return Residency(
            version=self.version,
            bytes_per_token=bytes_per_token,
            handles=numbers.astype(np.uint32),
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
