"""The emulated GPU in a scheduler process, in the place of arithmetic and copies.

On with ``CALLSHEET_SGLANG_EMULATED_GPU``, the path of an ``Emulation``, on CPU only, whatever
decides about eviction. The file is read again whenever it has changed.
"""

from __future__ import annotations

import functools
import inspect
import os
import time
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from callsheet_sglang_cpu.emulated_gpu.gap import GapWatch
from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, Work
from callsheet_sglang_cpu.emulated_gpu.timelines import Arrival, Timelines
from callsheet_sglang_cpu.emulated_link import CopyEvent
from callsheet_sglang_cpu.replacements import CPU_ENGINE, is_cpu_engine

__all__ = ["EMULATED_GPU", "SEAMS", "EmulatedGpu", "activate"]

EMULATED_GPU = "CALLSHEET_SGLANG_EMULATED_GPU"
"""The environment variable: path of an ``Emulation``."""
REPLY_TOKEN = 9805
"""Token that every reply consists of: " yes" to SmolLM2, whose tokenizer is the default."""

_WORKER = "sglang.srt.managers.tp_worker.TpModelWorker.forward_batch_generation"
_RESULT = "sglang.srt.managers.utils.GenerationBatchResult.copy_to_cpu"
_LOAD = "sglang.srt.mem_cache.l2_transfer.L2TransferEngine.submit_host_to_device"
_PARK = "sglang.srt.mem_cache.l2_transfer.L2TransferEngine.submit_device_to_host"
_EVENT = "sglang.srt.managers.cache_controller.LayerLoadingEvent.__init__"
SEAMS = {
    _WORKER: ("batch",),
    _RESULT: ("return_logprob",),
    _LOAD: ("transfers", "start_event", "on_layer_done"),
    _PARK: ("transfers",),
    _EVENT: ("num_layers",),
}
"""Functions of SGLang's that are replaced, and parameters that they must have."""

Replacement = Callable[..., Any]


class LoadEvent(CopyEvent):
    """A load's event, which knows when its layers arrive."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.arrival: Arrival | None = None


class EmulatedGpu:
    """One scheduler process's GPU."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.perf_counter) -> None:
        """Raises ``OSError``, ``ValueError`` or ``TypeError`` if ``path`` is no emulation."""
        self._path = path
        self._read_ns = path.stat().st_mtime_ns
        self.timelines = Timelines(Emulation.load(path))
        self._clock = clock
        self._totals: dict[str, Any] = {}
        self._told: dict[str, float] = {}
        self._gap = GapWatch()

    def install(self) -> None:
        """Replace SGLang's seams. Raises ``SystemExit`` naming one that is not as expected."""
        for target, parameters in SEAMS.items():
            _check(target, parameters)
        _replace(_WORKER, lambda _: self._forward)
        _replace(_RESULT, self._copy_to_cpu)
        _replace(_LOAD, lambda _: self._load)
        _replace(_PARK, lambda _: self._park)
        _replace(_EVENT, self._layer_events)

    def _forward(self, worker: Any, batch: Any, *_: Any, **__: Any) -> Any:
        import torch
        from sglang.srt.layers.logits_processor import LogitsProcessorOutput
        from sglang.srt.managers.utils import GenerationBatchResult

        self._read_again()
        end_s = self.timelines.launch(
            work_of(batch), self._clock(), self._arrival(worker, batch), batch.after_idle_gap
        )
        self._export()
        token = min(REPLY_TOKEN, worker.model_config.vocab_size - 1)
        result = GenerationBatchResult(
            logits_output=LogitsProcessorOutput(next_token_logits=None),
            next_token_ids=torch.full((len(batch.reqs),), token, dtype=torch.int64),
        )
        result.emulated_end_s = end_s
        return result

    def _arrival(self, worker: Any, batch: Any) -> Arrival | None:
        index, counter = batch.hicache_consumer_index, worker.hicache_layer_transfer_counter
        if index < 0 or counter is None:
            return None
        arrival: Arrival | None = counter.events[index].load_events[-1].arrival
        return arrival

    def _copy_to_cpu(self, original: Replacement) -> Replacement:
        def copy_to_cpu(result: Any, *args: Any, **kwargs: Any) -> None:
            original(result, *args, **kwargs)
            result.copy_done = CopyEvent(self._clock, result.emulated_end_s)

        return copy_to_cpu

    def _layer_events(self, original: Replacement) -> Replacement:
        def init(event: Any, num_layers: int) -> None:
            original(event, num_layers)
            event.load_events = [LoadEvent(self._clock) for _ in range(num_layers)]

        return init

    def _load(self, _: Any, transfers: list[Any], *, on_layer_done: Any = None, **__: Any) -> Any:
        arrival = self.timelines.load(_tokens(transfers), self._clock())
        if on_layer_done is not None:
            for event in on_layer_done.__self__.load_events:
                event.ready_s, event.arrival = arrival.end_s, arrival
        return self._completion(arrival)

    def _park(self, _: Any, transfers: list[Any]) -> Any:
        return self._completion(self.timelines.park(_tokens(transfers), self._clock()))

    def _completion(self, copy: Arrival) -> Any:
        from sglang.srt.mem_cache.l2_transfer import TransferCompletion

        begin, end = (CopyEvent(self._clock, at_s) for at_s in (copy.begin_s, copy.end_s))
        return TransferCompletion(begin, end, True)

    def _read_again(self) -> None:
        changed_ns = self._path.stat().st_mtime_ns
        if changed_ns != self._read_ns:
            self._read_ns = changed_ns
            self.timelines.emulation = Emulation.load(self._path)

    def _export(self) -> None:
        """Add to SGLang's /metrics. Counters are made late: it says first where they are kept."""
        sums = self.timelines.sums
        self._gap.look(sums.busy_s, sums.host_gap_s)
        for name, total in (
            ("busy", sums.busy_s),
            ("host_gap", sums.host_gap_s),
            ("load_wait", sums.load_wait_s),
            ("link", sums.link_s),
        ):
            if name not in self._totals:
                from prometheus_client import Counter

                about = f"Emulated GPU: seconds of {name.replace('_', ' ')}"
                self._totals[name] = Counter(f"callsheet_emulated_{name}_seconds", about)
            self._totals[name].inc(total - self._told.get(name, 0.0))
            self._told[name] = total


def work_of(batch: Any) -> Work:
    """Return what a ``ScheduleBatch`` computes."""
    context_tokens = int(batch.seq_lens_cpu.sum())
    if not batch.forward_mode.is_extend():
        return Work(len(batch.reqs), context_tokens, context_tokens)
    new, cached = batch.extend_lens, batch.prefix_lens
    attended = sum(n * (c + n / 2) for n, c in zip(new, cached, strict=True))
    return Work(sum(new), attended, context_tokens)


def activate() -> None:
    """Install a GPU in this SGLang process, if the environment asks for one.

    Raises:
        SystemExit: the file is no emulation, this SGLang has a GPU, or lacks a seam.
    """
    text = os.environ.get(EMULATED_GPU)
    if text is None:
        return
    if not is_cpu_engine():
        raise SystemExit(f"callsheet: {EMULATED_GPU} is for CPU only: set {CPU_ENGINE}=1")
    try:
        gpu = EmulatedGpu(Path(text))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SystemExit(f"callsheet: {EMULATED_GPU}={text}: {error}") from None
    gpu.install()


def _check(target: str, parameters: tuple[str, ...]) -> None:
    try:
        found = set(inspect.signature(resolve_name(target)).parameters)
    except (ImportError, AttributeError) as error:
        raise SystemExit(f"callsheet: this SGLang's GPU cannot be emulated: {error}") from None
    if missing := set(parameters) - found:
        raise SystemExit(
            f"callsheet: this SGLang's GPU cannot be emulated: {target} lacks {sorted(missing)}"
        )


def _replace(target: str, make: Callable[[Replacement], Replacement]) -> None:
    owner, _, name = target.rpartition(".")
    holder = resolve_name(owner)
    original = getattr(holder, name)
    replacement = make(original)

    @functools.wraps(original)
    def instead(*args: Any, **kwargs: Any) -> Any:
        return replacement(*args, **kwargs)

    setattr(holder, name, instead)


def _tokens(transfers: list[Any]) -> int:
    return sum(len(transfer.host_indices) for transfer in transfers)
