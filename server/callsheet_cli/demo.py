"""``callsheet demo``: a town of NPCs, live in the terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from callsheet_cli.parser import CommandError, Commands
from callsheet_cli.play import print_summary, showing
from callsheet_cli.serve import add_settings_arguments, configure_logging, load

if TYPE_CHECKING:
    from callsheet_server.app.server import CallsheetServer
    from callsheet_server.tools.demo.show import Show

__all__ = ["add_parser", "run"]

WORLD = "demo"
RANGES = {"npcs": (1, 900), "players": (0, 64), "hz": (1, 120), "speed": (0.1, 100)}
EPILOG = """
The server, the engine and the town all run in this process; the town plays over a real WebSocket,
with the Python SDK. The first run fetches the default model, 98 MB.

examples:
  callsheet demo
  callsheet demo --engine scripted              no model: fixed replies, nothing to fetch
  callsheet demo --seconds 60 --json            a bounded run, its figures as JSON
  callsheet demo --npcs 200 --players 4 --speed 2
  callsheet demo --seconds 60 --record town.jsonl
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
        town.add_argument(flag, type=kind, default=default, help=f"{words} (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, help="once the NPCs are ready, play so long, then stop"
    )
    parser.add_argument("--json", action="store_true", help="print nothing but a summary, as JSON")
    parser.add_argument(
        "--verbose", action="store_true", help="without a terminal: print every move of state too"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="write a trace, for `replay`")
    add_settings_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play the town. Status 130 if it was to end by itself and was stopped with Ctrl-C.

    Raises:
        CommandError: an argument or a setting is wrong, or the server did not come up.
    """
    check(args)
    from callsheet.wire.errors import CallsheetError
    from callsheet_cli.progress import progress_bars
    from callsheet_server.app.serving import StartError, local_url, page_url, run_with_server
    from callsheet_server.tools.demo.presets import max_open, presets
    from callsheet_server.tools.demo.show import Show
    from callsheet_server.tools.demo.town_game import Pace, TownGame
    from callsheet_server.tools.town.simulation import TownSimulation

    settings = load(args, presets(args.npcs)).settings
    pace = Pace(args.hz, args.speed, max_open(settings), args.seconds)
    town = TownSimulation(args.npcs, args.players, args.seed)
    configure_logging(settings.server)
    show: Show | None = None

    async def work(server: CallsheetServer) -> None:
        nonlocal show
        bars.stop()
        tokens = settings.server.game_token, settings.server.observer_token
        game = TownGame(town, args.seed, pace)
        show = Show(local_url(server), WORLD, game, *tokens)
        engine = server.engine.info
        heading = f"Callsheet demo: {engine.model} on {engine.device}, walk in: {page_url(server)}"
        shown = showing(show, heading, moves=args.verbose)
        async with contextlib.nullcontext() if args.json else shown:
            await show.run()

    with progress_bars() as (bars, report):
        try:
            ended = asyncio.run(run_with_server(settings, report, work, args.record))
        except (StartError, ConnectionError, CallsheetError) as error:
            raise CommandError(str(error)) from None
    print_summary(show, args.json)
    return 0 if ended or args.seconds is None else 130


def check(args: argparse.Namespace) -> None:
    """Refuse a town that cannot be."""
    for name, (low, high) in RANGES.items():
        if not low <= getattr(args, name) <= high:
            raise CommandError(
                f"--{name} {getattr(args, name)}: must be from {low} to {high}", exit_code=2
            )
    if args.seconds is not None and not 0 < args.seconds <= 1e6:
        raise CommandError(f"--seconds {args.seconds}: must be above 0", exit_code=2)
