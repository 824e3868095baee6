"""``callsheet bench sglang-cpu``: the real SGLang on this CPU, with and without the plugin."""

from __future__ import annotations

import argparse
import json

from callsheet_cli import bench_cluster, bench_emulated, bench_local
from callsheet_cli.bench_progress import add_run_options, measuring, require_checkout
from callsheet_cli.parser import CommandError, Commands, Parser

__all__ = ["add_parser", "run"]

EPILOG = """
The real SGLang on this machine's CPU, started once per system; every round plays the same requests
on all systems in turn. docs/benchmarks.md says what the tables and figures mean. Each round is kept
as it ends: a run that was stopped goes on with the same command, and what there is can be reported
with --report. Let nothing else run beside it; it needs about 21 GB of memory, and
`callsheet sglang setup-cpu` once.

examples:
  callsheet bench sglang-cpu --estimate                 how long would it take?
  callsheet bench sglang-cpu --quick                    does everything work? figures mean nothing
  callsheet bench sglang-cpu                            everything, five rounds
  callsheet bench sglang-cpu --only town --only link    some of it
  callsheet bench sglang-cpu --report --plots docs/images

exit status: 0 = no target was missed, 1 = one was, or a run failed
"""


def add_parser(commands: Commands) -> None:
    """Add ``bench`` and its subcommands."""
    parser: Parser = commands.add_parser(
        "bench",
        help="compare with other ways of serving NPCs",
        description="Compare with other ways of serving NPCs.",
    )
    kinds = parser.add_commands()
    bench_emulated.add_parser(kinds)
    bench_cluster.add_parser(kinds)
    bench_local.add_parser(kinds)
    sglang = kinds.add_parser(
        "sglang-cpu",
        help="the same on this machine's CPU, with a real model",
        description="Compare SGLang with and without the plugin on this machine's CPU.",
        epilog=EPILOG,
    )
    sglang.add_argument(
        "--only", action="append", metavar="TABLE", help="measure this table; may be repeated"
    )
    sglang.add_argument(
        "--quick", action="store_true", help="small towns, two rounds: to see that it works"
    )
    sglang.add_argument(
        "--model",
        default="SmolLM2-135M-Instruct",
        metavar="MODEL",
        help="name or folder (default: %(default)s)",
    )
    sglang.add_argument(
        "--link",
        default="h100/smollm2-1.7b",
        metavar="GPU/MODEL",
        help="whose load : prefill ratio the emulated link has (default: %(default)s)",
    )
    add_run_options(sglang, rounds=5, results="bench-sglang/rounds.jsonl")
    sglang.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, then report.

    Raises:
        CommandError: an option is wrong, or the run failed; the text says why.
    """
    require_checkout()

    from callsheet_bench import report
    from callsheet_bench.command import Options, open_store, seconds
    from callsheet_bench.command import run as measure
    from callsheet_bench.gpu_link import PAIRS
    from callsheet_bench.judge import judge
    from callsheet_bench.plan import TABLES
    from callsheet_bench.store import Store, StoreError

    try:
        options = Options(
            results=args.results,
            model=args.model,
            link=args.link,
            tables=tuple(args.only or TABLES),
            rounds=args.rounds,
            quick=args.quick,
            fresh=args.fresh,
        )
        if args.estimate:
            print(f"about {seconds(options) / 60:.0f} minutes on a quiet machine with two cores")
            return 0
        store = Store.load(args.results) if args.report else open_store(options)
    except (ValueError, StoreError) as error:
        raise CommandError(str(error), exit_code=2) from None
    if not args.report:
        with measuring(seconds(options)) as show:
            measure(options, store, show)
    pair = PAIRS[store.setup["link"]]
    if args.plots:
        from callsheet_bench.plots import draw

        draw(store, args.plots)
    print(json.dumps(report.as_json(store, pair), indent=2) if args.json
          else report.markdown(store, pair))  # fmt: skip
    return 1 if any(verdict.met is False for verdict in judge(store)) else 0
