"""What Locust calls: options, the shape of the load, samples while it runs, the verdict."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import StatsEntry, calculate_response_time_percentile, diff_response_time_dicts

from callsheet_loadtest.plan import LoadPlan, add_options
from callsheet_loadtest.shapes import games_at
from callsheet_loadtest.thresholds import Row, missed
from callsheet_loadtest.users import ModUser, ObserverUser

__all__ = ["Shape"]

logger = logging.getLogger(__name__)

SAMPLE_PERIOD_S = 1.0

events.init_command_line_parser.add_listener(add_options)


class Shape(LoadTestShape):
    """The shape chosen with ``--shape``, over the run time given to Locust."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        plan = LoadPlan.of(options)
        run_time_s, elapsed_s = options.run_time, self.get_run_time()
        if run_time_s and elapsed_s >= run_time_s:
            return None
        progress = elapsed_s / run_time_s if run_time_s else 1.0
        users = games_at(plan.shape, progress, plan.games) + plan.mods + plan.observers
        return users, options.spawn_rate or users


@events.test_start.add_listener
def _start(environment: Environment, **_: Any) -> None:
    plan = LoadPlan.of(environment.parsed_options)
    environment.load_plan = plan
    for user, count in ((ModUser, plan.mods), (ObserverUser, plan.observers)):
        user.fixed_count, user.weight = count, 0
    if isinstance(environment.runner, WorkerRunner) or not environment.parsed_options.samples:
        return
    path = Path(environment.parsed_options.samples)
    gevent.spawn(_sample, environment, path)


@events.init.add_listener
def _check(environment: Environment, **_: Any) -> None:
    """Refuse options out of range before anything runs."""
    if environment.parsed_options.headless:
        try:
            LoadPlan.of(environment.parsed_options)
        except ValueError as error:
            raise SystemExit(f"callsheet loadtest: {error}") from None


@events.quitting.add_listener
def _judge(environment: Environment, **_: Any) -> None:
    """Set the exit code, and say why it is not 0."""
    if isinstance(environment.runner, WorkerRunner):
        return
    rows = _totals(environment)
    problems = missed(rows, environment.parsed_options)
    for problem in problems:
        logger.error("missed: %s", problem)
    environment.process_exit_code = 1 if problems else 0
    if environment.parsed_options.samples:
        result = {"rows": {name: row.as_json() for name, row in rows.items()}, "missed": problems}
        _append(Path(environment.parsed_options.samples), {"result": result})


def _sample(environment: Environment, path: Path) -> None:
    """Append what happened in each second."""
    before: dict[str, StatsEntryState] = {}
    while True:
        gevent.sleep(SAMPLE_PERIOD_S)
        rows = {}
        for name, entry in _entries(environment):
            latest = StatsEntryState(entry)
            rows[name] = latest.since(before.get(name)).as_json()
            before[name] = latest
        _append(path, {"time_s": time.time(), "users": environment.runner.user_count, "rows": rows})


class StatsEntryState:
    """The counters of a row at one moment."""

    def __init__(self, entry: StatsEntry) -> None:
        self.count, self.failures = entry.num_requests, entry.num_failures
        self.times = dict(entry.response_times)

    def since(self, before: StatsEntryState | None) -> Row:
        """What came after ``before``."""
        if before is None:
            return row_of(self.times, self.count, self.failures)
        times = diff_response_time_dicts(self.times, before.times)
        return row_of(times, self.count - before.count, self.failures - before.failures)


def row_of(times: Mapping[int, int], count: int, failures: int) -> Row:
    """Percentiles of a histogram of milliseconds."""
    p50, p95, p99 = (
        float(calculate_response_time_percentile(dict(times), count, share)) if count else 0.0
        for share in (0.5, 0.95, 0.99)
    )
    return Row(count, failures, p50, p95, p99, float(max(times, default=0)))


def _totals(environment: Environment) -> dict[str, Row]:
    return {name: StatsEntryState(entry).since(None) for name, entry in _entries(environment)}


def _entries(environment: Environment) -> list[tuple[str, StatsEntry]]:
    entries = environment.stats.entries.items()
    return sorted((f"{method} {name}", entry) for (name, method), entry in entries)


def _append(path: Path, line: Mapping[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
