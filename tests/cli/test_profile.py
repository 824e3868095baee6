from __future__ import annotations

import json
from pathlib import Path

import pytest

from callsheet_cli import main
from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.simulation import TownSimulation
from callsheet_server.trace import TraceWriter


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trace = record_town(TownSimulation(npcs=12, players=2, seed=1), seconds=60.0, tick_s=0.5)
    path = tmp_path_factory.mktemp("traces") / "town.jsonl"
    with TraceWriter(path.open("wb"), "town", 3.0, 1.4) as writer:
        for npc in trace.npcs:
            writer.npc(npc)
        for player in trace.players:
            writer.player(player)
        for tick in trace.ticks:
            writer.tick(tick)
        for call in trace.calls:
            writer.call(call)
    return path


def test_a_trace_becomes_tables_and_a_report(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert main(["profile", str(town), "--hit-rate", "0.5", "--html", str(report)]) == 0
    out = capsys.readouterr().out
    for text in ("Workload", "rank correlation", "schedule", "Device budget", "LRU"):
        assert text in out
    page = report.read_text(encoding="utf-8")
    assert page.count("<svg") == 5
    assert "Workload profile: town.jsonl" in page
    for outside in ("http://", "https://", "<script", "<!-- ", "url("):
        assert outside not in page


def test_json_holds_every_figure(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", str(town), "--json", "--step", "5"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["npcs"], figures["players"], figures["ticks"]) == (12, 2, 120)
    assert len(figures["activity"]["calling_share"]) == 12
    assert figures["capacity"]["wanted_hit_rate"] == 0.95
    assert {"estimator", "lookback_s", "p50_s"} <= set(figures["predictability"]["errors"][0])


@pytest.mark.parametrize(
    ("argv", "status", "told"),
    [
        (["twon"], 2, "no such file, and no workload; those are town, market, raid"),
        (["town", "--hit-rate", "1.5"], 2, "--hit-rate 1.5: must be above 0 and at most 1"),
        (["town", "--step", "0"], 2, "--step 0.0: must be above 0"),
    ],
)
def test_what_cannot_be_profiled_is_named(
    argv: list[str], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *argv]) == status
    assert told in capsys.readouterr().err


def test_a_trace_without_calls_and_a_broken_one_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty, broken = tmp_path / "empty.jsonl", tmp_path / "broken.jsonl"
    TraceWriter(empty.open("wb"), "town", 3.0, 1.4).close()
    broken.write_text("{}\n")
    assert main(["profile", str(empty)]) == 1
    assert "0 ticks and 0 calls" in capsys.readouterr().err
    assert main(["profile", str(broken)]) == 1
    assert "line 1" in capsys.readouterr().err
