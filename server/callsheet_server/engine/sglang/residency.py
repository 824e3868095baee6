"""Places of the NPCs' prefixes in SGLang, as its plugin reports them."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from callsheet_residency.actions import Evict, Load
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.engine import DoneMove
from callsheet_server.engine.sglang.cast import Cast
from callsheet_server.world.key import NpcKey
from callsheet_sglang.wire import Residency

__all__ = ["ResidencyMirror"]

GROWTH = 64


class ResidencyMirror:
    """A ``StateView`` of prefixes, as old as the last report. Arrays are (capacity,), by handle."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.version = 0
        """Of the state held here: what to ask for changes since."""
        self.bytes_per_token = 0
        """0 = no report yet."""
        self.prefill_tokens_per_s = 0.0
        """0 = not measured yet."""
        self.tiers = np.full(0, Tier.ABSENT, np.uint8)
        self._tokens = np.zeros(0, np.int64)

    def clear(self) -> None:
        """Forget all that SGLang held: it is gone."""
        self.version = 0
        self.tiers[:] = Tier.ABSENT
        self._tokens[:] = 0

    def forget(self, handle: int) -> None:
        """Forget a handle that nobody has any more."""
        if handle < len(self.tiers):
            self.tiers[handle], self._tokens[handle] = Tier.ABSENT, 0

    def apply(self, report: Residency) -> list[DoneMove]:
        """Take a report in; return the moves that must have led to it."""
        if len(report.handles):
            self._reserve(int(report.handles.max()) + 1)
        before = self.tiers.copy()
        if report.full:
            self.tiers[:] = Tier.ABSENT
        self.tiers[report.handles] = report.tier
        tokens = np.maximum(report.device_tokens, report.host_tokens)
        self._tokens[report.handles] = tokens
        self.version, self.bytes_per_token = report.version, report.bytes_per_token
        moves = []
        for handle in np.flatnonzero(before != self.tiers).tolist():
            key = self._cast.handles.key(handle)
            if key is not None:
                moves.append(self._move(key, Tier(before[handle]), Tier(self.tiers[handle])))
        return moves

    def items(self, tier: Tier) -> int:
        """Count the NPCs that have their prefix there."""
        return int(np.count_nonzero(self.tiers == tier))

    def tier(self, key: Hashable) -> Tier:
        handle = self._handle(key)
        return Tier(self.tiers[handle]) if handle is not None else Tier.ABSENT

    def size_bytes(self, key: Hashable) -> int:
        return self._prefix_tokens(key) * self.bytes_per_token

    def rebuild_s(self, key: Hashable) -> float:
        rate = self.prefill_tokens_per_s
        return self._prefix_tokens(key) / rate if rate else 0.0

    def _prefix_tokens(self, key: Hashable) -> int:
        """As many as are held, or would be if it were built."""
        handle = self._handle(key)
        if handle is not None and self._tokens[handle]:
            return int(self._tokens[handle])
        assert isinstance(key, NpcKey)
        return len(self._cast.prefix(key) or ())

    def _handle(self, key: Hashable) -> int | None:
        assert isinstance(key, NpcKey)
        handle = self._cast.handles.get(key)
        return handle if handle is not None and handle < len(self.tiers) else None

    def _move(self, key: NpcKey, source: Tier, target: Tier) -> DoneMove:
        size_bytes = self.size_bytes(key)
        kind = Load if target < source else Evict
        action = kind(StateKind.PREFIX, key, source, target, size_bytes, "seen in SGLang")
        return DoneMove(action, size_bytes, 0.0, None)

    def _reserve(self, capacity: int) -> None:
        if capacity > (had := len(self.tiers)):
            room = max(capacity, 2 * had, GROWTH) - had
            self.tiers = np.pad(self.tiers, (0, room), constant_values=Tier.ABSENT)
            self._tokens = np.pad(self._tokens, (0, room))
