"""A GPU's time: passes that follow each other, and copies that run beside them.

Pure: the clock is passed in. Times are seconds of that clock; sums are the machine's own seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from callsheet_sglang_cpu.emulated_gpu.machine import Emulation, Work

__all__ = ["Arrival", "Sums", "Timelines"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A load on the link, which brings one layer after the other."""

    begin_s: float
    first_layer_s: float
    end_s: float


@dataclass(slots=True)
class Sums:
    """Totals since the start, in the machine's own seconds."""

    busy_s: float = 0.0
    """Passes, without what they waited for."""
    host_gap_s: float = 0.0
    """Time in which the GPU had nothing to do because the host had not launched the next pass."""
    load_wait_s: float = 0.0
    """Time that passes were longer for a load that they waited for."""
    link_s: float = 0.0
    """Time that copies to the device took."""


@dataclass(slots=True)
class Timelines:
    """One GPU with its link, each direction of its own."""

    emulation: Emulation
    compute_end_s: float = 0.0
    to_device_end_s: float = 0.0
    to_host_end_s: float = 0.0
    sums: Sums = field(default_factory=Sums)

    def launch(self, work: Work, now_s: float, arrival: Arrival | None, after_idle: bool) -> float:
        """Queue a pass; return when it ends.

        Args:
            work: of the pass.
            now_s: the clock now.
            arrival: a load that the pass waits for, layer by layer.
            after_idle: there was nothing to run before it.
        """
        machine, slower = self.emulation.machine, self.emulation.dilation
        cost_s = machine.pass_s(work) * slower
        if not after_idle:
            self.sums.host_gap_s += max(0.0, now_s - self.compute_end_s) / slower
        begin_s = max(now_s, self.compute_end_s)
        end_s = begin_s + cost_s
        if arrival is not None:
            layer_s = cost_s / machine.layers
            end_s = max(end_s, arrival.first_layer_s + cost_s, arrival.end_s + layer_s)
        self.sums.busy_s += cost_s / slower
        self.sums.load_wait_s += max(0.0, end_s - begin_s - cost_s) / slower
        self.compute_end_s = end_s
        return end_s

    def load(self, tokens: int, now_s: float) -> Arrival:
        """Queue a copy to the device, which SGLang starts after the passes launched before it."""
        machine, slower = self.emulation.machine, self.emulation.dilation
        begin_s = max(now_s, self.compute_end_s, self.to_device_end_s)
        copy_s = machine.copy_s(tokens) * slower
        self.sums.link_s += copy_s / slower
        self.to_device_end_s = begin_s + copy_s
        return Arrival(begin_s, begin_s + copy_s / machine.layers, self.to_device_end_s)

    def park(self, tokens: int, now_s: float) -> Arrival:
        """Queue a copy to the host, which SGLang starts after the passes launched before it."""
        begin_s = max(now_s, self.compute_end_s, self.to_host_end_s)
        copy_s = self.emulation.machine.copy_s(tokens) * self.emulation.dilation
        self.to_host_end_s = begin_s + copy_s
        return Arrival(begin_s, self.to_host_end_s, self.to_host_end_s)
