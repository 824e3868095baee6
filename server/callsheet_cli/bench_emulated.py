"""``callsheet bench sglang``: what invocation distance is worth in SGLang, on an emulated GPU."""

from __future__ import annotations

import argparse
import asyncio
import json

from callsheet_cli.bench_progress import add_run_options, measuring, require_checkout
from callsheet_cli.parser import CommandError, Parser

__all__ = ["add_parser", "run"]

EPILOG = """
SGLang's own scheduler, caches and HTTP, at the speed that a GPU with a model has by data sheets, on
this machine's CPU; every figure is an emulation's. docs/benchmarks.md says what they mean. Each
round is kept as it ends: the same command goes on. A round in which this machine was too slow for
the GPU's pace is played again, and refused in the end: let nothing else run, or raise --dilation.

examples:
  callsheet bench sglang --estimate                        how long would it take?
  callsheet bench sglang --summary                         three cells, one round: five minutes
  callsheet bench sglang                                   every cell, three rounds
  callsheet bench sglang --gpu l40s --model llama-3.1-8b --npcs 400 --concurrency 24
  callsheet bench sglang --report --plots docs/images      where it pays, as a picture
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add ``sglang``."""
    parser = commands.add_parser(
        "sglang",
        help="stock SGLang, HiCache, the plugin, and everybody resident, on an emulated GPU",
        description="Compare SGLang with and without the plugin on an emulated GPU.",
        epilog=EPILOG,
    )
    own = parser.add_argument_group("a cell of your own, in place of those of docs/benchmarks.md")
    own.add_argument("--gpu", metavar="GPU", help="such as h100, l40s or rtx4090")
    own.add_argument("--model", metavar="MODEL", help="such as llama-3.1-8b or smollm2-1.7b")
    own.add_argument("--npcs", type=int, default=1500, help="(default: %(default)s)")
    own.add_argument("--concurrency", type=int, default=64, help="(default: %(default)s)")
    own.add_argument(
        "--reply-tokens", type=int, default=64, metavar="N", help="longest (default: %(default)s)"
    )
    parser.add_argument(
        "--cell",
        action="append",
        metavar="TEXT",
        help="only the cell of this name, or those that contain it",
    )
    parser.add_argument("--system", action="append", metavar="SYSTEM", help="only this system")
    parser.add_argument(
        "--paper", action="store_true", help="the numbers of agents of ScaleSim's table, beside it"
    )
    parser.add_argument(
        "--summary", action="store_true", help="three cells, one round, without stock"
    )
    parser.add_argument(
        "--dilation",
        type=float,
        default=3.0,
        metavar="K",
        help="play everything K times slower (default: %(default)s)",
    )
    add_run_options(parser, rounds=3, results="bench-sglang/emulated.jsonl")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, then report.

    Raises:
        CommandError: an option is wrong, or the run failed; the text says why.
    """
    require_checkout()

    from callsheet_bench.emulated import paper, report
    from callsheet_bench.emulated.cells import CELLS, PAPER, SUMMARY, Cell
    from callsheet_bench.emulated.run import Options, estimate_s, open_store
    from callsheet_bench.emulated.run import run as measure
    from callsheet_bench.emulated.systems import SUMMARY_SYSTEMS, SYSTEMS
    from callsheet_bench.store import Store, StoreError

    cells = SUMMARY if args.summary else PAPER if args.paper else CELLS
    if args.gpu or args.model:
        pair = f"{args.gpu}/{args.model}"
        replies = (max(args.reply_tokens // 2, 1), args.reply_tokens)
        cells = (Cell(pair, args.npcs, args.concurrency, replies),)
    chosen = [c for c in cells if not args.cell or c.name in args.cell]
    chosen = chosen or [c for c in cells if any(text in c.name for text in args.cell)]
    try:
        options = Options(
            results=args.results,
            cells=chosen,
            systems=tuple(args.system or (SUMMARY_SYSTEMS if args.summary else SYSTEMS)),
            rounds=1 if args.summary else args.rounds,
            dilation=args.dilation,
            fresh=args.fresh,
        )
        if args.estimate:
            print(f"about {estimate_s(options) / 60:.0f} minutes on a quiet machine with two cores")
            return 0
        store = Store.load(args.results) if args.report else open_store(options)
    except (ValueError, StoreError) as error:
        raise CommandError(str(error), exit_code=2) from None
    if not args.report:
        with measuring(estimate_s(options)) as show:
            asyncio.run(measure(options, store, show))
    if args.plots:
        from callsheet_bench.emulated.plots import draw

        draw(store, chosen, args.plots)
    print(json.dumps(report.as_json(store, chosen), indent=2) if args.json
          else report.markdown(store, chosen))  # fmt: skip
    if args.paper and not args.json:
        print(paper.table(store))
    return 0
