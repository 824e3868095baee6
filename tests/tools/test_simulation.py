from __future__ import annotations

import pytest

from callsheet_server.residency.policies import LRU, NAIVE, POLICIES
from callsheet_server.tools.simulation import Links, SimulationReport, TierBudgets, simulate
from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.simulation import TownSimulation
from callsheet_server.trace import Trace, TraceCall, TraceNpc


@pytest.fixture(scope="module")
def town() -> Trace:
    return record_town(TownSimulation(npcs=120, players=2, seed=1), seconds=240.0, tick_s=0.2)


@pytest.fixture(scope="module")
def reports(town: Trace) -> dict[str, SimulationReport]:
    total_bytes = sum(npc.size_bytes for npc in town.npcs)
    budgets = TierBudgets(device_bytes=total_bytes // 4, host_bytes=total_bytes)
    return {name: simulate(town, policy, budgets, Links()) for name, policy in POLICIES.items()}


def test_every_call_is_counted_once(town: Trace, reports: dict[str, SimulationReport]) -> None:
    for report in reports.values():
        assert report.calls == len(town.calls)
        assert report.on_device + report.on_host + report.on_disk + report.absent == report.calls
        assert report.prefetches_wasted <= report.prefetches


def test_ours_is_within_five_points_of_the_optimum(reports: dict[str, SimulationReport]) -> None:
    optimum = max(reports["belady"].hit_rate, reports["clairvoyant"].hit_rate)
    assert reports["distance"].hit_rate >= optimum - 0.05


def test_knowing_more_hits_more(reports: dict[str, SimulationReport]) -> None:
    assert reports["naive"].hit_rate < reports["belady"].hit_rate
    assert reports["belady"].hit_rate < reports["clairvoyant"].hit_rate


def test_lru_rebuilds_where_naive_swap_loads(reports: dict[str, SimulationReport]) -> None:
    lru, naive = reports["lru"], reports["naive"]
    assert lru.hit_rate == naive.hit_rate
    assert lru.moved_bytes == 0
    assert lru.rebuilds == lru.absent == naive.on_host
    assert naive.rebuilds == 0


def test_the_same_trace_gives_the_same_report(town: Trace) -> None:
    budgets = TierBudgets(10**8, 10**9)
    for policy in POLICIES.values():
        assert simulate(town, policy, budgets, Links()) == simulate(town, policy, budgets, Links())


def test_a_cyclic_scan_is_lru_s_worst_case_by_hand() -> None:
    npcs = tuple(TraceNpc(str(i), 1.0, 0.0, 10, 0.1) for i in range(3))
    calls = [TraceCall(float(t), t % 3, 0.5, 1) for t in range(9)]
    # Ticks let calls end: a call pins its prefix.
    still = record_town(TownSimulation(npcs=3, players=0, seed=0), seconds=9.0, tick_s=0.25).ticks
    trace = Trace("w", 1.0, 1.0, npcs, still, calls)
    for policy in (LRU, NAIVE):
        report = simulate(trace, policy, TierBudgets(20, 30), Links())
        assert (report.calls, report.on_device) == (9, 0)
    best = simulate(trace, POLICIES["belady"], TierBudgets(20, 30), Links())
    assert best.on_device == 3
