from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sglang_trees import FakeNode, FakeTree

from callsheet_residency.state import Tier
from callsheet_sglang.kv.ownership import Node
from callsheet_sglang.wire import Distances

WORLD = (1, 2, 3, 4)
PERSONA = (10, 11, 12, 13, 14, 15)


def owned(tree: FakeTree, npc: int) -> tuple[int, ...]:
    tokens: tuple[int, ...] = ()
    for node in tree.ownership.chain(npc):
        assert isinstance(node, FakeNode)
        tokens = node.key + tokens
    return tokens


def test_a_first_prompt_is_expected_again_whole() -> None:
    tree = FakeTree()
    tree.call(0, WORLD + PERSONA + (70, 71), output=(80,))
    assert owned(tree, 0) == WORLD + PERSONA + (70, 71)
    tree.check()


def test_what_two_calls_have_in_common_is_expected_again_and_no_more() -> None:
    tree = FakeTree()
    tree.call(0, WORLD + PERSONA + (70, 71), output=(80,))
    tree.call(0, WORLD + PERSONA + (72, 73), output=(81,))
    tree.call(0, WORLD + PERSONA + (74, 75), output=(82,))
    assert owned(tree, 0) == WORLD + PERSONA
    assert tree.table.kept_tokens[0] == 10
    tree.check()


def test_a_growing_conversation_is_expected_again_whole() -> None:
    tree = FakeTree()
    tree.call(0, WORLD + PERSONA + (70,), output=(80,))
    tree.call(0, WORLD + PERSONA + (70, 80, 71), output=(81,))
    assert owned(tree, 0) == WORLD + PERSONA + (70, 80, 71)
    tree.check()


def test_a_dropped_tail_does_not_make_the_next_turn_look_like_growth() -> None:
    tree = FakeTree()
    tree.call(0, WORLD + PERSONA + (70, 71))
    tree.call(0, WORLD + PERSONA + (72, 73))
    (tail,) = [leaf for leaf in tree.device_leaves if leaf.key == (72, 73)]
    assert isinstance(tail, FakeNode)
    tree.evict(tail)
    tree.call(0, WORLD + PERSONA + (74, 75))
    assert owned(tree, 0) == WORLD + PERSONA
    tree.check()


def test_after_its_persona_was_dropped_an_npc_owns_its_next_prompt_whole() -> None:
    tree = FakeTree()
    for turn in (70, 71):
        tree.call(0, WORLD + PERSONA + (turn,))
        tree.call(1, (*WORLD, 30, 31, turn))
    tree.device.begin(tree.device_leaves)
    while tree.ownership.anchor.get(0) is not None and len(owned(tree, 0)) > len(WORLD):
        leaf = tree.device.take()
        assert isinstance(leaf, FakeNode)
        tree.evict(leaf)
    tree.call(0, WORLD + PERSONA + (72,))
    assert owned(tree, 0) == WORLD + PERSONA + (72,)
    tree.check()


def test_tokens_are_counted_per_tier_and_shared_ones_apart() -> None:
    tree = FakeTree()
    tree.call(0, WORLD + PERSONA)
    tree.call(1, (*WORLD, 20, 21))
    persona = next(iter(tree.ownership.chain(0)))
    assert isinstance(persona, FakeNode)
    tree.back_up(persona)
    tree.evict(persona)
    tree.check()
    table = tree.table
    assert (table.device_tokens[0], table.host_tokens[0], table.missing_tokens[0]) == (4, 10, 6)
    assert (table.private_tokens[0], table.private_tokens[1]) == (0, 2)
    assert (table.tier[0], table.tier[1]) == (Tier.HOST, Tier.DEVICE)
    assert tree.ownership.shared_tokens == 4


def test_a_path_that_shrinks_and_grows_has_its_lowest_node_as_leaf() -> None:
    tree = FakeTree()
    tree.call(0, PERSONA)
    tree.call(0, (*PERSONA, 70))
    tail = next(iter(tree.ownership.chain(0)))
    assert isinstance(tail, FakeNode)
    tree.back_up(tail)
    for _ in range(2):
        tree.evict(tail)
        tree.check()
        tree.load(tail)
        tree.check()


def test_a_forgotten_npc_owns_nothing() -> None:
    tree = FakeTree()
    tree.call(0, WORLD + PERSONA)
    tree.ownership.forget(0)
    tree.check()
    assert tree.table.tier[0] == Tier.ABSENT
    assert not tree.ownership.anchor


def test_rows_are_measured_a_few_at_a_time() -> None:
    tree = FakeTree()
    for npc in range(20):
        tree.call(npc, (*WORLD, 100 + npc))
    tree.ownership.measure(5)
    assert np.count_nonzero(tree.table.device_tokens) == 5
    tree.ownership.measure(100)
    assert np.count_nonzero(tree.table.device_tokens) == 20


class Books(RuleBasedStateMachine):
    """Whatever happens to the tree, our books are those of the tree."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = FakeTree()
        self.seq = 0

    @rule(
        npc=st.none() | st.integers(0, 6),
        prompt=st.lists(st.integers(0, 2), min_size=1, max_size=8),
        output=st.lists(st.integers(0, 2), max_size=3),
    )
    def call(self, npc: int | None, prompt: list[int], output: list[int]) -> None:
        self.tree.call(npc, tuple(prompt), tuple(output))

    @rule(distances=st.dictionaries(st.integers(0, 6), st.floats(0.0, 9.0, width=32)))
    def tell(self, distances: dict[int, float]) -> None:
        self.seq += 1
        handles = np.array(list(distances), np.uint32)
        distance_s = np.array(list(distances.values()), np.float32)
        self.tree.table.take(Distances(self.seq, float(self.seq), handles, distance_s))

    @rule(npc=st.integers(0, 6))
    def forget(self, npc: int) -> None:
        self.tree.ownership.forget(npc)

    @rule(count=st.integers(1, 5))
    def evict(self, count: int) -> None:
        tree = self.tree
        tree.device.begin(tree.device_leaves)
        for _ in range(count):
            if (leaf := tree.device.take()) is None:
                assert not tree.device_leaves
                break
            assert isinstance(leaf, FakeNode)
            self._is_the_first_to_go(leaf)
            tree.evict(leaf)
        tree.device.end()

    @rule()
    def evict_host(self) -> None:
        tree = self.tree
        tree.host.begin(tree.host_leaves)
        leaf = tree.host.take()
        assert (leaf is None) == (not tree.host_leaves)
        if leaf is not None:
            assert isinstance(leaf, FakeNode)
            tree.evict_host(leaf)
        tree.host.end()

    @rule(data=st.data())
    def back_up(self, data: st.DataObject) -> None:
        nodes = [node for node in self.tree.nodes() if node.parent is not None]
        if nodes:
            self.tree.back_up(data.draw(st.sampled_from(nodes)))

    @rule(data=st.data())
    def load(self, data: st.DataObject) -> None:
        parked = [node for node in self.tree.nodes() if node.evicted]
        if parked:
            self.tree.load(data.draw(st.sampled_from(parked)))

    @rule()
    def decline_what_is_taken(self) -> None:
        self.tree.device.begin(self.tree.device_leaves)
        self.tree.device.take()
        self.tree.device.end()

    @invariant()
    def books_are_right(self) -> None:
        self.tree.check()

    def _is_the_first_to_go(self, leaf: FakeNode) -> None:
        """Nobody's before somebody's, and no farther one than this stays."""
        table, owners = self.tree.table, self.tree.ownership.owners

        def due_s(node: Node) -> float:
            handles = list(owners(node))
            return float(table.due_s[handles].min()) if handles else float("inf")

        leaves = self.tree.device_leaves
        if owners(leaf):
            assert all(owners(other) for other in leaves)
            assert due_s(leaf) == max(due_s(other) for other in leaves)
        else:
            unowned = [other for other in leaves if not owners(other)]
            assert leaf.last_access_time == min(other.last_access_time for other in unowned)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=50, stateful_step_count=40)
