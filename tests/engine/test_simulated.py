from __future__ import annotations

import pytest

from callsheet_residency.errors import BudgetError
from callsheet_residency.state import StateKind, StateStore, Tier
from callsheet_server.engine.simulated import SimulatedStore


@pytest.fixture
def store() -> SimulatedStore:
    store = SimulatedStore(StateKind.BLOB, {Tier.DEVICE: 25, Tier.HOST: 100}, rebuild_s=0.5)
    for key in "abc":
        store.put(key, 10)
    return store


def test_it_is_a_state_store(store: SimulatedStore) -> None:
    seam: StateStore = store
    assert isinstance(seam, StateStore)
    assert (seam.kind, seam.rebuild_s("a")) == (StateKind.BLOB, 0.5)


def test_state_moves_and_is_counted(store: SimulatedStore) -> None:
    assert store.load("a", Tier.DEVICE) == 10
    assert store.load("b", Tier.DEVICE) == 10
    assert store.evict("a", Tier.HOST) == 10
    assert [store.tier(key) for key in "abc"] == [Tier.HOST, Tier.DEVICE, Tier.ABSENT]
    assert (store.used_bytes(Tier.DEVICE), store.used_bytes(Tier.HOST)) == (10, 10)
    assert (store.items(Tier.DEVICE), store.items(Tier.ABSENT)) == (1, 1)
    assert store.load("b", Tier.DEVICE) == 0
    store.check_integrity()


@pytest.mark.parametrize("target", [Tier.DEVICE, Tier.DISK])
def test_a_full_or_unused_tier_takes_nothing(store: SimulatedStore, target: Tier) -> None:
    if target is Tier.DEVICE:
        store.load("a", target)
        store.load("b", target)
    with pytest.raises(BudgetError):
        store.load("c", target)
    assert store.tier("c") is Tier.ABSENT
    store.check_integrity()


def test_what_was_dropped_meanwhile_does_not_come_back(store: SimulatedStore) -> None:
    store.load("a", Tier.DEVICE)
    store.drop("a")
    store.drop("a")
    assert store.load("a", Tier.DEVICE) == 0
    assert store.items(Tier.DEVICE) == 0
    assert (store.tier("a"), store.size_bytes("a")) == (Tier.ABSENT, 0)
    store.check_integrity()


def test_changes_by_itself_are_told_once(store: SimulatedStore) -> None:
    assert store.take_changes() == {"a", "b", "c"}
    store.load("a", Tier.DEVICE)
    assert store.take_changes() == set()
    store.put("a", 20)
    assert store.take_changes() == {"a"}
    assert (store.tier("a"), store.used_bytes(Tier.DEVICE)) == (Tier.ABSENT, 0)
