"""Drives our radix cache inside SGLang's interpreter, with SGLang's own pools and no model.

``python inside.py CASE`` prints one JSON object. Requests write a fingerprint of every token's
prefix into the KV pool as a model would, and check it when they find a prefix cached: whatever was
evicted, parked or brought back in between, what a request is told to reuse must be its own.
"""

# ruff: noqa: E402, T201 - what it imports reads the environment it sets
from __future__ import annotations

import json
import os
import random
import sys
import warnings
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

warnings.simplefilter("ignore")
os.environ.update(SGLANG_USE_CPU_ENGINE="1", CALLSHEET_SGLANG="1")

import numpy as np
import torch
from sglang.srt import runtime_context
from sglang.srt.managers.schedule_batch import FINISH_LENGTH
from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator
from sglang.srt.mem_cache.base_prefix_cache import (
    EvictParams,
    InitLoadBackParams,
    MatchPrefixParams,
)
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.memory_pool import MHATokenToKVPool, ReqToTokenPool
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.server_args import ServerArgs

from callsheet_sglang import plugin, wire

plugin.activate()

from callsheet_sglang.http.reports import audit, status
from callsheet_sglang.kv.cache import create
from callsheet_sglang.kv.prefetcher import Prefetcher
from callsheet_sglang.kv.scheduler_state import SchedulerState, current, install
from callsheet_sglang.settings import PluginSettings
from callsheet_sglang_cpu.emulated_link import EmulatedLink

LAYERS, HEADS, HEAD_DIM = 2, 1, 4
VOCABULARY = 1000


class Town:
    """A cache and the requests of its NPCs, in the order a scheduler would make the calls."""

    def __init__(
        self,
        pool_tokens: int,
        host_tier: bool = True,
        host_ratio: float = 4.0,
        **settings: Any,
    ) -> None:
        install(SchedulerState(PluginSettings(**settings)))
        self.state = current()
        self.pool = MHATokenToKVPool(
            pool_tokens, 1, torch.float32, HEADS, HEAD_DIM, LAYERS, "cpu", False
        )
        self.allocator = TokenToKVPoolAllocator(
            pool_tokens, torch.float32, "cpu", self.pool, need_sort=False
        )
        self.rows = ReqToTokenPool(64, 4096, "cpu", False)
        arguments = ServerArgs(
            model_path=os.environ["MODEL"],
            device="cpu",
            attention_backend="torch_native",
            enable_hierarchical_cache=host_tier,
            hicache_ratio=host_ratio,
            hicache_io_backend="direct",
            hicache_mem_layout="layer_first",
            radix_cache_backend="callsheet",
        )
        runtime_context.publish(arguments, role="scheduler")
        params = CacheInitParams(False, self.rows, self.allocator, 1)
        runner = SimpleNamespace(register_hicache_layer_transfer_counter=lambda counter: None)
        context = SimpleNamespace(
            server_args=arguments,
            params=params,
            is_hybrid_swa=False,
            is_hybrid_ssm=False,
            enable_hierarchical_cache=host_tier,
            tp_worker=runner,
        )
        self.cache = create(context)
        self.running: list[Any] = []
        self.prefetcher = Prefetcher()
        self.state.every_iteration.append(self.prefetcher.move)
        self.scheduler = SimpleNamespace(
            running_batch=SimpleNamespace(reqs=self.running, is_empty=lambda: not self.running),
            last_batch=None,
            chunked_req=None,
            waiting_queue=[],
            tree_cache=self.cache,
            is_fully_idle=lambda: not self.running,
            invariant_checker=SimpleNamespace(_check_all_pools=self._check_tokens),
            pool_stats_observer=SimpleNamespace(get_pool_stats=lambda: None),
        )
        self.seq = 0
        self.device_tokens = self.host_tokens = self.prompt_tokens = self.wrong = 0

    def iterate(self, times: int = 1) -> None:
        for _ in range(times):
            self.state.iterate(self.scheduler)
            if self.cache.cache_controller is not None:
                self.cache.check_hicache_events()

    def tell(self, now_s: float, distance_s: dict[int, float], full: bool = False) -> None:
        self.seq += 1
        handles = np.array(list(distance_s), np.uint32)
        distances = np.array(list(distance_s.values()), np.float32)
        update = wire.Distances(self.seq, now_s, handles, distances, full)
        for handle in self.state.table.take(update).tolist():
            self.state.ownership.forget(handle)

    def begin(self, npc: int | None, prompt: list[int]) -> Any:
        """Admit a request: match, load back, lock, allocate, compute."""
        req = SimpleNamespace(
            rid=f"r{random.random()}",
            session=None,
            session_id=None if npc is None else wire.session_id(npc),
            origin_input_ids=array("q", prompt),
            output_ids=array("q"),
            full_untruncated_fill_ids=array("q", prompt),
            extra_key=None,
            cache_salt=None,
            priority=None,
            kv_rotation_base=None,
            sampling_params=SimpleNamespace(max_new_tokens=8),
            swa_host_hit_length=0,
            mamba_host_hit_length=0,
            finished_reason=None,
            lock=None,
            kv=SimpleNamespace(
                req_pool_idx=1 + len(self.running),
                mamba_pool_idx=None,
                cache_protected_len=0,
                cache_inserted_len=0,
            ),
        )
        req.finished = lambda: req.finished_reason is not None
        key = RadixKey(array("q", prompt[:-1]), None)
        match = self.cache.match_prefix(MatchPrefixParams(key=key))
        req.last_node, reused = match.last_device_node, match.device_prefix_len
        on_device = reused
        if match.host_hit_length:
            loaded, node = self.cache.init_load_back(
                InitLoadBackParams(
                    best_match_node=match.best_match_node,
                    host_hit_length=match.host_hit_length,
                    req=req,
                )
            )
            reused, req.last_node = reused + loaded, node
        self.cache.ready_to_load_host_cache()
        req.lock = self.cache.lock(req.last_node)
        wanted = len(prompt) - reused
        if self.allocator.available_size() < wanted:
            self.cache.evict_for_alloc(
                EvictParams(num_tokens=wanted - self.allocator.available_size())
            )
        fresh = self.allocator.alloc(wanted)
        if fresh is None:
            self.cache.unlock(req.lock)
            return None
        self.device_tokens += on_device
        self.host_tokens += reused - on_device
        self.prompt_tokens += len(prompt)
        known = self.cache.path_device_indices(req.last_node)[:reused]
        slots = torch.cat([known, fresh])
        truth = fingerprints(prompt)
        self.wrong += int((self.pool.k_buffer[0][known, 0, 0] != truth[:reused]).sum())
        for layer in range(LAYERS):
            self.pool.k_buffer[layer][fresh, 0, 0] = truth[reused:]
        self.rows.req_to_token[req.kv.req_pool_idx, : len(prompt)] = slots.to(torch.int32)
        req.kv.cache_protected_len = reused
        self.running.append(req)
        self.cache.checkpoint(req, up_to=len(prompt))
        return req

    def finish(self, req: Any, output: int = 4) -> None:
        """Generate, insert, release."""
        prompt = list(req.origin_input_ids)
        room = self.allocator.available_size()
        if room < output:
            self.cache.evict_for_alloc(EvictParams(num_tokens=output - room))
        fresh = self.allocator.alloc(output)
        if fresh is not None:
            row = self.rows.req_to_token[req.kv.req_pool_idx]
            row[len(prompt) : len(prompt) + output] = fresh.to(torch.int32)
            full = prompt + [VOCABULARY + i for i in range(output)]
            truth = fingerprints(full)[len(prompt) :]
            for layer in range(LAYERS):
                self.pool.k_buffer[layer][fresh, 0, 0] = truth
            req.full_untruncated_fill_ids = array("q", full)
        total = len(req.full_untruncated_fill_ids)
        req.finished_reason = FINISH_LENGTH(output)
        self.cache.checkpoint(req, up_to=total)
        self.cache.unlock(req.lock)
        self.running.remove(req)
        for place, other in enumerate(self.running):
            assert other.kv.req_pool_idx != 0, place

    def check(self) -> dict[str, Any]:
        self.state.scheduler = self.scheduler
        self.iterate(4)
        return audit(self.state)

    def _check_tokens(self, _: object) -> tuple[bool, list[str]]:
        core = self.cache.tree_core
        total = self.allocator.available_size() + core.evictable_size() + core.protected_size()
        return total != self.allocator.size, [f"{total} of {self.allocator.size} tokens"]


def fingerprints(tokens: list[int]) -> torch.Tensor:
    """(N,) float32: of each token and all before it."""
    state, found = 7, []
    for token in tokens:
        state = (state * 31 + token) % 65_521
        found.append(float(state))
    return torch.tensor(found)


def personas(count: int, tokens: int, rng: random.Random, shared: int = 32) -> list[list[int]]:
    world = [rng.randrange(VOCABULARY) for _ in range(shared)]
    return [world + [rng.randrange(VOCABULARY) for _ in range(tokens)] for _ in range(count)]


def turn(rng: random.Random) -> list[int]:
    return [rng.randrange(VOCABULARY) for _ in range(rng.randrange(4, 16))]


def town(rounds: int = 400, **settings: Any) -> dict[str, Any]:
    """NPCs called in turn, with some strangers, several at a time; distances are right."""
    rng = random.Random(1)
    people = personas(24, 100, rng)
    found = Town(1000, **settings)
    order = [rng.randrange(24) if rng.random() < 0.1 else step % 24 for step in range(rounds)]
    for step, npc in enumerate(order):
        upcoming = order[step:] + list(range(24))
        found.tell(float(step), {h: float(upcoming.index(h)) for h in range(24)})
        found.iterate(3)
        stranger = found.begin(None, turn(rng)) if rng.random() < 0.2 else None
        req = found.begin(npc, people[npc] + turn(rng))
        found.iterate(2)
        for one in (stranger, req):
            if one is not None:
                found.finish(one)
        found.iterate(2)
    report = status(found.state)
    return {
        "audit": found.check(),
        "wrong": found.wrong,
        "device": found.device_tokens / found.prompt_tokens,
        "host": found.host_tokens / found.prompt_tokens,
        "counters": report["counters"],
        "fallbacks": report["fallbacks"],
        "rows": found.state.table.tier[:24].tolist(),
    }


def without_distances() -> dict[str, Any]:
    """The same with no message at all: least recently used goes first."""
    rng = random.Random(1)
    people = personas(24, 100, rng)
    found = Town(1000)
    for step in range(200):
        found.finish(found.begin(step % 24, people[step % 24] + turn(rng)))
        found.iterate(2)
    return {
        "audit": found.check(),
        "wrong": found.wrong,
        "device": found.device_tokens / found.prompt_tokens,
    }


@contextmanager
def broken(owner: Any, name: str, after: int) -> Iterator[None]:
    """Make every call but the first ``after`` raise."""
    intact: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def fail(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > after and calls % 3:
            raise RuntimeError(f"{name} was made to fail")
        return intact(*args, **kwargs)

    setattr(owner, name, fail)
    try:
        yield
    finally:
        setattr(owner, name, intact)


def containment() -> dict[str, Any]:
    """Each piece of ours in turn raises two times in three: the town goes on, and is sound."""
    from callsheet_sglang.kv import prefetcher
    from callsheet_sglang.kv.leaves import LeafOrder
    from callsheet_sglang.kv.ownership import Ownership

    pieces: list[tuple[Any, str]] = [
        (LeafOrder, "begin"),
        (LeafOrder, "take"),
        (LeafOrder, "end"),
        (LeafOrder, "enter"),
        (LeafOrder, "leave"),
        (Ownership, "attribute"),
        (Ownership, "split"),
        (Ownership, "remove"),
        (Ownership, "moved"),
        (Ownership, "measure"),
        (prefetcher, "decide"),
        (Prefetcher, "_load"),
        (Prefetcher, "_demote"),
    ]
    found = {}
    for owner, name in pieces:
        with broken(owner, name, after=20):
            report = town(host_tier=name != "remove", rounds=80)  # with it, little is dropped
        trouble = report["audit"].get("broken", "")
        if trouble.startswith(("tree", "tokens")):
            return {"piece": name, "broken": trouble}
        label = f"{getattr(owner, '__name__', owner)}.{name}"
        found[label] = {"wrong": report["wrong"], "fallbacks": sum(report["fallbacks"].values())}
    return found


def full_link() -> dict[str, Any]:
    """Everybody is sent for and nobody arrives: SGLang's own loads find their slots of the ring."""
    link = EmulatedLink(float("inf"))
    link.install()
    rng = random.Random(1)
    people, found = personas(250, 100, rng), Town(9000)
    for npc, persona in enumerate(people):
        found.finish(found.begin(npc, persona + turn(rng)))
        found.iterate(2)
    link.to_device.bytes_per_s = 1e-9
    bring, req = found.prefetcher.bring, SimpleNamespace(
        session_id=None, origin_input_ids=[], output_ids=[],
        sampling_params=SimpleNamespace(max_new_tokens=8),
    )  # fmt: skip
    sent = sum(bring(found.state, req, npc) for npc in range(100))
    for npc in range(100, 103):
        found.begin(npc, people[npc] + turn(rng))
    return {"sent": sent, "host": found.host_tokens}


def refusals() -> dict[str, Any]:
    """Message of activation before it ends the process."""
    from callsheet_sglang import targets
    from callsheet_sglang.kv import scheduler_state

    targets.check(targets.HTTP_TARGETS)
    supported, targets.SUPPORTED = targets.SUPPORTED, ((0, 9, 0), (0, 9, 1))
    found = {"version": _refusal()}
    targets.SUPPORTED = supported
    whole, targets.TARGETS = targets.TARGETS, (*targets.TARGETS, targets.Target("heapq.no_such"))
    found["target"] = _refusal()
    targets.TARGETS = whole
    scheduler_state._current = None
    os.environ["CALLSHEET_SGLANG_SETTINGS"] = '{"prefetch_link_ms": 0}'
    return found | {"settings": _refusal()}


def _refusal() -> str:
    try:
        plugin.activate()
    except SystemExit as refused:
        return str(refused)
    return "not refused"


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "town": town,
    "town-again": town,
    "no-prefetch": lambda: town(prefetch=False, demote=False),
    "small-host": lambda: town(host_ratio=1.3),
    "no-host-tier": lambda: town(host_tier=False),
    "without-distances": without_distances,
    "containment": containment,
    "refusals": refusals,
    "full-link": full_link,
}

if __name__ == "__main__":
    print(json.dumps({case: CASES[case]() for case in sys.argv[1:]}))
