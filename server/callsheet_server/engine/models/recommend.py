"""Models that suit a machine: what fits beside a game, and how fast it would speak."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from callsheet_server.engine.hardware import total_memory_bytes
from callsheet_server.engine.models.catalogue import ModelSource

__all__ = ["Fit", "Machine", "fits", "read_machine", "recommended"]

CORE_BYTES_PER_S: Final = 4e9
"""Weights that a core reads a second: 82 tokens/s of a 98 MB model were measured on two cores."""
MEMORY_BYTES_PER_S: Final = 32e9
"""Of all cores: what two channels of DDR4 give in practice."""
GPU_BYTES_PER_S: Final = 200e9
"""Of a graphics card of the middle class."""
GAME_SHARE: Final = 0.5
"""Share of the memory that the game keeps for itself."""
ROOM_BYTES: Final = 600_000_000
"""Beside the weights: the server, and the KV cache of the NPCs that are about to speak."""
PLEASANT_TOKENS_PER_S: Final = 15.0
"""Somebody reads seven a second; two who speak at once share what there is."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory and cores of this machine; 0 = not known, or none."""

    ram_bytes: int
    vram_bytes: int
    cores: int


@dataclass(frozen=True, slots=True)
class Fit:
    """One model on one machine."""

    source: ModelSource
    place: str
    """"gpu", "cpu", or "" = it does not fit beside a game."""
    tokens_per_s: float
    """Of one NPC that speaks: an estimate by the memory's speed."""


def read_machine() -> Machine:
    """Look at this machine."""
    return Machine(total_memory_bytes(), _vram_bytes(), os.cpu_count() or 1)


def fits(machine: Machine, models: Iterable[ModelSource]) -> list[Fit]:
    """Judge each of ``models``, in their order."""
    cpu_bytes_per_s = min(machine.cores * CORE_BYTES_PER_S, MEMORY_BYTES_PER_S)
    found = []
    for source in models:
        need_bytes = source.size_bytes + ROOM_BYTES
        place, bytes_per_s = "", cpu_bytes_per_s
        if need_bytes <= machine.vram_bytes * GAME_SHARE:
            place, bytes_per_s = "gpu", GPU_BYTES_PER_S
        elif need_bytes <= machine.ram_bytes * GAME_SHARE or not machine.ram_bytes:
            place = "cpu"
        found.append(Fit(source, place, bytes_per_s / source.size_bytes))
    return found


def recommended(judged: Iterable[Fit]) -> Fit:
    """The largest that fits, speaks at a pleasant speed and may be sold; else the smallest."""
    judged = list(judged)
    good = [
        fit
        for fit in judged
        if fit.place and fit.source.commercial and fit.tokens_per_s >= PLEASANT_TOKENS_PER_S
    ]
    return good[-1] if good else judged[0]


def _vram_bytes() -> int:
    """Memory of the largest NVIDIA card; 0 = there is none, or its driver does not say."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=10)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return 0
    sizes = [int(line) for line in told.stdout.split() if line.isdecimal()]
    return max(sizes, default=0) * 2**20
