"""Attacks on a real server, one after the other, with an innocent game beside each.

python loadtest/bench/hostile.py [ATTACK ...] [--seconds 10]

Each attack gets a ``callsheet serve`` of its own with the scripted engine. A line of the table: the
innocent's ack at the 99th percentile and its reply at the 50th, idle and under attack; CPU seconds
of the server per second, less the innocent's; memory that the attack added, and that stayed after
it; bytes of log; seconds that the server took to stop; and the attacker's close codes.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

import numpy as np

from callsheet_bench.hostile import inside, outside
from callsheet_bench.hostile.attack import ATTACKS
from callsheet_bench.hostile.trial import Outcome, Window, arena

__all__ = ["inside", "outside"]

IDLE_S = 5.0
BACK_S = 5.0
"""Time that memory has to come back after an attack."""
HEAD = (
    "| attack | ack p99 ms | reply p50 ms | CPU s/s | MiB added | MiB kept | log kB | stop s "
    "| closes |\n|---|---|---|---|---|---|---|---|---|"
)


def row(outcome: Outcome, before: Window, stopped_s: float) -> str:
    """Return one line of the table, in Markdown."""
    acks = [_ms(window.ack_s, 99) for window in (before, outcome.during)]
    replies = [_ms(window.reply_s, 50) for window in (before, outcome.during)]
    closes = ", ".join(f"{code} x {count}" for code, count in outcome.closes.most_common(3))
    cells = [
        outcome.attack.name.replace("_", " "),
        " / ".join(acks),
        " / ".join(replies),
        f"{outcome.cpu_per_s:.2f}",
        f"{outcome.grown_bytes / 2**20:.0f}",
        f"{outcome.kept_bytes / 2**20:.0f}",
        f"{outcome.log_bytes / 1e3:.0f}",
        f"{stopped_s:.1f}",
        closes or "-",
    ]
    return f"| {' | '.join(cells)} |"


def _ms(seconds: list[float], share: float) -> str:
    return f"{1e3 * np.percentile(seconds, share):.1f}" if seconds else "never"


async def attack(names: list[str], seconds: float) -> None:
    """Try each attack, and print its line."""
    print(HEAD, flush=True)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            async with arena(Path(folder)) as here:
                before = await here.idle(IDLE_S)
                outcome = await here.attacked(ATTACKS[name], seconds, "127.0.0.1", BACK_S)
                stopped_s = await here.stop()
        print(row(outcome, before, stopped_s), *sorted(outcome.during.errors), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--seconds", type=float, default=10.0, help="of each attack")
    args = parser.parse_args()
    asyncio.run(attack(args.attacks or list(ATTACKS), args.seconds))


if __name__ == "__main__":
    main()
