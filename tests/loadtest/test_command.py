"""The command as a user runs it: a server, Locust and the report, for a few seconds."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE_S

from callsheet_cli import main
from callsheet_loadtest.outcome import LoadTest, Outcome
from callsheet_loadtest.report import plot
from callsheet_loadtest.server import Cost, slope_mb_per_min

REPO = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.locust,
    pytest.mark.skipif(
        importlib.util.find_spec("locust") is None,
        reason='Locust is not installed: pip install "callsheet[loadtest]"',
    ),
]


def loadtest(folder: Path, *argv: str) -> tuple[int, dict[str, Any], str, str]:
    """Run it; return the exit status, the figures, the report and stderr."""
    paths = [str(REPO / name) for name in ("sdk_python", "server", "loadtest")]
    command = [sys.executable, "-m", "callsheet", "loadtest"]
    files = ["--html", str(folder / "r.html"), "--json", str(folder / "r.json")]
    done = subprocess.run(
        [*command, *argv, *files],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (folder / "r.json").exists(), done.stderr + done.stdout
    figures = json.loads((folder / "r.json").read_text())
    return done.returncode, figures, (folder / "r.html").read_text(), done.stderr


def test_everybody_plays_loses_the_connection_and_comes_back(tmp_path: Path) -> None:
    status, figures, report, _ = loadtest(
        tmp_path,
        *("--users", "2", "--mods", "1", "--observers", "2", "--npcs", "40", "--players", "8"),
        *("--hz", "10", "--seconds", "9", "--shape", "stampede", "--min-tick-share", "0"),
    )
    rows = figures["rows"]
    assert status == 0, figures["missed"]
    assert figures["missed"] == []
    assert rows["session connect"]["count"] == 5
    assert rows["game spawn"]["count"] == 2
    assert rows["session reconnect"]["count"] >= 5
    assert rows["tick ack"]["count"] > 10
    assert rows["say first token"]["count"] > 0
    assert rows["observer picture late by"]["count"] > 0
    assert "session dropped" not in rows
    assert figures["npc_updates_per_s"] > 0
    assert figures["server_cpu_s_per_million_npc_updates"] > 0
    assert figures["server_rss_mb"] > 10
    assert "All thresholds were met." in report
    assert report.count("<svg") >= 5
    assert not re.search(r'(src|href)="https?://', report.partition("<details>")[0])


def test_a_missed_threshold_is_told_and_gives_exit_status_1(tmp_path: Path) -> None:
    status, figures, report, _ = loadtest(
        tmp_path, "--users", "1", "--npcs", "20", "--seconds", "5", "--max-ack-p99", "0.0001"
    )
    assert status == 1
    assert any("tick ack p99" in problem for problem in figures["missed"])
    assert "missed: tick ack p99" in report


def test_a_wrong_option_is_named_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loadtest", "--users", "5", "--npcs", "3"]) == 2
    assert capsys.readouterr().err == "callsheet: --npcs is 3; it must be 5 or more\n"


def test_the_slope_of_memory_is_a_line_through_the_samples() -> None:
    costs = [Cost(60.0 * minute, 0.0, 100.0 + 2.5 * minute) for minute in range(10)]
    assert slope_mb_per_min(costs) == pytest.approx(2.5)
    assert slope_mb_per_min(costs[:2]) == 0.0


def test_cost_and_rate_are_those_of_the_time_in_which_all_games_ran() -> None:
    acks = {"count": 100, "failures": 0, "p50_ms": 1.0, "p99_ms": 2.0}
    outcome = Outcome(outcome_test(), 0.0)
    outcome.samples = [{"time_s": 0.0, "users": 1, "rows": {}}]
    outcome.samples += [{"time_s": t, "users": 2, "rows": {"tick ack": acks}} for t in (1.0, 2.0)]
    outcome.costs = [Cost(0.0, 5.0, 1.0), Cost(1.0, 9.0, 1.0), Cost(2.0, 9.5, 1.0)]
    assert outcome.npc_updates_per_s == 100 * 10
    assert outcome.server_cpu_share == 0.5
    assert outcome.cpu_s_per_million_updates == pytest.approx(500.0)


def outcome_test() -> LoadTest:
    return LoadTest(
        npcs=20,
        hz=50.0,
        users=2,
        seconds=3,
        engine="scripted",
        players=0,
        mods=0,
        observers=0,
        observe_interval_s=1.0,
        shape="steady",
        processes=1,
        token=None,
        html=Path("unused.html"),
        max_ack_p99_ms=None,
        max_first_token_p95_ms=None,
        max_failures=0,
        min_tick_share=0.98,
        max_rss_slope_mb_per_min=None,
    )


def test_a_plot_leaves_a_gap_where_there_was_nothing() -> None:
    svg = plot("Latency", [0.0, 1.0, 2.0, 3.0], {"p50": [1.0, None, 3.0, 4.0]})
    assert svg.count("M") == 2
    assert plot("Nothing", [0.0, 1.0], {"p50": [None, None]}) == ""
