from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from residency.memory_store import MemoryStore

from callsheet_residency.actions import Action, Evict, Load
from callsheet_residency.errors import BudgetError, ResidencyError, StateLostError
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier
from callsheet_server.residency.controller import PLAN_PERIOD_S, ResidencyController

INF = float("inf")
POLICY = PolicySettings(prefetch_horizon_s=10.0, hysteresis_s=2.0, device_headroom=0.0)


def carry_out(controller: ResidencyController, store: MemoryStore, action: Action) -> None:
    move = store.load if isinstance(action, Load) else store.evict
    controller.started(action)
    try:
        moved_bytes = move(action.key, action.target)
    except ResidencyError as error:
        controller.finished(action, 0, 0.1, error)
    else:
        controller.finished(action, moved_bytes, 0.1, None)


def town(
    *distances_s: float, capacity: tuple[int, int, int] = (20, 100, 100)
) -> tuple[ResidencyController, MemoryStore]:
    store = MemoryStore(capacity)
    controller = ResidencyController([store], POLICY)
    for row in range(len(distances_s)):
        store.add(row, 10)
        controller.link("town", row, StateKind.PREFIX, row)
    controller.set_distances("town", np.array(distances_s, np.float32))
    return controller, store


def test_the_soonest_npcs_are_brought_to_the_device() -> None:
    controller, store = town(50.0, 1.0, 3.0, 2.0)
    made = controller.step(0.0)
    assert [a.key for a in made.actions] == [1, 3]
    for action in made.actions:
        carry_out(controller, store, action)
    controller.check_integrity()
    assert [store.tier(key) for key in range(4)] == [3, 0, 3, 0]
    assert not controller.step(1.0)


def test_nothing_is_planned_before_the_period_is_over_or_while_moves_are_left() -> None:
    controller, store = town(1.0)
    (action,) = controller.step(0.0).actions
    assert not controller.step(10.0)
    controller.started(action)
    assert not controller.step(10.0)
    controller.finished(action, 0, 0.0, BudgetError("full"))
    assert not controller.step(PLAN_PERIOD_S / 2)
    assert controller.step(10.0).actions == (action,)
    assert store.tier(0) is Tier.ABSENT


def test_prefixes_stay_as_they_are_until_their_weights_are_on_the_device() -> None:
    weights = MemoryStore((10, 0, 100), StateKind.WEIGHTS)
    prefixes = MemoryStore((20, 100, 0))
    controller = ResidencyController([weights, prefixes], POLICY)
    for row, model in enumerate(("8B", "1B")):
        weights.add(model, 10)
        prefixes.add(row, 10)
        controller.link("town", row, StateKind.WEIGHTS, model)
        controller.link("town", row, StateKind.PREFIX, row)
    controller.set_distances("town", np.array([9.0, 1.0], np.float32))
    (first,) = controller.step(0.0).actions
    assert (first.kind, first.key) == (StateKind.WEIGHTS, "1B")
    carry_out(controller, weights, first)
    (second,) = controller.step(1.0).actions
    assert (second.kind, second.key) == (StateKind.PREFIX, 1)
    carry_out(controller, prefixes, second)
    assert not controller.demand(StateKind.PREFIX, 0)
    assert not controller.step(2.0)
    controller.set_distances("town", np.array([1.0, 90.0], np.float32))
    swap = controller.step(3.0).actions
    assert [(type(a), a.key) for a in swap] == [(Evict, "1B"), (Load, "8B")]
    for action in swap:
        carry_out(controller, weights, action)
    (third,) = controller.step(4.0).actions
    assert (third.kind, third.key) == (StateKind.PREFIX, 0)
    controller.check_integrity()


def test_a_shared_adapter_is_as_near_as_the_soonest_npc_of_any_world() -> None:
    store = MemoryStore((100, 0, 0), StateKind.ADAPTER)
    store.add("smith", 10)
    controller = ResidencyController([store], POLICY)
    controller.link("a", 0, StateKind.ADAPTER, "smith")
    controller.link("a", 5, StateKind.ADAPTER, "smith")
    controller.link("b", 1, StateKind.ADAPTER, "smith")
    controller.set_distances("a", np.array([30.0, 0, 0, 0, 0, 20.0], np.float32))
    controller.set_distances("b", np.array([0.0, 4.0], np.float32))
    controller.step(0.0)
    ledger = controller.ledger(StateKind.ADAPTER)
    row = ledger.row_of["smith"]
    assert ledger.distance_s[row] == 4.0
    controller.forget_world("b")
    controller.unlink("a", 5)
    for action in tuple(controller._pending):
        controller.finished(action, 0, 0.0, BudgetError("given up"))
    controller.step(10.0)
    assert ledger.distance_s[row] == 30.0


def test_a_demand_goes_past_credit_and_is_paid_back() -> None:
    store = MemoryStore((10**9, 0, 10**9))
    controller = ResidencyController([store], POLICY)
    for row in range(3):
        store.add(row, 10**8)
        store.tiers[row] = Tier.DISK
        controller.link("town", row, StateKind.PREFIX, row)
    controller.set_distances("town", np.full(3, 1.0, np.float32))
    assert len(controller.step(0.0).actions) == 1
    assert [a.key for a in controller.demand(StateKind.PREFIX, 2).actions] == [2]
    for action in tuple(controller._pending):
        carry_out(controller, store, action)
    assert not controller.step(0.2)
    assert [a.key for a in controller.step(100.0).actions] == [1]


def test_a_demand_for_what_is_on_its_way_plans_nothing() -> None:
    controller, _ = town(1.0)
    (action,) = controller.step(0.0).actions
    assert not controller.demand(StateKind.PREFIX, 0)
    controller.started(action)
    assert not controller.demand(StateKind.PREFIX, 0)


def test_bandwidth_is_learnt_from_finished_moves() -> None:
    controller, store = town(1.0, 1.0)
    store.tiers[0] = Tier.HOST
    controller.refresh(StateKind.PREFIX, 0)
    plan = controller.step(0.0)
    action = next(a for a in plan.actions if a.key == 0)
    controller.started(action)
    store.load(0, Tier.DEVICE)
    controller.finished(action, 10, 1000.0, None)
    assert controller._load_link[0].bytes_per_s < 1.0


def test_two_stores_of_one_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="two stores of kind prefix"):
        ResidencyController([MemoryStore((0, 0, 0)), MemoryStore((0, 0, 0))], POLICY)


def test_kinds_without_a_store_are_ignored() -> None:
    controller = ResidencyController([], POLICY)
    controller.track(StateKind.BLOB, "x")
    controller.link("town", 0, StateKind.BLOB, "x")
    controller.untrack(StateKind.BLOB, "x")
    assert not controller.step(0.0)


class Town(RuleBasedStateMachine):
    """NPCs come, go, move and are needed at once; moves fail; nothing ever breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore((60, 50, 40))
        self.controller = ResidencyController([self.store], POLICY)
        self.now_s = 0.0
        self.next_key = 0
        self.row_of: dict[int, int] = {}
        self.todo: list[Action] = []

    @rule(size=st.integers(0, 25))
    def spawn(self, size: int) -> None:
        row = min(set(range(20)) - set(self.row_of.values()), default=None)
        if row is not None:
            key, self.next_key = self.next_key, self.next_key + 1
            self.store.add(key, size)
            self.row_of[key] = row
            self.controller.link("town", row, StateKind.PREFIX, key)

    @precondition(lambda self: self.row_of and not self.todo)
    @rule(data=st.data())
    def despawn(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.row_of)))
        self.controller.unlink("town", self.row_of.pop(key))
        self.controller.untrack(StateKind.PREFIX, key)
        self.store.drop(key)

    @rule(data=st.data(), keeps=st.booleans())
    def tick(self, data: st.DataObject, keeps: bool) -> None:
        quarters = data.draw(st.lists(st.integers(0, 80), min_size=20, max_size=20))
        self.store.keeps_backups = keeps and not self.todo
        self.controller.set_distances("town", np.array(quarters, np.float32) / np.float32(4))
        self.now_s += 0.05

    @rule()
    def step(self) -> None:
        self.todo.extend(self.controller.step(self.now_s).actions)

    @precondition(lambda self: self.row_of)
    @rule(data=st.data())
    def demand(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.row_of)))
        actions = self.controller.demand(StateKind.PREFIX, key).actions
        self.todo[:0] = actions

    @precondition(lambda self: self.todo)
    @rule(error=st.sampled_from([None, None, None, BudgetError("no"), StateLostError("gone")]))
    def move(self, error: Exception | None) -> None:
        action = self.todo.pop(0)
        if isinstance(error, StateLostError) and isinstance(action, Evict):
            error = None
        self.store.fails = error
        carry_out(self.controller, self.store, action)
        if error is not None:
            for rest in self.todo:
                self.controller.finished(rest, 0, 0.0, error)
            self.todo.clear()

    @precondition(lambda self: self.todo)
    @rule()
    def start_only(self) -> None:
        """A move is under way while the checks run."""
        action = self.todo.pop(0)
        self.controller.started(action)
        self.controller.check_integrity()
        self.controller.finished(action, 0, 0.1, BudgetError("refused"))
        for rest in self.todo:
            self.controller.finished(rest, 0, 0.0, BudgetError("refused"))
        self.todo.clear()

    @invariant()
    def sound(self) -> None:
        self.controller.check_integrity()


TestTown = Town.TestCase
TestTown.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
