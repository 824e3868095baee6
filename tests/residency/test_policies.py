"""Each live policy really makes the planner do what its name says."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from residency.memory_store import MemoryStore

from callsheet_residency.actions import Load, Plan
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.policies import DISTANCE, LIVE_POLICIES, LRU, NAIVE, LivePolicy
from callsheet_server.residency.settings import ResidencySettings

SETTINGS = PolicySettings(prefetch_horizon_s=10.0, hysteresis_s=0.0, device_headroom=0.0)
F32 = np.ndarray[tuple[int], np.dtype[np.float32]]


class Bench:
    """Four NPCs with 10 bytes each, and room for two on the device."""

    def __init__(self, policy: LivePolicy = DISTANCE) -> None:
        self.store = MemoryStore((20, 100, 0))
        self.controller = ResidencyController([self.store], SETTINGS, policy)
        for row in range(4):
            self.store.add(row, 10)
            self.controller.link("town", row, StateKind.PREFIX, row)
        self.now_s = 0.0

    def estimated_s(self) -> F32:
        """All are near; 3 is the nearest, though it has never spoken."""
        return np.array([4.0, 3.0, 2.0, 1.0], np.float32)

    def unused_s(self) -> F32:
        """0 has spoken last."""
        return np.array([5.0, 50.0, 500.0, np.inf], np.float32)

    def tick(self) -> None:
        self.now_s += 1.0
        self.controller.set_distances("town", self.controller.policy.distance_s(self))
        self.carry_out(self.controller.step(self.now_s))

    def call(self, row: int) -> None:
        self.carry_out(self.controller.demand(StateKind.PREFIX, row))

    def carry_out(self, made: Plan) -> None:
        for action in made.actions:
            self.controller.started(action)
            move = self.store.load if isinstance(action, Load) else self.store.evict
            self.controller.finished(action, move(action.key, action.target), 0.01, None)
        self.controller.check_integrity()

    @property
    def tiers(self) -> list[Tier]:
        return [self.store.tier(row) for row in range(4)]


def test_ours_brings_the_nearest_before_they_call() -> None:
    bench = Bench()
    bench.tick()
    assert bench.tiers == [Tier.ABSENT, Tier.ABSENT, Tier.DEVICE, Tier.DEVICE]


@pytest.mark.parametrize(("policy", "place"), [(NAIVE, Tier.HOST), (LRU, Tier.ABSENT)])
def test_the_others_wait_for_a_call_and_push_out_the_least_recently_used(
    policy: LivePolicy, place: Tier
) -> None:
    bench = Bench(policy)
    bench.tick()
    assert bench.tiers == [Tier.ABSENT] * 4
    for row in (2, 1, 0):
        bench.call(row)
        bench.tick()
    assert bench.tiers == [Tier.DEVICE, Tier.DEVICE, place, Tier.ABSENT]


def test_lru_does_not_take_a_copy_on_the_host_for_a_place_to_park() -> None:
    bench = Bench(LRU)
    bench.store.keeps_backups = True
    bench.call(2)
    bench.store.evict(2, Tier.HOST)
    bench.store.load(2, Tier.DEVICE)
    bench.controller.refresh(StateKind.PREFIX, 2)
    assert bench.store.backed_up(2)
    for row in (1, 0):
        bench.tick()
        bench.call(row)
    assert bench.tiers[2] is Tier.ABSENT


def test_a_policy_can_be_changed_while_it_runs() -> None:
    bench = Bench(NAIVE)
    bench.call(0)
    bench.call(1)
    bench.tick()
    assert bench.tiers == [Tier.DEVICE, Tier.DEVICE, Tier.ABSENT, Tier.ABSENT]
    bench.controller.set_policy(DISTANCE)
    bench.tick()
    assert bench.tiers == [Tier.HOST, Tier.HOST, Tier.DEVICE, Tier.DEVICE]
    bench.controller.set_policy(LRU)
    bench.tick()
    bench.call(0)
    assert bench.tiers[0] is Tier.DEVICE
    assert bench.tiers.count(Tier.DEVICE) == 2
    assert bench.tiers.count(Tier.ABSENT) == 1


def test_the_settings_offer_the_policies_that_a_server_can_run() -> None:
    offered = ResidencySettings.model_fields["policy"].annotation
    assert set(get_args(offered)) == set(LIVE_POLICIES)
