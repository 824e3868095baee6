from __future__ import annotations

import json
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
from cli.command import run, start
from waiting import PATIENCE_S

from callsheet_server.residency.policies import POLICIES
from callsheet_server.trace import read_trace
from callsheet_server.trace.recorder import FileThread


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of the demo."""
    path = tmp_path_factory.mktemp("trace") / "town.jsonl"
    run(
        *("demo", "--engine", "scripted", "--npcs", "12", "--seconds", "5"),
        *("--json", "--record", str(path)),
    )
    return path


def test_a_recording_holds_the_session(town: Path) -> None:
    trace = read_trace(town)
    assert (trace.world, len(trace.npcs), len(trace.players)) == ("demo", 12, 2)
    assert trace.lore
    assert all(npc.persona and npc.size_bytes > 0 for npc in trace.npcs)
    assert len(trace.ticks[0].rows) == 12, "the first tick names everyone"
    assert sum(len(tick.rows) for tick in trace.ticks) > 12, "people walk"
    assert trace.calls
    assert {call.speaker.kind for call in trace.calls} <= {"player", "npc", "narrator"}
    assert all(call.text for call in trace.calls)


def test_the_planner_alone_reports_every_policy(town: Path) -> None:
    out, _ = run("replay", str(town), "--planner-only", "--json")
    report = json.loads(out)
    trace = read_trace(town)
    assert [row["policy"] for row in report["policies"]] == list(POLICIES)
    for row in report["policies"]:
        assert row["calls"] == len(trace.calls)
        found = row["on_device"] + row["on_host"] + row["on_disk"] + row["absent"]
        assert found == row["calls"]
        assert row["hit_rate"] == pytest.approx(row["on_device"] / row["calls"])
    table, _ = run("replay", str(town), "--planner-only", "--device-share", "0.5")
    assert all(name in table for name in POLICIES)
    assert "fit on the device" in table


def test_a_replay_on_a_server_of_its_own_says_the_same_words(town: Path) -> None:
    trace = read_trace(town)
    out, _ = run("replay", str(town), "--engine", "scripted", "--speed", "4", "--json")
    figures = json.loads(out)
    assert figures["ticks"] == len(trace.ticks)
    assert figures["requests"] == figures["replies"] == len(trace.calls)
    assert figures["errors"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
def test_a_replay_against_a_recording_server_is_recorded_again(town: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.jsonl"
    with start("record", str(again), "--engine", "scripted", "--port", "0") as server:
        assert server.stdout is not None
        server.stdout.readline()
        listening = re.search(r"ws://[\d.]+:\d+", server.stdout.readline())
        assert listening is not None
        out, _ = run("replay", str(town), "--url", listening[0], "--speed", "10", "--json")
        server.send_signal(signal.SIGINT)
        _, err = server.communicate(timeout=PATIENCE_S)
    assert server.returncode == 0, err
    assert json.loads(out)["errors"] == 0
    first, second = read_trace(town), read_trace(again)
    assert [npc.id for npc in second.npcs] == [npc.id for npc in first.npcs]
    assert len(second.ticks) == len(first.ticks)
    said = [sorted((c.row, c.text) for c in trace.calls) for trace in (first, second)]
    assert said[0] == said[1]


def test_a_recording_that_cannot_begin_touches_nothing(town: Path, tmp_path: Path) -> None:
    """The port is taken; then a recording that was cut short lies in the way."""
    path = tmp_path / "evening.jsonl"
    path.write_bytes(town.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        _, err = run("record", str(path), "--engine", "scripted", "--port", port, status=1)
    assert "cannot listen" in err
    assert path.read_bytes() == town.read_bytes()
    assert list(tmp_path.iterdir()) == [path]
    cut_short = tmp_path / "evening.jsonl.partial"
    cut_short.write_bytes(town.read_bytes()[:-10])
    _, err = run("record", str(path), "--engine", "scripted", "--port", "0", status=1)
    assert "evening.jsonl.partial is a recording that was cut short" in err
    assert "Traceback" not in err
    assert cut_short.read_bytes() == town.read_bytes()[:-10]
    assert len(read_trace(cut_short).npcs) == 12


def test_a_recording_takes_the_old_ones_place_when_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "evening.jsonl"
    path.write_bytes(b"old")
    nothing = FileThread(path)
    nothing.close()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path], "nothing was recorded"
    file = FileThread(path)
    file.write(b"a line\n")
    assert path.read_bytes() == b"old"
    file.close()
    file.close()
    assert path.read_bytes() == b"a line\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no header; it is empty or was cut off on its first line"),
        (b"PK\x03\x04\n\x00\n", "line 1: the line: Invalid JSON"),
        (b'{"type":"header"}\n', "line 1: header.version: Field required"),
        (
            b'{"type":"header","version":1,"world":"w","player_max_speed_mps":6,'
            b'"npc_max_speed_mps":2}\n',
            "it has no ticks",
        ),
    ],
)
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    out, err = run("replay", str(path), "--planner-only", status=1)
    assert out == ""
    assert "bad.jsonl" in err
    assert says in err
    assert "Traceback" not in err


def test_a_file_or_server_that_is_not_there_is_named(town: Path) -> None:
    _, err = run("replay", "nothing.jsonl", status=1)
    assert "nothing.jsonl: cannot be read" in err
    _, err = run("replay", str(town), "--speed", "0", status=2)
    assert "--speed 0.0: must be above 0" in err


def test_a_trace_without_words_is_for_the_planner_only(tmp_path: Path) -> None:
    lines = [
        {
            "type": "header",
            "version": 1,
            "world": "w",
            "player_max_speed_mps": 6.0,
            "npc_max_speed_mps": 2.0,
        },
        {
            "type": "npc",
            "id": "a",
            "interaction_radius_m": 2.0,
            "sociability": 0.5,
            "size_bytes": 10,
            "rebuild_s": 0.1,
        },
        {"type": "tick", "time_s": 0.0, "npcs": [[0, 0, 0, 0, 0, 0, 0, None]], "players": []},
        {"type": "call", "time_s": 0.0, "row": 0, "duration_s": 1.0, "generated_tokens": 1},
    ]
    path = tmp_path / "silent.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    run("replay", str(path), "--planner-only", "--json")
    _, err = run("replay", str(path), "--engine", "scripted", status=1)
    assert "its calls have no text, so nobody can say them; --planner-only needs none" in err
