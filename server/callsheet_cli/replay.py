"""``callsheet replay``: play a recorded session back, on a server or in the planner alone."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callsheet_cli.parser import CommandError, Commands
from callsheet_cli.play import print_summary
from callsheet_cli.serve import add_settings_arguments, configure_logging, load

if TYPE_CHECKING:
    from pydantic import SecretStr

    from callsheet_server.app.server import CallsheetServer
    from callsheet_server.app.settings import Settings
    from callsheet_server.trace import Trace

__all__ = ["add_parser", "run"]

EPILOG = """
Without --url a server is started for the replay, with the settings given here. With --planner-only
nothing is generated: the estimators and the planner see the ticks and calls, and the report says
what every policy would have done with the same budgets.

  distance      what the server does
  lru           keeps what was used last, rebuilds the rest
  naive         swaps in on demand, the least recently used out
  belady        swaps in on demand, the one needed last out; knows the future
  clairvoyant   what the server does, if it knew the future

examples:
  callsheet replay town.jsonl --speed 10
  callsheet replay town.jsonl --url ws://127.0.0.1:8765 --json
  callsheet replay town.jsonl --planner-only --device-share 0.25
"""


def add_parser(commands: Commands) -> None:
    """Add ``replay``."""
    parser = commands.add_parser(
        "replay",
        help="play a recorded session back",
        description="Play a trace back against a server, or through the planner alone.",
        epilog=EPILOG,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a trace of `record` or `demo`")
    parser.add_argument("--json", action="store_true", help="print nothing but the result, as JSON")
    live = parser.add_argument_group("on a server")
    live.add_argument("--speed", type=float, default=1.0, help="10 = ten times as fast (default 1)")
    live.add_argument("--url", help="a running server; without it one is started")
    live.add_argument(
        "--token", type=secret, help="what that server asks of a game and an observer"
    )
    planner = parser.add_argument_group("in the planner alone")
    planner.add_argument("--planner-only", action="store_true", help="generate nothing, compare")
    planner.add_argument(
        "--device-share",
        type=float,
        default=0.25,
        help="share of all prefix bytes that fits on the device (default: %(default)s)",
    )
    planner.add_argument(
        "--host-share",
        type=float,
        default=1.0,
        help="share that fits in host memory; the disk takes the rest (default: %(default)s)",
    )
    add_settings_arguments(parser, engine_fields=("model", "device"))  # --url is the server's
    parser.set_defaults(run=run)


def secret(text: str) -> SecretStr:
    """Keep a token out of messages and tracebacks."""
    from pydantic import SecretStr

    return SecretStr(text)


def run(args: argparse.Namespace) -> int:
    """Play a trace back. Status 130 if Ctrl-C came before its end.

    Raises:
        CommandError: an argument, a setting or the file is wrong, or there is no server.
    """
    for name, value, high in (
        ("speed", args.speed, 1000.0),
        ("device-share", args.device_share, 1.0),
        ("host-share", args.host_share, 1.0),
    ):
        if not 0.0 < value <= high:
            raise CommandError(f"--{name} {value}: must be above 0 and at most {high:g}", 2)
    settings = load(args, ["server.port=0"]).settings
    trace = read(args.file)
    if args.planner_only:
        compare(trace, settings, args)
        return 0
    configure_logging(settings.server)
    return play(trace, settings, args)


def read(path: Path) -> Trace:
    """Read a trace that has something to replay.

    Raises:
        CommandError: it cannot be read, or is no such trace.
    """
    from callsheet_server.trace import TraceError, read_trace

    try:
        trace = read_trace(path)
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from None
    except TraceError as error:
        raise CommandError(
            f"{error}\n(`callsheet record` and `callsheet demo --record` write traces; "
            "docs/trace-format.md says what they look like)"
        ) from None
    if not trace.ticks:
        raise CommandError(f"{path}: it has no ticks; was a game connected while it was recorded?")
    return trace


def play(trace: Trace, settings: Settings, args: argparse.Namespace) -> int:
    """Play ``trace`` against a server, which is started if none is given."""
    from callsheet.wire.errors import CallsheetError
    from callsheet_cli.progress import progress_bars
    from callsheet_server.app.serving import (
        StartError,
        local_url,
        run_with_server,
        until_told,
    )
    from callsheet_server.engine.engine import Progress
    from callsheet_server.tools.demo.show import Show
    from callsheet_server.tools.demo.trace_game import TraceGame

    ticks = len(trace.ticks)
    with progress_bars() as (_, report):

        def told(sent: int, waiting: int) -> None:
            label, unit = f"replay {args.file.name}", f"ticks, {waiting} answers to come"
            report(Progress(label, sent, ticks, unit))

        try:
            game = TraceGame(trace, args.speed, told)
        except ValueError as error:
            raise CommandError(f"{args.file}: {error}; --planner-only needs none") from None
        show: Show | None = None

        async def work(server: CallsheetServer) -> None:
            nonlocal show
            tokens = settings.server.game_token, settings.server.observer_token
            show = Show(local_url(server), trace.world, game, *tokens)
            await show.run()

        try:
            if args.url is None:
                ended = asyncio.run(run_with_server(settings, report, work))
            else:
                show = Show(args.url, trace.world, game, args.token, args.token)
                ended = asyncio.run(until_told(show.run()))
        except (StartError, CallsheetError, ConnectionError, ValueError) as error:
            raise CommandError(str(error)) from None
    print_summary(show, args.json)
    return 0 if ended else 130


def compare(trace: Trace, settings: Settings, args: argparse.Namespace) -> None:
    """Run every policy over ``trace`` and print what it would have done."""
    from callsheet_cli.progress import progress_bars
    from callsheet_server.engine.engine import Progress
    from callsheet_server.residency.controller import ASSUMED_DISK_BYTES_PER_S
    from callsheet_server.residency.policies import POLICIES
    from callsheet_server.tools.simulation import Links, TierBudgets, simulate

    total_bytes = sum(npc.size_bytes for npc in trace.npcs)
    if not total_bytes:
        raise CommandError(f"{args.file}: no prefix has a size: its engine keeps no state to plan")
    budgets = TierBudgets(
        int(total_bytes * args.device_share), int(total_bytes * args.host_share), total_bytes
    )
    links = Links(
        settings.residency.planning().assumed_device_link_bytes_per_s,
        ASSUMED_DISK_BYTES_PER_S,
    )
    rows: list[dict[str, Any]] = []
    with progress_bars() as (_, report):
        for done, (name, policy) in enumerate(POLICIES.items()):
            report(Progress("compare policies", done, len(POLICIES), f"policies, now {name}"))
            found = simulate(trace, policy, budgets, links, settings.residency.planning())
            hit_rate = found.hit_rate if found.calls else None
            rows.append(asdict(found) | {"hit_rate": hit_rate, "moved_bytes": found.moved_bytes})
        report(Progress("compare policies", len(POLICIES), len(POLICIES), "policies"))
    if args.json:
        sizes = {"prefix_bytes": total_bytes, **asdict(budgets)}
        figures = {"npcs": len(trace.npcs), "ticks": len(trace.ticks), "calls": len(trace.calls)}
        print(json.dumps({"world": trace.world, **figures, **sizes, "policies": rows}, indent=2))
        return
    print(
        f"{len(trace.npcs)} NPCs, {len(trace.ticks)} ticks, {len(trace.calls)} calls; "
        f"{budgets.device_bytes / 1e6:.0f} of {total_bytes / 1e6:.0f} MB fit on the device"
    )
    print(
        f"{'policy':>12} {'device':>7} {'host':>7} {'disk':>7} {'absent':>7} {'moved MB':>9} "
        f"{'rebuilds':>9} {'prefetches':>11} {'wasted':>7}"
    )
    for row in rows:
        shares = [
            f"{row[key] / row['calls']:.1%}" if row["calls"] else "-"
            for key in ("on_device", "on_host", "on_disk", "absent")
        ]
        print(
            f"{row['policy']:>12} {shares[0]:>7} {shares[1]:>7} {shares[2]:>7} {shares[3]:>7} "
            f"{row['moved_bytes'] / 1e6:>9,.0f} {row['rebuilds']:>9} {row['prefetches']:>11} "
            f"{row['prefetches_wasted']:>7}"
        )
