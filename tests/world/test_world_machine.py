"""A world of arrays against one of dicts, through random spawns, despawns and ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from world.ticks import npc, world_with

from callsheet.wire import Tick, TickKind, npc_records, player_records

NAMES = st.sampled_from([f"n{index}" for index in range(12)])
COORDINATES = st.sampled_from([0.0, 1.5, -1e7, 1e7, 1.1e7, math.nan, -math.inf])


@dataclass
class Model:
    """Everything known of one NPC."""

    handle: int
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    active: bool = False
    open_turns: int = 0


class WorldMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = world_with()
        self.npcs: dict[str, Model] = {}
        self.void: list[int] = []
        """Handles of those who are gone."""
        self.turns: list[tuple[str, int]] = []

    @rule(names=st.sets(NAMES), placed=st.booleans())
    def spawn(self, names: set[str], placed: bool) -> None:
        new = sorted(names - set(self.npcs))
        position = (1.0, 2.0, 3.0) if placed else None
        spawned, _ = self.world.spawn([npc(n, position=position) for n in new], [])
        for one in spawned:
            assert one.handle not in self.void
            self.npcs[one.spec.npc] = Model(one.handle, position or (0, 0, 0), placed)

    @rule(names=st.sets(NAMES))
    def despawn(self, names: set[str]) -> None:
        old = sorted(names & set(self.npcs))
        self.world.despawn(old, [])
        self.void += [self.npcs.pop(name).handle for name in old]

    @rule(
        records=st.lists(
            st.tuples(NAMES, COORDINATES, st.integers(0, 4)), unique_by=lambda r: r[0]
        ),
        stale=st.booleans(),
        kind=st.sampled_from(TickKind),
    )
    def tick(self, records: list[tuple[str, float, int]], stale: bool, kind: TickKind) -> None:
        known = [r for r in records if r[0] in self.npcs]
        handles = [self.npcs[name].handle for name, _, _ in known]
        positions = [(x, 0.0, 0.0) for _, x, _ in known]
        flags = [f for _, _, f in known]
        lost = self.void[-3:] if stale else []
        report = self.world.apply(
            Tick(
                kind,
                1,
                0.0,
                False,
                npc_records(
                    handles + lost,
                    np.array(positions + [(9.0, 9.0, 9.0)] * len(lost), np.float32).reshape(-1, 3),
                    flags=flags + [0] * len(lost),
                ),
                player_records([], np.zeros((0, 3))),
            )
        )
        named = {name for name, _, _ in known}
        if kind is TickKind.KEYFRAME:
            for name, model in self.npcs.items():
                model.active &= name in named
        bad = 0
        for name, x, flag in known:
            if not abs(x) <= 1e7 or flag > 3:
                bad += 1
                continue
            self.npcs[name].position = (x, 0.0, 0.0)
            self.npcs[name].active = not flag & 1
        assert (report.bad_count, report.unknown_count) == (bad, len(lost))
        assert report.npc_updates == len(known) - bad

    @rule(name=NAMES)
    def open_turn(self, name: str) -> None:
        if name in self.npcs:
            self.turns.append((name, self.world.turn_opened(name)))
            self.npcs[name].open_turns += 1

    @rule()
    def close_turn(self) -> None:
        if self.turns:
            name, handle = self.turns.pop(0)
            self.world.turn_closed(name, handle)
            if name in self.npcs and self.npcs[name].handle == handle:
                self.npcs[name].open_turns -= 1

    @invariant()
    def the_world_is_whole(self) -> None:
        self.world.check_integrity()

    @invariant()
    def the_snapshot_says_what_the_model_says(self) -> None:
        snapshot, rows = self.world.snapshot(), self.world.row_ids
        seen = {rows[row] for row in np.flatnonzero(snapshot.alive)}
        assert seen == {n for n, m in self.npcs.items() if m.active or m.open_turns}
        assert {n for n in rows if n} == set(self.npcs)
        for name, model in self.npcs.items():
            row = self.world.npcs[name].row
            assert snapshot.handle[row] == model.handle
            assert tuple(snapshot.position_m[row].tolist()) == model.position
            assert snapshot.in_conversation[row] == (model.open_turns > 0)


WorldMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestWorld = WorldMachine.TestCase
