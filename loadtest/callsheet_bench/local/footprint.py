"""Cost of a server on a player's machine: start, memory, disk, and the idle share of a core."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

__all__ = ["Footprint", "installed_bytes", "measure"]

START_S = 180.0
IDLE_S = 8.0
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """A running server with nobody in it."""

    start_s: float
    """From the command to the line that says it listens."""
    memory_bytes: int
    """Of all its processes; what they share is counted once."""
    idle_share: float
    """Of one core."""


async def measure(engine: str) -> Footprint:
    """Run ``callsheet serve`` with an engine and look at it from outside.

    Raises:
        RuntimeError: it did not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callsheet", "serve", "--engine", engine, "--port", "0"),
            *("--set", f"storage.directory={folder}/worlds"),
            cwd=folder,
            env=os.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                while b"listening on " not in (line := await process.stdout.readline()):
                    if not line:
                        raise RuntimeError(f"callsheet serve --engine {engine} did not start")
            start_s = time.perf_counter() - began_s
            await asyncio.sleep(SETTLE_S)
            root = psutil.Process(process.pid)
            family = [root, *root.children(recursive=True)]
            before_s = _cpu_s(family)
            await asyncio.sleep(IDLE_S)
            idle = (_cpu_s(family) - before_s) / IDLE_S
            memory = sum(one.memory_full_info().pss for one in family)
            return Footprint(start_s, memory, idle)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


def installed_bytes(requirement: str, extra: str) -> int:
    """Bytes on disk of a distribution and of everything that it needs with an extra."""
    seen: set[str] = set()
    todo = [(requirement, extra)]
    total = 0
    while todo:
        name, wanted = todo.pop()
        if (name, wanted) == (requirement, extra) or name not in seen:
            seen.add(name)
            try:
                found = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                continue  # Of another system, or another extra.
            total += sum(_size(Path(str(file.locate()))) for file in found.files or ())
            for line in found.requires or ():
                if _applies(line, wanted):
                    todo.append((_name(line), ""))
    return total


def _applies(line: str, extra: str) -> bool:
    from packaging.requirements import Requirement

    marker = Requirement(line).marker
    return marker is None or marker.evaluate({"extra": extra})


def _name(line: str) -> str:
    return re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0].lower()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _cpu_s(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)
