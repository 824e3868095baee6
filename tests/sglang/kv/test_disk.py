"""Prefixes that host memory has lost are read from disk before their NPCs call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from sglang_trees import FakeNode, FakeTree

from callsheet_sglang.kv.disk import READS_AT_A_TIME, DiskReader, Prefix
from callsheet_sglang.kv.scheduler_state import SchedulerState
from callsheet_sglang.settings import PluginSettings

WORLD = (1, 2)
NPCS = 6


class Scene:
    """NPCs with a prefix each, in host memory; the nearest first, a second apart."""

    def __init__(self, host_tokens: int = 1000, **settings: Any) -> None:
        self.tree = FakeTree()
        self.state = SchedulerState(PluginSettings(**settings))
        self.state.ownership, self.state.table = self.tree.ownership, self.tree.table
        self.tree.table.senders.rows(0, np.arange(NPCS))
        self.asked: list[int] = []
        self.brings = True
        self.state.cache = SimpleNamespace(
            enable_storage=True,
            ongoing_prefetch={},
            cache_controller=SimpleNamespace(mem_pool_host=SimpleNamespace(size=host_tokens)),
            begin_read=self._begin_read,
            end_read=self._end_read,
        )
        self.reader = DiskReader(self.state)
        for npc in range(NPCS):
            prompt = self.persona(npc)
            self.tree.call(npc, prompt)
            self.reader.remember(npc, SimpleNamespace(
                origin_input_ids=prompt, extra_key=None, cache_salt=None
            ))  # fmt: skip
            self.tree.table.due_s[npc] = 1.0 + npc
        self.tree.ownership.measure(NPCS)

    def persona(self, npc: int) -> tuple[int, ...]:
        return (*WORLD, 10 + npc, 20 + npc)

    def lose(self, npc: int) -> None:
        """Drop an NPC's own part of its prefix from all tiers."""
        leaf = self.tree.ownership.anchor[npc]
        assert isinstance(leaf, FakeNode)
        self.tree.evict(leaf)
        self.tree.ownership.measure(NPCS)

    def end_reads(self) -> None:
        self.state.cache.ongoing_prefetch.clear()
        self.reader.read(self.state)

    def _begin_read(self, npc: int, prefix: Prefix, anchor: Any) -> int | None:
        assert tuple(prefix.tokens) == self.persona(npc)
        assert anchor.key == WORLD
        self.asked.append(npc)
        self.state.cache.ongoing_prefetch[npc] = None
        return npc

    def _end_read(self, npc: int, prefix: Prefix) -> Any:
        return self.tree.insert(tuple(prefix.tokens) if self.brings else WORLD)


def test_who_was_lost_is_read_for_nearest_first() -> None:
    scene = Scene()
    for npc in (5, 3, 1):
        scene.lose(npc)
    scene.reader.read(scene.state)
    assert scene.asked == [1, 3]
    assert len(scene.asked) == READS_AT_A_TIME
    scene.reader.read(scene.state)
    assert scene.asked == [1, 3], "both reads are still under way"
    scene.end_reads()
    assert scene.asked == [1, 3, 5]
    assert scene.state.counters.disk_reads == 2


def test_what_came_is_its_npcs_again_and_so_is_its_next_turn() -> None:
    scene = Scene()
    scene.lose(2)
    scene.reader.read(scene.state)
    scene.end_reads()
    scene.tree.ownership.measure(NPCS)
    assert scene.tree.table.device_tokens[2] == 4
    scene.tree.call(2, (*scene.persona(2), 90))
    scene.tree.call(2, (*scene.persona(2), 91))
    assert scene.tree.table.kept_tokens[2] == 4
    scene.tree.check()


def test_a_read_is_not_repeated_until_the_next_call() -> None:
    scene = Scene()
    scene.lose(2)
    scene.brings = False
    scene.reader.read(scene.state)
    scene.end_reads()
    scene.reader.read(scene.state)
    assert scene.asked == [2]
    scene.tree.call(2, scene.persona(2))
    scene.tree.ownership.measure(NPCS)
    scene.lose(2)
    scene.reader.read(scene.state)
    assert scene.asked == [2, 2]


def test_nobody_is_read_for_who_would_send_somebody_nearer_away() -> None:
    scene = Scene(host_tokens=10)  # two prefixes and a bit
    for npc in (4, 1):
        scene.lose(npc)
    scene.reader.read(scene.state)
    assert scene.asked == [1]


def test_who_was_forgotten_meanwhile_owns_nothing() -> None:
    scene = Scene()
    scene.lose(2)
    scene.reader.read(scene.state)
    scene.tree.ownership.forget(2)
    scene.end_reads()
    assert scene.state.counters.disk_reads == 0
    assert 2 not in scene.tree.ownership.anchor


def test_without_prefetch_nothing_is_read() -> None:
    scene = Scene(prefetch=False)
    scene.lose(1)
    scene.reader.read(scene.state)
    assert scene.asked == []
