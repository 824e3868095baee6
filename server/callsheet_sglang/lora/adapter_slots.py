"""SGLang's adapter slots in one scheduler process: filled and emptied by distance, and counted.

SGLang brings an adapter to a slot when the batch that needs it is about to run, and empties the
least recently used slot for it. Here the adapters of NPCs that will speak soon come before their
requests do, and the farthest leave. What is decided depends on messages and on the scheduler's own
state only, never on a clock, so all tensor-parallel ranks decide alike.

SGLang's objects are used through their attributes; neither sglang nor torch is imported.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Set
from typing import Any

import numpy as np

from callsheet_sglang.kv.scheduler_state import SchedulerState
from callsheet_sglang.lora.adapter_order import AdapterRows, next_load, victim

__all__ = ["AdapterSlots"]

logger = logging.getLogger(__name__)

LoraId = str | None
"""SGLang's id of an adapter as loaded once; None = the base model."""

MAX_WAITING = 4
"""Prefetching rests while more requests than this wait for admission."""


class AdapterSlots:
    """One scheduler's slots. Made after the scheduler's LoRA parts are, before its first batch.

    It takes the place of the memory pool's ``EvictionPolicy`` if the settings say ``distance``;
    under ``lru`` it only counts.
    """

    def __init__(self, state: SchedulerState) -> None:
        """Attach to ``state.scheduler``, which must have been started with ``--enable-lora``."""
        self._state = state
        self._scheduler = state.scheduler
        self._manager = self._scheduler.tp_worker.model_runner.lora_manager
        self._pool = self._manager.memory_pool
        self._prepare_stock = self._pool.prepare_lora_batch
        self._pool.prepare_lora_batch = self._prepare
        self._batch: Set[LoraId] = frozenset()
        """Asked for by the call of ``prepare_lora_batch`` that is under way."""
        self._prefetching: LoraId = None
        self._in_flight: set[LoraId] = set()
        """Prefetched, and not known to have arrived: only with SGLang's overlap loading."""
        self._decided_at: object = None
        self._distance_s: dict[str | None, float] = {}
        self._measured_at = (-1, -1)
        self._loaded = set(self._manager.lora_refs)
        """Ids of the adapters in host memory, as of the last iteration."""
        self._recency: dict[LoraId, None] = {}
        """Adapters in slots, by last use, oldest first."""
        self._stock = self._pool.eviction_policy
        self._by_distance = state.settings.adapters == "distance" and _supported(self._scheduler)
        if self._by_distance:
            self._pool.eviction_policy = self

    def in_slots(self) -> list[str]:
        """Names of the adapters that hold a slot, by slot."""
        refs = self._manager.lora_refs
        return [refs[uid].lora_name for uid in self._pool.buffer_id_to_uid if uid in refs]

    def prefetch(self, state: SchedulerState) -> None:
        """Bring at most one adapter. Called once per scheduler iteration, before it makes a batch.

        Nothing is decided anew while nothing has changed that a decision could depend on.
        """
        if not (self._by_distance and state.settings.prefetch):
            return
        waiting = self._scheduler.waiting_queue
        queued = {request.lora_id for request in waiting}
        self._in_flight &= self._manager.pending_lora_load_events.keys()
        if late := self._in_flight & queued:
            self._in_flight -= late
            state.counters.adapter_late_loads += len(late)
        if len(waiting) > MAX_WAITING:
            return
        busy = self._busy()
        slots = tuple(self._pool.buffer_id_to_uid)
        if self._decided_at == (now := (self._heard(), busy, queued, slots)):
            return
        self._decided_at = now
        rows = self._rows(busy | (queued - set(slots)))
        if (row := next_load(rows, len(slots), state.settings.policy)) is not None:
            self._load(rows.ids[row], busy)

    def forget_unloaded(self, state: SchedulerState) -> None:
        """Let go of KV caches that an unloaded adapter computed: nothing will match them again.

        SGLang gives an adapter a new id whenever it is loaded, under the same name too, and the id
        is part of the tree's keys. So an old cache is never served, but it would be kept, and even
        prefetched, as its NPC's. Called once per scheduler iteration.
        """
        if (loaded := self._manager.lora_refs.keys()) == self._loaded:
            return
        gone, self._loaded = tuple(self._loaded - loaded), set(loaded)
        for handle, anchor in list(state.ownership.anchor.items()):
            key: Any = anchor.key
            if gone and (key.extra_key or "").endswith(gone):
                state.ownership.forget(handle)

    def mark_used(self, uid: LoraId) -> None:
        """SGLang: a batch with this adapter is about to run."""
        self._recency.pop(uid, None)
        self._recency[uid] = None
        self._stock.mark_used(uid)

    def remove(self, uid: LoraId) -> None:
        """SGLang: this adapter has lost its slot."""
        self._recency.pop(uid, None)
        self._stock.remove(uid)

    def select_victim(self, candidates: Set[LoraId]) -> LoraId:
        """SGLang: choose whose slot the batch gets. ``candidates`` are not in that batch.

        What the running, last or chunked batch uses is spared as long as anything else may go.
        The base model may go although SGLang does not offer it: to clear a slot for it is cheap.
        """
        try:
            allowed = set(candidates)
            if None in self._pool.uid_to_buffer_id and None not in self._batch:
                allowed.add(None)
            rows = self._rows(self._busy(), allowed)
            if (row := victim(rows)) is None:
                rows = self._rows(frozenset(), allowed)
                row = victim(rows)
            if row is not None:
                return rows.ids[row]
        except Exception:
            self._state.guard.catch("adapter eviction")
        return self._stock.select_victim(candidates)  # type: ignore[no-any-return]

    def _prepare(self, cur_uids: Set[LoraId], **rest: Any) -> Any:
        """``LoRAMemoryPool.prepare_lora_batch``, counted."""
        held = self._pool.uid_to_buffer_id
        if cur_uids <= held.keys():
            return self._prepare_stock(cur_uids=cur_uids, **rest)
        before = set(held)
        self._batch = cur_uids
        try:
            result = self._prepare_stock(cur_uids=cur_uids, **rest)
        finally:
            self._batch = frozenset()
        loaded = held.keys() - before - {None}
        prefetched = loaded & {self._prefetching}
        counters = self._state.counters
        counters.adapter_prefetched_loads += len(prefetched)
        counters.adapter_critical_loads += len(loaded - prefetched)
        counters.adapter_evictions += len(before - held.keys() - {None})
        return result

    def _load(self, uid: LoraId, busy: Set[LoraId]) -> None:
        self._prefetching = uid
        try:
            if self._scheduler.enable_lora_overlap_loading:
                self._scheduler.lora_overlap_loader.try_overlap_load_lora(uid, set(busy))
                self._in_flight.add(uid)
            else:
                # On a GPU this copies on the scheduler's stream, beside the batch in flight; the
                # next batch's stream waits for it.
                self._manager.fetch_new_loras({uid})
        finally:
            self._prefetching = None

    def _busy(self) -> frozenset[LoraId]:
        """Return what the running, last and chunked batch use, and what is being loaded."""
        scheduler = self._scheduler
        batches = (scheduler.running_batch, scheduler.last_batch)
        requests = [request for batch in batches if batch for request in batch.reqs]
        if scheduler.chunked_req is not None:
            requests.append(scheduler.chunked_req)
        loading = self._manager.pending_lora_load_events
        return frozenset((*loading, *(request.lora_id for request in requests)))

    def _heard(self) -> tuple[int, int]:
        """Changes with every message that distances depend on."""
        return self._state.table.updates, self._state.table.adapters.version

    def _distances(self) -> dict[str | None, float]:
        """Distances of the adapters that NPCs use, by name; worked out once per message."""
        if (heard := self._heard()) != self._measured_at:
            table = self._state.table
            self._distance_s = table.adapters.distance_s(table.distance_s())
            self._measured_at = heard
        return self._distance_s

    def _rows(self, spared: Set[LoraId], candidates: Set[LoraId] | None = None) -> AdapterRows:
        """Everything that can hold a slot, as the decisions want it.

        Args:
            spared: neither evicted nor loaded.
            candidates: if given, nothing else is evicted.
        """
        refs, slots = self._manager.lora_refs, self._pool.uid_to_buffer_id
        distance_s = self._distances()
        queued = {request.lora_id for request in self._scheduler.waiting_queue}
        known: list[LoraId] = [None, *refs]
        used = [uid for uid in self._recency if uid is None or uid in refs]
        ids = [*(uid for uid in known if uid not in self._recency), *used]
        fixed = set(spared) | _pinned(refs.values(), slots)
        if candidates is not None:
            fixed |= slots.keys() - candidates
        return AdapterRows(
            ids=ids,
            distance_s=np.array(
                [
                    0.0 if uid in queued else distance_s.get(uid and refs[uid].lora_name, np.inf)
                    for uid in ids
                ],
                np.float32,
            ),
            in_slot=np.array([uid in slots for uid in ids]),
            fixed=np.array([uid in fixed for uid in ids]),
        )


def _pinned(refs: Iterable[Any], slots: Iterable[LoraId]) -> set[LoraId]:
    """Adapters that were loaded to stay in their slot."""
    held = set(slots)
    return {ref.lora_id for ref in refs if ref.pinned and ref.lora_id in held}


def _supported(scheduler: Any) -> bool:
    """True if this scheduler's batches can be seen whole, and its slots changed by it alone."""
    manager = scheduler.tp_worker.model_runner.lora_manager
    if manager.attn_dp_enabled or scheduler.server_args.pp_size > 1:
        logger.warning(
            "callsheet: adapters stay with SGLang's own policy: it is not replaced under "
            "data-parallel attention (--enable-dp-attention) or pipeline parallel (--pp-size)."
        )
        return False
    return True
