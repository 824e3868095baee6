"""Requests whose KV cache is still on its way wait beside the batch, not inside it.

SGLang admits a request at once, starts the load it needs, and has the whole forward pass wait for
it, layer by layer: everybody who is speaking stops for one who is about to. Here such a request
stays in the queue until its pages are there, and the others go on. If there are no others, the one
whose pages come first goes, in SGLang's way: it computes the first layers while the last are on the
link. So do those whose loads take no longer than a pass over prompts: they hold up nobody.

Pages come one load after the other, and SGLang computes prompts as soon as there are any, before it
decodes. A pass costs a reading of all weights, so who was held goes after a decode step, with all
whose pages have come by then.

SGLang's objects are used through their attributes; neither sglang nor torch is imported.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from callsheet_sglang.kv.arrivals import NO_LOAD
from callsheet_sglang.kv.prefetcher import LOOKED_AT_QUEUED, NOT_SENT, Prefetcher
from callsheet_sglang.kv.scheduler_state import SchedulerState, prefilled

__all__ = ["Gate"]


class Gate:
    """Between one scheduler's queue and its next batch of prompts."""

    def __init__(self, state: SchedulerState, prefetcher: Prefetcher) -> None:
        self._state = state
        self._prefetcher = prefetcher
        self._held: set[str] = set()
        """Ids of requests held at the last look."""

    def end_waits(self, state: SchedulerState) -> None:
        """Batches that have run wait for nothing any more. Called as an iteration begins.

        SGLang leaves with a batch the number of the load that its prompts waited for. The numbers
        are used again in turn, and each of its decode steps would wait for somebody else's load.
        """
        for batch in (state.scheduler.running_batch, state.scheduler.last_batch):
            if batch is not None:
                batch.hicache_consumer_index = NO_LOAD

    def note_call(self, session_id: str | None) -> None:
        """Count a request that has just come, and whether it finds its prefix on the device."""
        state, handle = self._state, self._state.table.find(session_id)
        try:
            anchor = state.ownership.anchor.get(handle) if handle is not None else None
            if handle is None or anchor is None or state.cache.cache_controller is None:
                return
            state.counters.arrivals += 1
            known = sum(len(node.key) for node in state.ownership.chain(handle))
            whole = known >= state.table.kept_tokens[handle] and not anchor.evicted
            if whole and self._prefetcher.coming(state, handle) is None:
                state.counters.arrivals_on_device += 1
        except Exception:
            state.guard.catch("note of a call")

    def admit(
        self, make_batch: Callable[..., Any], scheduler: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """``Scheduler._get_new_batch_prefill_raw``, which sees only those who may go.

        What may go depends on messages, requests and loads that all tensor-parallel ranks know to
        have ended, so all decide alike.
        """
        began_s = time.perf_counter()
        try:
            held = self._choose(scheduler, kwargs["running_batch"])
        except Exception:
            self._state.guard.catch("gate")
            held = []
        self._state.counters.iteration_s += time.perf_counter() - began_s
        self._state.counters.held_requests += len({req.rid for req in held} - self._held)
        self._held = {req.rid for req in held}
        if held:
            scheduler.waiting_queue = [
                r for r in scheduler.waiting_queue if r.rid not in self._held
            ]
        try:
            return make_batch(scheduler, *args, **kwargs)
        finally:
            scheduler.waiting_queue = [*held, *scheduler.waiting_queue]

    def _choose(self, scheduler: Any, running_batch: Any) -> list[Any]:
        state, cache = self._state, self._state.cache
        if not state.settings.hold or cache is None or cache.cache_controller is None:
            return []
        waiting = scheduler.waiting_queue[:LOOKED_AT_QUEUED]
        if running_batch.batch_is_full or not waiting:
            return []
        known = [
            (req, handle)
            for req in waiting
            if (handle := state.table.find(req.session_id)) in state.ownership.anchor
        ]
        hidden_s = 0.0
        if state.pace.link_is_known:
            hidden_s = state.pace.prefill_s - state.pace.load_s(cache.loading_tokens())
        at_once: set[str] = set()
        started = False
        for req, handle in known:
            missing_s = state.pace.load_s(int(state.table.missing_tokens[handle]))
            if state.ownership.anchor[handle].evicted and missing_s <= hidden_s:
                hidden_s -= missing_s
                at_once.add(req.rid)
            else:
                started |= self._prefetcher.bring(state, req, handle)
        if started:
            cache.check_hicache_events()  # What is short may be there already.
        coming = {}
        for req, handle in known:
            if req.rid in at_once:
                continue
            if (number := self._prefetcher.coming(state, handle)) is not None:
                coming[req.rid] = number
        if running_batch.is_empty():
            if coming and len(coming) == len(waiting):
                del coming[min(coming, key=coming.__getitem__)]
        elif prefilled(scheduler):
            coming |= dict.fromkeys(self._held, NOT_SENT)
        return [req for req in waiting if req.rid in coming]
