"""``callsheet record``: serve, and write down what happens."""

from __future__ import annotations

import argparse
from pathlib import Path

from callsheet_cli.parser import Commands
from callsheet_cli.serve import add_settings_arguments, configure_logging, load, serve_until_stopped

__all__ = ["add_parser", "run"]

EPILOG = """
Let the game connect to this server as to any other. The first world in which a tick comes is
recorded, until Ctrl-C: who there is, every tick, every call. Answers are not; the trace says when
somebody was spoken to and with what words.

While it is written the recording is called FILE.partial. Ctrl-C ends it: then it takes the place of
an old FILE. After a crash FILE.partial stays; it can be replayed up to where it was cut off.

examples:
  callsheet record evening.jsonl
  callsheet record evening.jsonl --engine scripted --port 9000
  callsheet demo --seconds 60 --record town.jsonl        record the demo
  callsheet replay evening.jsonl --planner-only          what to do with it
"""


def add_parser(commands: Commands) -> None:
    """Add ``record``."""
    parser = commands.add_parser(
        "record",
        help="run the server and record a session",
        description="Run the server until Ctrl-C and write the ticks and calls of a world to FILE.",
        epilog=EPILOG,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the trace file to write")
    add_settings_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve and record."""
    loaded = load(args)
    configure_logging(loaded.settings.server)
    serve_until_stopped(loaded, args.file)
    return 0
