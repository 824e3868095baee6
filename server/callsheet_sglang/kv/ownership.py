"""Owners of the radix tree's nodes: the NPCs that need each.

An NPC's next call is expected to begin with what its last two calls had in common: persona and
memory, but not the old turn's tail. If the last prompt contained the one before whole (a growing
conversation), all of it is expected again; so is a first prompt, and one whose predecessor the tree
has dropped, so that nothing can be compared. The node where that prefix ends is the NPC's *anchor*;
the NPC owns the nodes from there to the root. Nodes without owners are what nobody is expected to
need.

Needs neither sglang nor torch: a node is anything that has what ``Node`` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set, Sized
from dataclasses import dataclass
from typing import Any, Protocol

from callsheet_sglang.npc_table import NpcTable

__all__ = ["Node", "Ownership"]

NOBODY: frozenset[int] = frozenset()


class Node(Protocol):
    """The part of SGLang's ``UnifiedTreeNode`` that is used; the root has no parent."""

    id: int
    last_access_time: float

    @property
    def key(self) -> Sized:
        """Its tokens."""

    @property
    def parent(self) -> Any: ...

    @property
    def children(self) -> Mapping[Any, Any]: ...

    @property
    def evicted(self) -> bool:
        """True if it is not on the device."""

    @property
    def backuped(self) -> bool:
        """True if it is in host memory."""


@dataclass(slots=True)
class _Prompt:
    """An NPC's last prompt."""

    end: Node
    """The node it ends at or, if the tree has dropped its end, where it breaks off."""
    tokens: int
    cut: bool = False
    """Its end was dropped."""


class Ownership:
    """Owners per node, kept up while the tree changes; measures NPCs into the table."""

    def __init__(self, table: NpcTable, regrade: Callable[[Node], None]) -> None:
        """``regrade`` is called with each node whose owners have changed."""
        self.anchor: dict[int, Node] = {}
        """Per NPC, where its prefix ends; NPCs that own nothing have none."""
        self.shared_tokens = 0
        """On the device in nodes of several NPCs."""
        self._table = table
        self._regrade = regrade
        self._owners: dict[int, set[int]] = {}
        self._prompt: dict[int, _Prompt] = {}
        self._ends_at: dict[int, set[int]] = {}
        """NPCs whose last prompts end at a node, per node."""
        self._shared: dict[int, int] = {}
        """Per node of several NPCs, what it adds to ``shared_tokens``."""
        self._seen: dict[int, tuple[bool, bool]] = {}
        """Per owned node, whether it was off the device and in host memory when last looked at."""
        self._moved: dict[int, Node] = {}
        """Nodes that may have come to or left a tier since the last ``measure``."""
        self._stale: dict[int, None] = {}
        """NPCs to be measured again; a dict, because its order is the same on all ranks."""

    def owners(self, node: Node) -> Set[int]:
        """The NPCs that need this node."""
        return self._owners.get(node.id, NOBODY)

    def attribute(self, handle: int, end: Node) -> None:
        """An NPC has called; its prompt ends at the end of ``end``."""
        self._table.reserve(handle)
        self._table.used(handle)
        depth_tokens = 0
        depths: dict[int, int] = {}
        for node in reversed(list(_to_root(end))):
            depth_tokens += len(node.key)
            depths[node.id] = depth_tokens
        anchor, kept_tokens = end, depth_tokens
        if (last := self._prompt.get(handle)) is not None:
            common = last.end
            while common.parent is not None and common.id not in depths:
                common = common.parent
            common_tokens = depths.get(common.id, 0)
            known = not last.cut or common_tokens >= self._table.kept_tokens[handle]
            if known and common_tokens < last.tokens:
                anchor, kept_tokens = common, common_tokens
            self._drop_prompt(handle, last)
        self._prompt[handle] = _Prompt(end, depth_tokens)
        self._ends_at.setdefault(end.id, set()).add(handle)
        self._set_anchor(handle, anchor)
        self._table.set_residency(handle, kept_tokens=kept_tokens)

    def restore(self, handle: int, end: Node) -> bool:
        """Take back a prefix that the tree had dropped and that is there again up to ``end``.

        False if that is not all of it.
        """
        tokens = sum(len(node.key) for node in _to_root(end))
        if tokens < self._table.kept_tokens[handle]:
            return False
        if (last := self._prompt.get(handle)) is not None and last.cut:
            self._drop_prompt(handle, last)
            last.end = end
            self._ends_at.setdefault(end.id, set()).add(handle)
        self._set_anchor(handle, end)
        return True

    def forget(self, handle: int) -> None:
        """An NPC is gone; nobody needs what it alone owned. It must have a row."""
        if (last := self._prompt.pop(handle, None)) is not None:
            self._drop_prompt(handle, last)
        self._set_anchor(handle, None)
        self._table.set_residency(handle, kept_tokens=0)

    def split(self, prefix: Node, rest: Node) -> None:
        """The tree put ``prefix`` above ``rest``, of which it was the beginning."""
        if rest.id in self._owners:
            self._owners[prefix.id] = set(self._owners[rest.id])
            self._seen[prefix.id] = self._seen[rest.id]
            self._recount(prefix)
            self._recount(rest)
        self._regrade(prefix)
        self._regrade(rest)

    def remove(self, leaf: Node) -> None:
        """The tree dropped this leaf, in all tiers."""
        for handle in self._ends_at.pop(leaf.id, ()):
            self._prompt[handle].end = leaf.parent
            self._prompt[handle].cut = True
            self._ends_at.setdefault(leaf.parent.id, set()).add(handle)
        for handle in self._owners.pop(leaf.id, ()):
            self._stale[handle] = None
            if leaf.parent.parent is None:
                del self.anchor[handle]
            else:
                self.anchor[handle] = leaf.parent
        self.shared_tokens -= self._shared.pop(leaf.id, 0)
        self._moved.pop(leaf.id, None)
        self._seen.pop(leaf.id, None)

    def moved(self, node: Node) -> None:
        """A tier has got or lost this node, or is about to."""
        if node.id in self._owners:
            self._moved[node.id] = node

    def measure(self, limit: int) -> None:
        """Bring the rows of at most ``limit`` NPCs up to date: those that wait longest."""
        for node in self._moved.values():
            now = (node.evicted, node.backuped)
            if self._seen[node.id] == now:
                continue
            self._seen[node.id] = now
            self._recount(node)
            self._stale.update(dict.fromkeys(sorted(self.owners(node))))
        self._moved.clear()
        for _ in range(min(limit, len(self._stale))):
            handle = next(iter(self._stale))
            del self._stale[handle]
            self._measure(handle)

    def clear(self) -> None:
        """The tree was emptied."""
        for handle in self.anchor:
            self._stale[handle] = None
        for column in (self.anchor, self._owners, self._prompt, self._ends_at):
            column.clear()
        self._shared.clear()
        self._seen.clear()
        self._moved.clear()
        self.shared_tokens = 0

    def chain(self, handle: int) -> Iterator[Node]:
        """The nodes an NPC owns, from its anchor up to below the root."""
        anchor = self.anchor.get(handle)
        return iter(()) if anchor is None else _to_root(anchor)

    def check_integrity(self, nodes: Mapping[int, Node]) -> None:
        """Raise ``AssertionError`` naming the broken invariant.

        Args:
            nodes: the tree's nodes by id.
        """
        expected: dict[int, set[int]] = {}
        for handle in self.anchor:
            for node in self.chain(handle):
                assert nodes.get(node.id) is node, f"npc {handle} owns node {node.id}: not there"
                expected.setdefault(node.id, set()).add(handle)
        assert expected.keys() == self._seen.keys(), "owned nodes differ from those looked at"
        assert expected == self._owners, "owners of nodes differ from the NPCs' chains"
        for handle, last in self._prompt.items():
            assert nodes.get(last.end.id) is last.end, (
                f"last prompt of npc {handle} ends at a lost node"
            )
        for node_id in list(self._shared):
            self._recount(nodes[node_id])
        assert self.shared_tokens == sum(self._shared.values()), "shared tokens do not add up"

    def _drop_prompt(self, handle: int, last: _Prompt) -> None:
        handles = self._ends_at[last.end.id]
        handles.discard(handle)
        if not handles:
            del self._ends_at[last.end.id]

    def _set_anchor(self, handle: int, anchor: Node | None) -> None:
        """Own the path to ``anchor`` and nothing else; the root and None mean nothing at all."""
        old = {node.id: node for node in self.chain(handle)}
        new = {} if anchor is None else {node.id: node for node in _to_root(anchor)}
        for node_id in old.keys() - new.keys():
            self._owners[node_id].discard(handle)
            if not self._owners[node_id]:
                del self._owners[node_id]
                del self._seen[node_id]
                self._moved.pop(node_id, None)
            self._changed(old[node_id])
        for node_id in new.keys() - old.keys():
            self._owners.setdefault(node_id, set()).add(handle)
            self._seen.setdefault(node_id, (new[node_id].evicted, new[node_id].backuped))
            self._changed(new[node_id])
        if new:
            assert anchor is not None
            self.anchor[handle] = anchor
        else:
            self.anchor.pop(handle, None)
        self._moved.update(new)  # The call may have brought some of it back to the device.
        self._stale[handle] = None

    def _changed(self, node: Node) -> None:
        """A node has one owner more or less: for the first and the second, private or not."""
        owners = self.owners(node)
        if len(owners) <= 2:
            self._stale.update(dict.fromkeys(sorted(owners)))
        self._recount(node)
        self._regrade(node)

    def _recount(self, node: Node) -> None:
        self.shared_tokens -= self._shared.pop(node.id, 0)
        if len(self.owners(node)) > 1 and not node.evicted:
            self._shared[node.id] = len(node.key)
            self.shared_tokens += len(node.key)

    def _measure(self, handle: int) -> None:
        device = host = missing = private = unbacked = 0
        for node in self.chain(handle):
            tokens = len(node.key)
            host += tokens if node.backuped else 0
            if node.evicted:
                missing += tokens
                continue
            device += tokens
            if len(self._owners[node.id]) == 1:
                private += tokens
                unbacked += 0 if node.backuped else tokens
        self._table.set_residency(
            handle,
            device_tokens=device,
            host_tokens=host,
            missing_tokens=missing,
            private_tokens=private,
            unbacked_tokens=unbacked,
        )


def _to_root(node: Node) -> Iterator[Node]:
    """``node`` and those above it, without the root."""
    while node.parent is not None:
        yield node
        node = node.parent
