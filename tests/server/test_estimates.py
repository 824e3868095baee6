"""Estimates come at a bounded rate, whatever that of the ticks, and never miss the last tick."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from callsheet.wire import NpcSpec
from callsheet.wire.tick import Tick, TickKind, npc_records, player_records
from callsheet_residency.settings import PolicySettings
from callsheet_server.distance import ROWS_PER_ESTIMATE
from callsheet_server.engine.mover import Mover
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.rooms.pipeline import ESTIMATE_PERIOD_S, Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.world.world import WorldLimits

HZ = 64
"""Of the ticks; a power of two, so that its times add up."""


class Game:
    """A world that ticks by a clock of the test's own, and an engine that counts."""

    def __init__(self, npcs: int) -> None:
        self.now_s = self.game_s = 0.0
        self.published = 0
        game = self

        class Counting(ScriptedEngine):
            def publish(
                self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]
            ) -> None:
                game.published += 1

        controller = ResidencyController((), PolicySettings())
        mover = Mover((), controller, lambda _: None)
        self.pipeline = Pipeline(
            Counting(), (), controller, mover, lambda: self.now_s, lambda *_: None
        )
        self.room = Room("town", WorldLimits(npcs, npcs, 8), 100)
        self._npcs, _ = self.room.world.spawn(
            [NpcSpec(npc=f"n{i}", name="N") for i in range(npcs)], []
        )
        self._handles = np.array([npc.handle for npc in self._npcs], np.uint32)
        self._ticks = 0

    def tick(self, next_call_s: float = np.nan) -> None:
        count = len(self._npcs)
        still = np.zeros((count, 3), np.float32)
        records = npc_records(self._handles, still, still, np.full(count, next_call_s))
        nobody = player_records([], np.zeros((0, 3)), np.zeros((0, 3)))
        self._ticks += 1
        tick = Tick(TickKind.KEYFRAME, self._ticks, self.game_s, False, records, nobody)
        self.pipeline.tick(self.room, tick)

    def play(self, seconds: float, game_speed: float = 1.0) -> None:
        for _ in range(round(seconds * HZ)):
            self.tick()
            self.now_s += 1 / HZ
            self.game_s += game_speed / HZ


def test_the_rate_of_estimates_is_not_that_of_ticks() -> None:
    game = Game(npcs=3)
    game.play(10.0)
    wanted = 10.0 / ESTIMATE_PERIOD_S
    assert wanted / 2 <= game.published <= wanted + 2


def test_a_world_of_more_npcs_than_one_estimate_reads_is_estimated_as_much_more_often() -> None:
    game = Game(npcs=3 * ROWS_PER_ESTIMATE)
    game.play(1.0)
    assert 3 * 1.0 / ESTIMATE_PERIOD_S / 2 <= game.published <= 3 * 1.0 / ESTIMATE_PERIOD_S + 2


def test_the_last_tick_is_estimated_without_another_one() -> None:
    game = Game(npcs=1)
    game.tick()
    game.now_s += ESTIMATE_PERIOD_S / 8
    game.tick(next_call_s=7.0)
    assert game.room.is_behind
    before = game.published
    game.pipeline.catch_up([game.room])
    assert game.published == before, "not before its time"
    game.now_s += ESTIMATE_PERIOD_S
    game.pipeline.catch_up([game.room])
    assert game.published == before + 1
    assert game.room.distances is not None
    assert game.room.distances.distance_s.tolist() == [7.0]
    game.pipeline.catch_up([game.room])
    assert game.published == before + 1, "once"


def test_who_asks_why_is_told_by_the_last_tick() -> None:
    game = Game(npcs=1)
    game.tick()
    game.tick(next_call_s=7.0)
    assert game.pipeline.explain(game.room, "n0", 1).distance_s == pytest.approx(7.0)


def test_a_clock_that_runs_fast_or_jumps_is_followed() -> None:
    game = Game(npcs=1)
    game.tick()
    before = game.published
    game.game_s += 3600.0
    game.tick()
    assert game.published == before + 1
    game.play(1.0, game_speed=HZ)
    assert game.published >= before + HZ


def test_a_clock_set_back_is_estimated_at_once() -> None:
    game = Game(npcs=1)
    game.game_s = 100.0
    game.tick()
    before = game.published
    game.game_s = 50.0
    list(game.room.rewind(game.game_s))
    game.tick()
    assert game.published == before + 1
