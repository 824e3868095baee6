"""Python programs in processes of their own, which never outlive the test that started them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["end", "program"]


@asynccontextmanager
async def program(*arguments: str, **options: Any) -> AsyncIterator[Process]:
    """Run a Python program while the body runs; options as for ``create_subprocess_exec``."""
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, **options)
    try:
        yield process
    finally:
        await end(process)


async def end(process: Process) -> None:
    """Kill a process unless it has ended, and close its pipes."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.communicate()
