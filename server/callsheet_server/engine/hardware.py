"""Devices that torch can compute on here. Torch itself is imported only when asked."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["Device", "find_devices"]


@dataclass(frozen=True, slots=True)
class Device:
    """One device a model may run on."""

    kind: str
    """"cuda", "mps" or "cpu", as in ``torch.device``."""
    name: str
    total_bytes: int
    """Memory; 0 = not known (mps and cpu share the host's)."""
    free_bytes: int


def find_devices() -> tuple[str, tuple[Device, ...]]:
    """Return torch's version and the devices it sees, fastest first; the CPU is always last.

    Raises:
        ModuleNotFoundError: torch is not installed.
    """
    import torch

    devices = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free_bytes, total_bytes = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            devices.append(Device("cuda", name, total_bytes, free_bytes))
    if torch.backends.mps.is_available():
        devices.append(Device("mps", "Apple GPU", 0, 0))
    devices.append(Device("cpu", f"{os.cpu_count()} cores", 0, 0))
    return torch.__version__, tuple(devices)
