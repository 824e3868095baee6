"""Encounter: how soon two sociable NPCs talk to each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.approach import columns, time_to_reach_s
from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.neighbours import nearest_other
from callsheet_server.world.snapshot import Snapshot

__all__ = ["EncounterState", "encounter", "nearest_sociable"]

STRIPE_ROWS = 5000
"""NPCs of one run, about; a larger world is run in stripes, one after the other."""
STRIPE_MARGIN_M = 10.0
"""NPCs this far beyond a stripe are seen by those in it."""
CELL_M = 0.5
"""NPCs in the same cube of this side are taken to stand together."""


@dataclass(frozen=True, slots=True)
class EncounterState:
    """The estimator's last run, carried from tick to tick because it runs at its own rate."""

    run_s: float
    """Game time of that run."""
    stripe: int
    """The stripe that was run; 0 if the world is one."""
    handle: NDArray[np.uint32]
    """(N,) uint32, who was on each row then."""
    due_s: NDArray[np.float64]
    """(N,) float64, absolute game time of the expected encounter; +inf = none."""
    together_since_s: NDArray[np.float64]
    """(N,) float64, since when a neighbour has been in reach; +inf = none is."""
    partner: NDArray[np.intp]
    """(N,) intp, the row of the neighbour expected; -1 = none."""


def nearest_sociable(
    snapshot: Snapshot, assumed: Assumptions
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair every sociable NPC that is not resting with its nearest such neighbour; O(N log N).

    NPCs that stand together (see ``CELL_M``) are paired within their cell, all others through a k-d
    tree of one NPC per cell. Ten thousand NPCs on one spot, on which a k-d tree alone takes O(N^2),
    therefore cost one sort.

    Returns:
        (rows, partners), both (K,) intp; empty if there are fewer than two.
    """
    silent_s = _silent_s(snapshot)
    resting = (silent_s > assumed.follow_up_s) & (silent_s < assumed.encounter_cooldown_s)
    rows: NDArray[np.intp] = np.flatnonzero(
        snapshot.alive & (snapshot.sociability > 0.0) & ~resting
    )
    if len(rows) < 2:
        return rows[:0], rows[:0]
    position_m = snapshot.position_m[rows].astype(np.float64)
    cell = _cell_id(position_m)
    order = np.argsort(cell)
    same_as_before = np.zeros(len(rows) + 1, np.bool_)
    same_as_before[1:-1] = cell[order[1:]] == cell[order[:-1]]
    partner = np.empty(len(rows), np.intp)
    after = np.flatnonzero(same_as_before[:-1])
    before = np.flatnonzero(same_as_before[1:])
    partner[order[before]] = order[before + 1]
    partner[order[after]] = order[after - 1]

    is_first = ~same_as_before[:-1]
    firsts = order[is_first]
    asking = np.flatnonzero((is_first & ~same_as_before[1:])[is_first])
    if len(asking) and len(firsts) >= 2:
        partner[firsts[asking]] = firsts[nearest_other(position_m[firsts], asking)[0]]
    return rows, rows[partner]


def _cell_id(position_m: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Number the cubes of side ``CELL_M``, 21 bits an axis; the outermost ones have no end."""
    half = 1 << 20
    x, y, z = (np.clip(np.floor(position_m.T / CELL_M), -half, half - 1) + half).astype(np.uint64)
    cell: NDArray[np.uint64] = (x << np.uint64(42)) | (y << np.uint64(21)) | z
    return cell


def _run(
    snapshot: Snapshot, assumed: Assumptions, previous: EncounterState | None
) -> EncounterState:
    now_s = snapshot.game_time_s
    due_s = np.full(len(snapshot.alive), np.inf)
    together_since_s = np.full(len(snapshot.alive), np.inf)
    partner = np.full(len(snapshot.alive), -1, np.intp)
    rows, partners = nearest_sociable(snapshot, assumed)
    if len(rows):
        offset_m = columns(snapshot.position_m[partners] - snapshot.position_m[rows])
        approach_mps = columns(snapshot.velocity_mps[rows] - snapshot.velocity_mps[partners])
        reach_m = np.maximum(
            snapshot.interaction_radius_m[rows], snapshot.interaction_radius_m[partners]
        )
        slowest = assumed.turn_fraction * 2.0 * snapshot.npc_max_speed_mps
        meet_s = time_to_reach_s(offset_m, approach_mps, reach_m, slowest)

        together = meet_s == 0.0
        together_since_s[rows[together]] = now_s
        if previous is not None and len(previous.handle) == len(snapshot.handle):
            known = (previous.handle == snapshot.handle) & np.isfinite(together_since_s)
            before_s = previous.together_since_s[known]
            together_since_s[known] = np.minimum(before_s, together_since_s[known])
        stood_s = np.where(together, now_s - together_since_s[rows], 0.0)
        appeal = snapshot.sociability[rows] * snapshot.sociability[partners]
        with np.errstate(divide="ignore"):
            wait_s = np.abs(assumed.encounter_wait_s / appeal - stood_s)
        silent_s = _silent_s(snapshot)
        silent_s = np.minimum(silent_s[rows], silent_s[partners])
        talking = together & (silent_s <= assumed.follow_up_s)
        wait_s[talking] = np.abs(assumed.turn_gap_s - silent_s[talking])
        due_s[rows] = now_s + meet_s + wait_s
        partner[rows] = partners
    return EncounterState(now_s, 0, snapshot.handle.copy(), due_s, together_since_s, partner)


def _run_stripe(
    snapshot: Snapshot, assumed: Assumptions, previous: EncounterState, stripes: int
) -> EncounterState:
    """Run the next of ``stripes`` across the world, as many NPCs in each; the others stay."""
    stripe = (previous.stripe + 1) % stripes
    x = snapshot.position_m[:, 0]
    some = x[:: max(len(x) // STRIPE_ROWS, 1)]
    low = -np.inf if stripe == 0 else np.quantile(some, stripe / stripes)
    high = np.inf if stripe == stripes - 1 else np.quantile(some, (stripe + 1) / stripes)
    rows = np.flatnonzero((x >= low - STRIPE_MARGIN_M) & (x < high + STRIPE_MARGIN_M))
    before = EncounterState(
        previous.run_s,
        previous.stripe,
        previous.handle[rows],
        previous.due_s[rows],
        previous.together_since_s[rows],
        previous.partner[rows],
    )
    found = _run(snapshot.part(rows), assumed, before)
    inside = (x[rows] >= low) & (x[rows] < high)
    new = EncounterState(
        snapshot.game_time_s,
        stripe,
        previous.handle.copy(),
        previous.due_s.copy(),
        previous.together_since_s.copy(),
        previous.partner.copy(),
    )
    new.handle[rows[inside]] = found.handle[inside]
    new.due_s[rows[inside]] = found.due_s[inside]
    new.together_since_s[rows[inside]] = found.together_since_s[inside]
    partner = np.where(found.partner >= 0, rows[found.partner], -1)
    new.partner[rows[inside]] = partner[inside]
    return new


def _silent_s(snapshot: Snapshot) -> NDArray[np.float64]:
    """(N,) float64 seconds since the last call ended; 0 during one, +inf before the first."""
    silent_s = snapshot.game_time_s - snapshot.last_call_s
    silent_s[np.isnan(silent_s)] = np.inf
    silent_s[snapshot.in_conversation] = 0.0
    return silent_s


def _unknown(rows: int, now_s: float, known: EncounterState | None) -> EncounterState:
    """Nobody has been looked at yet, but for the first rows if they are known."""
    state = EncounterState(
        now_s,
        0,
        np.full(rows, 0xFFFF_FFFF, np.uint32),
        np.full(rows, np.inf),
        np.full(rows, np.inf),
        np.full(rows, -1, np.intp),
    )
    if known is not None:
        kept = min(rows, len(known.handle))
        state.handle[:kept] = known.handle[:kept]
        state.due_s[:kept] = known.due_s[:kept]
        state.together_since_s[:kept] = known.together_since_s[:kept]
        state.partner[:kept] = np.where(known.partner[:kept] < rows, known.partner[:kept], -1)
    return state


def encounter(
    snapshot: Snapshot, assumed: Assumptions, previous: EncounterState | None = None
) -> tuple[NDArray[np.float32], EncounterState]:
    """Seconds until each NPC talks to its nearest sociable neighbour, and the state to carry on.

    The time is that until the two are within the larger of their interaction radii, plus how much
    longer they stand there before they talk: the wait expected, ``encounter_wait_s`` over the
    product of their sociabilities, less the time they have stood; once that has passed, the excess,
    so that two who keep silent move away again. If one of the two is in a talk, or was up to
    ``follow_up_s`` ago, the wait expected is ``turn_gap_s`` less the silence since. An NPC that has
    rested for less than ``encounter_cooldown_s`` otherwise seeks nobody and is sought by nobody.

    It runs when ``previous`` is ``encounter_period_s`` of game time old, when the number of rows
    has changed or time has gone backwards; between runs its values age with the clock. A value is
    thus at most one period and one tick old. A row with a new NPC has +inf until the next run. A
    large world is run in stripes, one each share of the period, so that no tick pays for all.

    Returns:
        ((N,) float32, state): neither argument is changed.
    """
    now_s, count = snapshot.game_time_s, len(snapshot.alive)
    stripes = max(-(-count // STRIPE_ROWS), 1)
    passed_s = np.inf if previous is None else now_s - previous.run_s
    if previous is None or len(previous.due_s) != count or passed_s < 0.0:
        if stripes == 1:
            previous = _run(snapshot, assumed, previous)
        else:
            previous = _unknown(count, now_s, previous if passed_s >= 0.0 else None)
    elif passed_s >= assumed.encounter_period_s / stripes:
        if stripes == 1:
            previous = _run(snapshot, assumed, previous)
        else:
            previous = _run_stripe(snapshot, assumed, previous, stripes)
    left_s = np.maximum(previous.due_s - now_s, 0.0).astype(np.float32)
    left_s[previous.handle != snapshot.handle] = np.inf
    return left_s, previous
