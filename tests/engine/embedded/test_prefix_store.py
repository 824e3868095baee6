"""The prefix store on its own: budgets, tiers and contents, under every order of calls."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from callsheet_residency.errors import (
    BudgetError,
    ResidencyError,
    StateInUseError,
    StateLostError,
)
from callsheet_residency.state import StateStore, Tier
from callsheet_server.engine.embedded.arena import BlockArena, KvShape
from callsheet_server.engine.embedded.disk import KvDisk
from callsheet_server.engine.embedded.prefix_entry import PrefixEntry, WorldKey
from callsheet_server.engine.embedded.prefix_store import PrefixStore
from callsheet_server.world.key import NpcKey

SHAPE = KvShape(layers=2, kv_heads=1, head_dim=2, dtype=torch.float32, block_tokens=4)
CPU = torch.device("cpu")
MAX_TOKENS = 64


def blocks(count: int) -> int:
    return count * SHAPE.block_bytes


def row_of(entry: PrefixEntry, tokens: tuple[int, ...]) -> torch.Tensor:
    """A row as the model would leave it: every value says which token it belongs to."""
    row = torch.full((2, 2, 1, MAX_TOKENS, 2), -1.0)
    for index, token in enumerate(tokens):
        row[:, :, :, entry.start + index] = float(token)
    return row


class Model:
    """A store, and something that builds what it asks for."""

    def __init__(self, folder: Path, device: int = 8, host: int = 6, disk: int = 6) -> None:
        self.folder = folder
        budgets = {Tier.DEVICE: blocks(device), Tier.HOST: blocks(host), Tier.DISK: blocks(disk)}
        self.store = PrefixStore(SHAPE, CPU, budgets, KvDisk(folder), self.build)
        self.world = self.store.register(WorldKey("w", None), "world", (900, 901, 902))

    def build(self, entry: PrefixEntry, tier: Tier) -> None:
        self.store.commit(entry, row_of(entry, entry.prefix), tier, make_room=False)

    def register(self, npc: str, tokens: tuple[int, ...]) -> NpcKey:
        key = NpcKey("w", npc)
        self.store.register(key, f"{npc}{tokens}", tokens, world=self.world)
        return key

    def entry(self, key: NpcKey) -> PrefixEntry:
        entry = self.store.get(key)
        assert entry is not None
        return entry

    def read(self, key: NpcKey, tokens: tuple[int, ...]) -> int:
        """Fill a row and check that what came is the KV of these very tokens."""
        entry = self.entry(key)
        row = torch.full((2, 2, 1, MAX_TOKENS, 2), -1.0)
        got = self.store.fill_row(entry, row, tokens)
        want = row_of(entry, tokens[:got])
        assert torch.equal(row, want)
        return got


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(tmp_path)


def test_it_is_a_state_store(model: Model) -> None:
    assert isinstance(model.store, StateStore)


@pytest.mark.parametrize("low", [Tier.HOST, Tier.DISK])
def test_down_and_up_again(model: Model, low: Tier) -> None:
    key = model.register("a", (1, 2, 3, 4, 5))
    assert model.store.size_bytes(key) == blocks(2)
    assert model.store.load(key, Tier.DEVICE) == blocks(2)
    assert model.store.evict(key, low) == blocks(2)
    assert model.store.tier(key) is low
    assert model.store.used_bytes(Tier.DEVICE) == 0
    assert model.store.load(key, Tier.DEVICE) == blocks(2)
    assert model.store.backed_up(key) is (low is Tier.HOST)
    assert model.read(key, (1, 2, 3, 4, 5, 6)) == 5
    assert model.store.evict(key, low) == 0, "the copy below was still there"
    model.store.check_integrity()


def test_no_room_changes_nothing(model: Model) -> None:
    first, second = model.register("a", (1,) * 20), model.register("b", (2,) * 20)
    model.store.load(first, Tier.DEVICE)
    with pytest.raises(BudgetError):
        model.store.load(second, Tier.DEVICE)
    assert model.store.tier(second) is Tier.ABSENT
    model.store.load(second, Tier.HOST)
    with pytest.raises(BudgetError):
        model.store.evict(first, Tier.HOST)
    assert model.store.tier(first) is Tier.DEVICE
    model.store.check_integrity()


def test_what_a_request_uses_stays(model: Model) -> None:
    key = model.register("a", (1, 2))
    model.store.load(key, Tier.DEVICE)
    model.store.pin(model.entry(key))
    with pytest.raises(StateInUseError):
        model.store.evict(key, Tier.HOST)
    model.store.unpin(model.entry(key))
    model.store.evict(key, Tier.HOST)


class Guarded(dict[Tier, int]):
    """Bytes by tier that may be changed under the store's lock only."""

    def __init__(self, used: dict[Tier, int], lock: threading.Condition) -> None:
        super().__init__(used)
        self._lock = lock
        self.changes = 0

    def __setitem__(self, tier: Tier, used_bytes: int) -> None:
        with ThreadPoolExecutor(1) as other:
            free = other.submit(self._lock.acquire, blocking=False).result()
            if free:
                other.submit(self._lock.release).result()
        assert not free, "the lock is not held"
        self.changes += 1
        super().__setitem__(tier, used_bytes)


def test_bytes_of_a_failed_move_are_counted_out_under_the_lock(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiers: Any = model.store._tiers
    used = tiers._used = Guarded(tiers._used, model.store._changed)
    key = model.register("a", (1, 2, 3, 4, 5))
    model.store.load(key, Tier.DEVICE)
    with monkeypatch.context() as full:
        full.setattr(KvDisk, "write", _raising(OSError("no space left")))
        with pytest.raises(BudgetError):
            model.store.evict(key, Tier.DISK)
    assert (model.store.tier(key), used[Tier.DISK]) == (Tier.DEVICE, 0)
    model.store.evict(key, Tier.DISK)
    monkeypatch.setattr(KvDisk, "read", _raising(StateLostError("torn")))
    with pytest.raises(StateLostError):
        model.store.load(key, Tier.HOST)
    assert (model.store.tier(key), used[Tier.HOST], used[Tier.DISK]) == (Tier.ABSENT, 0, 0)
    assert used.changes == 6
    model.store.check_integrity()


@pytest.mark.parametrize("target", [Tier.DEVICE, Tier.HOST, Tier.DISK])
def test_a_move_that_breaks_off_takes_no_room(
    model: Model, monkeypatch: pytest.MonkeyPatch, target: Tier
) -> None:
    """Whatever it was that went wrong."""
    key = model.register("a", (1, 2, 3, 4, 5))
    model.store.load(key, Tier.DISK if target is not Tier.DISK else Tier.DEVICE)
    monkeypatch.setattr(KvDisk, "read", _raising(MemoryError()))
    monkeypatch.setattr(KvDisk, "write", _raising(MemoryError()))
    move = model.store.evict if target is Tier.DISK else model.store.load
    before = [model.store.used_bytes(tier) for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK)]
    with pytest.raises(MemoryError):
        move(key, target)
    after = [model.store.used_bytes(tier) for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK)]
    assert after == before
    model.store.check_integrity()


def _raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_a_request_evicts_the_farthest(model: Model) -> None:
    keys = [model.register(name, (i,) * 12) for i, name in enumerate("abc")]
    model.store.load(keys[0], Tier.DEVICE)
    model.store.load(keys[1], Tier.DEVICE)
    model.store.published["w"] = (("a", "b"), np.array([1.0, 5.0], dtype=np.float32))
    model.store.take_changes()
    entry = model.entry(keys[2])
    model.store.commit(entry, row_of(entry, entry.prefix), make_room=True)
    tiers = [model.store.tier(key) for key in keys]
    assert tiers == [Tier.DEVICE, Tier.HOST, Tier.DEVICE]
    assert model.store.take_changes() == {keys[1], keys[2]}


def test_the_shared_prefix_lessens_the_capacity(model: Model) -> None:
    before = model.store.capacity_bytes(Tier.DEVICE)
    model.build(model.world, Tier.DEVICE)
    assert before - model.store.capacity_bytes(Tier.DEVICE) == blocks(1)
    assert model.store.used_bytes(Tier.DEVICE) == 0


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "swap"])
def test_a_damaged_file_is_lost_not_believed(model: Model, damage: str) -> None:
    key, other = model.register("a", (1, 2, 3)), model.register("b", (4, 5, 6))
    for one in (key, other):
        model.store.load(one, Tier.DEVICE)
        model.store.evict(one, Tier.DISK)
    disk = KvDisk(model.folder)
    path = disk.path(key)
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-3] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "remove":
        path.unlink()
    else:
        shutil.copy(disk.path(other), path)
    with pytest.raises(StateLostError):
        model.store.load(key, Tier.DEVICE)
    assert model.store.tier(key) is Tier.ABSENT
    model.store.check_integrity()
    model.store.load(key, Tier.DEVICE)
    assert model.read(key, (1, 2, 3)) == 3


def test_files_outlive_the_process(tmp_path: Path) -> None:
    first = Model(tmp_path)
    for name in "ab":
        key = first.register(name, (1, 2, 3))
        first.store.load(key, Tier.DEVICE)
        first.store.evict(key, Tier.DISK)
    (tmp_path / "torn.tmp").write_bytes(b"half")
    second = Model(tmp_path)
    assert not (tmp_path / "torn.tmp").exists()
    assert second.store.used_bytes(Tier.DISK) >= blocks(2)
    same, other = second.register("a", (1, 2, 3)), second.register("b", (9, 9, 9))
    assert second.store.tier(same) is Tier.DISK
    assert second.store.tier(other) is Tier.ABSENT
    assert second.read(same, (1, 2, 3, 4)) == 3
    second.store.check_integrity()


def test_unclaimed_files_make_room(tmp_path: Path) -> None:
    first = Model(tmp_path)
    for name in "abc":
        key = first.register(name, (1,) * 8)
        first.store.load(key, Tier.DEVICE)
        first.store.evict(key, Tier.DISK)
    second = Model(tmp_path, disk=7)
    key = second.register("new", (1,) * 16)
    second.store.load(key, Tier.DEVICE)
    second.store.evict(key, Tier.DISK)
    second.store.check_integrity()
    assert second.store.tier(key) is Tier.DISK


def test_a_conversation_is_kept_only_where_there_is_room(model: Model) -> None:
    key = model.register("a", (1, 2, 3))
    entry = model.entry(key)
    model.store.load(key, Tier.DEVICE)
    talk = (1, 2, 3, *range(10, 20))
    model.store.keep_conversation(entry, row_of(entry, talk), talk)
    assert model.read(key, (*talk, 7)) == 13
    assert model.read(key, (1, 2, 3, 10, 99)) == 4
    too_long = (1, 2, 3, *range(10, 60))
    model.store.keep_conversation(entry, row_of(entry, too_long), too_long)
    assert model.read(key, too_long) == 13
    shorter = (1, 2, 3, 50, 51)
    model.store.keep_conversation(entry, row_of(entry, shorter), shorter)
    assert model.store.size_bytes(key) == blocks(2)
    assert model.read(key, shorter) == 5
    model.store.evict(key, Tier.ABSENT)
    assert model.store.size_bytes(key) == blocks(1)
    model.store.check_integrity()


def test_the_arena_notices_a_block_owned_twice() -> None:
    arena = BlockArena(SHAPE, blocks(4), CPU)
    mine = arena.allocate(2)
    arena.check_integrity([mine])
    with pytest.raises(AssertionError, match="owned twice"):
        arena.check_integrity([mine, mine[:1]])
    with pytest.raises(BudgetError):
        arena.allocate(3)
    assert arena.free_blocks == 2


NAMES = st.sampled_from("abcd")
TOKENS = st.lists(st.integers(0, 9), min_size=1, max_size=22).map(tuple)
TIERS = st.sampled_from(list(Tier))


class StoreMachine(RuleBasedStateMachine):
    """Anything the planner, the engine and the game may do, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.tokens: dict[NpcKey, tuple[int, ...]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize()
    def start(self) -> None:
        self.model = Model(self.folder)

    @rule(name=NAMES, tokens=TOKENS)
    def announce(self, name: str, tokens: tuple[int, ...]) -> None:
        self.tokens[self.model.register(name, tokens)] = tokens

    @rule(name=NAMES, tier=TIERS)
    def load(self, name: str, tier: Tier) -> None:
        self._try(self.model.store.load, NpcKey("w", name), min(tier, Tier.DISK))

    @rule(name=NAMES, tier=TIERS)
    def evict(self, name: str, tier: Tier) -> None:
        self._try(self.model.store.evict, NpcKey("w", name), tier)

    @rule(name=NAMES)
    def forget(self, name: str) -> None:
        self.model.store.drop(NpcKey("w", name))
        self.tokens.pop(NpcKey("w", name), None)

    @rule(name=NAMES, said=TOKENS, pinned=st.booleans())
    def talk(self, name: str, said: tuple[int, ...], pinned: bool) -> None:
        key = NpcKey("w", name)
        if key not in self.tokens:
            return
        entry, store = self.model.entry(key), self.model.store
        prompt = (*self.tokens[key], *said)
        if pinned:
            store.pin(entry)
        if self.model.read(key, prompt) == 0:
            store.commit(entry, row_of(entry, prompt), make_room=True)
        store.keep_conversation(entry, row_of(entry, prompt), prompt)
        if pinned:
            store.unpin(entry)

    @rule()
    def use_the_world(self) -> None:
        world = self.model.world
        self.model.store.commit(world, row_of(world, world.prefix), make_room=True)

    @rule()
    def restart(self) -> None:
        self.model = Model(self.folder)
        for key, tokens in self.tokens.items():
            self.model.register(key.npc, tokens)

    @rule(name=NAMES)
    def damage(self, name: str) -> None:
        path = KvDisk(self.folder).path(NpcKey("w", name))
        if path.exists():
            path.write_bytes(path.read_bytes()[:-1])

    @invariant()
    def whole(self) -> None:
        if not hasattr(self, "model"):
            return
        store = self.model.store
        store.check_integrity()
        for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK):
            assert store.used_bytes(tier) <= store.capacity_bytes(tier)

    def _try(self, step: Callable[[Any, Tier], int], key: NpcKey, tier: Tier) -> None:
        before = self.model.store.tier(key)
        try:
            step(key, tier)
        except StateLostError:
            assert self.model.store.tier(key) is Tier.ABSENT
        except ResidencyError:
            assert self.model.store.tier(key) is before


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
