"""Plan of one run: read from Locust's options, the same in every process."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

from callsheet_loadtest.shapes import SHAPES, flash_at, stampedes_by

__all__ = ["LoadPlan", "add_options"]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what Locust's own options do not have."""
    group = parser.add_argument_group("Callsheet")
    group.add_argument(
        "--npcs", type=int, default=1000, help="NPCs in all worlds together (default: %(default)s)"
    )
    group.add_argument(
        "--hz", type=float, default=20.0, help="ticks a second of each game (default: %(default)s)"
    )
    group.add_argument(
        "--players", type=int, default=2, help="players in each world (default: %(default)s)"
    )
    group.add_argument(
        "--mods",
        type=int,
        default=0,
        help="of the users, how many script NPCs (default: %(default)s)",
    )
    group.add_argument(
        "--observers",
        type=int,
        default=0,
        help="of the users, how many look on; the others are games (default: %(default)s)",
    )
    group.add_argument(
        "--observe-interval",
        type=float,
        default=1.0,
        metavar="S",
        help="how often an observer is told of all NPCs (default: %(default)s)",
    )
    group.add_argument(
        "--shape",
        choices=tuple(SHAPES),
        default="steady",
        help="how the load changes over the run (default: %(default)s)",
    )
    group.add_argument("--token", default=None, help="the server's token, if it asks for one")
    limits = parser.add_argument_group("Callsheet thresholds (exit code 1 if one is missed)")
    limits.add_argument(
        "--max-ack-p99", type=float, default=None, metavar="MS", help="tick ack latency, p99"
    )
    limits.add_argument(
        "--max-first-token-p95", type=float, default=None, metavar="MS", help="say to first token"
    )
    limits.add_argument(
        "--max-failures",
        type=int,
        default=0,
        metavar="COUNT",
        help="failed requests and dropped sessions (default: %(default)s)",
    )
    limits.add_argument(
        "--min-tick-share",
        type=float,
        default=0.98,
        metavar="SHARE",
        help="ticks sent of those that were due (default: %(default)s)",
    )
    parser.add_argument(
        "--samples", default=None, metavar="FILE", help="append one JSON line a second to FILE"
    )


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One run."""

    url: str
    token: str | None
    games: int
    npcs: int
    players: int
    hz: float
    mods: int
    observers: int
    observe_interval_s: float
    shape: str
    run_time_s: float | None
    started_s: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, options: argparse.Namespace) -> LoadPlan:
        """Read Locust's parsed options.

        Raises:
            ValueError: an option is out of range; names the option, its value and the fix.
        """
        users = options.num_users or 1
        games = users - options.mods - options.observers
        _at_least("--mods", options.mods, 0)
        _at_least("--observers", options.observers, 0)
        _at_least("--players", options.players, 0)
        if games < 1:
            raise ValueError(
                f"--users is {users}: with {options.mods} mods and {options.observers} observers "
                f"it must be {options.mods + options.observers + 1} or more"
            )
        _at_least("--npcs", options.npcs, games)
        if not 0 < options.hz <= 240:
            raise ValueError(f"--hz is {options.hz:g}; it must be above 0 and at most 240")
        if not 0.05 <= options.observe_interval <= 60:
            raise ValueError(
                f"--observe-interval is {options.observe_interval:g}; it must be from 0.05 to 60"
            )
        return cls(
            url=options.host or "ws://127.0.0.1:8765",
            token=options.token,
            games=games,
            npcs=options.npcs,
            players=options.players,
            hz=options.hz,
            mods=options.mods,
            observers=options.observers,
            observe_interval_s=options.observe_interval,
            shape=options.shape,
            run_time_s=options.run_time,
        )

    def world(self, index: int) -> str:
        """The id of a world, counted from 0; indices beyond the last begin again."""
        return f"load-{index % self.games}"

    def npcs_of(self, index: int) -> int:
        """Return the number of NPCs of a world; worlds differ by one at most."""
        share, rest = divmod(self.npcs, self.games)
        return share + (index % self.games < rest)

    @property
    def progress(self) -> float:
        """Share of the run that is over, 0 to 1; 0 if it has no end."""
        if not self.run_time_s:
            return 0.0
        return (time.monotonic() - self.started_s) / self.run_time_s

    @property
    def flash(self) -> bool:
        """Whether all players run to one NPC now."""
        return flash_at(self.shape, self.progress)

    @property
    def stampedes(self) -> int:
        """Number of times everybody was to reconnect up to now."""
        return stampedes_by(self.shape, self.progress)


def _at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise ValueError(f"{option} is {value}; it must be {least} or more")
