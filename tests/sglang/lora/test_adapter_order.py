"""Which adapter leaves its slot and which one comes: the pure part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_residency.settings import PolicySettings
from callsheet_sglang.lora.adapter_order import AdapterRows, next_load, victim

POLICY = PolicySettings(prefetch_horizon_s=10.0, hysteresis_s=1.0, least_gain=0.0)
INF = float("inf")


def rows(
    *columns: tuple[float, bool], fixed: tuple[int, ...] = (), base: int | None = None
) -> AdapterRows:
    """Adapters a, b, ... as (distance, in a slot); ``fixed`` and ``base`` are rows."""
    count = len(columns)
    return AdapterRows(
        ids=[None if row == base else chr(ord("a") + row) for row in range(count)],
        distance_s=np.array([distance for distance, _ in columns], np.float32),
        in_slot=np.array([in_slot for _, in_slot in columns], np.bool_),
        fixed=np.isin(np.arange(count), fixed),
    )


def test_the_farthest_adapter_in_a_slot_leaves() -> None:
    assert victim(rows((5.0, True), (90.0, False), (30.0, True), (20.0, True))) == 2


def test_of_equally_far_ones_the_least_recently_used_leaves() -> None:
    assert victim(rows((INF, False), (INF, True), (INF, True))) == 1


def test_what_is_in_use_stays() -> None:
    assert victim(rows((5.0, True), (INF, True), fixed=(1,))) == 0
    assert victim(rows((5.0, True), (INF, True), fixed=(0, 1))) is None


def test_the_base_model_has_a_slot_like_an_adapter() -> None:
    assert victim(rows((5.0, True), (INF, True), base=1)) == 1


def test_the_nearest_adapter_comes_to_a_free_slot() -> None:
    assert next_load(rows((3.0, True), (7.0, False), (4.0, False)), 2, POLICY) == 2


def test_what_is_not_due_soon_takes_a_free_slot_only() -> None:
    assert next_load(rows((3.0, True), (10.0, False)), 2, POLICY) == 1
    assert next_load(rows((INF, True), (10.0, False)), 1, POLICY) is None


@pytest.mark.parametrize(("occupant_s", "comes"), [(5.5, None), (6.5, 1), (INF, 1)])
def test_it_displaces_only_what_is_farther_by_the_margin(
    occupant_s: float, comes: int | None
) -> None:
    assert next_load(rows((occupant_s, True), (5.0, False)), 1, POLICY) == comes


def test_nothing_comes_while_all_slots_are_in_use() -> None:
    assert next_load(rows((INF, True), (0.0, False), fixed=(0,)), 1, POLICY) is None


def test_all_slots_may_be_filled() -> None:
    assert next_load(rows(*[(1.0, True)] * 7, (1.0, False)), 8, POLICY) == 7


@given(
    st.lists(
        st.tuples(st.floats(0, 100, width=32) | st.just(INF), st.booleans(), st.booleans()),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 4),
)
def test_loading_until_nothing_comes_ends_with_the_nearest_in_the_slots(
    columns: list[tuple[float, bool, bool]], free: int
) -> None:
    adapters = rows(
        *[(distance, in_slot) for distance, in_slot, _ in columns],
        fixed=tuple(row for row, (_, _, fixed) in enumerate(columns) if fixed),
    )
    slots = int(adapters.in_slot.sum()) + free
    in_slot = adapters.in_slot.copy()
    for _ in range(len(columns) + 1):
        now = AdapterRows(adapters.ids, adapters.distance_s, in_slot, adapters.fixed)
        comes = next_load(now, slots, POLICY)
        if comes is None:
            break
        assert not in_slot[comes]
        assert not adapters.fixed[comes]
        if in_slot.sum() == slots:
            leaves = victim(now)
            assert leaves is not None
            assert not adapters.fixed[leaves]
            assert adapters.distance_s[leaves] > adapters.distance_s[comes] + POLICY.hysteresis_s
            in_slot[leaves] = False
        in_slot[comes] = True
    else:
        pytest.fail("adapters keep changing places")
    assert in_slot.sum() <= slots
    movable = ~adapters.fixed & (adapters.distance_s < POLICY.prefetch_horizon_s)
    left_out = adapters.distance_s[movable & ~in_slot]
    if len(left_out):
        assert in_slot.sum() == slots
        held = adapters.distance_s[in_slot & ~adapters.fixed]
        assert (held <= left_out.min() + POLICY.hysteresis_s).all()
