"""Days of towns: people with plans, which the game announces or keeps to itself."""

from __future__ import annotations

import numpy as np

from callsheet_server.trace.generators.recording import Generated, Recording, people

__all__ = ["agents", "town_day"]

TICK_S = 0.5
MINUTE_S = 12.0
"""Seconds of a minute of plan: a day passes quickly."""


def town_day(
    seed: int,
    npcs: int = 200,
    seconds: float = 900.0,
    announced: bool = True,
    late_s: float = 1.0,
    unplanned_gap_s: float = 900.0,
) -> Generated:
    """Everybody goes through a plan of errands and calls when one begins.

    An errand takes 2 to 8 minutes of plan and begins on the full minute, so many begin together;
    the call comes up to ``late_s`` late. At it the NPC walks to the next place. Everybody calls at
    random besides. ``announced`` = the game tells the time of the next errand.
    """
    draw = np.random.default_rng(seed)
    homes_m = draw.uniform(0.0, 200.0, (npcs, 2))
    target_m, place_m = homes_m.copy(), homes_m.copy()
    due_s = np.ceil(draw.uniform(0.5, 8.0, npcs)) * MINUTE_S
    late = draw.random(npcs) * late_s
    record = Recording(
        "town day", people(draw, "neighbour", npcs, 2.0, 0.2), TICK_S, npc_max_speed_mps=2.0
    )
    while (now_s := record.next_s) <= seconds:
        begins = due_s + late <= now_s
        whims = draw.random(npcs) < TICK_S / unplanned_gap_s
        record.call(np.flatnonzero(begins | whims))
        count = int(begins.sum())
        due_s[begins] += draw.integers(2, 9, count) * MINUTE_S
        late[begins] = draw.random(count) * late_s
        target_m[begins] = draw.uniform(0.0, 200.0, (count, 2))
        left_m = target_m - place_m
        far_m = np.linalg.norm(left_m, axis=1, keepdims=True)
        place_m = place_m + left_m * np.minimum(1.5 * TICK_S / np.maximum(far_m, 1e-9), 1.0)
        record.tick(place_m, scheduled_s=due_s if announced else None)
    return record.finish()


def agents(seed: int, npcs: int = 25, seconds: float = 1500.0, step_s: float = 10.0) -> Generated:
    """A small town of generative agents, which all act on the beat of one step.

    A plan is a list of doings of 3 to 12 steps; when one ends the agent calls to choose the next,
    and the game announces when. Agents of one room talk at a step with chance 0.08, one line a
    step, for 2 to 6 steps, unannounced. Prefixes are of different lengths.
    """
    draw = np.random.default_rng(seed)
    rooms_m = draw.uniform(0.0, 60.0, (8, 2))
    room = draw.integers(8, size=npcs)
    ends = draw.integers(1, 12, npcs)
    talk_left = np.zeros(npcs, np.int64)
    npc_people = people(draw, "agent", npcs, 3.0, 0.8, (500, 1500))
    record = Recording("agents", npc_people, TICK_S, npc_max_speed_mps=2.0, reply_s=3.0)
    place_m = rooms_m[room] + draw.normal(0.0, 1.0, (npcs, 2))
    steps = 0
    while (now_s := record.next_s) <= seconds:
        if now_s >= (steps + 1) * step_s:
            steps += 1
            done = ends <= steps
            for agent in draw.permutation(npcs):
                others = np.flatnonzero((room == room[agent]) & (np.arange(npcs) != agent))
                if talk_left[agent] == 0 and len(others) and draw.random() < 0.08:
                    pair = [agent, draw.choice(others)]
                    talk_left[pair] = draw.integers(2, 7)
            record.call(np.flatnonzero(done | (talk_left > 0)))
            talk_left = np.maximum(talk_left - 1, 0)
            count = int(done.sum())
            ends[done] = steps + draw.integers(3, 13, count)
            room[done] = draw.integers(8, size=count)
        left_m = rooms_m[room] - place_m
        far_m = np.linalg.norm(left_m, axis=1, keepdims=True)
        place_m = place_m + left_m * np.minimum(1.5 * TICK_S / np.maximum(far_m, 1e-9), 1.0) * (
            far_m > 1.5
        )
        record.tick(place_m, scheduled_s=(ends * step_s).astype(np.float64))
    return record.finish()
