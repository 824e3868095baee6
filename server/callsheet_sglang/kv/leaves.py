"""Eviction order of the leaves of one tier: those nobody needs, then the farthest NPC's.

The order is kept between evictions. Distances change all at once, by messages: then the leaves are
ranked anew, vectorised, and only as far as victims are asked for. Between messages a leaf that
comes or goes costs O(log n). Leaves that nobody owns go first, least recently used first; of
equally distant NPCs the one whose last call is longest ago; a shared leaf goes with the nearest of
its owners, after leaves of one owner.

Needs neither sglang nor torch.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Set
from typing import Any

import numpy as np

from callsheet_residency.order import ascending
from callsheet_sglang.guard import Guard
from callsheet_sglang.kv.ownership import Node
from callsheet_sglang.npc_table import NpcTable

__all__ = ["LeafOrder", "LeafSet"]

UNOWNED = -1
SHARED = -2
Key = tuple[float, int, int, int]
"""Minus the distance, owners, rank of the last use, node id: the smallest is evicted first."""


class LeafSet(set[Node]):
    """SGLang's set of a tier's evictable leaves, which tells the order of what comes and goes.

    SGLang changes it by ``add`` and ``discard`` only. Whatever the order does, the set is right.
    """

    def __init__(self, order: LeafOrder, guard: Guard) -> None:
        super().__init__()
        self._order = order
        self._guard = guard

    def add(self, leaf: Node) -> None:
        if leaf in self:
            return
        super().add(leaf)
        try:
            self._order.enter(leaf)
        except Exception:
            self._order.distrust()
            self._guard.catch("leaf order")

    def discard(self, leaf: Any) -> None:
        if leaf not in self:
            return
        super().discard(leaf)
        try:
            self._order.leave(leaf)
        except Exception:
            self._order.distrust()
            self._guard.catch("leaf order")


class LeafOrder:
    """Hands out the leaves of one tier, those to be evicted first first."""

    def __init__(self, table: NpcTable, owners: Callable[[Node], Set[int]]) -> None:
        self.unowned_tokens = 0
        """Tokens in leaves that nobody owns, and above them in what becomes such leaves next."""
        self._table = table
        self._owners = owners
        self.clear()

    def clear(self) -> None:
        """Start without leaves."""
        self._leaves: dict[int, tuple[Node, int, int]] = {}
        """By node id: the leaf, its owner (or ``UNOWNED``, ``SHARED``), its ``unowned_tokens``."""
        self._leaf_of: dict[int, Node] = {}
        """By handle: an NPC's own leaf. It has one at most, as what it owns is one path, but while
        the path grows or shrinks the next one is there before the last one goes."""
        self._has_leaf = np.zeros(self._table.capacity, np.bool_)
        self._shared: dict[int, Node] = {}
        self._unowned: list[tuple[float, int]] = []
        self._arrived: list[Key] = []
        self._ranked: Iterator[Key] = iter(())
        self._next: Key | None = None
        self._epoch = -1
        """Epoch of the table when ``_ranked`` was made."""
        self._taken: dict[int, Node] = {}
        self._trusted = True
        self.unowned_tokens = 0

    def enter(self, leaf: Node) -> None:
        """A leaf has come to be evictable."""
        owners, tokens = self._owners(leaf), 0
        if not owners:
            owner, tokens = UNOWNED, self._unowned_chain_tokens(leaf)
            self.unowned_tokens += tokens
            heapq.heappush(self._unowned, (leaf.last_access_time, leaf.id))
        elif len(owners) == 1:
            (owner,) = owners
            self._leaf_of[owner] = leaf
            if owner >= len(self._has_leaf):
                more = np.zeros(self._table.capacity - len(self._has_leaf), np.bool_)
                self._has_leaf = np.concatenate([self._has_leaf, more])
            self._has_leaf[owner] = True
        else:
            owner = SHARED
            self._shared[leaf.id] = leaf
        self._leaves[leaf.id] = leaf, owner, tokens
        if owner != UNOWNED and self._epoch == self._table.epoch:
            heapq.heappush(self._arrived, self._key(leaf))
        self._compact()

    def leave(self, leaf: Node) -> None:
        """A leaf is evictable no more."""
        _, owner, tokens = self._leaves.pop(leaf.id)
        if owner == UNOWNED:
            self.unowned_tokens -= tokens
        elif owner == SHARED:
            del self._shared[leaf.id]
        elif self._leaf_of.get(owner) is leaf:
            del self._leaf_of[owner]
            self._has_leaf[owner] = False

    def regrade(self, node: Node) -> None:
        """The owners of a node have changed; it need not be a leaf."""
        if node.id in self._leaves:
            self.leave(node)
            self.enter(node)

    def distrust(self) -> None:
        """Something went wrong in here: start anew from the leaves there are, at the next walk."""
        self._trusted = False

    def begin(self, leaves: Set[Node]) -> None:
        """Begin a walk over ``leaves``, the tier's evictable ones."""
        if not self._trusted:
            self.clear()
            for leaf in sorted(leaves, key=lambda leaf: leaf.id):
                self.enter(leaf)
        if self._epoch != self._table.epoch:
            self._rank()

    def take(self) -> Node | None:
        """The next to be evicted; None = there are no more."""
        leaf = self._take_unowned() or self._take_owned()
        if leaf is not None:
            self._taken[leaf.id] = leaf
        return leaf

    def end(self) -> None:
        """End a walk: what was taken and not evicted may be taken by the next one."""
        taken, self._taken = self._taken, {}
        for leaf in taken.values():
            self.regrade(leaf)

    def check_integrity(self, leaves: Set[Node]) -> None:
        """Raise ``AssertionError`` naming the broken invariant."""
        assert {leaf.id for leaf in leaves} == self._leaves.keys(), "ordered leaves differ from all"
        for leaf, owner, _ in self._leaves.values():
            owners = self._owners(leaf)
            graded = UNOWNED if not owners else SHARED if len(owners) > 1 else next(iter(owners))
            assert owner == graded, f"leaf {leaf.id} is graded {owner}, should be {graded}"
        own = {owner for _, owner, _ in self._leaves.values() if owner >= 0}
        assert own == self._leaf_of.keys() == set(np.flatnonzero(self._has_leaf).tolist())

    def _take_unowned(self) -> Node | None:
        while self._unowned:
            last_access, node_id = self._unowned[0]
            leaf, owner, _ = self._leaves.get(node_id, (None, UNOWNED, 0))
            if leaf is not None and owner == UNOWNED and leaf.last_access_time > last_access:
                heapq.heapreplace(self._unowned, (leaf.last_access_time, node_id))
                continue
            heapq.heappop(self._unowned)
            if leaf is not None and owner == UNOWNED and node_id not in self._taken:
                return leaf
        return None

    def _take_owned(self) -> Node | None:
        while True:
            if self._arrived and (self._next is None or self._arrived[0] <= self._next):
                key = heapq.heappop(self._arrived)
            elif self._next is not None:
                key, self._next = self._next, next(self._ranked, None)
            else:
                return None
            leaf, owner, _ = self._leaves.get(key[3], (None, UNOWNED, 0))
            if leaf is None or owner == UNOWNED or leaf.id in self._taken:
                continue
            if (now := self._key(leaf)) > key:
                heapq.heappush(self._arrived, now)
                continue
            return leaf

    def _unowned_chain_tokens(self, leaf: Node) -> int:
        tokens, node = len(leaf.key), leaf.parent
        while node.parent is not None and len(node.children) == 1 and not self._owners(node):
            tokens += len(node.key)
            node = node.parent
        return tokens

    def _key(self, leaf: Node) -> Key:
        table, owners = self._table, self._owners(leaf)
        if len(owners) == 1:
            (handle,) = owners
            return -table.keep_s.item(handle), 1, table.last_use.item(handle), leaf.id
        handles = list(owners)
        keep_s = float(table.keep_s[handles].min())
        return -keep_s, len(handles), int(table.last_use[handles].max()), leaf.id

    def _rank(self) -> None:
        """Order the owned leaves by the distances there are now."""
        self._epoch = self._table.epoch
        self._arrived = [self._key(leaf) for leaf in self._shared.values()]
        heapq.heapify(self._arrived)
        self._ranked = self._rank_own()
        self._next = next(self._ranked, None)

    def _rank_own(self) -> Iterator[Key]:
        """Leaves of one owner: those of NPCs that are never due, then the farthest."""
        table, rows = self._table, np.flatnonzero(self._has_leaf)
        never = np.isinf(table.keep_s[rows])
        for group, keys in (
            (rows[never], table.last_use[rows[never]]),
            (rows[~never], -table.keep_s[rows[~never]]),
        ):
            for handle in ascending(group, keys):
                leaf = self._leaf_of.get(handle)
                if leaf is not None:
                    yield self._key(leaf)

    def _compact(self) -> None:
        """Drop dead entries once they are most: O(1) amortised, and memory stays O(leaves)."""
        if len(self._unowned) > 2 * len(self._leaves) + 64:
            self._unowned = [
                (leaf.last_access_time, leaf.id)
                for leaf, owner, _ in self._leaves.values()
                if owner == UNOWNED
            ]
            heapq.heapify(self._unowned)
        if len(self._arrived) > 2 * len(self._leaves) + 64:
            self._rank()
