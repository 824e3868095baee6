"""The ``StateStore`` of prefix KV: who may touch which entry, when."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from callsheet_residency.errors import (
    BudgetError,
    ResidencyError,
    StateInUseError,
    StateLostError,
)
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.embedded.arena import KvShape
from callsheet_server.engine.embedded.disk import KvDisk
from callsheet_server.engine.embedded.prefix_entry import PrefixEntry, WorldKey, common_tokens
from callsheet_server.engine.embedded.prefix_tiers import PrefixTiers
from callsheet_server.world.key import NpcKey

__all__ = ["PrefixStore"]


class PrefixStore:
    """Prefix KV per NPC; keys are ``NpcKey``.

    A thread that moves an entry claims it, and copies outside the lock: a slow move holds up only
    those who need the same prefix. The KV of a world's shared prefix lies in the same arena; it is
    built when first needed, never planned for, and lessens ``capacity_bytes(DEVICE)``.
    """

    def __init__(
        self,
        shape: KvShape,
        device: torch.device,
        budgets: Mapping[Tier, int],
        disk: KvDisk,
        build: Callable[[PrefixEntry, Tier], None],
    ) -> None:
        """``build`` prefills an entry and commits it at the tier given; it blocks until done."""
        self.prefill_tokens_per_s = 1000.0
        """Measured by the scheduler; this is the first guess."""
        self.transient_runs = 0
        """Requests whose NPC's prefix found no room on the device."""
        self.published: dict[str, tuple[tuple[str, ...], NDArray[np.float32]]] = {}
        """The latest distances: per world N NPC ids and (N,) float32 seconds; never changed, since
        the model thread reads what the event loop put here."""
        self._build = build
        self._moved: set[Hashable] = set()
        self._entries: dict[Hashable, PrefixEntry] = {}
        self._changed = threading.Condition(threading.RLock())
        self._tiers = PrefixTiers(shape, device, budgets, disk, self._entries, self._changed)

    @property
    def kind(self) -> StateKind:
        return StateKind.PREFIX

    def capacity_bytes(self, tier: Tier) -> int:
        return self._tiers.capacity_bytes(tier)

    def used_bytes(self, tier: Tier) -> int:
        """Bytes that lie in ``tier`` now, spare copies included, shared prefixes not."""
        return self._tiers.used_bytes(tier)

    def items(self, tier: Tier) -> int:
        """NPCs whose tier this is."""
        entries = list(self._entries.values())
        return sum(e.tier is tier and isinstance(e.key, NpcKey) for e in entries)

    def tier(self, key: Hashable) -> Tier:
        entry = self._entries.get(key)
        return Tier.ABSENT if entry is None else entry.tier

    def size_bytes(self, key: Hashable) -> int:
        entry = self._entries.get(key)
        return 0 if entry is None else self._tiers.size_bytes(entry)

    def rebuild_s(self, key: Hashable) -> float:
        entry = self._entries.get(key)
        return math.inf if entry is None else len(entry.prefix) / self.prefill_tokens_per_s

    def backed_up(self, key: Hashable) -> bool:
        entry = self._entries.get(key)
        return entry is not None and entry.tier is Tier.DEVICE and entry.host is not None

    def load(self, key: Hashable, target: Tier) -> int:
        entry = self._known(key)
        if entry.tier is Tier.ABSENT:
            self._tiers.check_room(entry, target)
            self._build(entry, target)
            if entry.tier > target:
                raise BudgetError(f"{target.name.lower()}: the room for {key} was taken meanwhile")
            return self._tiers.size_bytes(entry)
        with self._claimed(entry):
            return self._tiers.move_up(entry, target) if target < entry.tier else 0

    def evict(self, key: Hashable, target: Tier) -> int:
        entry = self._known(key)
        with self._claimed(entry):
            if target <= entry.tier:
                return 0
            if entry.pins and entry.tier is Tier.DEVICE:
                raise StateInUseError(f"{key}: a running request counts on it")
            return self._tiers.move_down(entry, target)

    def drop(self, key: Hashable) -> None:
        entry = self._entries.get(key)
        if entry is None:
            return
        with self._claimed(entry):
            entry.alive = False
            self._tiers.move_down(entry, Tier.ABSENT)
            with self._changed:
                if self._entries.get(key) is entry:
                    del self._entries[key]

    def drop_world(self, world: str) -> None:
        """Forget a world's shared prefixes; its NPCs have been dropped."""
        with self._changed:
            shared = [k for k in self._entries if isinstance(k, WorldKey) and k.world == world]
        for key in shared:
            self.drop(key)

    def take_changes(self) -> set[Hashable]:
        with self._changed:
            moved, self._moved = self._moved, set()
            return moved

    def check_integrity(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not any(e.busy for e in self._entries.values()))
            self._tiers.check_integrity()

    def register(
        self,
        key: NpcKey | WorldKey,
        fingerprint: str,
        prefix: Sequence[int],
        *,
        world: PrefixEntry | None = None,
        adapter: str | None = None,
    ) -> PrefixEntry:
        """Announce a prefix; KV of another fingerprint under the same key is dropped.

        Reads the header of the file an earlier run may have left.
        """
        known = self._entries.get(key)
        if known is not None and known.fingerprint == fingerprint:
            return known
        self.drop(key)
        entry = PrefixEntry(key, fingerprint, tuple(prefix), world, adapter)
        if isinstance(key, NpcKey):
            self._tiers.adopt_file(key, entry)
        with self._changed:
            self._entries[key] = entry
            self._note(entry)
        return entry

    def get(self, key: Hashable) -> PrefixEntry | None:
        return self._entries.get(key)

    def pin(self, entry: PrefixEntry) -> None:
        """Keep ``entry`` from being evicted until ``unpin``."""
        with self._changed:
            entry.pins += 1

    def unpin(self, entry: PrefixEntry) -> None:
        with self._changed:
            entry.pins -= 1

    def fill_row(self, entry: PrefixEntry, row: torch.Tensor, tokens: Sequence[int]) -> int:
        """Copy to its place in ``row`` the KV held of the longest part of ``tokens``.

        Brings the entry to the device on the way; if no room can be made there, copies straight
        from where it lies.

        Returns:
            Tokens copied: 0, or at least ``entry.prefix``.
        """
        with self._claimed(entry):
            if not entry.alive or entry.tier is Tier.ABSENT:
                return 0
            reuse = common_tokens(entry.tokens, tokens)
            if reuse < len(entry.prefix):
                return 0
            try:
                if entry.tier is not Tier.DEVICE and self._room_made(len(entry.tokens)):
                    self._tiers.move_up(entry, Tier.DEVICE)
                    self._note(entry)
                elif entry.tier is not Tier.DEVICE:
                    self.transient_runs += 1
                self._tiers.read_into_row(entry, row, reuse)
            except StateLostError:
                self._note(entry)
                return 0
            return reuse

    def commit(
        self,
        entry: PrefixEntry,
        row: torch.Tensor,
        target: Tier = Tier.DEVICE,
        *,
        make_room: bool,
    ) -> None:
        """Keep at ``target`` the prefix's KV, just computed into ``row``.

        With ``make_room`` the farthest NPCs are evicted if need be; if even that does not help, the
        KV is not kept, which is counted and no error.

        Raises:
            BudgetError: there is no room and ``make_room`` is False.
        """
        with self._claimed(entry):
            if not entry.alive or entry.tier <= target:
                return
            if make_room and not self._room_made(len(entry.prefix)):
                self.transient_runs += isinstance(entry.key, NpcKey)
                return
            self._tiers.place(entry, row, target)
            self._note(entry)

    def keep_conversation(
        self, entry: PrefixEntry, row: torch.Tensor, tokens: Sequence[int]
    ) -> None:
        """Hold the KV of ``tokens``, now in ``row``, if it is resident and free blocks suffice."""
        with self._claimed(entry):
            if not entry.alive or entry.tier is not Tier.DEVICE:
                return
            if common_tokens(entry.prefix, tokens) < len(entry.prefix):
                return
            try:
                self._tiers.extend(entry, row, tuple(tokens))
            except BudgetError:
                return
            self._note(entry)

    def _known(self, key: Hashable) -> PrefixEntry:
        entry = self._entries.get(key)
        if entry is None:
            raise ResidencyError(f"{key}: no such NPC was announced")
        return entry

    def _note(self, entry: PrefixEntry) -> None:
        """Note a change of ``entry`` that the planner did not order."""
        if isinstance(entry.key, NpcKey):
            with self._changed:
                self._moved.add(entry.key)

    @contextmanager
    def _claimed(self, entry: PrefixEntry) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not entry.busy)
            entry.busy = True
        try:
            yield
        finally:
            with self._changed:
                entry.busy = False
                self._changed.notify_all()

    def _room_made(self, tokens: int) -> bool:
        """Evict the farthest unpinned NPCs, then unused shared prefixes, until ``tokens`` fit."""
        arena = self._tiers.arena
        wanted = self._tiers.shape.blocks(tokens)
        if wanted > arena.total_blocks:
            return False
        if arena.free_blocks >= wanted:
            return True
        distance_s: dict[Hashable, float] = {
            NpcKey(world, npc): distance
            for world, (npcs, distances) in list(self.published.items())
            for npc, distance in zip(npcs, distances.tolist(), strict=True)
        }
        while arena.free_blocks < wanted:
            with self._changed:
                candidates = [
                    entry
                    for entry in self._entries.values()
                    if entry.tier is Tier.DEVICE and not entry.pins and not entry.busy
                ]
                if not candidates:
                    return False
                victim = max(
                    candidates,
                    key=lambda e: (isinstance(e.key, NpcKey), distance_s.get(e.key, math.inf)),
                )
            self._park(victim)
        return True

    def _park(self, victim: PrefixEntry) -> None:
        lower = (Tier.HOST, Tier.DISK) if isinstance(victim.key, NpcKey) else ()
        for target in (*lower, Tier.ABSENT):
            try:
                self.evict(victim.key, target)
            except ResidencyError:
                continue
            self._note(victim)
            return
