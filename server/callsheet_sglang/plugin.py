"""The entry point: what a stock SGLang calls, early in each of its processes."""

from __future__ import annotations

import os

from callsheet_sglang import cpu, cpu_attention, emulated_link

__all__ = ["SWITCH", "activate"]

SWITCH = "CALLSHEET_SGLANG"
"""The environment variable that turns the plugin on; anything but "1" leaves SGLang as it is."""


def activate() -> None:
    """Take part in this SGLang process, if asked to."""
    cpu.activate()
    cpu_attention.activate()
    emulated_link.activate()
    if os.environ.get(SWITCH) != "1":
        return
