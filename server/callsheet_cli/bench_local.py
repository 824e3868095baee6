"""``callsheet bench local``: the engine for players' machines against llama-server and torch."""

from __future__ import annotations

import argparse
import asyncio
import logging
from functools import partial

from callsheet_cli.bench_progress import require_checkout
from callsheet_cli.parser import CommandError, Commands

__all__ = ["add_parser", "run"]

EPILOG = """
speed: tokens/s of 1, 4 and 8 NPCs at once with prefixes of 600 tokens, against llama-server with as
many slots and the engine embedded. town: 60 NPCs and room for 15, time to the first token, against
llama-server without and with its own cache on the host. weights: three models and room for two, by
distance and by LRU. footprint: start, memory, disk, idle CPU.
Contenders take turns in every round. Let nothing else run beside it.

examples:
  callsheet bench local                   all, about 11 minutes on two cores
  callsheet bench local --summary         two rounds, without torch: about 4 minutes
  callsheet bench local --only speed

exit status: 0 = no target was missed, 1 = one was
"""
PARTS = ("speed", "town", "weights", "footprint")


def add_parser(kinds: Commands) -> None:
    """Add ``bench local``."""
    parser = kinds.add_parser(
        "local",
        help="llama.cpp on this machine, against stock llama-server and torch",
        description="Measure the engine llamacpp on this machine.",
        epilog=EPILOG,
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="of each (default: %(default)s)")
    parser.add_argument("--summary", action="store_true", help="two rounds, without torch")
    parser.add_argument(
        "--model", default="SmolLM2-135M-Instruct", metavar="MODEL", help="GGUF, as for serve"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, and report as it goes."""
    require_checkout()
    from callsheet_bench.local.run import Plan, measure
    from callsheet_server.engine.errors import EngineError

    if args.rounds < 1:
        raise CommandError(f"--rounds {args.rounds}: at least 1", exit_code=2)
    logging.getLogger("callsheet_server").setLevel(logging.CRITICAL)
    plan = Plan(
        model=args.model,
        parts=args.only or PARTS,
        rounds=2 if args.summary else args.rounds,
        torch=not args.summary,
    )
    try:
        missed = asyncio.run(measure(plan, partial(print, flush=True)))
    except EngineError as error:
        raise CommandError(str(error)) from None
    print("", *([f"missed: {what}" for what in missed] or ["no target missed"]), sep="\n")
    return int(bool(missed))
