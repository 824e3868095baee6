"""State of one kind that lies with several models, as one ``StateStore``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Protocol, runtime_checkable

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import StateKind, StateStore, Tier
from callsheet_server.engine.engine import Engine, TierUse

__all__ = ["JoinedStore"]


@runtime_checkable
class CountedStore(StateStore, Protocol):
    """A store that says what it holds."""

    def used_bytes(self, tier: Tier) -> int:
        """Bytes that lie in a tier."""

    def items(self, tier: Tier) -> int:
        """Items whose tier this is."""


class JoinedStore:
    """Passes every call on to the store of the model that a key belongs to.

    What belongs to a model that is not loaded lies on disk or is absent, and stays as it is.
    """

    def __init__(
        self,
        kind: StateKind,
        budgets: Mapping[Tier, int],
        engines: Mapping[str, Engine],
        owner: Callable[[Hashable], str | None],
    ) -> None:
        """Join the stores of a kind.

        Args:
            kind: of the state.
            budgets: bytes per tier, for all models together.
            engines: of the models that are loaded; the caller changes it.
            owner: the model that a key belongs to; None = the key is not known.
        """
        self._kind = kind
        self._budgets = budgets
        self._engines = engines
        self._owner = owner
        self._parked: dict[str, dict[Hashable, int]] = {}
        """Model that is not loaded -> bytes of what lies on disk."""
        self._changes: set[Hashable] = set()

    @property
    def kind(self) -> StateKind:
        return self._kind

    def capacity_bytes(self, tier: Tier) -> int:
        return self._budgets.get(tier, 0)

    def backed_up(self, key: Hashable) -> bool:
        store = self._store(key)
        return store is not None and store.backed_up(key)

    def tier(self, key: Hashable) -> Tier:
        if (store := self._store(key)) is not None:
            return store.tier(key)
        return Tier.DISK if key in self._parked_with(key) else Tier.ABSENT

    def size_bytes(self, key: Hashable) -> int:
        if (store := self._store(key)) is not None:
            return store.size_bytes(key)
        return self._parked_with(key).get(key, 0)

    def rebuild_s(self, key: Hashable) -> float:
        store = self._store(key)
        return 0.0 if store is None else store.rebuild_s(key)

    def load(self, key: Hashable, target: Tier) -> int:
        return self._loaded(key).load(key, target)

    def evict(self, key: Hashable, target: Tier) -> int:
        return self._loaded(key).evict(key, target)

    def drop(self, key: Hashable) -> None:
        if (store := self._store(key)) is not None:
            store.drop(key)

    def take_changes(self) -> set[Hashable]:
        changes, self._changes = self._changes, set()
        return changes.union(*(store.take_changes() for store in self._stores()))

    def check_integrity(self) -> None:
        for store in self._stores():
            store.check_integrity()

    def use(self, tier: Tier) -> TierUse:
        """Bytes and items in a tier, all models together."""
        stores = self._stores()
        parked = [size for sizes in self._parked.values() for size in sizes.values()]
        on_disk = tier is Tier.DISK
        return TierUse(
            kind=self._kind,
            tier=tier,
            used_bytes=sum(s.used_bytes(tier) for s in stores) + on_disk * sum(parked),
            budget_bytes=self.capacity_bytes(tier),
            items=sum(s.items(tier) for s in stores) + on_disk * len(parked),
        )

    def taken_by_others(self, model: str, tier: Tier) -> int:
        """Bytes in a tier that are not those of ``model``."""
        mine = self._engines.get(model)
        own = 0 if mine is None else sum(s.used_bytes(tier) for s in self._of(mine))
        return self.use(tier).used_bytes - own

    def loaded(self, model: str, keys: Iterable[Hashable]) -> None:
        """Note that a model is loaded, and will say itself where its state lies."""
        self._parked.pop(model, None)
        self._changes.update(keys)

    def unloaded(
        self, model: str, on_disk: Mapping[Hashable, int], keys: Iterable[Hashable]
    ) -> None:
        """Note that a model is gone, what it left on disk, and all keys that were its own."""
        self._parked[model] = dict(on_disk)
        self._changes.update(keys)

    def forget(self, key: Hashable) -> None:
        """Forget a key of a model that is not loaded; its file goes when room is wanted."""
        self._parked_with(key).pop(key, None)

    def _stores(self) -> list[CountedStore]:
        return [store for engine in list(self._engines.values()) for store in self._of(engine)]

    def _of(self, engine: Engine) -> list[CountedStore]:
        return [
            store
            for store in engine.stores
            if store.kind is self._kind and isinstance(store, CountedStore)
        ]

    def _store(self, key: Hashable) -> StateStore | None:
        engine = self._engines.get(self._owner(key) or "")
        return None if engine is None else next(iter(self._of(engine)), None)

    def _loaded(self, key: Hashable) -> StateStore:
        store = self._store(key)
        if store is None:
            raise ResidencyError(f"{key}: its model is not loaded")
        return store

    def _parked_with(self, key: Hashable) -> dict[Hashable, int]:
        return self._parked.get(self._owner(key) or "", {})
