"""Names of SGLang that the plugin hooks or uses beyond its public surface; versions that have them.

SGLang's hook registry only logs a target that is missing, so each is looked up here first.
"""

from __future__ import annotations

import inspect
import pkgutil
from dataclasses import dataclass
from importlib.metadata import version

__all__ = ["SUPPORTED", "TARGETS", "Target", "UnsupportedSglangError", "check"]

SUPPORTED = ((0, 5, 23), (0, 5, 24))
"""The first version that is supported, and the first after it that is not."""


class UnsupportedSglangError(Exception):
    """The plugin does not work in this SGLang; the message names why, and what to install."""


@dataclass(frozen=True, slots=True)
class Target:
    """One name of SGLang's."""

    path: str
    """Dotted; a class's member after its class."""
    parameters: tuple[str, ...] = ()
    """Parameters that a function must have, in this order after ``self``."""


CORE = "sglang.srt.mem_cache.unified_cache.unified_tree_core"
FULL = "sglang.srt.mem_cache.unified_cache.components.full.FullComponent"
CACHE = "sglang.srt.mem_cache.unified_radix_cache.UnifiedRadixCache"
EVICTION = ("tracker", "device_frees", "host_frees", "cache_actions")

TARGETS: tuple[Target, ...] = (
    Target("sglang.srt.managers.scheduler.Scheduler.get_next_batch_to_run"),
    Target(
        "sglang.srt.managers.scheduler.Scheduler._get_new_batch_prefill_raw", ("running_batch",)
    ),
    Target("sglang.srt.managers.scheduler.Scheduler.init_request_dispatcher"),
    Target("sglang.srt.managers.scheduler.Scheduler.handle_generate_request", ("recv_req",)),
    Target("sglang.srt.managers.io_struct.TokenizedGenerateReqInput"),
    Target("sglang.srt.managers.scheduler.Scheduler.is_fully_idle"),
    Target("sglang.srt.managers.schedule_batch.ScheduleBatch.hicache_consumer_index"),
    Target("sglang.srt.managers.io_struct.BaseReq"),
    Target("sglang.srt.managers.io_struct.hook_custom_types"),
    Target("sglang.srt.managers.cache_controller.LayerLoadingEvent.__init__", ("num_layers",)),
    Target("sglang.srt.managers.cache_controller.LayerDoneCounter.update_producer"),
    Target(
        "sglang.srt.managers.scheduler_components.invariant_checker"
        ".SchedulerInvariantChecker._check_all_pools"
    ),
    Target("sglang.srt.lora.mem_pool.LoRAMemoryPool.prepare_lora_batch", ("cur_uids",)),
    Target("sglang.srt.lora.lora_manager.LoRAManager.fetch_new_loras", ("new_loras",)),
    Target(
        "sglang.srt.lora.lora_overlap_loader.LoRAOverlapLoader.try_overlap_load_lora",
        ("lora_id", "running_loras"),
    ),
    Target("sglang.srt.lora.eviction_policy.EvictionPolicy.select_victim", ("candidates",)),
    Target("sglang.srt.mem_cache.registry.register_radix_cache_backend", ("name", "factory")),
    Target("sglang.srt.mem_cache.registry.create_unified_radix_cache", ("ctx", "cache_class")),
    Target(f"{CACHE}.init_hicache", ("server_args", "params")),
    Target(f"{CACHE}.check_hicache_events"),
    Target(f"{CACHE}.checkpoint_into_tree", ("req", "up_to")),
    Target(f"{CACHE}.ready_to_load_host_cache"),
    Target(f"{CACHE}.load_back", ("node_id",)),
    Target(f"{CACHE}.loading_check", ("finish_count",)),
    Target(
        f"{CACHE}.prefetch_from_storage",
        ("request", "last_host_node_id", "new_input_tokens", "last_hash", "prefix_keys"),
    ),
    Target(f"{CACHE}.pop_prefetch_loaded_span", ("request",)),
    Target(f"{CACHE}.get_last_hash_value", ("node_id",)),
    Target(f"{CACHE}.get_prefix_hash_values", ("node_id",)),
    Target(f"{CACHE}.root_node_handle", ("extra_key",)),
    Target("sglang.srt.mem_cache.storage_prefetch.StoragePrefetchRetries.cancel", ("req_id",)),
    Target(f"{CACHE}._all_reduce", ("data", "tp_reduce_op")),
    Target(f"{CACHE}.lock", ("node_id",)),
    Target(f"{CACHE}.sanity_check"),
    Target(f"{CACHE}._reset_full"),
    Target(f"{CACHE}._evict_device_leaf", ("node_id", "tracker")),
    Target(f"{FULL}._evict_device_start", ("request_cnt",)),
    Target(f"{FULL}._evict_device_next_node", EVICTION),
    Target(f"{FULL}._evict_device_end"),
    Target(f"{FULL}.drive_host_eviction", ("num_tokens", *EVICTION)),
    Target(f"{FULL}.redistribute_on_node_split", ("new_parent", "child")),
    Target(f"{FULL}.evict_component", ("node",)),
    Target(f"{FULL}.commit_hicache_transfer", ("node", "phase")),
    Target(f"{FULL}.discard_deleted_session_leaf", ("node",)),
    Target(f"{CORE}.UnifiedTreeNode.evicted"),
    Target(f"{CORE}.UnifiedTreeNode.backuped"),
    Target(f"{CORE}.UnifiedTreeCore.node_by_id", ("node_id",)),
    Target(f"{CORE}.UnifiedTreeCore._evict_host_leaf", ("node", *EVICTION)),
    Target(f"{CORE}.UnifiedTreeCore._is_device_leaf", ("node",)),
    Target(f"{CORE}.UnifiedTreeCore._can_reclaim_full_host_duplicate", ("node",)),
    Target(f"{CORE}.UnifiedTreeCore._release_full_host_duplicate", ("node", *EVICTION)),
)
HTTP_TARGETS: tuple[Target, ...] = (
    Target("sglang.srt.entrypoints.http_server.app"),
    Target("sglang.srt.entrypoints.http_server.get_global_state"),
    Target("sglang.srt.managers.tokenizer_manager.TokenizerManager._dispatch_to_scheduler"),
    Target("sglang.srt.managers.tokenizer_manager.TokenizerManager.auto_create_handle_loop"),
    Target("sglang.srt.managers.tokenizer_manager.TokenizerManager.load_lora_adapter", ("obj",)),
    Target("sglang.srt.managers.tokenizer_manager.TokenizerManager.unload_lora_adapter", ("obj",)),
    Target("sglang.srt.lora.lora_registry.LoRARegistry.get_all_adapters"),
    Target("sglang.srt.utils.auth.auth_level"),
)
"""Targets that exist in the HTTP process only."""


def check(targets: tuple[Target, ...] | None = None, installed: str | None = None) -> None:
    """Raise ``UnsupportedSglangError`` if this SGLang is too old, too new, or lacks a target.

    Args:
        targets: what must be there; None = ``TARGETS``.
        installed: SGLang's version; None = ask the package.
    """
    installed = installed or version("sglang")
    if not SUPPORTED[0] <= _release(installed) < SUPPORTED[1]:
        raise UnsupportedSglangError(_refusal(installed, "this version is not among them"))
    for target in TARGETS if targets is None else targets:
        if (fault := _fault(target)) is not None:
            raise UnsupportedSglangError(_refusal(installed, f"{target.path} {fault}"))


def _fault(target: Target) -> str | None:
    try:
        found = pkgutil.resolve_name(target.path)
    except (ImportError, AttributeError):
        return "is missing"
    if not target.parameters:
        return None
    names = [name for name in inspect.signature(found).parameters if name != "self"]
    expected = [name for name in names if name in target.parameters]
    if tuple(expected) != target.parameters:
        return f"takes ({', '.join(names)}), not ({', '.join(target.parameters)})"
    return None


def _refusal(installed: str, why: str) -> str:
    first, beyond = (".".join(map(str, bound)) for bound in SUPPORTED)
    return (
        f"callsheet does not work in SGLang {installed}: it supports {first} and later, before "
        f"{beyond}, and {why}. Install one of those (pip install 'sglang>={first},<{beyond}'), or "
        "unset CALLSHEET_SGLANG to run SGLang without it."
    )


def _release(text: str) -> tuple[int, ...]:
    """(0, 5, 23) of "0.5.23.post1": what comes after the numbers does not matter."""
    numbers = []
    for part in text.split("+")[0].split(".")[:3]:
        digits = "".join(char for char in part if char.isdigit())
        if not digits or digits != part:
            break
        numbers.append(int(digits))
    return tuple(numbers)
