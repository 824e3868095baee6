from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet_residency.actions import Evict, Load
from callsheet_residency.settings import PolicySettings
from callsheet_sglang.kv.deciding import POOL_SHARE, Pools, Traffic, decide, reach_s
from callsheet_sglang.npc_table import NpcTable
from callsheet_sglang.settings import PluginSettings

POOLS = Pools(
    device_tokens=300,
    free_tokens=0,
    host_tokens=10_000,
    host_free_tokens=5_000,
    bytes_per_token=100,
    smallest_load_tokens=10,
)
CALM = Traffic(running=(), queued=(), reserved_tokens=0, link_tokens=10_000)
SETTINGS = PluginSettings(
    policy=PolicySettings(prefetch_horizon_s=10.0, hysteresis_s=1.0, device_headroom=0.0)
)


def town(*rows: tuple[float, bool]) -> NpcTable:
    """NPCs of 100 tokens: (distance, on the device, with a copy in host memory either way)."""
    table = NpcTable()
    for handle, (distance_s, on_device) in enumerate(rows):
        table.reserve(handle)
        table.due_s[handle] = table.keep_s[handle] = distance_s
        device = 100 if on_device else 0
        table.set_residency(
            handle,
            kept_tokens=100,
            host_tokens=100,
            device_tokens=device,
            private_tokens=device,
            missing_tokens=100 - device,
        )
    return table


def moves(
    table: NpcTable,
    pools: Pools = POOLS,
    traffic: Traffic = CALM,
    loading: tuple[int, ...] = (),
    settings: PluginSettings = SETTINGS,
) -> list[tuple[str, object]]:
    horizon_s = min(
        settings.policy.prefetch_horizon_s, reach_s(table, POOL_SHARE * pools.device_tokens)
    )
    made = decide(table, pools, traffic, loading, horizon_s, settings)
    return [("load" if isinstance(action, Load) else "park", action.key) for action in made.actions]


FULL = ((60.0, True), (30.0, True), (2.0, True), (1.0, False))


def test_the_next_to_speak_takes_the_place_of_the_last() -> None:
    assert moves(town(*FULL)) == [("park", 0), ("load", 3)]


def test_nobody_is_parked_while_there_is_room() -> None:
    assert moves(town(*FULL), replace(POOLS, free_tokens=150)) == [("load", 3)]


def test_room_that_requests_will_take_is_kept() -> None:
    reserved = replace(CALM, reserved_tokens=120)
    found = moves(town(*FULL), replace(POOLS, free_tokens=100), reserved)
    assert found == [("park", 0), ("park", 1), ("load", 3)]


def test_a_running_npc_is_not_parked() -> None:
    assert moves(town(*FULL), traffic=replace(CALM, running=(0,))) == [("park", 1), ("load", 3)]


def test_a_queued_npc_is_as_good_as_due() -> None:
    waiting = replace(CALM, queued=(0,))
    assert moves(town(*FULL), traffic=waiting) == [("park", 1), ("load", 3)]


def test_no_more_is_sent_than_the_link_may_carry() -> None:
    table = town((1.0, False), (2.0, False), (3.0, False))
    roomy = replace(POOLS, device_tokens=1000, free_tokens=300)
    assert moves(table, roomy, replace(CALM, link_tokens=250)) == [("load", 0), ("load", 1)]
    assert moves(table, roomy, replace(CALM, link_tokens=99)) == []
    assert moves(table, roomy, loading=(0,)) == [("load", 1), ("load", 2)]


def test_a_full_link_stops_no_parking() -> None:
    table = town((60.0, True), (60.0, True), (60.0, True))
    crowded = replace(CALM, link_tokens=0, reserved_tokens=50)
    assert moves(table, traffic=crowded) == [("park", 0)]


def test_the_horizon_ends_where_the_device_could_not_hold_everybody() -> None:
    table = town((1.0, False), (2.0, False), (3.0, False), (4.0, False))
    assert reach_s(table, POOL_SHARE * 600) == float("inf")
    assert reach_s(table, POOL_SHARE * POOLS.device_tokens) == 3.0
    assert moves(table, replace(POOLS, free_tokens=300)) == [("load", 0), ("load", 1)]


def test_what_has_no_copy_yet_is_not_parked() -> None:
    table = town(*FULL)
    table.set_residency(0, unbacked_tokens=10)
    assert moves(table) == [("park", 1), ("load", 3)]


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(0.0, 60.0), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 300),
)
def test_what_is_planned_fits_and_none_is_parked_for_a_farther_one(
    rows: list[tuple[float, bool]], free_tokens: int
) -> None:
    table = town(*rows)
    pools = replace(POOLS, device_tokens=100 * len(rows) + 300, free_tokens=free_tokens)
    made = decide(table, pools, CALM, (), 10.0, SETTINGS)
    distance_s = np.array([distance for distance, _ in rows])
    parked = [int(str(a.key)) for a in made.actions if isinstance(a, Evict)]
    loaded = [int(str(a.key)) for a in made.actions if isinstance(a, Load)]
    assert free_tokens + 100 * len(parked) >= 100 * len(loaded)
    if parked and loaded:
        assert distance_s[parked].min() > distance_s[loaded].max()


def test_of_those_beyond_the_horizon_who_has_waited_longest_stays() -> None:
    table = town((60.0, True), (60.0, True), (60.0, True))
    table.keep_s[:3] = 60.0, 15.0, 30.0
    crowded = replace(CALM, reserved_tokens=150)
    assert moves(table, traffic=crowded) == [("park", 0), ("park", 2)]
