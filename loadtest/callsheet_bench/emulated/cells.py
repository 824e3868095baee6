"""Cells of the emulated benchmark: what is served, to how many, how fast, over which link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from callsheet_sglang_cpu.emulated_gpu.hardware import PCIE_3_X16
from callsheet_sglang_cpu.emulated_gpu.machine import Machine, Work, named

__all__ = ["CELLS", "PAPER", "PERSONA_TOKENS", "QUESTION_TOKENS", "SUMMARY", "WORLD_TOKENS", "Cell"]

PERSONA_TOKENS = (600, 1250)
WORLD_TOKENS = 200
QUESTION_TOKENS = 20
LONG, SHORT = (32, 64), (8, 16)
NVME_BYTES_PER_S = 5e9
USUAL_REQUEST_S = 0.55
ROOMY = 1.1
"""Personas that a host tier with room for everybody holds, and for what comes and goes."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One comparison of systems."""

    pair: str
    """``GPU/MODEL``."""
    npcs: int
    concurrency: int
    reply_tokens: tuple[int, int] = LONG
    """Shortest and longest."""
    link_bytes_per_s: float | None = None
    """None = the GPU's own."""
    offered_per_s: float | None = None
    """Requests a second, whether or not they are answered (open loop); None = as many at a time as
    ``concurrency`` says (closed loop)."""
    pool_share: float = 0.25
    """Personas that the device's pool holds."""
    host_share: float = ROOMY
    """Personas that the host tier holds."""
    disk_bytes_per_s: float | None = None
    """Rate of reads from a disk tier below the host tier; None = there is no disk tier."""
    random_share: float = 0.0
    """Calls from anybody, at random, in place of whom the forecast knows of."""

    @property
    def name(self) -> str:
        """A label that tells all that is not as usual."""
        low, high = self.reply_tokens
        parts = [self.pair, f"{self.npcs} NPCs", f"c={self.concurrency}", f"{low}-{high}"]
        if self.link_bytes_per_s is not None:
            parts.append(f"link {self.link_bytes_per_s / 1e9:g} GB/s")
        if self.offered_per_s is not None:
            parts.append(f"{self.offered_per_s:g}/s offered")
        if self.pool_share != 0.25:
            parts.append(f"pool {self.pool_share:.0%}")
        if self.host_share < 1.0:
            parts.append(f"host {self.host_share:.0%}")
        if self.disk_bytes_per_s is not None:
            parts.append(f"disk {self.disk_bytes_per_s / 1e9:g} GB/s")
        if self.random_share:
            parts.append(f"{self.random_share:.0%} random")
        return ", ".join(parts)

    @property
    def machine(self) -> Machine:
        """The GPU with its model. Raises ``ValueError`` if there is no such pair."""
        return named(self.pair, self.link_bytes_per_s)

    @property
    def pace(self) -> float:
        """Length of a request, in those of an H100 with a small model: at least 1."""
        context_tokens = self.concurrency * (WORLD_TOKENS + sum(PERSONA_TOKENS) // 2)
        step = Work(self.concurrency, float(context_tokens), context_tokens)
        request_s = self.machine.pass_s(step) * sum(self.reply_tokens) / 2
        return max(1.0, request_s / USUAL_REQUEST_S)

    @property
    def without_host_tier(self) -> Cell:
        """The same to a system that has none."""
        return replace(self, host_share=ROOMY, disk_bytes_per_s=None)


H100, RTX4090 = "h100/smollm2-1.7b", "rtx4090/llama-3.1-8b"
CELLS: Sequence[Cell] = (
    Cell(H100, 1500, 16),
    Cell(H100, 1500, 64),
    Cell(H100, 1500, 128),
    Cell(H100, 1500, 64, SHORT),
    Cell(H100, 1500, 64, link_bytes_per_s=PCIE_3_X16),
    Cell(H100, 1500, 64, random_share=0.3),
    Cell(H100, 1500, 64, offered_per_s=88.0),
    Cell(RTX4090, 1500, 16),
    Cell(RTX4090, 1500, 32),
    Cell(RTX4090, 1500, 64),
    Cell("rtx4060ti/phi-3-mini", 1500, 16, SHORT),
    Cell(H100, 1500, 64, host_share=0.5),
    Cell(H100, 1500, 64, SHORT, host_share=0.5),
    Cell(H100, 1500, 128, host_share=0.5),
    Cell(H100, 1500, 64, host_share=0.5, disk_bytes_per_s=NVME_BYTES_PER_S),
    Cell(H100, 1500, 64, SHORT, host_share=0.5, disk_bytes_per_s=NVME_BYTES_PER_S),
    Cell(H100, 1500, 128, host_share=0.5, disk_bytes_per_s=NVME_BYTES_PER_S),
    Cell(H100, 25, 16),
    Cell(H100, 5000, 64),
    Cell(H100, 5000, 64, SHORT),
)
SUMMARY = tuple(
    cell
    for cell in CELLS
    if cell in (Cell(H100, 1500, 64), Cell(H100, 1500, 64, SHORT), Cell(RTX4090, 1500, 16))
)
"""Three regimes: it pays, it pays most, it does not."""
PAPER = tuple(Cell(H100, npcs, 64, pool_share=375 / npcs) for npcs in (500, 800, 1500))
"""Numbers of agents of ScaleSim's table (arXiv 2601.21473), on one pool that does not grow."""
