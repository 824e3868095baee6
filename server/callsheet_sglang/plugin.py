"""The entry point: what a stock SGLang calls, early in each of its processes."""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

from callsheet_sglang import cpu, cpu_attention, emulated_link

__all__ = ["SWITCH", "activate"]

SWITCH = "CALLSHEET_SGLANG"
"""The environment variable that turns the plugin on; anything but "1" leaves SGLang as it is."""


def activate() -> None:
    """Take part in this SGLang process, if asked to.

    Ends the process with one clear message if this SGLang is not supported or the settings are bad:
    SGLang would only log an exception and go on without the plugin.
    """
    cpu.activate()
    cpu_attention.activate()
    emulated_link.activate()
    if os.environ.get(SWITCH) != "1":
        return
    from callsheet_sglang import messages, targets
    from callsheet_sglang.scheduler_state import current

    try:
        targets.check()
        current()
    except (targets.UnsupportedSglangError, ValueError) as error:
        raise SystemExit(str(error)) from None

    from sglang.srt.mem_cache.registry import register_radix_cache_backend

    from callsheet_sglang.cache import create
    from callsheet_sglang.launch import RADIX_CACHE_BACKEND

    register_radix_cache_backend(RADIX_CACHE_BACKEND, create)
    messages.register()
    if multiprocessing.parent_process() is None:
        _join_http_process()
    else:
        _join_scheduler_process()


def _join_http_process() -> None:
    from sglang.srt.entrypoints.http_server import app

    from callsheet_sglang import targets
    from callsheet_sglang.routes import add_routes

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


def _add_messages(_: Any, scheduler: Any) -> None:
    """Teach the scheduler our messages, and begin to move."""
    from sglang.srt.runtime_context import get_observability, get_parallel
    from sglang.utils import TypeBasedDispatcher

    from callsheet_sglang.gate import Gate
    from callsheet_sglang.lora import AdapterSlots
    from callsheet_sglang.messages import handlers
    from callsheet_sglang.metrics import Metrics
    from callsheet_sglang.mover import Mover
    from callsheet_sglang.scheduler_state import current

    scheduler._request_dispatcher += TypeBasedDispatcher(handlers())
    state = current()
    state.scheduler = scheduler
    mover = Mover()
    state.gate = Gate(state, mover)
    state.every_iteration += [state.gate.end_waits, mover.move]
    if scheduler.enable_lora:
        state.adapters = AdapterSlots(state)
        state.every_iteration += [state.adapters.forget_unloaded, state.adapters.prefetch]
    if get_observability().enable_metrics and get_parallel().tp_rank == 0:
        state.every_iteration.append(Metrics().export)


def _begin_iteration(scheduler: Any, *_: Any, **__: Any) -> None:
    from callsheet_sglang.scheduler_state import current

    current().iterate(scheduler)


def _admit(make_batch: Any, scheduler: Any, *args: Any, **kwargs: Any) -> Any:
    from callsheet_sglang.scheduler_state import current

    gate = current().gate
    if gate is None:
        return make_batch(scheduler, *args, **kwargs)
    return gate.admit(make_batch, scheduler, *args, **kwargs)
