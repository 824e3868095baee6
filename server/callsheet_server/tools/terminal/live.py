"""The picture, kept up to date on a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from logging.handlers import MemoryHandler

from rich.console import Console
from rich.live import Live

from callsheet_server.tools.terminal.scene import Scene
from callsheet_server.tools.terminal.view import picture

__all__ = ["live_view"]

FRAMES_PER_S = 8.0
MAX_HELD_RECORDS = 10_000


@contextlib.asynccontextmanager
async def live_view(console: Console, scene: Scene, heading: str) -> AsyncIterator[None]:
    """Show ``scene`` on ``console`` while the block runs, on a screen of its own.

    What is logged meanwhile is written when the view has gone.
    """
    with (
        _log_held_back(),
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        painting = asyncio.create_task(_paint(live, console, scene, heading))
        try:
            yield
        finally:
            painting.cancel()
            await asyncio.gather(painting, return_exceptions=True)


async def _paint(live: Live, console: Console, scene: Scene, heading: str) -> None:
    while True:
        live.update(picture(scene, heading, console.width, console.height), refresh=True)
        await asyncio.sleep(1.0 / FRAMES_PER_S)


@contextlib.contextmanager
def _log_held_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers = root.handlers[:]
    held = [MemoryHandler(MAX_HELD_RECORDS, logging.CRITICAL + 1, to) for to in handlers]
    root.handlers[:] = held
    try:
        yield
    finally:
        root.handlers[:] = handlers
        for handler in held:
            handler.close()
