"""Description of the machine that the figures depend on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final

from callsheet_server.engine.models.gguf_file import GgufFile

__all__ = ["is_busy", "machine_lines"]

ISA = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
"""Extensions that make llama.cpp on a CPU faster, as Linux names them."""


BUSY: Final = 0.5
"""Load average per core from which the machine is not one's own."""


def is_busy() -> bool:
    """Whether others use the cores."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > BUSY * (os.cpu_count() or 1)


def machine_lines(model: GgufFile) -> list[str]:
    """Cores, instruction set, load and model."""
    known = _cpu_facts()
    flags = known.get("flags", "").split()
    extensions = ", ".join(name for name in ISA if name in flags) or "not known"
    load = (
        ", ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "?"
    )
    return [
        f"machine: {known.get('model name', platform.machine())}, {os.cpu_count()} cores, "
        f"{extensions}; load averages {load}"
        f"{'; busy: all llama.cpp wait passively' if is_busy() else ''}",
        f"model: {model.path.name}, {model.size_bytes / 1e6:.0f} MB, "
        f"{model.kv_bytes_per_token} bytes of KV per token",
    ]


def _cpu_facts() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
