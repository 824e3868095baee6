"""Adapter slots by distance, on a scheduler without a model."""

from __future__ import annotations

import random
import string
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import pytest
from slots_harness import Batch, Ref, Request, Scheduler

from callsheet_residency.settings import PolicySettings
from callsheet_sglang.kv.scheduler_state import SchedulerState
from callsheet_sglang.lora.adapter_slots import AdapterSlots
from callsheet_sglang.settings import PluginSettings
from callsheet_sglang.wire import Distances

INF = float("inf")


class Town:
    """NPC i uses the i-th adapter of ``names``."""

    def __init__(
        self,
        names: str = "abcdef",
        slots: int = 3,
        adapters: Literal["distance", "lru"] = "distance",
        **settings: Any,
    ) -> None:
        self.scheduler = Scheduler(names, slots)
        policy = PolicySettings(prefetch_horizon_s=10.0, hysteresis_s=1.0)
        self.state = SchedulerState(PluginSettings(policy=policy, adapters=adapters, **settings))
        self.state.scheduler = self.scheduler
        self.table = self.state.table
        self.table.adapters.assign(dict(enumerate(names)))
        self.slots = AdapterSlots(self.state)
        self.state.every_iteration.append(self.slots.prefetch)

    def due(self, **distance_s: float) -> None:
        """Tell the distance of the NPCs that use these adapters, of all others that it is inf."""
        names = [name for name in self.table.adapters.names if name is not None]
        self.table.take(
            Distances(
                seq=self.table.seq + 1,
                now_s=0.0,
                handles=np.arange(len(names), dtype=np.uint32),
                distance_s=np.array([distance_s.get(n, INF) for n in names], np.float32),
            )
        )

    def steps(self, count: int = 10) -> None:
        for _ in range(count):
            self.state.iterate(self.scheduler)
        assert not self.state.guard.caught

    def counted(self) -> dict[str, int]:
        """Counters of adapters that are not 0."""
        counters = asdict(self.state.counters).items()
        return {
            name.removeprefix("adapter_"): count
            for name, count in counters
            if name.startswith("adapter_") and count
        }


def test_adapters_of_npcs_due_soon_come_before_their_requests() -> None:
    town = Town()
    town.due(b=2.0, c=4.0, d=30.0)
    town.steps()
    assert town.scheduler.held() == "-bc"
    town.scheduler.run("b", "c")
    assert town.counted() == {"prefetched_loads": 2}


def test_one_adapter_comes_per_iteration() -> None:
    town = Town()
    town.due(b=2.0, c=4.0)
    town.steps(1)
    assert town.scheduler.held() == "-b"


def test_the_farthest_leaves_though_it_was_used_last() -> None:
    town = Town(prefetch=False)
    town.due(a=1.0, b=50.0, c=20.0)
    town.scheduler.run(None, "a")
    town.scheduler.run("c", None)
    town.scheduler.run("b", "c", "a")
    assert town.scheduler.held() == "abc"
    town.due(a=1.0, b=50.0, c=20.0, d=0.0)
    town.scheduler.run("d")
    assert town.scheduler.held() == "acd"
    assert town.counted() == {"critical_loads": 4, "evictions": 1}


def test_the_base_models_slot_is_given_up_when_nobody_is_expected_to_use_it() -> None:
    town = Town()
    town.due(a=1.0, b=2.0, c=3.0)
    town.steps()
    assert town.scheduler.held() == "abc"
    town.scheduler.run(None)
    assert town.scheduler.held() == "-ab"
    assert town.state.counters.adapter_evictions == 1


def test_the_base_model_stays_while_npcs_without_an_adapter_are_due() -> None:
    town = Town()
    town.table.adapters.assign({5: None})
    town.due(a=1.0, b=2.0, c=3.0, f=0.5)
    town.steps()
    assert town.scheduler.held() == "-ab"


def test_without_distances_the_least_recently_used_leaves() -> None:
    town = Town()
    for name in "abca":
        town.scheduler.run(None, name)
    town.scheduler.run(None, "d")
    assert town.scheduler.held() == "-ad"


@pytest.mark.parametrize("where", ["running_batch", "last_batch", "chunked_req"])
def test_what_is_in_use_is_not_evicted(where: str) -> None:
    town = Town()
    town.due(a=INF, b=1.0, c=2.0)
    town.scheduler.run(None, "a", "b")
    used = Request("id-a")
    setattr(town.scheduler, where, used if where == "chunked_req" else Batch([used]))
    town.steps()
    assert town.scheduler.held() == "abc"
    town.scheduler.run("d")
    assert "a" in town.scheduler.held()


def test_what_is_in_use_leaves_only_if_nothing_else_can() -> None:
    town = Town(slots=2)
    town.scheduler.run("a", "b")
    town.scheduler.running_batch = Batch([Request("id-a"), Request("id-b")])
    town.due(a=5.0, b=7.0)
    town.scheduler.run("c")
    assert town.scheduler.held() == "ac"


def test_pinned_adapters_keep_their_slots() -> None:
    town = Town()
    town.scheduler.lora_manager.lora_refs["id-a"].pinned = True
    town.scheduler.run(None, "a", "b")
    town.due(c=1.0, d=2.0, e=3.0)
    town.steps()
    assert town.scheduler.held() == "acd"


def test_an_adapter_a_request_waits_for_is_as_good_as_due() -> None:
    town = Town()
    town.scheduler.run(None, "a", "b")
    town.scheduler.waiting_queue = [Request("id-a"), Request(None), Request("id-f")]
    town.due(c=1.0, d=2.0)
    town.steps()
    assert town.scheduler.held() == "-ac", "and what it brings for itself is not prefetched"


def test_prefetching_rests_while_requests_queue() -> None:
    town = Town()
    town.due(a=1.0)
    town.scheduler.waiting_queue = [Request(None)] * 5
    town.steps()
    assert town.scheduler.held() == "-"
    town.scheduler.waiting_queue.pop()
    town.steps()
    assert town.scheduler.held() == "-a"


def test_as_sglang_does_it_is_only_counted() -> None:
    town = Town(adapters="lru")
    town.due(a=1.0, b=2.0)
    town.steps()
    assert town.scheduler.held() == "-"
    for name in "abca":
        town.scheduler.run(None, name)
    assert town.scheduler.held() == "-ac"
    assert town.counted() == {"critical_loads": 4, "evictions": 2}
    assert sorted(town.slots.in_slots()) == ["a", "c"]


def test_an_adapter_that_came_back_under_its_name_is_known_by_it() -> None:
    town = Town()
    refs = town.scheduler.lora_manager.lora_refs
    refs["new"] = refs.pop("id-a")
    refs["new"].lora_id = "new"
    town.due(a=1.0)
    town.steps()
    assert "new" in town.scheduler.lora_manager.memory_pool.uid_to_buffer_id


def test_a_failure_of_ours_leaves_sglangs_own_choice() -> None:
    town = Town()
    town.scheduler.run(None, "a")
    town.scheduler.run(None, "b")
    town.table.due_s = None  # type: ignore[assignment]
    town.scheduler.run(None, "c")
    assert town.scheduler.held() == "-bc"
    town.state.iterate(town.scheduler)
    assert set(town.state.guard.caught) == {"adapter eviction", "prefetch"}


def played(
    names: str, slots: int, adapters: Literal["distance", "lru"], prefetch: bool = True
) -> int:
    """Loads that calls waited for in 400 of a paced town; every NPC tells when it calls next."""
    town = Town(names, slots, adapters, prefetch=prefetch)
    rng = random.Random(5)
    due_s = {name: rng.uniform(0.0, len(names)) for name in names}
    for _ in range(400):
        caller = min(names, key=due_s.__getitem__)
        now_s = due_s[caller]
        town.due(**{name: due_s[name] - now_s for name in names})
        town.steps(2)
        town.scheduler.run(caller)
        due_s[caller] += rng.choice([0.2, 0.5, 1.5]) * len(names) + rng.random()
    return town.state.counters.adapter_critical_loads


@pytest.mark.parametrize(("names", "slots"), [("abcdef", 3), (string.printable[10:42], 8)])
def test_distance_halves_the_loads_that_calls_wait_for(names: str, slots: int) -> None:
    stock = played(names, slots, "lru")
    assert played(names, slots, "distance", prefetch=False) < stock
    assert played(names, slots, "distance") * 2 <= stock


@dataclass
class Key:
    """As ``RadixKey``: one token, and what else must match."""

    extra_key: str | None

    def __len__(self) -> int:
        return 1


class Leaf(SimpleNamespace):
    """As a tree node right below the root, on the device."""

    def __init__(self, number: int, extra_key: str | None) -> None:
        above = SimpleNamespace(parent=None, id=0)
        super().__init__(
            id=number, key=Key(extra_key), parent=above, evicted=False, backuped=True, children={}
        )


def test_caches_of_an_unloaded_adapter_are_let_go() -> None:
    town = Town("ab")
    town.state.every_iteration.append(town.slots.forget_unloaded)
    for npc, extra_key in enumerate(("id-a", "id-b", None, "tenant-id-a")):
        town.state.ownership.attribute(npc, Leaf(npc + 1, extra_key))
    town.steps()
    assert sorted(town.state.ownership.anchor) == [0, 1, 2, 3]
    refs = town.scheduler.lora_manager.lora_refs
    del refs["id-a"]
    refs["new"] = Ref("new", "a")
    town.steps()
    assert sorted(town.state.ownership.anchor) == [1, 2]
    assert town.table.kept_tokens[:4].tolist() == [0, 1, 1, 0]


class Link:
    """As ``LoRAOverlapLoader``: what was begun arrives when told to."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.manager = scheduler.lora_manager

    def try_overlap_load_lora(self, uid: str | None, running: set[str | None]) -> bool:
        self.manager.fetch_new_loras({uid} | running)
        self.manager.pending_lora_load_events[uid] = object()
        return False


def test_a_prefetch_that_arrives_too_late_counts_as_waited_for() -> None:
    town = Town()
    scheduler = town.scheduler
    scheduler.enable_lora_overlap_loading = True
    scheduler.lora_overlap_loader = Link(scheduler)  # type: ignore[attr-defined]
    town.due(a=1.0, b=2.0)
    town.steps()
    assert town.counted() == {"prefetched_loads": 2}
    del scheduler.lora_manager.pending_lora_load_events["id-a"]
    scheduler.waiting_queue = [Request("id-a"), Request("id-b")]
    town.steps()
    assert town.counted() == {"prefetched_loads": 2, "late_loads": 1}


@pytest.mark.parametrize("change", ["attention", "pipeline"])
def test_where_the_slots_cannot_be_seen_whole_the_policy_stays(
    change: str, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Scheduler("ab", 2)
    if change == "attention":
        scheduler.lora_manager.attn_dp_enabled = True
    else:
        scheduler.pp_size = 2
    stock = scheduler.lora_manager.memory_pool.eviction_policy
    state = SchedulerState(PluginSettings())
    state.scheduler = scheduler
    AdapterSlots(state)
    assert scheduler.lora_manager.memory_pool.eviction_policy is stock
    assert "--pp-size" in caplog.text
