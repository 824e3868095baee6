"""Workloads in which players, and others who walk, make NPCs call; nothing is announced.

The rules of talking are not those the estimators assume: popularity, dwelling and whim decide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.trace.generators.recording import F64, Generated, Recording, people

__all__ = ["campus", "few_popular", "flash_crowd", "runner", "street"]

TICK_S = 0.25
WALK_MPS = 1.4


class _Walkers:
    """Bodies on a plane that walk straight to a target, at a speed of their own."""

    def __init__(self, place_m: F64, speed_mps: F64) -> None:
        self.place_m = place_m
        self.target_m = place_m.copy()
        self._speed_mps = speed_mps

    def step(self, tick_s: float, stopped: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Walk on, but for those stopped; (N,) who stands at the target."""
        left_m = self.target_m - self.place_m
        far_m = np.linalg.norm(left_m, axis=1)
        stride_m = np.minimum(self._speed_mps * tick_s, far_m)
        if stopped is not None:
            stride_m = np.where(stopped, 0.0, stride_m)
        self.place_m = self.place_m + left_m * (stride_m / np.maximum(far_m, 1e-9))[:, None]
        there: NDArray[np.bool_] = far_m <= stride_m
        return there


def _distance_m(one: F64, other: F64) -> F64:
    """(A, B) distances between (A, 2) and (B, 2) places."""
    apart: F64 = np.linalg.norm(one[:, None] - other[None], axis=2)
    return apart


def flash_crowd(
    seed: int, npcs: int = 300, players: int = 40, seconds: float = 600.0, talk_gap_s: float = 20.0
) -> Generated:
    """Players stream to a square full of NPCs and stay; nearly all talk goes to a few of these.

    From a third of the time on, the players walk about within the square. Each talks every
    ``talk_gap_s`` on average, to the one in reach (4 m) whose popularity, Zipf-like, wins the draw.
    """
    draw = np.random.default_rng(seed)
    place_m = draw.uniform(-20.0, 20.0, (npcs, 2))
    popular = 1.0 / (1.0 + draw.permutation(npcs)) ** 1.2
    crowd = _Walkers(draw.normal(0.0, 1.0, (players, 2)) * 10.0 + 150.0, np.full(players, 2.0))
    record = Recording("flash crowd", people(draw, "vendor", npcs, 3.0), TICK_S, players)
    start_s = draw.uniform(seconds / 3.0, seconds / 3.0 + 40.0, players)
    while (now_s := record.next_s) <= seconds:
        there = crowd.step(TICK_S)
        restless = (now_s > start_s) & there & (draw.random(players) < TICK_S / 8.0)
        starting = (now_s > start_s) & (crowd.target_m[:, 0] > 100.0)
        for player in np.flatnonzero(restless | starting):
            # They go where somebody popular stands.
            goal = draw.choice(npcs, p=popular / popular.sum())
            crowd.target_m[player] = place_m[goal] + draw.normal(0.0, 2.0, 2)
        near = _distance_m(crowd.place_m, place_m) < 4.0
        for player in np.flatnonzero(draw.random(players) < TICK_S / talk_gap_s):
            weight = near[player] * popular
            if weight.sum() > 0.0:
                record.call(np.array([draw.choice(npcs, p=weight / weight.sum())]))
        record.tick(place_m, crowd.place_m)
    return record.finish()


def runner(
    seed: int,
    npcs: int = 240,
    players: int = 4,
    seconds: float = 90.0,
    tick_s: float = 1.0 / 60.0,
    talks: float = 0.15,
) -> Generated:
    """Players run past many at 60 Hz and stop at few: a share ``talks`` of those passed.

    NPCs line the lanes of a block, 4 m apart. A player runs at 6 m/s, takes another lane at the end
    of one, and stops for 2 s where they talk.
    """
    draw = np.random.default_rng(seed)
    lanes, lane_m = 6, 24.0
    length_m = npcs // lanes * 4.0
    stalls = np.arange(npcs)
    place_m = np.stack([stalls // lanes * 4.0, stalls % lanes * lane_m], axis=1)
    place_m = place_m + draw.uniform(-1.0, 1.0, place_m.shape)
    at_m = np.stack([draw.uniform(0.0, length_m, players), np.zeros(players)], axis=1)
    at_m[:, 1] = draw.integers(lanes, size=players) * lane_m
    heading = draw.choice([-1.0, 1.0], players)
    goes_on_s, passed = np.zeros(players), np.full(players, -1)
    record = Recording(
        "runner", people(draw, "stall", npcs, 3.0), tick_s, players, player_max_speed_mps=7.0
    )
    while (now_s := record.next_s) <= seconds:
        at_m = at_m.copy()
        at_m[:, 0] += heading * 6.0 * tick_s * (now_s >= goes_on_s)
        ended = (at_m[:, 0] < 0.0) | (at_m[:, 0] > length_m)
        heading[ended] *= -1.0
        at_m[ended, 0] = at_m[ended, 0].clip(0.0, length_m)
        at_m[ended, 1] = draw.integers(lanes, size=int(ended.sum())) * lane_m
        apart_m = _distance_m(at_m, place_m)
        nearest = apart_m.argmin(axis=1)
        for player in np.flatnonzero((apart_m.min(axis=1) < 2.0) & (nearest != passed)):
            passed[player] = nearest[player]
            if draw.random() < talks:
                record.call(nearest[[player]])
                goes_on_s[player] = now_s + 2.0
        record.tick(place_m, at_m)
    return record.finish()


def few_popular(
    seed: int, npcs: int = 240, players: int = 8, seconds: float = 600.0, popular: float = 0.1
) -> Generated:
    """Players stroll through a hall; a share ``popular`` of the NPCs gets nearly all the talk.

    Whoever comes within 2.5 m of one of these talks with chance 0.6, of another with 0.02, and
    stays for two or three lines, 4 s apart.
    """
    draw = np.random.default_rng(seed)
    place_m = draw.uniform(0.0, 60.0, (npcs, 2))
    chance = np.where(draw.random(npcs) < popular, 0.6, 0.02)
    crowd = _Walkers(draw.uniform(0.0, 60.0, (players, 2)), np.full(players, 1.8))
    met = np.zeros((players, npcs), np.bool_)
    stays_s = np.zeros(players)
    lines: list[tuple[float, int]] = []
    record = Recording("few popular", people(draw, "guest", npcs, 2.5), TICK_S, players)
    while (now_s := record.next_s) <= seconds:
        there = crowd.step(TICK_S, stays_s > now_s)
        crowd.target_m[there] = draw.uniform(0.0, 60.0, (int(there.sum()), 2))
        near = _distance_m(crowd.place_m, place_m) < 2.5
        new, met = near & ~met, near
        for player, npc in zip(*np.nonzero(new & (stays_s <= now_s)[:, None]), strict=True):
            if draw.random() < chance[npc] and stays_s[player] <= now_s:
                said = int(draw.integers(2, 4))
                lines += [(now_s + 4.0 * line, int(npc)) for line in range(said)]
                stays_s[player] = now_s + 4.0 * said
        due = [npc for at_s, npc in lines if at_s <= now_s]
        lines = [line for line in lines if line[0] > now_s]
        record.call(np.array(sorted(set(due)), np.intp))
        record.tick(place_m, crowd.place_m)
    return record.finish()


def street(
    seed: int,
    npcs: int = 200,
    seconds: float = 600.0,
    length_m: float = 120.0,
    greets: float = 0.25,
) -> Generated:
    """People walk up and down a street, and some greet whom they meet.

    Every NPC crosses the street at its own pace, leaves, and comes back after a while. The first
    time two come within 1.5 m they talk with chance ``greets``: one at once, the other 2 s later.
    Two players walk among them by the same rule.
    """
    draw = np.random.default_rng(seed)
    count = npcs + 2
    side = draw.choice([0.0, length_m], count)
    speed_mps = draw.normal(WALK_MPS, 0.25, count).clip(0.7)
    walkers = _Walkers(np.stack([side, draw.uniform(0.0, 8.0, count)], axis=1), speed_mps)
    walkers.target_m[:, 0] = length_m - side
    back_s = draw.uniform(0.0, 200.0, count)
    met = np.zeros((count, count), np.bool_)
    later: list[tuple[float, int]] = []
    npc_people = people(draw, "walker", npcs, 2.0, 0.5)
    record = Recording("street", npc_people, TICK_S, 2, 2.2, 2.2, reply_s=1.5)
    while (now_s := record.next_s) <= seconds:
        here = now_s >= back_s
        there = walkers.step(TICK_S, ~here) & here
        for row in np.flatnonzero(there):
            back_s[row] = now_s + draw.exponential(120.0)
            walkers.target_m[row] = [length_m - walkers.target_m[row, 0], draw.uniform(0.0, 8.0)]
            met[row] = met[:, row] = False
        here &= ~there
        near = (_distance_m(walkers.place_m, walkers.place_m) < 1.5) & here & here[:, None]
        new, met = near & ~met, met | near
        for one, other in zip(*np.nonzero(np.triu(new, 1)), strict=True):
            if draw.random() < greets:
                later += [(now_s, int(one)), (now_s + 2.0, int(other))]
        due = sorted({row for at_s, row in later if at_s <= now_s and row < npcs})
        later = [line for line in later if line[0] > now_s]
        record.call(np.array(due, np.intp))
        record.tick(walkers.place_m[:npcs], walkers.place_m[npcs:], present=here[:npcs])
    return record.finish()


def campus(
    seed: int, npcs: int = 200, seconds: float = 600.0, spots: int = 30, talk_gap_s: float = 25.0
) -> Generated:
    """People go from spot to spot and dwell; who dwells with others talks now and then.

    A stay lasts 20 to 90 s. While at least two dwell at a spot, each of them calls at random, every
    ``talk_gap_s`` on average. A player visits the spots and talks as they do. Passing by is silent.
    """
    draw = np.random.default_rng(seed)
    count = npcs + 1
    spot_m = draw.uniform(0.0, 150.0, (spots, 2))
    goal = draw.integers(spots, size=count)
    walkers = _Walkers(spot_m[goal], draw.normal(WALK_MPS, 0.2, count).clip(0.8))
    leaves_s = draw.uniform(5.0, 90.0, count)
    npc_people = people(draw, "student", npcs, 3.0, 0.5)
    record = Recording("campus", npc_people, TICK_S, 1, 2.0, 2.0)
    while (now_s := record.next_s) <= seconds:
        dwelling = walkers.step(TICK_S)
        for row in np.flatnonzero(dwelling & (now_s >= leaves_s)):
            goal[row] = draw.integers(spots)
            walkers.target_m[row] = spot_m[goal[row]] + draw.normal(0.0, 1.0, 2)
            walk_s = np.linalg.norm(walkers.target_m[row] - walkers.place_m[row]) / WALK_MPS
            leaves_s[row] = now_s + walk_s + draw.uniform(20.0, 90.0)
        company = np.bincount(goal[dwelling], minlength=spots)
        talks = dwelling & (company[goal] >= 2) & (draw.random(count) < TICK_S / talk_gap_s)
        record.call(np.flatnonzero(talks[:npcs]))
        record.tick(walkers.place_m[:npcs], walkers.place_m[npcs:])
    return record.finish()
