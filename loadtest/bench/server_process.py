"""A server of any checkout, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

START_S = 180.0


@asynccontextmanager
async def server_of(root: Path, engine: str, settings: Sequence[str]) -> AsyncIterator[str]:
    """Run ``callsheet serve`` from the sources in ``root``; yields its URL.

    Raises:
        RuntimeError: it did not start; the text is what it printed.
    """
    sources = os.pathsep.join(str(root / part) for part in ("sdk_python", "server", "loadtest"))
    flags = [part for setting in settings for part in ("--set", setting)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callsheet", "serve", "--engine", engine, "--port", "0", *flags),
        env=os.environ | {"PYTHONPATH": sources, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    printed = b""
    try:
        async with asyncio.timeout(START_S):
            while b"ws://" not in (line := await process.stdout.readline()):
                printed += line
                if not line:
                    raise RuntimeError(printed.decode(errors="replace"))
        rest = asyncio.create_task(process.stdout.read())
        yield "ws://" + line.decode().partition("ws://")[2].split()[0].rstrip(".,")
        process.terminate()
        await rest
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
