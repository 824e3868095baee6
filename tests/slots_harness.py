"""A scheduler with adapter slots and no model: SGLang's way of filling slots, in a few lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

EMPTY = object()
"""In place of an id in an empty slot."""


@dataclass
class Ref:
    """As ``LoRARef``."""

    lora_id: str
    lora_name: str
    pinned: bool = False


@dataclass
class Request:
    lora_id: str | None


@dataclass
class Batch:
    reqs: list[Request] = field(default_factory=list)


class LeastRecent:
    """As ``LRUEvictionPolicy``."""

    def __init__(self) -> None:
        self.order: dict[str | None, None] = {}

    def mark_used(self, uid: str | None) -> None:
        self.order.pop(uid, None)
        self.order[uid] = None

    def remove(self, uid: str | None) -> None:
        self.order.pop(uid, None)

    def select_victim(self, candidates: set[str | None]) -> str | None:
        return next(uid for uid in self.order if uid in candidates)


class Pool:
    """As ``LoRAMemoryPool``, with names for weights."""

    def __init__(self, slots: int) -> None:
        self.eviction_policy: Any = LeastRecent()
        self.uid_to_buffer_id: dict[str | None, int] = {}
        self.buffer_id_to_uid: list[Any] = [EMPTY] * slots

    def prepare_lora_batch(self, cur_uids: set[str | None], refs: dict[str, Ref]) -> None:
        for uid in cur_uids:
            self.eviction_policy.mark_used(uid)
        for uid in sorted(cur_uids - self.uid_to_buffer_id.keys(), key=str):
            if EMPTY not in self.buffer_id_to_uid:
                free = self.uid_to_buffer_id.keys() - cur_uids
                free -= {ref.lora_id for ref in refs.values() if ref.pinned}
                leaves = self.eviction_policy.select_victim(free - {None} or free)
                self.eviction_policy.remove(leaves)
                self.buffer_id_to_uid[self.uid_to_buffer_id.pop(leaves)] = EMPTY
            slot = self.buffer_id_to_uid.index(EMPTY)
            self.uid_to_buffer_id[uid], self.buffer_id_to_uid[slot] = slot, uid


class Manager:
    """As ``LoRAManager``: the adapters ``a``, ``b``, ... have the ids ``id-a``, ``id-b``, ..."""

    attn_dp_enabled = False

    def __init__(self, names: Iterable[str], slots: int) -> None:
        self.memory_pool = Pool(slots)
        self.lora_refs = {f"id-{name}": Ref(f"id-{name}", name) for name in names}
        self.pending_lora_load_events: dict[str | None, Any] = {}
        self.fetch_new_loras({None})

    def fetch_new_loras(self, new_loras: set[str | None]) -> None:
        self.memory_pool.prepare_lora_batch(cur_uids=new_loras, refs=self.lora_refs)


class Scheduler:
    """As SGLang's, as far as adapters go."""

    enable_lora_overlap_loading = False

    def __init__(self, names: Iterable[str], slots: int) -> None:
        self.lora_manager = Manager(names, slots)
        self.waiting_queue: list[Request] = []
        self.running_batch = Batch()
        self.last_batch: Batch | None = None
        self.chunked_req: Request | None = None
        self.tp_worker = self.model_runner = self
        self.server_args = self
        self.pp_size = 1

    def run(self, *names: str | None) -> None:
        """Prefill a batch with these adapters and let it finish."""
        self.lora_manager.fetch_new_loras({name and f"id-{name}" for name in names})

    def held(self) -> str:
        """Names in slots, in order of the alphabet; "-" = the base model."""
        ids = sorted(self.lora_manager.memory_pool.uid_to_buffer_id, key=lambda uid: uid or "")
        return "".join("-" if uid is None else uid[-1] for uid in ids)
