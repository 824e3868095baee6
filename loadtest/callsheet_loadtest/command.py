"""``callsheet loadtest``: a server if none is given, Locust without its UI, a verdict, a report."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from callsheet_loadtest.outcome import LoadTest, Outcome
from callsheet_loadtest.plan import LoadPlan
from callsheet_loadtest.report import html_report
from callsheet_loadtest.server import Cost, running_server

__all__ = ["run"]

POLL_S = 0.5
STOP_TIMEOUT_S = 30.0


def run(
    test: LoadTest, progress: Callable[[str], None], write: Callable[[Path, str], None]
) -> Outcome:
    """Run a load test and write its report.

    Args:
        test: what to do.
        progress: told where the run stands, about once a second.
        write: puts a text into a file, whole or not at all.

    Raises:
        ValueError: what is asked for is out of range.
        StartError: the server did not come up.
        RuntimeError: Locust failed before the load began; the text is what it said.
    """
    options = _options(test)
    LoadPlan.of(options)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callsheet-")))
        url, server = test.engine, None
        if "://" not in test.engine:
            progress(f"starting a server with the {test.engine} engine")
            settings = (
                f"limits.max_worlds={max(64, test.users)}",
                f"limits.max_npcs_per_world={max(50_000, test.npcs)}",
            )
            url, server = stack.enter_context(running_server(test.engine, settings))
        outcome = Outcome(test, 0.0)
        reader = _Reader(folder / "samples.jsonl", outcome)
        log = stack.enter_context((folder / "locust.log").open("w+"))
        locust = subprocess.Popen(
            _locust_command(options, url, folder, test.processes),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _follow(locust, server, reader, progress)
        except KeyboardInterrupt:
            outcome.interrupted = True
            progress("stopping")
        finally:
            _stop(locust)
        reader.read()
        if not outcome.rows:
            log.seek(0)
            raise RuntimeError(f"Locust ended with {locust.returncode}:\n{log.read().strip()}")
        outcome.load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        _check_memory(outcome)
        locust_html = folder / "locust.html"
        page = html_report(outcome, locust_html.read_text() if locust_html.exists() else "")
        write(test.html, page)
    return outcome


def _options(test: LoadTest) -> argparse.Namespace:
    """Return Locust's options, by the names that it parses them into."""
    users = test.users + test.mods + test.observers
    return argparse.Namespace(
        host=None,
        num_users=users,
        spawn_rate=users,
        run_time=test.seconds,
        npcs=test.npcs,
        hz=test.hz,
        players=test.players,
        mods=test.mods,
        observers=test.observers,
        observe_interval=test.observe_interval_s,
        shape=test.shape,
        token=test.token,
        max_ack_p99=test.max_ack_p99_ms,
        max_first_token_p95=test.max_first_token_p95_ms,
        max_failures=test.max_failures,
        min_tick_share=test.min_tick_share,
    )


def _locust_command(
    options: argparse.Namespace, url: str, folder: Path, processes: int
) -> list[str]:
    named: dict[str, object] = vars(options) | {
        "locustfile": Path(__file__).with_name("locustfile.py"),
        "host": url,
        "html": folder / "locust.html",
        "samples": folder / "samples.jsonl",
        "processes": processes if processes > 1 else None,
    }
    named["users"] = named.pop("num_users")
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary"]
    return command + [
        f"--{name.replace('_', '-')}={value}" for name, value in named.items() if value is not None
    ]


def _follow(
    locust: subprocess.Popen[bytes],
    server: psutil.Process | None,
    reader: _Reader,
    progress: Callable[[str], None],
) -> None:
    """Collect samples and costs until Locust ends."""
    outcome, started_s = reader.outcome, time.monotonic()
    while locust.poll() is None:
        time.sleep(POLL_S)
        if server is not None:
            outcome.costs.append(Cost.of(server))
        known = len(outcome.samples)
        reader.read()
        if len(outcome.samples) > known:
            progress(_line(outcome, time.monotonic() - started_s))


class _Reader:
    """Takes over what Locust has written to its samples, line by line."""

    def __init__(self, path: Path, outcome: Outcome) -> None:
        self.outcome = outcome
        self._path = path
        self._offset = 0

    def read(self) -> None:
        """Take over the complete lines that are new."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                self._take(json.loads(line))

    def _take(self, message: dict[str, Any]) -> None:
        if "result" in message:
            self.outcome.rows = message["result"]["rows"]
            self.outcome.missed = message["result"]["missed"]
        else:
            self.outcome.samples.append(message)


def _line(outcome: Outcome, elapsed_s: float) -> str:
    sample, test = outcome.samples[-1], outcome.test
    acks = sample["rows"].get("tick ack") or {}
    if not acks.get("count"):
        return f"{elapsed_s:4.0f} s  {sample['users']} users, still joining"
    failures = sum(row["failures"] for row in sample["rows"].values())
    text = (
        f"{elapsed_s:4.0f} of {test.seconds} s  {sample['users']} users"
        f"  {acks['count'] * test.npcs / test.users:9,.0f} NPC updates/s"
        f"  ack p50 {acks['p50_ms']:.0f} p99 {acks['p99_ms']:.0f} ms"
    )
    if len(outcome.costs) > 1:
        before, now = outcome.costs[max(-5, -len(outcome.costs))], outcome.costs[-1]
        share = (now.cpu_s - before.cpu_s) / max(now.time_s - before.time_s, 1e-9)
        text += f"  server {100 * share:.0f} % of a core, {now.rss_mb:.0f} MB"
    return text + (f"  {failures} FAILURES" if failures else "")


def _stop(locust: subprocess.Popen[bytes]) -> None:
    """End Locust as Ctrl-C would, so that it still writes its results; then by force."""
    if locust.poll() is None:
        locust.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
    try:
        locust.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        locust.kill()
        locust.wait()


def _check_memory(outcome: Outcome) -> None:
    limit, slope = outcome.test.max_rss_slope_mb_per_min, outcome.rss_slope_mb_per_min
    if limit is not None and slope is not None and slope > limit:
        outcome.missed.append(
            f"the server's memory grows by {slope:.2f} MB a minute; the limit is {limit:g}"
        )
