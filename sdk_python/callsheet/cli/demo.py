"""``callsheet demo``: a town of NPCs, live in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from callsheet.cli.parser import CommandError, Commands
from callsheet.cli.serve import add_settings_arguments, configure_logging, load

if TYPE_CHECKING:
    from callsheet_server.app import CallsheetServer
    from callsheet_server.demo.run import Demo

__all__ = ["add_parser", "run"]

EPILOG = """
The server, the engine and the town all run in this process; the town plays over a real WebSocket,
with the Python SDK. The first run fetches the default model, about 100 MB.

examples:
  callsheet demo
  callsheet demo --engine scripted              no model: fixed replies, nothing to fetch
  callsheet demo --seconds 60 --json            a bounded run, its figures as JSON
  callsheet demo --npcs 200 --players 4 --speed 2
"""


def add_parser(commands: Commands) -> None:
    """Add ``demo``."""
    parser = commands.add_parser(
        "demo",
        help="watch a town of NPCs live",
        description="Run a server with a simulated town and show what happens, until Ctrl-C.",
        epilog=EPILOG,
    )
    town = parser.add_argument_group("town")
    for flag, kind, default, words in (
        ("--npcs", int, 60, "how many NPCs"),
        ("--players", int, 2, "how many players walk about and talk"),
        ("--hz", float, 20.0, "ticks per second"),
        ("--speed", float, 1.0, "seconds of game time per second"),
        ("--seed", int, 1, "another number, another town"),
    ):
        town.add_argument(
            flag, type=kind, default=default, help=f"{words} (default: %(default)s)"
        )
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--json", action="store_true", help="print nothing but a summary, as JSON")
    add_settings_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play the town. Status 130 if it was to end by itself and was stopped with Ctrl-C.

    Raises:
        CommandError: an argument or a setting is wrong, or the server did not come up.
    """
    check(args)
    from callsheet.cli.progress import progress_bars
    from callsheet_server.demo.run import Demo, DemoOptions, presets
    from callsheet_server.serving import StartError, build, run_with_server
    from callsheet_server.watch.summary import summary_lines

    settings = load(args, presets(args.npcs)).settings
    options = DemoOptions(args.npcs, args.players, args.hz, args.speed, args.seed, args.seconds)
    configure_logging(settings.server)
    demo: Demo | None = None

    async def work(server: CallsheetServer) -> None:
        nonlocal demo
        bars.stop()
        demo = Demo(server, options)
        async with showing(demo, args.json):
            await demo.run()

    with progress_bars() as (bars, report):
        try:
            ended = asyncio.run(run_with_server(build(settings), report, work))
        except (StartError, ConnectionError) as error:
            raise CommandError(str(error)) from None
    figures = demo.summary() if demo is not None else None
    if figures is not None:
        text = json.dumps(figures, indent=2) if args.json else "\n".join(summary_lines(figures))
        print(text)
    return 0 if ended or args.seconds is None else 130


def check(args: argparse.Namespace) -> None:
    """Refuse a town that cannot be."""
    for name, low, high in (
        ("npcs", 1, 900),
        ("players", 0, 64),
        ("hz", 1, 120),
        ("speed", 0.1, 100),
        ("seconds", 1, 1e6),
    ):
        value = getattr(args, name)
        if value is not None and not low <= value <= high:
            raise CommandError(f"--{name} {value}: must be from {low} to {high:g}", exit_code=2)


@contextlib.asynccontextmanager
async def showing(demo: Demo, quiet: bool) -> AsyncIterator[None]:
    """Show the demo while the block runs: a live view on a terminal, else lines."""
    if quiet:
        yield
        return
    from rich.console import Console

    from callsheet_server.watch.lines import LinePrinter
    from callsheet_server.watch.live import live_view

    console = Console()
    if console.is_terminal:
        async with live_view(console, demo.scene, f"Callsheet demo on {demo.url}"):
            yield
    else:
        demo.told = LinePrinter(demo.scene, sys.stdout).show
        yield
