"""Prefetch of prefixes to the device before their NPCs call; parking in host memory to make room.

Runs in the scheduler, once per iteration at most. What it decides follows from messages, requests
and counts of iterations, never from a clock, so all tensor-parallel ranks do the same.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from callsheet_residency.actions import Load, Plan
from callsheet_sglang.kv.deciding import POOL_SHARE, Pools, Traffic, decide, reach_s
from callsheet_sglang.kv.ownership import Node
from callsheet_sglang.kv.scheduler_state import SchedulerState

__all__ = ["LOOKED_AT_QUEUED", "NOT_SENT", "Prefetcher", "pools"]

MEASURED_PER_ITERATION = 256
"""NPCs whose rows are brought up to date per iteration, at most: under a millisecond."""
PLAN_EVERY_ITERATIONS = 2
LOOKED_AT_QUEUED = 64
"""Waiting requests that room is reserved for, or prefixes sent for, at most: those to be admitted
next."""
PREFIXES_AT_LEAST = 2
"""On the link, of the longest there is."""
NOT_SENT = 2**62
"""In place of a load's number: later than all."""


class Prefetcher:
    """Plans every so many scheduler iterations, if anything has changed, and moves at once."""

    def __init__(self) -> None:
        self._loops = 0
        """Since the last plan."""
        self._sent = False
        """The last plan sent for somebody: the link may have kept it from sending for more."""
        self._planned_at = (-1, -1, -1)
        """The last plan was made of these."""
        self._horizon_of = -1
        """The table's epoch that the horizon in use was made of."""
        self._stuck: set[int] = set()
        """NPCs that could not be parked, because somebody else uses what is theirs."""
        self._loading: dict[int, int] = {}
        """NPCs on their way to the device, and the node being loaded for each."""

    def move(self, state: SchedulerState) -> None:
        """Do one scheduler iteration's share."""
        cache = state.cache
        if cache is None or cache.disable:
            return
        state.ownership.measure(MEASURED_PER_ITERATION)
        self._loops += 1
        if cache.cache_controller is None or not (state.settings.prefetch or state.settings.demote):
            return
        busy = not state.scheduler.running_batch.is_empty()
        if busy and self._loops < PLAN_EVERY_ITERATIONS and not self._sent:
            return
        cache.loading_check()
        self._loading = {h: n for h, n in self._loading.items() if n in cache.ongoing_load_back}
        made_of = (state.table.updates, state.table.version, len(self._loading))
        if made_of == self._planned_at:
            return
        self._loops, self._planned_at = 0, made_of
        began_s = time.perf_counter()
        room = pools(state)
        if self._horizon_of != state.table.epoch:
            self._horizon_of = state.table.epoch
            longest_s = state.settings.policy.prefetch_horizon_s
            state.horizon_s = min(longest_s, reach_s(state.table, POOL_SHARE * room.device_tokens))
        made = decide(
            state.table,
            room,
            _traffic(state, self._stuck),
            self._loading.keys(),
            state.horizon_s,
            state.settings,
        )
        decided_s = time.perf_counter()
        self._carry_out(state, made)
        counters, took_s = state.counters, decided_s - began_s
        counters.decisions += 1
        counters.decision_s += took_s
        counters.longest_decision_s = max(counters.longest_decision_s, took_s)
        counters.move_s += time.perf_counter() - decided_s

    def bring(self, state: SchedulerState, req: Any, handle: int) -> bool:
        """Send for the prefix that a waiting request needs, whoever must leave for it.

        False if there is nothing to load, or no room beside what running requests and this one may
        still take. Pages on the link cannot be evicted: a full pool would cost somebody his reply.
        """
        cache, anchor = state.cache, state.ownership.anchor[handle]
        if not anchor.evicted or not cache.may_load_early():
            return False
        missing = _missing(state, handle)
        everything = sys.maxsize
        taken = sum(_remaining_tokens(other, everything) for other in _running(state.scheduler))
        taken += _prompt_tokens(state, req) + _remaining_tokens(req, everything)
        room = cache.token_to_kv_pool_allocator.available_size() + cache.evictable_size() - taken
        # The prefix itself is part of the prompt: what is not on the device counts in both.
        if not cache.load_back(anchor.id, room + int(state.table.missing_tokens[handle])):
            return False
        self._loading[handle] = anchor.id
        state.counters.demanded_loads += 1
        self._start(state, {anchor.id: missing})
        return True

    def coming(self, state: SchedulerState, handle: int) -> int | None:
        """Number of the load that completes an NPC's prefix, smaller = sooner; None = none does.

        ``NOT_SENT`` if it has to be sent for and the link is full.
        """
        loading, arrivals = state.cache.ongoing_load_back, state.arrivals
        if state.ownership.anchor[handle].evicted and not state.cache.may_load_early():
            return NOT_SENT
        nodes = state.ownership.chain(handle)
        numbers = [n for node in nodes if (n := arrivals.number(node.id, loading)) is not None]
        return max(numbers, default=None)

    def _carry_out(self, state: SchedulerState, made: Plan) -> None:
        loads: dict[int, list[int]] = {}
        self._stuck.clear()
        try:
            for action in made.actions:
                handle = action.key
                assert isinstance(handle, int)
                if isinstance(action, Load):
                    nodes = _missing(state, handle)
                    if not self._load(state, handle):
                        state.counters.deferred += 1
                        break  # What follows is farther: it must not take the room.
                    loads[self._loading[handle]] = nodes
                elif state.settings.demote and not self._demote(state, handle):
                    state.counters.deferred += 1
                    self._stuck.add(handle)
        finally:
            self._sent = bool(loads)
            if loads:  # Whatever failed after them, these pages are promised.
                self._start(state, loads)

    def _start(self, state: SchedulerState, loads: dict[int, list[int]]) -> None:
        """Begin what has been queued: nodes by the anchor that SGLang files each load under."""
        index = state.cache.cache_controller.start_loading()
        for anchor, nodes in loads.items():
            state.arrivals.begin(anchor, nodes, index)

    def _demote(self, state: SchedulerState, handle: int) -> bool:
        """Free the device of what only this NPC owns, and of what nobody needs below it."""
        cache, top = state.cache, None
        for node in state.ownership.chain(handle):
            if len(state.ownership.owners(node)) > 1:
                break
            top = node if not node.evicted else top
        if top is None:
            return False
        tracker = dict.fromkeys(cache.tree_components, 0)
        for node in _leaves_first(top):
            if node.evicted:
                continue
            if node not in cache.tree_core.evictable_device_leaves:
                return False
            cache._evict_device_leaf(node.id, tracker)
        state.counters.demotions += 1
        state.counters.demoted_tokens += next(iter(tracker.values()))
        return True

    def _load(self, state: SchedulerState, handle: int) -> bool:
        """Queue what is missing of this NPC's prefix, if it fits without evicting anybody."""
        cache, tokens = state.cache, int(state.table.missing_tokens[handle])
        anchor = state.ownership.anchor.get(handle)
        if anchor is None or not anchor.evicted or not cache.may_load_early():
            return False
        if tokens > pools(state).free_tokens or not cache.load_back(anchor.id):
            return False
        self._loading[handle] = anchor.id
        state.counters.loads += 1
        state.counters.loaded_tokens += tokens
        return True


def pools(state: SchedulerState) -> Pools:
    """The KV pools now; our cache must be in use."""
    cache = state.cache
    allocator, controller = cache.token_to_kv_pool_allocator, cache.cache_controller
    host = controller.mem_pool_host if controller is not None else None
    return Pools(
        device_tokens=allocator.size_full,
        free_tokens=allocator.available_size() + state.device_leaves.unowned_tokens,
        host_tokens=int(host.size) if host is not None else 0,
        host_free_tokens=int(host.available_size()) if host is not None else 0,
        bytes_per_token=cache.bytes_per_token,
        smallest_load_tokens=cache.load_back_threshold if host is not None else 1,
    )


def _missing(state: SchedulerState, handle: int) -> list[int]:
    """The nodes of an NPC's prefix that are not on the device."""
    return [node.id for node in state.ownership.chain(handle) if node.evicted]


def _traffic(state: SchedulerState, in_use: set[int]) -> Traffic:
    scheduler, limit = state.scheduler, state.settings.reserved_output_tokens
    running, queued = _running(scheduler), scheduler.waiting_queue[:LOOKED_AT_QUEUED]
    reserved = sum(_remaining_tokens(req, limit) for req in running)
    reserved += sum(_prompt_tokens(state, req) + _remaining_tokens(req, limit) for req in queued)
    return Traffic(
        running=_npcs(state, running) | in_use,
        queued=_npcs(state, scheduler.waiting_queue),
        reserved_tokens=reserved,
        link_tokens=_link_tokens(state),
    )


def _link_tokens(state: SchedulerState) -> int:
    """Return what may be sent now, that what is on the link stays within its time."""
    if not state.cache.may_load_early():
        return 0
    within_time = int(state.settings.prefetch_link_ms / 1e3 * state.pace.link_tokens_per_s)
    # However slow the link is, it finds the next prefix waiting as it ends one.
    limit = max(within_time, PREFIXES_AT_LEAST * int(state.table.kept_tokens.max()))
    return max(limit - int(state.cache.loading_tokens()), 0)


def _running(scheduler: Any) -> list[Any]:
    """The requests in the running, last and chunked batch."""
    running = [*scheduler.running_batch.reqs]
    if scheduler.last_batch is not None:
        running += scheduler.last_batch.reqs
    if scheduler.chunked_req is not None:
        running.append(scheduler.chunked_req)
    return list({id(req): req for req in running}.values())


def _prompt_tokens(state: SchedulerState, req: Any) -> int:
    """Return the tokens that a waiting request's prompt will take of the device."""
    handle, cached = state.table.find(req.session_id), 0
    if handle is not None:
        cached = int(state.table.device_tokens[handle])
    return max(len(req.origin_input_ids) - cached, 0)


def _npcs(state: SchedulerState, requests: list[Any]) -> set[int]:
    handles = (state.table.find(req.session_id) for req in requests)
    return {handle for handle in handles if handle is not None}


def _remaining_tokens(req: Any, limit: int) -> int:
    """Return what a request may still generate, ``limit`` at most."""
    allowed: int = req.sampling_params.max_new_tokens - len(req.output_ids)
    return max(min(allowed, limit), 0)


def _leaves_first(top: Node) -> list[Node]:
    """``top`` and all below it, children before their parents."""
    found, stack = [], [top]
    while stack:
        node = stack.pop()
        found.append(node)
        stack.extend(node.children.values())
    return found[::-1]
