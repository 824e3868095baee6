"""SGLang's radix cache with distance in place of recency: ``--radix-cache-backend callsheet``.

Only the order of eviction and the choice of what to load early differ from the stock cache. All
bookkeeping of ours is guarded: if it raises, the stock order is used and SGLang goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from sglang.srt.managers.cache_controller import LayerLoadingEvent
from sglang.srt.mem_cache.base_prefix_cache import (
    BasePrefixCache,
    CacheRequestHandle,
    MatchPrefixParams,
)
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.mem_cache.registry import TreeCacheBuildContext, create_unified_radix_cache
from sglang.srt.mem_cache.unified_cache.components import ComponentType
from sglang.srt.mem_cache.unified_cache.components.full import FullComponent
from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache

from callsheet_sglang.kv import scheduler_state
from callsheet_sglang.kv.arrivals import NO_LOAD
from callsheet_sglang.kv.disk import Prefix
from callsheet_sglang.kv.leaves import LeafSet
from callsheet_sglang.kv.ownership import Node
from callsheet_sglang.kv.spare_copies import spare_copies

__all__ = ["DistanceFullComponent", "DistanceRadixCache", "create"]

OWN_LOADS = 64
"""Loads of ours that may be on the link at a time: far more than the link's time allows."""


class DistanceFullComponent(FullComponent):  # type: ignore[misc]
    """The full-attention KV cache of the tree's nodes: evicted by distance, on both tiers."""

    def __init__(self, cache: Any, params: Any) -> None:
        super().__init__(cache, params)
        self._state = scheduler_state.current()
        self._by_distance = False
        """True during an eviction walk of ours; False = SGLang's own."""
        self._began_s = 0.0

    def _evict_device_start(self, request_cnt: int) -> None:
        self._began_s = time.perf_counter()
        try:
            self._state.device_leaves.begin(self.tree_core.evictable_device_leaves)
        except Exception:
            self._fall_back()
            super()._evict_device_start(request_cnt)
            return
        self._by_distance = True
        self._evict_device_request_cnt = request_cnt

    def _evict_device_next_node(
        self, tracker: Any, device_frees: Any, host_frees: Any, cache_actions: Any
    ) -> Any:
        if self._by_distance:
            try:
                if tracker[self.component_type] >= self._evict_device_request_cnt:
                    return None
                leaf = self._state.device_leaves.take()
                if leaf is None:
                    return None
                self._state.counters.evictions += 1
                self._state.counters.evicted_tokens += len(leaf.key)
            except Exception:
                self._fall_back()
                super()._evict_device_start(self._evict_device_request_cnt)
            else:
                return leaf.id
        return super()._evict_device_next_node(
            tracker, device_frees, host_frees, cache_actions=cache_actions
        )

    def _evict_device_end(self) -> None:
        if self._by_distance:
            self._by_distance = False
            try:
                self._state.device_leaves.end()
            except Exception:
                self._fall_back()
        super()._evict_device_end()
        took_s = time.perf_counter() - self._began_s
        counters = self._state.counters
        counters.eviction_s += took_s
        counters.longest_eviction_s = max(counters.longest_eviction_s, took_s)

    def drive_host_eviction(
        self,
        num_tokens: int,
        tracker: Any,
        device_frees: Any,
        host_frees: Any,
        cache_actions: Any,
    ) -> None:
        ct, order = self.component_type, self._state.host_leaves
        core, needed = self.tree_core, num_tokens - order.unowned_tokens
        for node in self._spare_copies() if needed > 0 else ():
            if tracker[ct] >= needed:
                break
            core._release_full_host_duplicate(
                node, tracker, device_frees, host_frees, cache_actions=cache_actions
            )
            core.full_host_duplicates.pop(node.id, None)
            self._state.counters.released_copies += 1
        for leaf in self._host_victims():
            if tracker[ct] >= num_tokens:
                break
            self.tree_core._evict_host_leaf(
                leaf, tracker, device_frees, host_frees, cache_actions=cache_actions
            )
        try:
            order.end()
        except Exception:
            order.distrust()
            self._state.guard.catch("host eviction")
        if tracker[ct] < num_tokens:  # Ours are all gone, or the order failed.
            super().drive_host_eviction(
                num_tokens, tracker, device_frees, host_frees, cache_actions=cache_actions
            )

    def _spare_copies(self) -> Iterator[Any]:
        state = self._state
        try:
            for node in spare_copies(state.table, state.ownership, state.horizon_s):
                idle = node in self.tree_core.evictable_device_leaves
                if idle and self.tree_core._can_reclaim_full_host_duplicate(node):
                    yield node
        except Exception:
            state.guard.catch("spare copies")

    def _host_victims(self) -> Iterator[Any]:
        order = self._state.host_leaves
        try:
            order.begin(self.tree_core.evictable_host_leaves)
            while (leaf := order.take()) is not None:
                yield leaf
        except Exception:
            order.distrust()
            self._state.guard.catch("host eviction")

    def redistribute_on_node_split(self, new_parent: Any, child: Any) -> None:
        super().redistribute_on_node_split(new_parent, child)
        self._state.arrivals.split(new_parent, child)
        self._tell("split", new_parent, child)

    def evict_component(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        freed = super().evict_component(node, *args, **kwargs)
        self._tell("moved", node)
        return freed

    def commit_hicache_transfer(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        done = super().commit_hicache_transfer(node, *args, **kwargs)
        while node.parent is not None:  # a load fills the whole path to it
            self._tell("moved", node)
            node = node.parent
        return done

    def discard_deleted_session_leaf(self, node: Any) -> None:
        super().discard_deleted_session_leaf(node)
        self._tell("remove", node)

    def _tell(self, event: str, *nodes: Node) -> None:
        try:
            getattr(self._state.ownership, event)(*nodes)
        except Exception:
            self._state.guard.catch(f"ownership ({event})")

    def _fall_back(self) -> None:
        self._by_distance = False
        self._state.device_leaves.distrust()
        self._state.guard.catch("eviction")


class DistanceRadixCache(UnifiedRadixCache):  # type: ignore[misc]
    """A ``UnifiedRadixCache`` that knows which NPC each request is of."""

    def __init__(self, params: Any) -> None:
        self._state = scheduler_state.current()
        self._state.cache = self
        self._reads = 0
        """From storage, of ours."""
        super().__init__(params)

    @cached_property
    def bytes_per_token(self) -> int:
        """Bytes per token in the device pool, over all layers."""
        allocator = self.token_to_kv_pool_allocator
        pool_bytes = sum(allocator.get_kvcache().get_kv_size_bytes())
        return max(int(pool_bytes) // int(allocator.size_full), 1)

    def init_hicache(self, server_args: Any, params: Any) -> None:
        super().init_hicache(server_args, params)
        # SGLang gives each load the next slot of a ring and asserts that it is free. Its own loads,
        # of which there are as many as slots at most, keep theirs; ours come on top.
        counter = self.cache_controller.layer_done_counter
        counter.events += [LayerLoadingEvent(counter.num_layers) for _ in range(OWN_LOADS)]
        counter.num_counters += OWN_LOADS

    def agree(self, values: list[float]) -> list[float]:
        """All ranks' smallest, element by element; called in the same iteration on all."""
        told = torch.tensor(values, dtype=torch.float64)
        self._all_reduce(told, torch.distributed.ReduceOp.MIN)
        agreed: list[float] = told.tolist()
        return agreed

    def loading_tokens(self) -> int:
        """Tokens of the loads that have not ended, SGLang's own among them."""
        return sum(ack.num_tokens for ack in self.cache_controller.ack_load_queue)

    def loading_check(self, finish_count: int | None = None) -> None:
        before = list(self.cache_controller.ack_load_queue) if self.cache_controller else []
        super().loading_check(finish_count)
        try:
            left = len(self.cache_controller.ack_load_queue) if before else 0
            for ack in before[: len(before) - left]:
                if ack.timing_enabled:
                    took_ms = ack.start_event.elapsed_time(ack.finish_event)
                    self._state.pace.observe_load(ack.num_tokens, took_ms / 1e3)
        except Exception:
            self._state.guard.catch("measuring the link")

    def may_load_early(self) -> bool:
        """True if a load of ours leaves the ring's slots that SGLang counts on.

        Loads that have ended count until all ranks know it, so all decide alike.
        """
        return len(self.cache_controller.ack_load_queue) < OWN_LOADS

    def _reset_full(self) -> None:
        super()._reset_full()
        state, core = self._state, self.tree_core
        state.clear()
        core.evictable_device_leaves = LeafSet(state.device_leaves, state.guard)
        core.evictable_host_leaves = LeafSet(state.host_leaves, state.guard)

    def checkpoint_into_tree(self, req: Any, *, up_to: int, **kwargs: Any) -> None:
        super().checkpoint_into_tree(req, up_to=up_to, **kwargs)
        began_s = time.perf_counter()
        try:
            handle = self._state.table.row(req.session_id)
            if handle is None or self.disable or not req.finished():
                return
            prompt_tokens = len(req.origin_input_ids) // self.page_size * self.page_size
            if (end := self._prompt_end(req.last_node, prompt_tokens)) is None:
                return
            self._state.ownership.attribute(handle, end)
            self._state.remember(handle, req)
            self._state.counters.attributions += 1
            self._state.counters.attribution_s += time.perf_counter() - began_s
        except Exception:
            self._state.guard.catch("attribution")

    def ready_to_load_host_cache(self) -> int:
        """Start what was queued; return the load that a batch made now has to wait for.

        A batch may match pages that one of our loads is still writing. Loads finish in order, so
        one that waits for what it queued itself has waited for those too.
        """
        index: int = super().ready_to_load_host_cache()
        try:
            ours = self._state.arrivals.index_for_batch(
                self.tree_core.node_by_id, self.ongoing_load_back
            )
        except Exception:
            self._state.guard.catch("arrivals")
            ours = self._newest_load()
        return ours if index < 0 else index

    def lock(self, node_id: int, *args: Any, **kwargs: Any) -> Any:
        self._state.arrivals.admit(node_id)
        return super().lock(node_id, *args, **kwargs)

    def begin_read(self, handle: int, prefix: Prefix, anchor: Node | None) -> Any:
        """Have a prefix read from SGLang's storage to host memory, from where it breaks off.

        Args:
            handle: its NPC.
            prefix: all of it.
            anchor: the last node of it that is there; None = nothing is.

        Returns:
            A key of ``ongoing_prefetch`` until the read has ended; None if it did not begin.
        """
        self._reads += 1
        request = CacheRequestHandle(f"callsheet-{handle}", self._reads)
        node_id = self.root_node_handle(prefix.extra_key) if anchor is None else anchor.id
        if anchor is not None and not anchor.backuped:
            return None
        there = 0
        while anchor is not None and anchor.parent is not None:
            there += len(anchor.key)
            anchor = anchor.parent
        passed = self.hicache_storage_pass_prefix_keys
        self.prefetch_from_storage(
            request,
            node_id,
            prefix.tokens[there:],
            self.get_last_hash_value(node_id),
            self.get_prefix_hash_values(node_id) if passed else None,
            matched_prefix_tokens=prefix.tokens[:there],
            extra_key=prefix.extra_key,
            cache_salt=prefix.cache_salt,
        )
        if request in self.ongoing_prefetch:
            return request
        self.storage_prefetch_retries.cancel(request.rid)
        return None

    def end_read(self, request: Any, prefix: Prefix) -> Node | None:
        """Forget a read that has ended; return where the prefix ends in the tree, or breaks off."""
        self.pop_prefetch_loaded_span(request)
        self.storage_prefetch_retries.cancel(request.rid)
        key = RadixKey(prefix.tokens, prefix.extra_key, cache_salt=prefix.cache_salt)
        found = self.match_prefix(MatchPrefixParams(key=key))
        node: Node = self.tree_core.node_by_id(found.last_host_node)
        return node if node.parent is not None else None

    def _newest_load(self) -> int:
        controller = self.cache_controller
        if controller is None or not controller.ack_load_queue:
            return NO_LOAD
        return int(controller.layer_done_counter.producer_index)

    def _prompt_end(self, node_id: int, prompt_tokens: int) -> Node | None:
        """The node on the path to ``node_id`` that ends where the prompt does, or before.

        None if the path is shorter than the prompt: the request was aborted early.
        """
        node = self.tree_core.node_by_id(node_id)
        path = [node]
        while path[-1].parent is not None:
            path.append(path[-1].parent)
        ends_at = sum(len(above.key) for above in path)
        if ends_at < prompt_tokens or not prompt_tokens:
            return None
        for node in path:
            if ends_at <= prompt_tokens:
                return node if node.parent is not None else None
            ends_at -= len(node.key)
        return None


def create(context: TreeCacheBuildContext) -> BasePrefixCache:
    """Build the cache for ``--radix-cache-backend callsheet``.

    Raises ``ValueError`` naming an option of SGLang's that does not go with it, and the fix.
    """
    _refuse(context)
    params = context.params
    override = dict(params.component_registry_override or {})
    params.component_registry_override = {**override, ComponentType.FULL: DistanceFullComponent}
    return create_unified_radix_cache(context, cache_class=DistanceRadixCache)


def _refuse(context: TreeCacheBuildContext) -> None:
    params = context.params
    clashes: Sequence[tuple[bool, str]] = (
        (params.enable_session_radix_cache, "--enable-session-radix-cache"),
        (params.eviction_policy.lower() != "lru", "--radix-eviction-policy"),
        (params.pp_size > 1, "--pp-size above 1"),
        (context.server_args.dp_size > 1, "--dp-size above 1"),
        (params.is_eagle, "--speculative-algorithm"),
    )
    for clash, option in clashes:
        if clash:
            raise ValueError(
                f"--radix-cache-backend callsheet does not go with {option}: drop one of the two"
            )
