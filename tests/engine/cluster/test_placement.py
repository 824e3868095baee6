"""Placement under any history: homes, bounds, slots, and who stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet_server.engine.cluster.hashing import hash_of, scores
from callsheet_server.engine.cluster.placement import BOUND, NOWHERE, Placement

ADAPTERS = (None, "smith", "guard", "priest", "child")


def keys(count: int, first: int = 0) -> np.ndarray:
    return np.array([hash_of(f"npc {n}") for n in range(first, first + count)], np.uint64)


def rows(count: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + count, dtype=np.intp)


def filled(replicas: int, count: int, slots: int = 8) -> Placement:
    placement = Placement([f"r{n}" for n in range(replicas)], slots)
    placement.add(rows(count), keys(count), None)
    return placement


@given(
    st.integers(1, 7),
    st.integers(1, 3),
    st.lists(
        st.tuples(
            st.sampled_from(["add", "remove", "lose", "return", "move"]),
            st.integers(0, 40),
            st.sampled_from(ADAPTERS),
        ),
        max_size=30,
    ),
)
@settings(max_examples=200, deadline=None)
def test_any_history_keeps_the_books_and_the_bounds(
    replicas: int, slots: int, history: list[tuple[str, int, str | None]]
) -> None:
    placement = Placement([f"r{n}" for n in range(replicas)], slots)
    here: set[int] = set()
    born = 0
    for what, number, adapter in history:
        replica = number % replicas
        homes_before = placement.home.copy()
        untouched = set(here)
        match what:
            case "add":
                placement.add(rows(number, born), keys(number, born), adapter)
                here |= set(range(born, born + number))
                born += number
                if adapter is None and placement.open.any():
                    grown = placement.load > np.bincount(
                        homes_before[homes_before != NOWHERE], minlength=replicas
                    )
                    assert (placement.load[grown] <= placement.bound()).all()
            case "remove":
                gone = sorted(here)[:number]
                placement.remove(np.array(gone, np.intp))
                here -= set(gone)
                untouched -= set(gone)
            case "lose":
                placement.open[replica] = False
                lost = placement.at(replica)
                placement.rehome(lost)
                untouched -= set(lost.tolist())
                if placement.open.any():
                    assert not len(placement.at(replica))
            case "return":
                placement.open[replica] = True
            case "move":
                loads = placement.load
                may_move = np.array(sorted(here), np.intp)
                moved, targets = placement.wanted_moves(may_move, number)
                assert len(moved) == len(targets) <= number
                assert (placement.load == loads).all(), "a wish has changed something"
                assert placement.open[targets].all()
                assert (targets != placement.home[moved]).all()
                placement.move(moved, targets)
                untouched -= set(moved.tolist())
        placement.check_integrity()
        assert set(np.flatnonzero(placement.home != NOWHERE).tolist()) == here
        stayed = np.array(sorted(untouched), np.intp)
        assert (placement.home[stayed] == homes_before[stayed]).all(), "one who may stay has moved"


@given(st.integers(2, 12), st.integers(1, 600))
@settings(max_examples=50, deadline=None)
def test_nobody_is_overloaded_and_most_have_their_first_choice(replicas: int, count: int) -> None:
    placement = filled(replicas, count)
    assert placement.load.max() <= placement.bound()
    first = scores(keys(count), placement._replicas).argmax(axis=1)
    if count >= 50 * replicas:
        assert (placement.home[:count] == first).mean() > 0.8


def test_one_by_one_or_all_at_once_the_bound_holds() -> None:
    placement = Placement(["a", "b", "c"], 8)
    for number in range(300):
        placement.add(rows(1, number), keys(1, number), None)
        assert placement.load.max() <= placement.bound()
    assert placement.load.min() > 60


def test_it_is_the_same_in_every_process() -> None:
    placement = filled(3, 12)
    assert placement.home[:12].tolist() == filled(3, 12).home[:12].tolist()
    assert hash_of("npc 0") == 15717336855241565724


def test_one_that_returns_gets_its_own_back_and_no_others_move() -> None:
    placement = filled(5, 1000)
    before = placement.home[:1000].copy()
    placement.open[2] = False
    placement.rehome(placement.at(2))
    placement.open[2] = True
    moved, targets = placement.wanted_moves(rows(1000), 1000)
    assert set(targets.tolist()) == {2}
    assert (before[moved] == 2).mean() > 0.9
    placement.move(moved, targets)
    assert placement.load[2] > 150
    assert not len(placement.wanted_moves(rows(1000), 1000)[0]), "it never comes to rest"


def test_a_drained_replica_is_empty_after_its_moves() -> None:
    placement = filled(3, 90)
    placement.open[1] = False
    while len(placement.at(1)):
        moved, targets = placement.wanted_moves(rows(90), 8)
        assert len(moved)
        placement.move(moved, targets)
    assert placement.load.max() <= placement.bound()


def test_all_closed_still_has_a_home_for_everybody() -> None:
    placement = filled(2, 10)
    placement.open[:] = False
    placement.rehome(placement.at(0))
    placement.add(rows(5, 10), keys(5, 10), None)
    assert placement.load.sum() == 15


def zipf_counts(adapters: int, npcs: int) -> np.ndarray:
    weights = 1.0 / np.arange(1, adapters + 1)
    counts: np.ndarray = np.maximum(1, (npcs * weights / weights.sum()).astype(int))
    return counts


def come_to_rest(placement: Placement, count: int) -> None:
    for _ in range(300):
        moved, targets = placement.wanted_moves(rows(count), 64)
        if not len(moved):
            return
        placement.move(moved, targets)
    raise AssertionError("it never comes to rest")


@pytest.mark.parametrize("order", ["popular first", "rare first"])
def test_a_popular_adapter_gets_several_homes_and_slots_suffice(order: str) -> None:
    placement = Placement([f"r{n}" for n in range(10)], 8)
    counts = zipf_counts(60, 6000)
    first = 0
    for adapter, count in list(enumerate(counts.tolist()))[
        :: 1 if order == "popular first" else -1
    ]:
        placement.add(rows(count, first), keys(count, first), f"adapter {adapter}")
        first += count
    come_to_rest(placement, first)
    assert placement.adapters_at.max() <= 8
    assert placement.load.max() <= 1.3 * placement.load.mean()
    popular = placement.shares[placement._adapters["adapter 0"]]
    assert (popular > 0).sum() >= 2
    rare = placement.shares[placement._adapters["adapter 59"]]
    assert (rare > 0).sum() == 1


def test_an_adapters_replica_that_returns_is_used_again() -> None:
    placement = Placement([f"r{n}" for n in range(4)], 8)
    first = 0
    for adapter, count in enumerate(zipf_counts(24, 2400).tolist()):
        placement.add(rows(count, first), keys(count, first), f"adapter {adapter}")
        first += count
    placement.open[1] = False
    placement.rehome(placement.at(1))
    placement.open[1] = True
    come_to_rest(placement, first)
    assert placement.load.max() <= BOUND * placement.load.mean() + 1
    assert placement.adapters_at.max() <= 8


def test_few_npcs_of_an_adapter_share_one_home() -> None:
    placement = Placement([f"r{n}" for n in range(20)], 8)
    for number in range(10):
        placement.add(rows(1, number), keys(1, number), "smith")
    assert placement.load.max() == 10
