"""Requests whose KV cache is on the link wait in the queue while others run."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sglang_harness import VOCABULARY, Sglang
from sglang_trees import FakeTree

from callsheet_sglang.kv.gate import Gate
from callsheet_sglang.kv.prefetcher import Prefetcher
from callsheet_sglang.kv.scheduler_state import SchedulerState
from callsheet_sglang.settings import PluginSettings
from callsheet_sglang.wire import STATUS_PATH, session_id
from callsheet_sglang_cpu.emulated_link import BYTES_PER_S


def request(npc: int | None, max_new_tokens: int = 4) -> SimpleNamespace:
    return SimpleNamespace(
        rid=f"r{npc}",
        session_id=None if npc is None else session_id(npc),
        origin_input_ids=[0] * 6,
        output_ids=[],
        sampling_params=SimpleNamespace(max_new_tokens=max_new_tokens),
    )


class Scene:
    """A scheduler's queue before the gate, over a tree in which NPC 1 lies in host memory."""

    def __init__(self, **settings: Any) -> None:
        tree = FakeTree()
        self.state = SchedulerState(PluginSettings(**settings))
        self.state.ownership, self.state.table = tree.ownership, tree.table
        tree.table.senders.rows(0, np.arange(3))
        tree.call(1, (1, 2, 3, 4))
        tree.call(2, (5, 6, 7, 8))
        parked: Any = tree.ownership.anchor[1]
        parked.on_device, parked.backuped = False, True
        self.parked = parked
        tree.ownership.measure(10)
        self.state.pace.prefill_s = 0.0  # no load is hidden by a pass
        self.state.pace.link_is_known = True
        self.loads: list[int] = []
        self.at_once = False
        self.cache = SimpleNamespace(
            ongoing_load_back={},
            cache_controller=SimpleNamespace(start_loading=lambda: 7),
            may_load_early=lambda: True,
            loading_tokens=lambda: 0,
            load_back=self._load,
            check_hicache_events=self._check,
            token_to_kv_pool_allocator=SimpleNamespace(available_size=lambda: 6),
            evictable_size=lambda: 20,
        )
        self.state.cache = self.cache
        self.gate = Gate(self.state, Prefetcher())
        self.running = SimpleNamespace(is_empty=lambda: False, batch_is_full=False, reqs=[])
        self.scheduler = SimpleNamespace(
            waiting_queue=[], running_batch=self.running, last_batch=None, chunked_req=None
        )
        self.state.scheduler = self.scheduler

    def _load(self, node_id: int, mem_quota: int) -> bool:
        if fits := len(self.parked.key) <= mem_quota:
            self.loads.append(node_id)
            self.cache.ongoing_load_back[node_id] = None
            self.parked.on_device = True
        return fits

    def _check(self) -> None:
        if self.at_once:
            self.cache.ongoing_load_back.clear()

    def queue(self, *npcs: int | None) -> None:
        self.scheduler.waiting_queue = [request(npc) for npc in npcs]

    def admit(self) -> list[str]:
        """Ids that SGLang sees, all of which it leaves in the queue."""
        seen: list[str] = []

        def make_batch(scheduler: Any, *, running_batch: Any) -> str:
            assert running_batch is self.running
            seen.extend(req.rid for req in scheduler.waiting_queue)
            return "batch"

        before = {req.rid for req in self.scheduler.waiting_queue}
        assert self.gate.admit(make_batch, self.scheduler, running_batch=self.running) == "batch"
        assert {req.rid for req in self.scheduler.waiting_queue} == before
        return seen


def test_who_is_in_host_memory_is_sent_for_and_held_until_there() -> None:
    scene = Scene()
    scene.queue(None, 1, 2)
    assert scene.admit() == ["rNone", "r2"]
    assert scene.admit() == ["rNone", "r2"]
    assert scene.loads == [scene.parked.id]
    scene.cache.ongoing_load_back.clear()
    assert sorted(scene.admit()) == ["r1", "r2", "rNone"]
    assert scene.state.counters.demanded_loads == 1
    assert scene.state.counters.held_requests == 1


def test_if_nobody_else_can_go_the_one_who_comes_first_does() -> None:
    scene = Scene()
    scene.running.is_empty = lambda: True
    scene.queue(1)
    assert scene.admit() == ["r1"]
    assert scene.loads == [scene.parked.id]
    assert scene.state.counters.held_requests == 0


def test_while_nobody_runs_who_is_ready_goes_first() -> None:
    scene = Scene()
    scene.running.is_empty = lambda: True
    scene.queue(1, 2)
    assert scene.admit() == ["r2"]
    assert scene.state.counters.held_requests == 1


def test_a_load_that_the_pass_hides_is_sglangs_business() -> None:
    scene = Scene()
    scene.state.pace.prefill_s = 1.1 * scene.state.pace.load_s(len(scene.parked.key))
    scene.queue(1, 2)
    assert scene.admit() == ["r1", "r2"]
    assert scene.loads == []
    scene.cache.loading_tokens = lambda: len(scene.parked.key)
    assert scene.admit() == ["r2"], "it would wait for what is on the link already"


def test_calls_are_counted_as_they_come() -> None:
    scene = Scene()
    for session in (session_id(2), session_id(1), session_id(9), None):
        scene.gate.note_call(session)
    counters = scene.state.counters
    assert (counters.arrivals, counters.arrivals_on_device) == (2, 1)


def test_a_batch_that_has_run_waits_for_no_later_load() -> None:
    scene = Scene()
    batches = [SimpleNamespace(hicache_consumer_index=n) for n in (2, 4)]
    scene.scheduler.running_batch, scene.scheduler.last_batch = batches
    scene.gate.end_waits(scene.state)
    assert [batch.hicache_consumer_index for batch in batches] == [-1, -1]
    scene.scheduler.last_batch = None
    scene.gate.end_waits(scene.state)


def test_a_full_batch_sends_for_nobody() -> None:
    scene = Scene()
    scene.queue(1)
    scene.running.batch_is_full = True
    assert scene.admit() == ["r1"]
    assert scene.loads == []


@pytest.mark.parametrize(("left_tokens", "fits"), [(16, True), (17, False)])
def test_running_requests_keep_the_room_they_will_take(left_tokens: int, fits: bool) -> None:
    scene = Scene()
    scene.queue(1)
    scene.running.reqs.append(request(2, max_new_tokens=left_tokens))
    assert scene.admit() == ([] if fits else ["r1"])
    assert len(scene.loads) == fits


def test_who_cannot_be_sent_for_yet_is_held_while_others_run() -> None:
    scene = Scene()
    scene.queue(1, 2)
    scene.cache.may_load_early = lambda: False
    assert scene.admit() == ["r2"]
    assert scene.loads == []
    scene.queue(1)
    scene.running.is_empty = lambda: True
    assert scene.admit() == ["r1"]


def test_who_was_held_goes_after_a_decode_step_and_not_prompt_by_prompt() -> None:
    scene = Scene()
    scene.queue(1, 2)
    assert scene.admit() == ["r2"]
    scene.cache.ongoing_load_back.clear()
    mode = SimpleNamespace(is_extend=lambda: True)
    scene.scheduler.last_batch = SimpleNamespace(forward_mode=mode)
    scene.running.reqs.append(request(2))
    scene.queue(None, 1)
    assert scene.admit() == ["rNone"]
    scene.scheduler.last_batch.forward_mode.is_extend = lambda: False
    assert sorted(scene.admit()) == ["r1", "rNone"]


def test_a_load_that_ends_at_once_holds_nobody() -> None:
    scene = Scene()
    scene.queue(1)
    scene.at_once = True
    assert scene.admit() == ["r1"]
    assert scene.state.counters.demanded_loads == 1


def test_it_can_be_turned_off() -> None:
    scene = Scene(hold=False)
    scene.queue(1)
    assert scene.admit() == ["r1"]
    assert scene.loads == []


def test_what_raises_holds_nobody_and_is_counted() -> None:
    scene = Scene()
    scene.queue(1, 2)
    del scene.cache.load_back
    assert scene.admit() == ["r1", "r2"]
    assert scene.state.guard.caught["gate"] == 1


def test_a_batch_that_cannot_be_made_loses_no_request() -> None:
    scene = Scene()
    scene.queue(1, 2)

    def fail(scheduler: Any, **_: Any) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        scene.gate.admit(fail, scene.scheduler, running_batch=scene.running)
    assert [req.rid for req in scene.scheduler.waiting_queue] == ["r1", "r2"]


LINK_BYTES_PER_S = 400_000.0
"""400 tokens of the tiny model are some 0.6 MB, or 1.2 MB where it computes in float32: seconds on
the link, far longer than it takes to compute them, on a busy machine too."""
COPIES_S = 20.0
"""Until all that the test has said first is in host memory: nothing on the link can be evicted."""


@pytest.mark.sglang
@pytest.mark.parametrize("hold", [True, False])
def test_speakers_do_not_wait_for_a_slow_load_of_another(
    hold: bool,
    launch_sglang: Callable[..., AbstractContextManager[Sglang]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(BYTES_PER_S, str(LINK_BYTES_PER_S))
    settings = {"hold": hold, "prefetch": False, "demote": False}
    people = [[(7 * npc + i) % (VOCABULARY - 4) for i in range(400)] for npc in range(5)]
    with (
        launch_sglang(plugin=True, pool_tokens=1700, plugin_settings=settings) as sglang,
        ThreadPoolExecutor(1) as pool,
    ):
        first = [sglang.generate(p, 4, session_id=session_id(n)) for n, p in enumerate(people)]
        long = sglang.generate(people[4], 300, session_id=session_id(4))
        time.sleep(COPIES_S)
        speaker = pool.submit(sglang.generate, people[4], 300, session_id=session_id(4))
        time.sleep(0.5)
        again = sglang.generate(people[0], 4, session_id=session_id(0))
        assert again.token_ids == first[0].token_ids
        assert speaker.result().token_ids == long.token_ids
        assert again.device_tokens + again.host_tokens > 300
        status = sglang.get_json(STATUS_PATH)
        counters = status["counters"]
        assert counters["held_requests"] == counters["demanded_loads"] == int(hold)
        assert status["fallbacks"] == {}
        waited_s = load_wait_s(sglang)
        # Of the speaker's and the other's, each the time that 400 tokens take.
        assert waited_s < 0.3 if hold else waited_s > 0.8


def load_wait_s(sglang: Sglang) -> float:
    text = sglang.call("GET", "/metrics/").decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "callsheet_load_wait_request_seconds_total"
    )
