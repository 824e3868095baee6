"""``callsheet bench cluster``: replicas killed, simulated, and compared with other routers."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from callsheet_cli.bench_progress import require_checkout
from callsheet_cli.parser import CommandError, Commands

__all__ = ["add_parser", "run"]

EPILOG = """
failover kills fake SGLang processes, 50 times, under the real engine. sim plays large clusters
through the real placement and planner; what it assumes stands in docs/cluster.md. one compares the
CPU time of a cluster of one replica with that of the engine for one. two-servers puts two servers
with a town each on one pool, and compares with one server for both. real starts two real SGLangs
on the CPU (callsheet sglang setup-cpu, once), and compares with other ways to spread the calls,
some nine minutes; it installs SGLang's own router in the cache folder, and goes on without it if it
cannot.

examples:
  callsheet bench cluster                       all
  callsheet bench cluster --only failover
  callsheet bench cluster --only real
  callsheet bench cluster --only sim --quick    one seed, no million NPCs

exit status: 0 = no target was missed, 1 = one was
"""
PARTS = ("failover", "sim", "one", "two-servers", "real")
SIZES = ((2, 10_000), (8, 40_000), (20, 100_000), (100, 1_000_000))
"""Replicas and NPCs."""


def add_parser(kinds: Commands) -> None:
    """Add ``bench cluster``."""
    parser = kinds.add_parser(
        "cluster",
        help="several replicas: failover, simulation, other routers",
        description="Measure a cluster of replicas.",
        epilog=EPILOG,
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--kills", type=int, default=50, help="of replicas (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="of a case (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="to see that it works")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure, and report as it goes."""
    require_checkout()
    parts = args.only or PARTS
    missed = []
    if "failover" in parts:
        missed += _failover(5 if args.quick else args.kills)
    if "one" in parts:
        missed += _one(4 if args.quick else 20)
    if "two-servers" in parts:
        missed += _two_servers(1 if args.quick else args.seeds)
    if "sim" in parts:
        missed += _simulate(1 if args.quick else args.seeds, SIZES[:-1] if args.quick else SIZES)
    if "real" in parts:
        missed += _real(quick=args.quick)
    lines = [f"missed: {what}" for what in missed] or ["no target missed"]
    print("", *lines, sep="\n")
    return int(bool(missed))


def _failover(kills: int) -> list[str]:
    from callsheet_bench.cluster.failover import measure
    from callsheet_bench.cluster.report import failover_lines, missed_failover
    from callsheet_bench.cluster.tokenizer import save_tokenizer

    logging.getLogger("callsheet_server").setLevel(logging.CRITICAL)  # A loss is what is wanted.
    with tempfile.TemporaryDirectory() as folder:
        save_tokenizer(Path(folder))
        found = asyncio.run(measure(Path(folder), kills))
    print("\n".join(failover_lines(found)), flush=True)
    return missed_failover(found)


def _one(rounds: int) -> list[str]:
    from callsheet_bench.cluster.overhead import measure
    from callsheet_bench.cluster.tokenizer import save_tokenizer

    with tempfile.TemporaryDirectory() as folder:
        save_tokenizer(Path(folder))
        ratio = asyncio.run(measure(Path(folder), rounds))
    print(f"\nCPU per token, a cluster of one against the engine for one: {ratio:.3f}", flush=True)
    return [f"a cluster of one costs {ratio:.3f}"] if ratio > 1.02 else []


def _two_servers(seeds: int) -> list[str]:
    from callsheet_bench.cluster.two_servers import hit_rates, lines, missed

    found = dict(hit_rates(seeds))
    print("\n" + "\n".join(lines(found)), flush=True)
    return missed(found)


def _real(*, quick: bool) -> list[str]:
    from callsheet_bench.cluster.real.report import lines, missed
    from callsheet_bench.cluster.real.run import Played, Sizes, Skipped, measure
    from callsheet_bench.running import StartError
    from callsheet_sglang.launch.interpreter import SglangMissingError, find_python

    async def measure_all(python: Path, folder: Path) -> list[Played | Skipped]:
        found = []
        async for one in measure(python, folder, Sizes(seconds=15.0) if quick else Sizes()):
            print(one, file=sys.stderr, flush=True)
            found.append(one)
        return found

    try:
        python = find_python("cpu")
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(measure_all(python, Path(folder)))
    except (SglangMissingError, StartError) as error:
        raise CommandError(str(error)) from None
    print("\n" + "\n".join(lines(found)), flush=True)
    return missed(found)


def _simulate(seeds: int, sizes: tuple[tuple[int, int], ...]) -> list[str]:
    from callsheet_bench.cluster.cases import cases, play
    from callsheet_bench.cluster.report import missed_sim, sim_line, sim_lines

    print(f"\nmedians of seeds 1 to {seeds}\n\n" + "\n".join(sim_lines()), flush=True)
    played = []
    for replicas, npcs in sizes:
        for row in cases(replicas, npcs):
            outcome = play(row, seeds)
            played.append((row, outcome))
            print(sim_line(row, outcome), flush=True)
    return missed_sim(played)
