"""A load test as asked for, and its outcome."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from callsheet_loadtest.server import Cost, slope_mb_per_min

__all__ = ["LoadTest", "Outcome"]

WARM_UP_S = 5.0
"""After the games have joined: memory still settles, so the slope starts here."""


@dataclass(frozen=True, slots=True)
class LoadTest:
    """A load test as asked for. ``LoadPlan`` says what the numbers mean."""

    npcs: int
    hz: float
    users: int
    """Games."""
    seconds: int
    engine: str
    """``scripted``, ``embedded``, or the URL of a running server."""
    players: int
    mods: int
    observers: int
    observe_interval_s: float
    shape: str
    processes: int
    token: str | None
    html: Path
    max_ack_p99_ms: float | None
    max_first_token_p95_ms: float | None
    max_failures: int
    min_tick_share: float
    max_rss_slope_mb_per_min: float | None


@dataclass(slots=True)
class Outcome:
    """Outcome of a load test."""

    test: LoadTest
    load_average: float
    """Load average of the last minute, at the end."""
    samples: list[dict[str, Any]] = field(default_factory=list)
    """One a second: ``time_s``, ``users`` and ``rows`` of that second."""
    costs: list[Cost] = field(default_factory=list)
    """Costs of the server, if we started it."""
    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    """Rows of the whole run."""
    missed: list[str] = field(default_factory=list)
    """Thresholds that were not met, in words."""
    interrupted: bool = False

    def steady(self) -> list[dict[str, Any]]:
        """The samples from the first to the last in which all games ran."""
        having = [i for i, s in enumerate(self.samples) if _acks(s)]
        return self.samples[having[0] : having[-1] + 1] if having else []

    @property
    def npc_updates_per_s(self) -> float:
        """NPC states the server took in a second, while all games ran."""
        first, *rest = self.steady() or [{}]
        if not rest:
            return 0.0
        acks: float = sum(map(_acks, rest)) / (rest[-1]["time_s"] - first["time_s"])
        return acks * self.test.npcs / self.test.users

    def steady_costs(self) -> list[Cost]:
        """The server's costs in that time."""
        steady = self.steady()
        if not steady:
            return []
        first_s, last_s = steady[0]["time_s"], steady[-1]["time_s"]
        return [c for c in self.costs if first_s <= c.time_s <= last_s]

    @property
    def server_cpu_share(self) -> float | None:
        """Cores the server used; None if the server is not ours."""
        costs = self.steady_costs()
        if len(costs) < 2:
            return None
        return (costs[-1].cpu_s - costs[0].cpu_s) / (costs[-1].time_s - costs[0].time_s)

    @property
    def cpu_s_per_million_updates(self) -> float | None:
        """Server CPU seconds per million NPC updates."""
        share = self.server_cpu_share
        if share is None or not self.npc_updates_per_s:
            return None
        return share / self.npc_updates_per_s * 1e6

    @property
    def rss_slope_mb_per_min(self) -> float | None:
        """Growth of the server's memory after the warm-up."""
        costs = self.steady_costs()
        settled = [c for c in costs if c.time_s >= costs[0].time_s + WARM_UP_S]
        return slope_mb_per_min(settled) if len(settled) > 2 else None

    def as_json(self) -> dict[str, Any]:
        """Everything but the samples."""
        costs = self.steady_costs()
        return {
            "test": {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self.test).items()},
            "load_average_1min": self.load_average,
            "rows": self.rows,
            "npc_updates_per_s": self.npc_updates_per_s,
            "server_cores": self.server_cpu_share,
            "server_cpu_s_per_million_npc_updates": self.cpu_s_per_million_updates,
            "server_rss_mb": costs[-1].rss_mb if costs else None,
            "server_rss_slope_mb_per_min": self.rss_slope_mb_per_min,
            "missed": self.missed,
            "interrupted": self.interrupted,
        }


def _acks(sample: dict[str, Any]) -> int:
    return int(sample["rows"].get("tick ack", {}).get("count", 0))
