"""Locust's hooks: options, the shape of the load, samples while it runs, the verdict."""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import Runner, WorkerRunner
from locust.stats import (
    RequestStats,
    StatsEntry,
    calculate_response_time_percentile,
    diff_response_time_dicts,
)

from callsheet_loadtest.callsheet_user import CallsheetUser
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
        options = _options(self.runner.environment)
        plan = LoadPlan.of(options)
        run_time_s, elapsed_s = options.run_time, self.get_run_time()
        if run_time_s and elapsed_s >= run_time_s:
            return None
        progress = elapsed_s / run_time_s if run_time_s else 1.0
        users = games_at(plan.shape, progress, plan.games) + plan.mods + plan.observers
        return users, options.spawn_rate or users


@events.init.add_listener
def _prepare(environment: Environment, runner: Runner, **_: Any) -> None:
    """Refuse options out of range before anything runs; begin to take samples."""
    options = _options(environment)
    if options.headless:
        try:
            LoadPlan.of(options)
        except ValueError as error:
            raise SystemExit(f"callsheet loadtest: {error}") from None
    if options.samples and not isinstance(runner, WorkerRunner):
        runner.greenlet.spawn(_sample, runner, Path(options.samples))


@events.test_start.add_listener
def _start(environment: Environment, **_: Any) -> None:
    plan = CallsheetUser.plan = LoadPlan.of(_options(environment))
    for user, count in ((ModUser, plan.mods), (ObserverUser, plan.observers)):
        user.fixed_count, user.weight = count, 0


def _options(environment: Environment) -> argparse.Namespace:
    assert environment.parsed_options is not None, "Locust has parsed the command line"
    options: argparse.Namespace = environment.parsed_options
    return options


@events.quitting.add_listener
def _judge(environment: Environment, **_: Any) -> None:
    """Set the exit code, and say why it is not 0."""
    if isinstance(environment.runner, WorkerRunner):
        return
    options = _options(environment)
    rows = {name: EntryState(entry).since(None) for name, entry in _entries(environment.stats)}
    problems = missed(rows, options)
    for problem in problems:
        logger.error("missed: %s", problem)
    environment.process_exit_code = 1 if problems else 0
    if options.samples:
        result = {"rows": {name: row.as_json() for name, row in rows.items()}, "missed": problems}
        _append(Path(options.samples), {"result": result})


def _sample(runner: Runner, path: Path) -> None:
    """Append what happened in each second."""
    before: dict[str, EntryState] = {}
    while True:
        gevent.sleep(SAMPLE_PERIOD_S)
        rows = {}
        for name, entry in _entries(runner.stats):
            latest = EntryState(entry)
            rows[name] = latest.since(before.get(name)).as_json()
            before[name] = latest
        _append(path, {"time_s": time.time(), "users": runner.user_count, "rows": rows})


class EntryState:
    """The counters of a row at one moment."""

    def __init__(self, entry: StatsEntry) -> None:
        self.count, self.failures = entry.num_requests, entry.num_failures
        self.times = dict(entry.response_times)

    def since(self, before: EntryState | None) -> Row:
        """Return the row of what came after ``before``."""
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


def _entries(stats: RequestStats) -> list[tuple[str, StatsEntry]]:
    entries = stats.entries.items()
    return sorted((f"{method} {name}", entry) for (name, method), entry in entries)


def _append(path: Path, line: Mapping[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
