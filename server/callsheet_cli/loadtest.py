"""``callsheet loadtest``: thousands of NPCs on a server, a verdict and a report."""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from callsheet_cli.parser import CommandError, Commands

__all__ = ["add_parser", "run"]

SHAPES = ("steady", "ramp", "rush-hour", "flash-crowd", "stampede")
LINES_EVERY = 5
"""Progress lines for each one that is printed, where the output is not a terminal."""

EPILOG = """
Each user is a game with a world of its own; the NPCs are shared out among the worlds and walk all
the time, so every tick names every NPC. Mods and observers come on top.

shapes:
  steady        all games from the start
  ramp          one after the other, all from 80 % of the run on
  rush-hour     a fifth of them; all in the middle half of the run
  flash-crowd   in the middle third every player runs to one NPC and talks
  stampede      twice, everybody loses the connection at the same moment and resumes

examples:
  callsheet loadtest                                      a first look: 1,000 NPCs, 10 games
  callsheet loadtest --npcs 10000 --users 50 --max-ack-p99 50
  callsheet loadtest --npcs 5000 --hz 30 --users 1 --observers 64
  callsheet loadtest --seconds 600 --max-rss-slope 1      a soak: does memory grow?
  callsheet loadtest --engine ws://192.168.1.20:8765      a server that runs already
  locust -f loadtest/locustfile.py                        the same users in Locust's web UI

exit status: 0 = every threshold was met, 1 = one was missed or the test failed, 2 = asked for
wrongly or not installed, 130 = stopped with Ctrl-C (the report is written all the same).
"""


def add_parser(commands: Commands) -> None:
    """Add ``loadtest``."""
    parser = commands.add_parser(
        "loadtest",
        help="load-test a server with thousands of NPCs",
        description="Run games, mods and observers against a server with Locust; say what it took.",
        epilog=EPILOG,
    )
    load = parser.add_argument_group("load")
    load.add_argument("--npcs", type=int, default=1000, help="NPCs in all (default: %(default)s)")
    load.add_argument(
        "--hz", type=float, default=20.0, help="ticks a second of a game (default: %(default)s)"
    )
    load.add_argument("--users", type=int, default=10, help="games (default: %(default)s)")
    load.add_argument(
        "--seconds", type=int, default=30, help="length of the run (default: %(default)s)"
    )
    load.add_argument("--players", type=int, default=2, help="per world (default: %(default)s)")
    load.add_argument("--mods", type=int, default=0, help="(default: %(default)s)")
    load.add_argument("--observers", type=int, default=0, help="(default: %(default)s)")
    load.add_argument(
        "--observe-interval",
        type=float,
        default=1.0,
        metavar="S",
        help="how often an observer is told of all NPCs (default: %(default)s)",
    )
    load.add_argument("--shape", choices=SHAPES, default="steady", help="(default: %(default)s)")
    load.add_argument(
        "--processes",
        type=int,
        default=1,
        help="Locust processes; one can keep about a core busy (default: %(default)s)",
    )
    target = parser.add_argument_group("server")
    target.add_argument(
        "--engine",
        default="scripted",
        metavar="ENGINE|URL",
        help="start a server with this engine, or test the one at URL (default: %(default)s)",
    )
    target.add_argument("--token", help="the server's token, if it asks for one")
    limits = parser.add_argument_group("thresholds")
    limits.add_argument("--max-ack-p99", type=float, metavar="MS", help="tick ack latency, p99")
    limits.add_argument(
        "--max-first-token-p95", type=float, metavar="MS", help="say to first token, p95"
    )
    limits.add_argument(
        "--max-failures", type=int, default=0, metavar="COUNT", help="(default: %(default)s)"
    )
    limits.add_argument(
        "--min-tick-share",
        type=float,
        default=0.98,
        metavar="SHARE",
        help="ticks sent of those due: below it this machine is the bottleneck "
        "(default: %(default)s)",
    )
    limits.add_argument(
        "--max-rss-slope", type=float, metavar="MB", help="growth of the server's memory a minute"
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--html",
        type=Path,
        default=Path("loadtest.html"),
        metavar="FILE",
        help="the report (default: %(default)s)",
    )
    output.add_argument("--json", type=Path, metavar="FILE", help="the figures, for a program")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the load test.

    Raises:
        CommandError: it cannot run; the text says why.
    """
    if importlib.util.find_spec("locust") is None:
        raise ModuleNotFoundError("no locust", name="locust")  # main() names the extra
    from callsheet_loadtest.command import run as run_test
    from callsheet_loadtest.outcome import LoadTest
    from callsheet_loadtest.report import summary
    from callsheet_loadtest.server import StartError
    from callsheet_server.whole_file import write_whole

    test = LoadTest(
        npcs=args.npcs,
        hz=args.hz,
        users=args.users,
        seconds=args.seconds,
        engine=args.engine,
        players=args.players,
        mods=args.mods,
        observers=args.observers,
        observe_interval_s=args.observe_interval,
        shape=args.shape,
        processes=args.processes,
        token=args.token,
        html=args.html,
        max_ack_p99_ms=args.max_ack_p99,
        max_first_token_p95_ms=args.max_first_token_p95,
        max_failures=args.max_failures,
        min_tick_share=args.min_tick_share,
        max_rss_slope_mb_per_min=args.max_rss_slope,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the server and Locust too
    try:
        outcome = run_test(test, progress_printer(), write_whole)
    except ValueError as error:
        raise CommandError(str(error), exit_code=2) from None
    except (StartError, RuntimeError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{args.html} cannot be written: {error.strerror}") from None
    print(f"\n{summary(outcome)}\n\nreport: {args.html}")
    if args.json:
        try:
            write_whole(args.json, json.dumps(outcome.as_json(), indent=2) + "\n")
        except OSError as error:
            raise CommandError(f"{args.json} cannot be written: {error.strerror}") from None
    if outcome.interrupted:
        return 130
    return 1 if outcome.missed else 0


def progress_printer() -> Callable[[str], None]:
    """Progress on stderr: one line written over on a terminal, now and then a line elsewhere."""
    calls = 0

    def show(text: str) -> None:
        nonlocal calls
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif calls % LINES_EVERY == 0:
            print(text, file=sys.stderr, flush=True)
        calls += 1

    return show
