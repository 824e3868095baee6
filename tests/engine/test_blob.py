from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path

import pytest

from callsheet_residency.errors import BudgetError, StateLostError
from callsheet_residency.state import StateStore, Tier
from callsheet_server.engine.blob import BlobStore
from callsheet_server.world.key import NpcKey

MARA, TOM = NpcKey("w", "mara"), NpcKey("w", "tom")


class Memories(BlobStore[list[str]]):
    def build(self, key: Hashable) -> list[str]:
        return [f"I am {key}"]

    def encode(self, value: list[str]) -> bytes:
        return json.dumps(value).encode()

    def decode(self, encoded: bytes) -> list[str]:
        value = json.loads(encoded)
        assert isinstance(value, list)
        return value


@pytest.fixture
def store(tmp_path: Path) -> Memories:
    budgets = {Tier.DEVICE: 100, Tier.HOST: 100, Tier.DISK: 1000}
    return Memories(tmp_path, budgets, typical_bytes=60, rebuild_s=0.1)


def test_values_move_and_come_back(store: Memories) -> None:
    assert isinstance(store, StateStore)
    assert (store.tier(MARA), store.size_bytes(MARA)) == (Tier.ABSENT, 60)
    assert store.load(MARA, Tier.DEVICE) > 0
    value = store.get(MARA)
    assert value == [f"I am {MARA}"]
    for tier in (Tier.HOST, Tier.DISK):
        store.evict(MARA, tier)
        assert (store.tier(MARA), store.get(MARA)) == (tier, None)
        store.check_integrity()
        store.load(MARA, Tier.DEVICE)
        assert store.get(MARA) == value
        store.check_integrity()
    store.evict(MARA, Tier.ABSENT)
    store.drop(TOM)
    assert store.tier(MARA) is store.tier(TOM) is Tier.ABSENT
    store.check_integrity()


def test_a_full_tier_changes_nothing(store: Memories) -> None:
    store.load(MARA, Tier.DEVICE)
    store.load(0, Tier.DEVICE)
    store.load(1, Tier.DEVICE)
    with pytest.raises(BudgetError):
        store.load(NpcKey("w", "x" * 120), Tier.DEVICE)
    store.check_integrity()
    assert store.tier(NpcKey("w", "x" * 120)) is Tier.ABSENT


def test_a_damaged_file_is_lost(store: Memories, tmp_path: Path) -> None:
    store.load(MARA, Tier.DEVICE)
    store.evict(MARA, Tier.DISK)
    (file,) = tmp_path.glob("*.blob")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StateLostError):
        store.load(MARA, Tier.DEVICE)
    assert store.tier(MARA) is Tier.ABSENT
    store.check_integrity()
