"""Shared by the commands that play a game: run it, show it, sum it up."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callsheet_server.tools.demo.show import Show

__all__ = ["print_summary", "showing"]


@contextlib.asynccontextmanager
async def showing(show: Show, heading: str, *, moves: bool) -> AsyncIterator[None]:
    """Show what happens while the block runs: a live view on a terminal, else heading and lines.

    ``moves``: also print a line for each move of state.
    """
    from rich.console import Console

    from callsheet_server.tools.terminal.lines import LinePrinter
    from callsheet_server.tools.terminal.live import live_view

    console = Console()
    if console.is_terminal:
        async with live_view(console, show.scene, heading):
            yield
    else:
        print(heading, flush=True)
        show.told = LinePrinter(show.scene, sys.stdout, moves=moves).show
        yield


def print_summary(show: Show | None, as_json: bool) -> None:
    """Print the figures of a run, if it came to have any."""
    from callsheet_server.tools.terminal.summary import summary_lines

    figures = show.summary() if show is not None else None
    if figures is not None:
        print(json.dumps(figures, indent=2) if as_json else "\n".join(summary_lines(figures)))
