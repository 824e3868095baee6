from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest

from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.simulation import TownSimulation
from callsheet_server.trace import Trace, TraceError, TraceWriter, read_trace

HEADER = {
    "type": "header",
    "version": 1,
    "world": "w",
    "player_max_speed_mps": 6.0,
    "npc_max_speed_mps": 2.0,
}
NPC = {
    "type": "npc",
    "id": "a",
    "interaction_radius_m": 2.0,
    "sociability": 0.5,
    "size_bytes": 10,
    "rebuild_s": 0.1,
}
CALL = {"type": "call", "time_s": 1.0, "row": 0, "duration_s": 1.0, "generated_tokens": 5}


def tick(time_s: float, row: int = 0) -> dict[str, object]:
    return {
        "type": "tick",
        "time_s": time_s,
        "npcs": [[row, 0, 0, 0, 0, 0, 0, None]],
        "players": [],
    }


def write(path: Path, *lines: object) -> Path:
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def save(trace: Trace, path: Path) -> None:
    with TraceWriter(
        path.open("wb"), trace.world, trace.player_max_speed_mps, trace.npc_max_speed_mps
    ) as writer:
        assert [writer.npc(npc) for npc in trace.npcs] == list(range(len(trace.npcs)))
        assert [writer.player(player) for player in trace.players] == [0]
        for call in reversed(trace.calls):
            writer.call(call)
        for one in trace.ticks:
            writer.tick(one)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    trace = record_town(TownSimulation(npcs=8, players=1, seed=3), seconds=60.0, tick_s=0.5)
    assert trace.calls
    assert all(call.text for call in trace.calls)
    save(trace, tmp_path / "town.jsonl")
    back = read_trace(tmp_path / "town.jsonl")
    assert (back.world, back.npcs, back.calls) == (trace.world, trace.npcs, trace.calls)
    assert (back.players, back.lore) == (trace.players, trace.lore)
    assert len(back.ticks) == len(trace.ticks)
    for one, other in zip(trace.ticks, back.ticks, strict=True):
        assert one.time_s == other.time_s
        for name in one.__slots__[1:]:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_last_line_that_was_cut_off_is_ignored(tmp_path: Path) -> None:
    path = write(tmp_path / "t", HEADER, NPC, tick(0.0), tick(1.0))
    path.write_bytes(path.read_bytes()[:-5])
    assert [t.time_s for t in read_trace(path).ticks] == [0.0]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "t: no header; it is empty"),
        ([NPC], "line 1: a trace has exactly one header, on its first line"),
        ([HEADER, HEADER], "line 2: a trace has exactly one header"),
        ([HEADER | {"version": 2}], r"line 1: header.version: Input should be 1"),
        ([HEADER, NPC | {"sociability": 2}], "line 2: npc.sociability: .* less than or equal to 1"),
        ([HEADER, NPC | {"extra": 2}], "line 2: npc.extra: Extra inputs"),
        ([HEADER, NPC, tick(0.0, row=1)], "line 3: row 1 was not announced; 1 were"),
        ([HEADER, {"type": "prefix", "row": 0, "size_bytes": 1, "rebuild_s": 0}], "row 0 was not"),
        ([HEADER, NPC, tick(0.0) | {"inactive": [3]}], "line 3: row 3 was not announced"),
        ([HEADER, NPC, tick(0.0) | {"players": [[0] * 7]}], "line 3: row 0 was not announced"),
        ([HEADER, CALL], "line 2: row 0 was not announced; 0 were"),
        ([HEADER, NPC, tick(2.0), tick(1.0)], r"line 4: time_s 1.0 is before 2.0"),
        ([HEADER, {"type": "mystery"}], "line 2: the line: .*'mystery'"),
        ([HEADER, [1, 2]], "line 2: the line: "),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, lines: list[object], says: str) -> None:
    with pytest.raises(TraceError, match=says):
        read_trace(write(tmp_path / "t", *lines))


def test_the_last_word_on_a_prefix_counts(tmp_path: Path) -> None:
    grown = {"type": "prefix", "row": 0, "size_bytes": 77, "rebuild_s": 0.5}
    (npc,) = read_trace(write(tmp_path / "t", HEADER, NPC, grown)).npcs
    assert (npc.size_bytes, npc.rebuild_s, npc.sociability) == (77, 0.5, 0.5)


def test_text_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"hello\n")
    with pytest.raises(TraceError, match="t, line 1: the line: Invalid JSON"):
        read_trace(tmp_path / "t")
