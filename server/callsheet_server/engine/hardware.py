"""Memory of this machine, and the devices that torch can compute on here.

Torch itself is imported only when asked.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

__all__ = ["Device", "find_devices", "total_memory_bytes"]


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


def total_memory_bytes() -> int:
    """Memory of this machine; 0 = the system does not say."""
    if sys.platform == "win32":
        return _windows_memory_bytes()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0


def _windows_memory_bytes() -> int:
    import ctypes

    class Status(ctypes.Structure):
        """``MEMORYSTATUSEX`` of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - mypy elsewhere does not know it
    return int(status.total) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else 0
