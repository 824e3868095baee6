from __future__ import annotations

import io
from pathlib import Path

import pytest

from callsheet_server.tools.simulation.workloads import WORKLOADS
from callsheet_server.trace import Trace, TraceWriter, read_trace


@pytest.fixture(scope="module", params=list(WORKLOADS))
def workload(request: pytest.FixtureRequest) -> tuple[str, Trace]:
    return request.param, WORKLOADS[request.param].generate(5)


def written(trace: Trace) -> bytes:
    file = io.BytesIO()
    file.close = lambda: None  # type: ignore[method-assign]
    speeds = trace.player_max_speed_mps, trace.npc_max_speed_mps
    with TraceWriter(file, trace.world, *speeds) as writer:
        for npc in trace.npcs:
            writer.npc(npc)
        for player in trace.players:
            writer.player(player)
        for tick in trace.ticks:
            writer.tick(tick)
        for call in trace.calls:
            writer.call(call)
    return file.getvalue()


def test_the_same_seed_gives_the_same_trace(workload: tuple[str, Trace]) -> None:
    name, trace = workload
    again, other = (WORKLOADS[name].generate(seed) for seed in (5, 6))
    assert written(again) == written(trace)
    assert [c.row for c in other.calls] != [c.row for c in trace.calls]


def test_a_workload_is_a_valid_trace(workload: tuple[str, Trace], tmp_path: Path) -> None:
    _, trace = workload
    file = tmp_path / "trace.jsonl"
    file.write_bytes(written(trace))
    read = read_trace(file)
    assert read.npcs == trace.npcs
    assert len(read.ticks) == len(trace.ticks)
    assert read.calls == trace.calls
    assert trace.calls == sorted(trace.calls, key=lambda call: call.time_s)
