import numpy as np
import pytest

from callsheet_loadtest.crowd import REACH_M, WALK_MPS, Crowd


def walk(crowd: Crowd, seconds: float, flash: bool = False) -> list[tuple[int, int | None]]:
    start_s = crowd.time_s
    times = np.arange(start_s + 0.05, start_s + seconds, 0.05)
    return [(m.npc, m.player) for time_s in times for m in crowd.step(float(time_s), flash)]


def test_everybody_walks_at_walking_pace_all_the_time() -> None:
    crowd = Crowd(npcs=300, players=2, seed=1)
    for _ in range(20):
        before = crowd.position_m.copy()
        walk(crowd, 1.0)
        speed = np.linalg.norm(crowd.velocity_mps, axis=1)
        assert np.all(speed <= WALK_MPS * 1.001)
        assert np.all((crowd.position_m != before).any(axis=1))
        assert np.isfinite(crowd.position_m).all()
        assert not crowd.position_m[:, 1].any()


def test_the_same_seed_gives_the_same_town() -> None:
    one, other = Crowd(50, 2, seed=3), Crowd(50, 2, seed=3)
    assert walk(one, 60.0) == walk(other, 60.0)
    np.testing.assert_array_equal(one.position_m, other.position_m)


def test_players_meet_whom_they_reach_and_stand_a_while() -> None:
    crowd = Crowd(npcs=20, players=3, seed=0)
    met = [m for m in walk(crowd, 120.0) if m[1] is not None]
    assert {player for _, player in met} == {0, 1, 2}
    assert len(met) <= 3 * 120 / 8 + 3


def test_an_announced_call_comes_when_it_was_announced() -> None:
    crowd = Crowd(npcs=400, players=0, seed=5)
    due_s: dict[int, float] = {}
    called = 0
    for tick in range(1, 4000):
        time_s = tick * 0.25
        for meeting in crowd.step(time_s):
            if meeting.npc in due_s:
                assert time_s == pytest.approx(due_s.pop(meeting.npc), abs=0.26)
                called += 1
        for npc in np.flatnonzero(~np.isnan(crowd.next_call_s)):
            due_s[int(npc)] = time_s + float(crowd.next_call_s[npc])
    assert called > 10


def test_a_flash_crowd_gathers_around_npc_0() -> None:
    crowd = Crowd(npcs=100, players=8, seed=2)
    met = walk(crowd, 90.0, flash=True)
    assert {npc for npc, player in met if player is not None} == {0}
    assert {player for _, player in met if player is not None} == set(range(8))
    gap_m = np.linalg.norm(crowd.player_position_m - crowd.position_m[0], axis=1)
    assert np.all(gap_m < REACH_M + WALK_MPS * 8.0 + 1.0)
