"""Three workloads to characterise by name, from the most to the least predictable.

The same seed gives the same trace, on every machine. Sizes are those of SmolLM2-135M with 600 to
900 tokens of persona and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.simulation import TownSimulation
from callsheet_server.trace.trace import Trace, TraceCall, TraceNpc, TracePlayer, TraceTick

__all__ = ["WORKLOADS", "Workload"]

SECONDS = 300.0
TICK_S = 0.25
BYTES_PER_TOKEN = 23_040
PREFILL_TOKENS_PER_S = 2000.0
REPLY_S = 2.0
REPLY_TOKENS = 40
AFAR_M = 1000.0
"""Too far away to be expected within minutes."""

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Workload:
    """A trace that can be generated."""

    about: str
    generate: Callable[[int], Trace]
    """Seed -> trace."""


def town(seed: int) -> Trace:
    """160 people with daily rounds, schedules known to the game, and 2 players who visit them."""
    simulation = TownSimulation(npcs=160, players=2, seed=seed)
    return record_town(simulation, SECONDS, TICK_S)


def market(seed: int) -> Trace:
    """240 stalls in rows; 8 players walk the lanes and talk to two in five of those they pass.

    Nothing is announced: whoever is ahead of a player may be next.
    """
    draw = np.random.default_rng(seed)
    lanes, stalls, players = 8, 30, 8
    lane_m, stall_m, walk_mps, reach_m = 12.0, 4.0, 2.0, 3.0
    place = np.array([[s * stall_m, lane * lane_m] for lane in range(lanes) for s in range(stalls)])
    place += draw.uniform(-0.5, 0.5, place.shape)
    at = np.stack(
        [draw.uniform(0, stalls * stall_m, players), np.arange(players) % lanes * lane_m], axis=1
    )
    heading = draw.choice([-1.0, 1.0], players)
    busy_s, asked = np.zeros(players), [-1] * players

    def step(now_s: float) -> Iterator[int]:
        for player in range(players):
            if now_s < busy_s[player]:
                continue
            at[player, 0] += heading[player] * walk_mps * TICK_S
            if not 0.0 <= at[player, 0] <= stalls * stall_m:
                heading[player] *= -1.0
                at[player, 1] = draw.integers(lanes) * lane_m
            offset_m = np.linalg.norm(place - at[player], axis=1)
            near = int(offset_m.argmin())
            if offset_m[near] <= reach_m and near != asked[player]:
                asked[player] = near
                if draw.random() < 0.4:
                    busy_s[player] = now_s + REPLY_S + 3.0
                    yield near

    def velocity(now_s: float) -> F64:
        walking = (now_s >= busy_s)[:, None]
        return np.stack([heading * walk_mps, np.zeros(players)], axis=1) * walking

    people = _npcs(draw, "stall", len(place), reach_m)
    return _record("market", people, place, at, step, velocity, walk_mps)


def raid(seed: int) -> Trace:
    """120 fighters who shout at random, each at a pace of their own, in three waves.

    6 players look on from afar: neither place nor plan tells who is next. What is left is how often
    each of them has called.
    """
    draw = np.random.default_rng(seed)
    fighters, players, waves = 120, 6, 3
    place = draw.normal(0.0, 20.0, (fighters, 2))
    gap_s = draw.lognormal(np.log(40.0), 0.8, fighters)
    wave = draw.integers(waves, size=fighters)
    at = draw.normal(AFAR_M, 15.0, (players, 2))
    run_mps = 5.0
    course = draw.uniform(0.0, 2.0 * np.pi, players)

    def step(now_s: float) -> Iterator[int]:
        course[:] += draw.normal(0.0, 0.4, players)
        at[:] = np.clip(at + velocity(now_s) * TICK_S, AFAR_M - 40.0, AFAR_M + 40.0)
        fighting = wave <= now_s // (SECONDS / waves)
        shouts = (draw.random(fighters) < TICK_S / gap_s) & fighting
        yield from np.flatnonzero(shouts).tolist()

    def velocity(_: float) -> F64:
        return run_mps * np.stack([np.cos(course), np.sin(course)], axis=1)

    return _record(
        "raid", _npcs(draw, "fighter", fighters, 0.5), place, at, step, velocity, run_mps
    )


WORKLOADS: Mapping[str, Workload] = {
    "town": Workload("daily rounds, schedules and players: predictable", town),
    "market": Workload("a crowd between stalls: what is near is next", market),
    "raid": Workload("shouts at random: only the past tells", raid),
}


def _npcs(
    draw: np.random.Generator, kind: str, count: int, interaction_radius_m: float
) -> tuple[TraceNpc, ...]:
    tokens = draw.integers(600, 900, count).tolist()
    return tuple(
        TraceNpc(
            id=f"{kind}-{row}",
            interaction_radius_m=interaction_radius_m,
            sociability=0.0,
            size_bytes=size * BYTES_PER_TOKEN,
            rebuild_s=size / PREFILL_TOKENS_PER_S,
        )
        for row, size in enumerate(tokens)
    )


def _record(
    world: str,
    npcs: tuple[TraceNpc, ...],
    place: F64,
    players_at: F64,
    step: Callable[[float], Iterator[int]],
    velocity: Callable[[float], F64],
    player_mps: float,
) -> Trace:
    """Run a workload whose NPCs stand still.

    Args:
        world: its name.
        npcs: N of them.
        place: (N, 2) metres.
        players_at: (P, 2) metres; ``step`` moves them.
        step: now_s -> rows that call now.
        velocity: now_s -> (P, 2) m/s of the players.
        player_mps: their greatest speed.
    """
    players = tuple(TracePlayer(f"player-{p}", f"Player {p}") for p in range(len(players_at)))
    trace = Trace(world, player_mps, 0.0, npcs, players=players)
    free_s = np.zeros(len(npcs))
    for number in range(1, round(SECONDS / TICK_S) + 1):
        now_s = number * TICK_S
        calls = [row for row in step(now_s) if now_s >= free_s[row]]
        free_s[calls] = now_s + REPLY_S
        rows = np.arange(len(npcs) if number == 1 else 0)
        trace.ticks.append(
            TraceTick(
                time_s=now_s,
                rows=rows,
                position_m=_ground(place[rows]),
                velocity_mps=np.zeros((len(rows), 3), np.float32),
                scheduled_call_s=np.full(len(rows), np.nan),
                player_position_m=_ground(players_at),
                player_velocity_mps=_ground(velocity(now_s)),
                player_rows=np.arange(len(players)),
                inactive_rows=np.zeros(0, np.intp),
            )
        )
        trace.calls.extend(TraceCall(now_s, row, REPLY_S, REPLY_TOKENS) for row in calls)
    return trace


def _ground(plane: F64) -> NDArray[np.float32]:
    """(K, 2) on the ground -> (K, 3) with y up."""
    return np.stack([plane[:, 0], np.zeros(len(plane)), plane[:, 1]], axis=1).astype(np.float32)
