"""Host memory gives up copies of who is on the device and about to call."""

from __future__ import annotations

import numpy as np
from sglang_trees import FakeNode, FakeTree

from callsheet_sglang.kv.spare_copies import spare_copies

WORLD = (1, 2)
HORIZON_S = 5.0


def town(*distance_s: float) -> FakeTree:
    """NPCs on the device, with copies in host memory."""
    tree = FakeTree()
    tree.table.senders.rows(0, np.arange(len(distance_s)))
    for npc, seconds in enumerate(distance_s):
        tree.call(npc, (*WORLD, 10 + npc))
        tree.table.due_s[npc] = seconds
        tree.back_up(anchor(tree, npc))
    tree.ownership.measure(len(distance_s))
    return tree


def anchor(tree: FakeTree, npc: int) -> FakeNode:
    node = tree.ownership.anchor[npc]
    assert isinstance(node, FakeNode)
    return node


def spared(tree: FakeTree) -> list[int]:
    tree.ownership.measure(10)
    return [
        owner
        for node in spare_copies(tree.table, tree.ownership, HORIZON_S)
        for owner in tree.ownership.owners(node)
    ]


def test_copies_of_who_is_near_and_on_the_device_go_nearest_first() -> None:
    assert spared(town(4.0, 60.0, 1.0, float("inf"))) == [2, 0]


def test_who_is_not_on_the_device_keeps_the_only_copy() -> None:
    tree = town(1.0, 2.0)
    tree.evict(anchor(tree, 0))
    assert spared(tree) == [1]


def test_what_others_need_or_hangs_below_keeps_its_copy() -> None:
    tree = town(1.0, 2.0, 3.0)
    tree.insert((*WORLD, 10, 99))  # somebody's turn below the first one's prefix
    tree.ownership.attribute(3, anchor(tree, 1))
    assert spared(tree) == [2]
