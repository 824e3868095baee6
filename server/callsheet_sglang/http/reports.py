"""Reports of the scheduler process on itself: residency, status, audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from callsheet_sglang.kv.prefetcher import pools
from callsheet_sglang.kv.scheduler_state import SchedulerState
from callsheet_sglang.wire import SENDER_VERSION, encode_residency

__all__ = ["audit", "residency", "status"]


def residency(state: SchedulerState, since: int, sender: int) -> bytes:
    """Encode where a sender's NPCs' prefixes are, as ``wire.Residency``."""
    bytes_per_token = state.cache.bytes_per_token if state.cache is not None else 0
    return encode_residency(state.table.residency(since, bytes_per_token, sender))


def status(state: SchedulerState) -> dict[str, Any]:
    """Return what GET /callsheet/v1/status answers: JSON types only; sizes in tokens and bytes."""
    counters, caught = state.counters, state.guard.caught
    found: dict[str, Any] = {
        "plugin_version": version("callsheet"),
        "wire_version": SENDER_VERSION,
        "sglang_version": version("sglang"),
        "settings": state.settings.model_dump(),
        "npcs": {
            "known": int((state.table.kept_tokens > 0).sum()),
            "expected": int((state.table.due_s < float("inf")).sum()),
        },
        "counters": {**asdict(counters), "updates": state.table.updates},
        "decision_us": {
            "mean": 1e6 * counters.decision_s / max(counters.decisions, 1),
            "max": 1e6 * counters.longest_decision_s,
        },
        "fallbacks": dict(caught),
        "adapters": {"in_slots": state.adapters_in_slots()},
        "cache": state.cache is not None,
    }
    if state.cache is not None:
        now = pools(state)
        device_used = now.device_tokens - state.cache.token_to_kv_pool_allocator.available_size()
        host_used = now.host_tokens - now.host_free_tokens
        found["pools"] = {
            name: {
                "capacity_tokens": capacity,
                "used_tokens": used,
                "capacity_bytes": capacity * now.bytes_per_token,
                "used_bytes": used * now.bytes_per_token,
            }
            for name, capacity, used in (
                ("device", now.device_tokens, device_used),
                ("host", now.host_tokens, host_used),
            )
        }
    return found


def audit(state: SchedulerState) -> dict[str, Any]:
    """Check SGLang's tree and pools, and our books, at a moment when no request runs.

    Returns ``{"ok": True, ...}``, or ``{"ok": False, "broken": what}`` naming the invariant.
    """
    scheduler, cache = state.scheduler, state.cache or state.scheduler.tree_cache
    checks: list[tuple[str, Callable[[], object]]] = [
        ("tree", cache.sanity_check),
        ("tokens", lambda: _check_tokens(scheduler)),
    ]
    if state.cache is not None:
        core = cache.tree_core
        checks += [
            ("ownership", lambda: state.ownership.check_integrity(core._node_arena)),
            (
                "device leaves",
                lambda: state.device_leaves.check_integrity(core.evictable_device_leaves),
            ),
            ("host leaves", lambda: state.host_leaves.check_integrity(core.evictable_host_leaves)),
        ]
    for name, check in checks:
        try:
            check()
        except Exception as error:
            return {"ok": False, "broken": f"{name}: {type(error).__name__}: {error}"}
    return {"ok": True, "checked": [name for name, _ in checks], "nodes": _nodes(cache)}


def _check_tokens(scheduler: Any) -> None:
    """Every token of the device pool is free, cached, or in use by someone."""
    checker = scheduler.invariant_checker
    leak, messages = checker._check_all_pools(scheduler.pool_stats_observer.get_pool_stats())
    assert not leak, "; ".join(messages)


def _nodes(cache: Any) -> int:
    nodes = getattr(cache.tree_core, "_node_arena", ())
    return len(nodes)
