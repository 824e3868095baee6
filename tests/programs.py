"""Python programs in processes of their own, which never outlive the test that started them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

__all__ = ["blocking_program", "program"]


@asynccontextmanager
async def program(*arguments: str, **options: Any) -> AsyncIterator[Process]:
    """Run a Python program while the body runs; options as for ``create_subprocess_exec``."""
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@contextmanager
def blocking_program(*arguments: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a Python program while the body runs; its stdout and stderr are pipes of text."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
