"""The entry point: what a stock SGLang calls, early in each of its processes."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Any

from callsheet_sglang.settings import RADIX_CACHE_BACKEND, SWITCH
from callsheet_sglang_cpu import attention, emulated_link, replacements
from callsheet_sglang_cpu.emulated_gpu import hooks as emulated_gpu

__all__ = ["activate"]


def activate() -> None:
    """Take part in this SGLang process, if asked to.

    Ends the process with one clear message if this SGLang is not supported or the settings are bad:
    SGLang would only log an exception and go on without the plugin.
    """
    replacements.activate()
    attention.activate()
    emulated_link.activate()
    emulated_gpu.activate()
    if os.environ.get(SWITCH) != "1":
        return
    from callsheet_sglang import targets
    from callsheet_sglang.http import messages
    from callsheet_sglang.kv.scheduler_state import current

    try:
        targets.check()
        current()
    except (targets.UnsupportedSglangError, ValueError) as error:
        raise SystemExit(str(error)) from None

    from sglang.srt.mem_cache.registry import register_radix_cache_backend

    from callsheet_sglang.kv.cache import create

    register_radix_cache_backend(RADIX_CACHE_BACKEND, create)
    messages.register()
    if multiprocessing.parent_process() is None:
        _join_http_process()
    else:
        _join_scheduler_process()


def _join_http_process() -> None:
    from sglang.srt.entrypoints.http_server import app

    from callsheet_sglang import targets
    from callsheet_sglang.http.routes import add_routes

    try:
        targets.check(targets.HTTP_TARGETS)
    except targets.UnsupportedSglangError as error:
        raise SystemExit(str(error)) from None
    add_routes(app)


def _join_scheduler_process() -> None:
    """Hook the scheduler; in SGLang's other subprocesses the hooks never run."""
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    scheduler = "sglang.srt.managers.scheduler.Scheduler"
    HookRegistry.register(f"{scheduler}.init_request_dispatcher", _add_messages, HookType.AFTER)
    HookRegistry.register(f"{scheduler}.get_next_batch_to_run", _begin_iteration, HookType.BEFORE)
    HookRegistry.register(f"{scheduler}._get_new_batch_prefill_raw", _admit, HookType.AROUND)
    HookRegistry.register(f"{scheduler}.handle_generate_request", _note_call, HookType.BEFORE)


def _add_messages(_: Any, scheduler: Any) -> None:
    """Teach the scheduler our messages, and begin to move."""
    from sglang.srt.runtime_context import get_observability, get_parallel
    from sglang.utils import TypeBasedDispatcher

    from callsheet_sglang.http.messages import handlers
    from callsheet_sglang.http.metrics import Metrics
    from callsheet_sglang.kv.disk import DiskReader
    from callsheet_sglang.kv.gate import Gate
    from callsheet_sglang.kv.prefetcher import Prefetcher
    from callsheet_sglang.kv.scheduler_state import current
    from callsheet_sglang.lora.adapter_slots import AdapterSlots

    scheduler._request_dispatcher += TypeBasedDispatcher(handlers())
    state = current()
    state.scheduler = scheduler
    prefetcher = Prefetcher()
    gate = Gate(state, prefetcher)
    state.admit = gate.admit
    state.note_call = gate.note_call
    disk = DiskReader(state)
    state.remember = disk.remember
    state.every_iteration += [_measure_pace, gate.end_waits, disk.read, prefetcher.move]
    if scheduler.enable_lora:
        adapters = AdapterSlots(state)
        state.adapters_in_slots = adapters.in_slots
        state.every_iteration += [adapters.forget_unloaded, adapters.prefetch]
    if get_observability().enable_metrics and get_parallel().tp_rank == 0:
        state.every_iteration.append(Metrics().export)


def _measure_pace(state: Any) -> None:
    from callsheet_sglang.kv.scheduler_state import hindered, prefilled

    if state.cache is not None:
        state.pace.begin_iteration(
            time.perf_counter(),
            prefilled(state.scheduler),
            hindered(state.scheduler),
            state.scheduler.enable_overlap,
            state.cache.agree,
        )


def _begin_iteration(scheduler: Any, *_: Any, **__: Any) -> None:
    from callsheet_sglang.kv.scheduler_state import current

    current().iterate(scheduler)


def _admit(make_batch: Any, scheduler: Any, *args: Any, **kwargs: Any) -> Any:
    from callsheet_sglang.kv.scheduler_state import current

    return current().admit(make_batch, scheduler, *args, **kwargs)


def _note_call(_: Any, request: Any, *__: Any, **___: Any) -> None:
    from callsheet_sglang.kv.scheduler_state import current

    current().note_call(request.session_id)
