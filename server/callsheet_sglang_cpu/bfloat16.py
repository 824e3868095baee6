"""Test of this machine's CPU for bfloat16 arithmetic."""

from __future__ import annotations

from pathlib import Path

__all__ = ["has_bfloat16"]

_BFLOAT16 = {"amx_bf16", "avx512_bf16", "bf16"}
"""Linux' names of instructions that multiply matrices of bfloat16, on x86 and on Arm."""


def has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """True if this machine's CPU multiplies bfloat16 in hardware, or nobody knows.

    Without, PyTorch emulates it, far slower than it computes in float32.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return True
    flags = [line.split() for line in lines if line.lower().startswith(("flags", "features"))]
    return not flags or not _BFLOAT16.isdisjoint(flags[0])
