"""Copies between host and device that take time: bytes over a stated bandwidth.

On a CPU both tiers are the same memory, so a load is a memcpy, and swapping looks better than it is
on a GPU. Here each copy is still made at once, but counts as done only when a link of the given
bandwidth would have carried it, asynchronously, as a copy stream does: a forward pass waits, layer
by layer, for the pages it was promised; others do not; each direction is a timeline of its own.
Every figure measured this way is that of an emulation.

On with ``CALLSHEET_SGLANG_EMULATED_LINK_BYTES_PER_S``, on CPU only, whatever decides about
eviction. ``inf`` delays nothing and measures how long loads hold the scheduler up.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from callsheet_sglang_cpu.replacements import CPU_ENGINE, is_cpu_engine

if TYPE_CHECKING:
    from prometheus_client import Counter

__all__ = ["BYTES_PER_S", "CopyEvent", "EmulatedLink", "Timeline", "activate"]

BYTES_PER_S = "CALLSHEET_SGLANG_EMULATED_LINK_BYTES_PER_S"
"""The environment variable: bytes per second of each direction."""


class Timeline:
    """One direction of a link: transfers follow each other."""

    def __init__(self, bytes_per_s: float) -> None:
        """Raises ``ValueError`` unless ``bytes_per_s`` is above 0; inf = no delay."""
        if not bytes_per_s > 0.0:
            raise ValueError(f"{bytes_per_s} bytes per second: give a number above 0")
        self.bytes_per_s = bytes_per_s
        self.end_s = 0.0
        """Time at which all that was sent so far has arrived."""

    def send(self, size_bytes: float, now_s: float) -> float:
        """Queue a transfer; return when it has arrived."""
        self.end_s = max(now_s, self.end_s) + size_bytes / self.bytes_per_s
        return self.end_s


class CopyEvent:
    """Stands in for a stream's event: reached at a moment of a timeline."""

    def __init__(self, clock: Callable[[], float], ready_s: float = 0.0) -> None:
        self._clock = clock
        self.ready_s = ready_s

    def query(self) -> bool:
        return self._clock() >= self.ready_s

    def synchronize(self) -> None:
        time.sleep(max(0.0, self.ready_s - self._clock()))

    def wait(self, stream: object = None) -> None:
        self.synchronize()

    def record(self, stream: object = None) -> None:
        """Record outside of a transfer: reached by now."""
        self.ready_s = self._clock()

    def elapsed_time(self, end: CopyEvent) -> float:
        """Milliseconds from this event to ``end``."""
        return 1e3 * (end.ready_s - self.ready_s)


class EmulatedLink:
    """The link of one scheduler process, put in place of SGLang's copy streams."""

    def __init__(self, bytes_per_s: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.to_device = Timeline(bytes_per_s)
        self.to_host = Timeline(bytes_per_s)
        self._clock = clock
        self._stalled_s = 0.0
        self._waits: Counter | None = None

    def install(self) -> None:
        """Replace what SGLang copies and waits with. Raises ``SystemExit`` if it is not there."""
        try:
            from sglang.srt.managers.cache_controller import LayerLoadingEvent
            from sglang.srt.managers.tp_worker import TpModelWorker
            from sglang.srt.mem_cache.l2_transfer import L2TransferEngine

            self._wrap(LayerLoadingEvent, "__init__", self._layer_events)
            self._wrap(LayerLoadingEvent, "wait", self._wait_for_layer)
            self._wrap(L2TransferEngine, "submit_host_to_device", self._load)
            self._wrap(L2TransferEngine, "submit_device_to_host", self._write_back)
            self._wrap(TpModelWorker, "forward_batch_generation", self._forward)
        except (ImportError, AttributeError) as error:
            raise SystemExit(
                f"callsheet: this SGLang's copies cannot be delayed: {error}"
            ) from None

    def _wrap(self, owner: Any, name: str, around: Callable[..., Any]) -> None:
        original = getattr(owner, name)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return around(original, *args, **kwargs)

        setattr(owner, name, wrapped)

    def _layer_events(self, original: Callable[..., None], event: Any, num_layers: int) -> None:
        original(event, num_layers)
        event.load_events = [CopyEvent(self._clock) for _ in range(num_layers)]

    def _wait_for_layer(self, _: Callable[..., None], event: Any, layer_index: int) -> None:
        begun_s = self._clock()
        event.load_events[layer_index].synchronize()
        self._stalled_s += self._clock() - begun_s

    def _load(
        self,
        original: Callable[..., Any],
        engine: Any,
        transfers: list[Any],
        *,
        transfer_layer_id_max: int,
        start_event: Any = None,
        on_layer_done: Any = None,
    ) -> Any:
        begun_s = self._clock()
        completion = original(
            engine,
            transfers,
            transfer_layer_id_max=transfer_layer_id_max,
            start_event=start_event,
            on_layer_done=on_layer_done,
        )
        self._stalled_s += self._clock() - begun_s
        layer_bytes = _size_bytes(transfers) / transfer_layer_id_max
        sent_s = max(begun_s, self.to_device.end_s)
        ready_s = [self.to_device.send(layer_bytes, begun_s) for _ in range(transfer_layer_id_max)]
        if on_layer_done is not None:
            events = on_layer_done.__self__.load_events
            for event, layer_ready_s in zip(events, ready_s, strict=True):
                event.ready_s = layer_ready_s
        return self._completion(completion, sent_s, self.to_device.end_s)

    def _write_back(self, original: Callable[..., Any], engine: Any, transfers: list[Any]) -> Any:
        begun_s = self._clock()
        completion = original(engine, transfers)
        sent_s = max(begun_s, self.to_host.end_s)
        return self._completion(
            completion, sent_s, self.to_host.send(_size_bytes(transfers), begun_s)
        )

    def _completion(self, completion: Any, sent_s: float, end_s: float) -> Any:
        return completion._replace(
            start_event=CopyEvent(self._clock, sent_s),
            finish_event=CopyEvent(self._clock, end_s),
            timing_enabled=True,
        )

    def _forward(
        self, original: Callable[..., Any], worker: Any, batch: Any, *args: Any, **kwargs: Any
    ) -> Any:
        result = original(worker, batch, *args, **kwargs)
        if self._stalled_s > 0.0 and batch is not None:
            self._counter().inc(self._stalled_s * len(batch.reqs))
            self._stalled_s = 0.0
        return result

    def _counter(self) -> Counter:
        """Made when first needed: SGLang must have said before where its metrics are collected."""
        if self._waits is None:
            from prometheus_client import Counter

            self._waits = Counter(
                "callsheet_load_wait_request_seconds",
                "Seconds that forward passes stood still for host to device copies, times the "
                "requests in them",
            )
        return self._waits


def activate() -> None:
    """Install a link in this SGLang process, if the environment asks for one.

    Raises:
        SystemExit: the variable's value is no bandwidth, or this SGLang has a GPU, whose copies
            take time by themselves.
    """
    text = os.environ.get(BYTES_PER_S)
    if text is None:
        return
    if not is_cpu_engine():
        raise SystemExit(
            f"callsheet: {BYTES_PER_S} is for CPU only: unset it, or set {CPU_ENGINE}=1"
        )
    try:
        link = EmulatedLink(float(text))
    except ValueError as error:
        raise SystemExit(f"callsheet: {BYTES_PER_S}={text}: {error}") from None
    link.install()


def _size_bytes(transfers: list[Any]) -> int:
    return sum(len(t.host_indices) * t.host_pool.size_per_token for t in transfers)
