"""A tree of prefixes in two tiers, with SGLang's rules, for tests without SGLang."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from callsheet_sglang.guard import Guard
from callsheet_sglang.kv.leaves import LeafOrder, LeafSet
from callsheet_sglang.kv.ownership import Node, Ownership
from callsheet_sglang.npc_table import NpcTable

IDS = itertools.count()


class FakeNode:
    def __init__(self, key: tuple[int, ...], parent: FakeNode | None) -> None:
        self.id = next(IDS)
        self.key = key
        self.parent = parent
        self.children: dict[int, FakeNode] = {}
        self.last_access_time = 0.0
        self.on_device = True
        self.backuped = False
        self.locks = 0

    @property
    def evicted(self) -> bool:
        return self.parent is not None and not self.on_device


class FakeTree:
    """Inserts, splits, evicts and loads as SGLang's tree does, and tells our books of it."""

    def __init__(self) -> None:
        self.table = NpcTable()
        self.guard = Guard()
        self.ownership = Ownership(self.table, self._regrade)
        self.device = LeafOrder(self.table, self.ownership.owners)
        self.host = LeafOrder(self.table, self.ownership.owners)
        self.device_leaves = LeafSet(self.device, self.guard)
        self.host_leaves = LeafSet(self.host, self.guard)
        self.root = FakeNode((), None)
        self.time = 0.0

    def _regrade(self, node: Node) -> None:
        self.device.regrade(node)
        self.host.regrade(node)

    def call(self, npc: int | None, prompt: tuple[int, ...], output: tuple[int, ...] = ()) -> None:
        """Serve a request and finish it."""
        self.insert(prompt + output)
        end = self.insert(prompt)  # SGLang splits there too
        if npc is not None:
            self.ownership.attribute(npc, end)

    def insert(self, tokens: tuple[int, ...]) -> FakeNode:
        self.time += 1.0
        node = self.root
        while tokens:
            child = node.children.get(tokens[0])
            if child is None:
                child = FakeNode(tokens, node)
                node.children[tokens[0]] = child
                child.last_access_time = self.time
                self._refresh(child)
                self._refresh(node)
                return child
            common = 0
            for ours, theirs in zip(child.key, tokens, strict=False):
                if ours != theirs:
                    break
                common += 1
            if common < len(child.key):
                child = self._split(child, common)
            child.last_access_time = self.time
            if child.evicted:
                child.on_device = True
                self.ownership.moved(child)
                self._refresh(child)
                self._refresh(node)
            node, tokens = child, tokens[common:]
        return node

    def _split(self, child: FakeNode, at: int) -> FakeNode:
        parent = child.parent
        assert parent is not None
        prefix = FakeNode(child.key[:at], parent)
        prefix.on_device, prefix.backuped = child.on_device, child.backuped
        prefix.last_access_time, prefix.locks = child.last_access_time, child.locks
        parent.children[prefix.key[0]] = prefix
        child.key = child.key[at:]
        child.parent = prefix
        prefix.children[child.key[0]] = child
        self.ownership.split(prefix, child)
        self._refresh(prefix)
        self._refresh(child)
        return prefix

    def back_up(self, node: FakeNode) -> None:
        for above in self.path(node):
            if not above.evicted:
                above.backuped = True
                self.ownership.moved(above)

    def evict(self, leaf: FakeNode) -> None:
        """From the device; a leaf without a copy is dropped."""
        assert leaf in self.device_leaves
        self.ownership.moved(leaf)
        leaf.on_device = False
        if not leaf.backuped:
            self._drop(leaf)
        self._refresh(leaf)
        if leaf.parent is not None:
            self._refresh(leaf.parent)

    def evict_host(self, leaf: FakeNode) -> None:
        assert leaf in self.host_leaves
        self.ownership.moved(leaf)
        leaf.backuped = False
        self._drop(leaf)

    def load(self, node: FakeNode) -> None:
        for above in self.path(node):
            if above.evicted:
                above.on_device = True
                self.ownership.moved(above)
            self._refresh(above)

    def nodes(self) -> Iterator[FakeNode]:
        stack = [self.root]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.children.values())

    def path(self, node: FakeNode) -> list[FakeNode]:
        found = []
        while node.parent is not None:
            found.append(node)
            node = node.parent
        return found

    def check(self) -> None:
        """Our books are those of the tree."""
        self.ownership.measure(10**6)
        self.ownership.check_integrity({node.id: node for node in self.nodes()})
        self.device.check_integrity(self.device_leaves)
        self.host.check_integrity(self.host_leaves)
        assert not self.guard.caught

    def _drop(self, leaf: FakeNode) -> None:
        """Remove it, and those above it that hold nothing any more."""
        self.device_leaves.discard(leaf)
        self.host_leaves.discard(leaf)
        parent = leaf.parent
        assert parent is not None
        del parent.children[leaf.key[0]]
        self.ownership.remove(leaf)
        empty = parent.evicted and not parent.backuped
        if parent.parent is not None and not parent.children and empty:
            self._drop(parent)
        self._refresh(parent)

    def _refresh(self, node: FakeNode) -> None:
        alive = node.parent is None or node.parent.children.get(node.key[0]) is node
        on_device = alive and node.parent is not None and not node.evicted
        below = any(not child.evicted for child in node.children.values())
        if on_device and not below and not node.locks:
            self.device_leaves.add(node)
        else:
            self.device_leaves.discard(node)
        parked = alive and node.parent is not None and node.evicted and node.backuped
        if parked and not node.children and not node.locks:
            self.host_leaves.add(node)
        else:
            self.host_leaves.discard(node)
