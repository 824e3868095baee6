from __future__ import annotations

import pytest
from residency.memory_store import MemoryStore

from callsheet_residency.actions import Evict, Load
from callsheet_residency.state import StateKind, Tier
from callsheet_server.residency.ledger import GROWTH, Ledger


def ledger_of(*tiers: Tier, capacity: tuple[int, int, int] = (100, 100, 100)) -> Ledger:
    store = MemoryStore(capacity)
    ledger = Ledger(store)
    for key, tier in enumerate(tiers):
        store.add(key, 10)
        store.tiers[key] = tier
        ledger.track(key)
    return ledger


def load(key: int, source: Tier) -> Load:
    return Load(StateKind.PREFIX, key, source, Tier.DEVICE, 10, "test")


def test_a_move_takes_room_at_both_ends_until_it_is_finished() -> None:
    ledger = ledger_of(Tier.HOST)
    action = load(0, Tier.HOST)
    ledger.begin(action)
    assert ledger.used_bytes == [10, 10, 0]
    assert ledger.items().pinned[ledger.row_of[0]]
    ledger.check_integrity()
    ledger.store.load(0, Tier.DEVICE)
    ledger.finish(action)
    assert ledger.used_bytes == [10, 0, 0]
    assert not ledger.items().pinned[ledger.row_of[0]]
    ledger.check_integrity()


def test_evicting_what_has_a_copy_on_the_host_reserves_nothing_there() -> None:
    ledger = ledger_of(Tier.DEVICE)
    store = ledger.store
    assert isinstance(store, MemoryStore)
    store.backups.add(0)
    ledger.refresh(0)
    assert ledger.used_bytes == [10, 10, 0]
    action = Evict(StateKind.PREFIX, 0, Tier.DEVICE, Tier.HOST, 10, "test")
    ledger.begin(action)
    assert ledger.used_bytes == [10, 10, 0]
    store.evict(0, Tier.HOST)
    ledger.finish(action)
    assert ledger.used_bytes == [0, 10, 0]
    ledger.check_integrity()


def test_untracking_in_mid_move_releases_everything() -> None:
    ledger = ledger_of(Tier.HOST, Tier.DISK)
    action = load(0, Tier.HOST)
    ledger.begin(action)
    ledger.untrack(0)
    ledger.store.drop(0)
    ledger.finish(action)
    assert ledger.used_bytes == [0, 0, 10]
    ledger.check_integrity()


def test_pins_count_and_survive_a_move() -> None:
    ledger = ledger_of(Tier.HOST)
    ledger.pin(0)
    ledger.pin(0)
    ledger.begin(load(0, Tier.HOST))
    for _ in range(5):
        ledger.unpin(0)
    row = ledger.row_of[0]
    assert ledger.items().pinned[row]
    ledger.finish(load(0, Tier.DISK))
    assert ledger.items().pinned[row], "only the move begun may finish it"
    ledger.finish(load(0, Tier.HOST))
    assert not ledger.items().pinned[row]


def test_rows_are_reused_and_grow_past_the_first_block() -> None:
    ledger = ledger_of(Tier.DEVICE)
    row = ledger.row_of[0]
    ledger.untrack(0)
    assert ledger.track("next") == row
    for key in range(1, GROWTH + 10):
        ledger.track(key)
    assert len(set(ledger.row_of.values())) == GROWTH + 10
    ledger.untrack("never seen")


def test_check_integrity_names_what_the_store_changed_behind_its_back() -> None:
    ledger = ledger_of(Tier.DEVICE)
    store = ledger.store
    assert isinstance(store, MemoryStore)
    store.tiers[0] = Tier.DISK
    with pytest.raises(AssertionError, match="0 is on DISK, not DEVICE"):
        ledger.check_integrity()
    ledger.refresh(0)
    ledger.check_integrity()
