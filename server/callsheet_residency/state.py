"""The words of residency: tiers, kinds of state, the one interface all state moves through."""

from __future__ import annotations

from collections.abc import Hashable
from enum import IntEnum, StrEnum
from typing import Protocol, runtime_checkable

__all__ = ["StateKind", "StateStore", "StateView", "Tier"]


class Tier(IntEnum):
    """Places for a piece of state, nearest to the model first."""

    DEVICE = 0
    HOST = 1
    DISK = 2
    ABSENT = 3
    """Nowhere: it can be rebuilt (a prefix is prefilled again), or was never built."""


class StateKind(StrEnum):
    """Kinds of state."""

    PREFIX = "prefix"
    """The KV cache of an NPC's persona and memory; key = ``NpcKey``."""
    ADAPTER = "adapter"
    """LoRA weights, shared by the NPCs that name them; key = adapter id."""
    WEIGHTS = "weights"
    """Whole model weights; key = model id."""
    BLOB = "blob"
    """Anything a user keeps per NPC; key = ``NpcKey``."""


class StateView(Protocol):
    """Read-only view of one kind of per-NPC state and the tiers it lies in."""

    def tier(self, key: Hashable) -> Tier:
        """Return the tier of ``key``; ``ABSENT`` for a key that was never seen."""

    def size_bytes(self, key: Hashable) -> int:
        """Return the bytes ``key`` takes in any tier, or would take once built; 0 = not known."""

    def rebuild_s(self, key: Hashable) -> float:
        """Seconds it would take to build ``key`` from nothing; +inf = it cannot be rebuilt."""


@runtime_checkable
class StateStore(StateView, Protocol):
    """One kind of per-NPC state that can be moved between tiers.

    The planner decides, the mover calls. Every method blocks until it is done. ``load``, ``evict``
    and ``drop`` are called from the mover's thread, one call at a time; the rest must be cheap and
    may be called from any thread: a store locks for itself. State lives in exactly one tier at a
    time, except that a store may keep a copy on ``HOST`` of what it holds on ``DEVICE`` and say so
    in ``backed_up``; such a copy counts against the host budget and makes a later eviction free.
    """

    @property
    def kind(self) -> StateKind: ...

    def capacity_bytes(self, tier: Tier) -> int:
        """The budget of ``tier``; 0 = the tier is not used."""

    def backed_up(self, key: Hashable) -> bool:
        """True if ``key`` is on ``DEVICE`` and a valid copy of it lies on ``HOST``."""

    def load(self, key: Hashable, target: Tier) -> int:
        """Move ``key`` up to ``target``, building it if it is absent; return the bytes moved.

        Raises:
            BudgetError: ``target`` has no room; nothing has changed.
            StateLostError: the state was there and could not be read; it is ``ABSENT`` now.
        """

    def evict(self, key: Hashable, target: Tier) -> int:
        """Move ``key`` down to ``target`` (``ABSENT`` = drop it); return the bytes moved.

        Raises:
            BudgetError: ``target`` has no room; nothing has changed.
            StateInUseError: a running request counts on it; nothing has changed.
        """

    def drop(self, key: Hashable) -> None:
        """Forget ``key`` in every tier. Unknown keys are ignored."""

    def take_changes(self) -> set[Hashable]:
        """Keys whose tier, size or cost changed since the last call in another way than by the
        methods above, for instance because the engine loaded what a caller could not wait for.
        """

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
