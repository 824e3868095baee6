from __future__ import annotations

import numpy as np
import pytest

from callsheet_server.tools.town.cast import FIRST, LAST, cast
from callsheet_server.tools.town.simulation import (
    PLAYER_MPS,
    REACH_M,
    WALK_MPS,
    Cause,
    TownSimulation,
    TownStep,
)

DT_S = 0.2


def steps(town: TownSimulation, count: int) -> list[TownStep]:
    return [town.step(DT_S) for _ in range(count)]


def test_the_same_seed_gives_the_same_town() -> None:
    one = steps(TownSimulation(npcs=20, players=2, seed=4), 500)
    two = steps(TownSimulation(npcs=20, players=2, seed=4), 500)
    assert [s.calls for s in one] == [s.calls for s in two]
    np.testing.assert_array_equal(one[-1].position_m, two[-1].position_m)
    other = steps(TownSimulation(npcs=20, players=2, seed=5), 500)
    assert [s.calls for s in one] != [s.calls for s in other]


def test_nobody_jumps_or_walks_too_fast() -> None:
    before: TownStep | None = None
    for step in steps(TownSimulation(npcs=20, players=2, seed=1), 1000):
        assert np.linalg.norm(step.velocity_mps, axis=1).max() <= WALK_MPS + 1e-5
        assert np.linalg.norm(step.player_velocity_mps, axis=1).max() <= PLAYER_MPS + 1e-5
        if before is not None:
            moved_m = np.linalg.norm(step.position_m - before.position_m, axis=1)
            assert moved_m.max() <= WALK_MPS * DT_S + 1e-3
        before = step


def test_schedule_hints_come_true() -> None:
    town = TownSimulation(npcs=20, players=0, seed=2)
    before = town.step(DT_S)
    spoke = 0
    for step in steps(town, 2500):
        due = np.flatnonzero(before.scheduled_call_s <= step.time_s).tolist()
        assert [c.npc for c in step.calls if c.cause is Cause.SCHEDULE] == due
        assert (step.scheduled_call_s > step.time_s).all()
        spoke += len(due)
        before = step
    assert spoke >= 20 * 5


def test_players_stand_by_those_they_talk_to_and_meet_many() -> None:
    town, met = TownSimulation(npcs=20, players=2, seed=3), set()
    for step in steps(town, 2500):
        for call in step.calls:
            if call.cause is Cause.PLAYER:
                player = int(call.speaker.removeprefix("Player ")) - 1
                apart = step.position_m[call.npc] - step.player_position_m[player]
                assert np.linalg.norm(apart) <= REACH_M
                met.add(call.npc)
    assert len(met) >= 8


def test_only_sociable_npcs_talk_to_each_other() -> None:
    town = TownSimulation(npcs=30, players=0, seed=1)
    talks = [c for s in steps(town, 2500) for c in s.calls if c.cause is Cause.ENCOUNTER]
    assert len(talks) > 20
    assert (town.sociability[[c.npc for c in talks]] > 0.0).all()


def test_a_cast_is_of_distinct_people_with_short_personas() -> None:
    people = cast(500, seed=9)
    assert len({p.id for p in people}) == len({p.persona for p in people}) == 500
    assert all(2 <= p.persona.count(".") + p.persona.count("?") <= 5 for p in people)
    assert cast(3, seed=9) == cast(3, seed=9)
    assert len(cast(len(FIRST) * len(LAST))) == len(FIRST) * len(LAST)


@pytest.mark.parametrize("npcs", [0, -1, 100_000])
def test_a_count_out_of_range_is_refused(npcs: int) -> None:
    with pytest.raises(ValueError, match=str(npcs)):
        TownSimulation(npcs=npcs)


def test_a_town_without_players_and_a_town_of_one() -> None:
    assert steps(TownSimulation(npcs=1, players=1), 100)[-1].position_m.shape == (1, 3)
    with pytest.raises(ValueError, match="players is -1"):
        TownSimulation(players=-1)
    with pytest.raises(ValueError, match=r"dt_s is 0\.0"):
        TownSimulation().step(0.0)
