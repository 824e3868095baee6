"""Explanation in words of an NPC's distance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.conversation import conversation
from callsheet_server.distance.distances import Distances, Estimator
from callsheet_server.distance.history import history
from callsheet_server.distance.proximity import proximity
from callsheet_server.distance.schedule import schedule
from callsheet_server.world.snapshot import Snapshot

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One NPC's distance, source by source."""

    distance_s: float
    winner: Estimator
    value_s: Mapping[Estimator, float]
    """Distance by each estimator; +inf = it expects no call."""
    why: Mapping[Estimator, str]
    """Every estimator's reason, in one line."""


def explain(
    seen: Callable[[Sequence[int]], Snapshot],
    row: int,
    assumed: Assumptions,
    last: Distances | None,
) -> Explanation:
    """Say why one row has its distance, in O(1) of the world.

    What depends on the NPC alone is estimated afresh. What depends on others too, proximity and
    encounter, is as the world's last estimate found it.

    Args:
        seen: gives a snapshot of the rows it is asked for, and all players.
        row: which one.
        assumed: of the estimators.
        last: the world's last estimate; None before the first.
    """
    one = seen([row])
    if not one.alive[0]:
        nothing: dict[Estimator, float] = dict.fromkeys(list(Estimator)[:-1], np.inf)
        why = dict.fromkeys(nothing, "no active NPC is on this row")
        return Explanation(np.inf, Estimator.NONE, MappingProxyType(nothing), MappingProxyType(why))
    proximity_s, encounter_s, partner = _as_of(last, row, one)
    value_s: dict[Estimator, float] = {
        Estimator.CONVERSATION: float(conversation(one)[0]),
        Estimator.SCHEDULE: float(schedule(one, assumed)[0]),
        Estimator.PROXIMITY: proximity_s,
        Estimator.ENCOUNTER: encounter_s,
        Estimator.HISTORY: float(history(one)[0]),
    }
    winner = min(value_s, key=value_s.__getitem__)
    distance_s = value_s[winner]
    if distance_s == np.inf:
        winner = Estimator.NONE
    reasons = {
        estimator: "expects no call"
        if seconds == np.inf
        else _why(estimator, seen([row, partner]), assumed)
        for estimator, seconds in value_s.items()
    }
    return Explanation(distance_s, winner, MappingProxyType(value_s), MappingProxyType(reasons))


def _as_of(last: Distances | None, row: int, one: Snapshot) -> tuple[float, float, int]:
    """Proximity and encounter of an NPC by an estimate, and whom it is expected to meet.

    The last is a row, its own for nobody. One that came later than the estimate expects nothing.
    """
    if last is None or row >= len(last.proximity_s):
        return math.inf, math.inf, row
    proximity_s, met = float(last.proximity_s[row]), last.encounter
    if met.handle[row] != one.handle[0] or met.partner[row] < 0:
        return proximity_s, math.inf, row
    return proximity_s, max(float(met.due_s[row]) - one.game_time_s, 0.0), int(met.partner[row])


def _why(estimator: Estimator, snapshot: Snapshot, assumed: Assumptions) -> str:
    """``snapshot``: of the NPC and whom it is expected to meet."""
    row, partner = 0, 1
    now_s = snapshot.game_time_s
    match estimator:
        case Estimator.CONVERSATION:
            return "a turn is open or queued"
        case Estimator.SCHEDULE:
            left_s = float(snapshot.scheduled_call_s[row]) - now_s
            when = f"in {left_s:.1f} s" if left_s >= 0 else f"{-left_s:.1f} s ago"
            return f"the game announced a call {when}"
        case Estimator.PROXIMITY:
            soonest = [
                float(proximity(_with_player(snapshot, p), assumed)[row])
                for p in range(len(snapshot.player_position_m))
            ]
            player = int(np.argmin(soonest))
            offset_m = snapshot.position_m[row] - snapshot.player_position_m[player]
            approach_mps = snapshot.player_velocity_mps[player] - snapshot.velocity_mps[row]
            return "player " + _approach(offset_m, approach_mps) + _cooldown(snapshot, row)
        case Estimator.ENCOUNTER:
            offset_m = snapshot.position_m[partner] - snapshot.position_m[row]
            approach_mps = snapshot.velocity_mps[row] - snapshot.velocity_mps[partner]
            name = f"sociable NPC (handle {snapshot.handle[partner]}) "
            return name + _approach(offset_m, approach_mps) + _cooldown(snapshot, row)
        case Estimator.HISTORY:
            mean_s, std_s = (
                float(snapshot.call_gap_mean_s[row]),
                float(snapshot.call_gap_std_s[row]),
            )
            elapsed_s = now_s - float(snapshot.last_call_s[row])
            return f"calls every {mean_s:.1f} ± {std_s:.1f} s, the last {elapsed_s:.1f} s ago"
    raise AssertionError(f"{estimator} is no estimator")


def _with_player(snapshot: Snapshot, player: int) -> Snapshot:
    at = slice(player, player + 1)
    return replace(
        snapshot,
        player_position_m=snapshot.player_position_m[at],
        player_velocity_mps=snapshot.player_velocity_mps[at],
    )


def _approach(
    offset_m: np.typing.NDArray[np.float32], approach_mps: np.typing.NDArray[np.float32]
) -> str:
    range_m = float(np.linalg.norm(offset_m))
    closing_mps = float(offset_m @ approach_mps) / range_m if range_m > 0.0 else 0.0
    if abs(closing_mps) < 0.05:
        return f"{range_m:.1f} m away, coming no nearer"
    verb = "closing" if closing_mps > 0 else "leaving"
    return f"{range_m:.1f} m away, {verb} at {abs(closing_mps):.1f} m/s"


def _cooldown(snapshot: Snapshot, row: int) -> str:
    last_s = float(snapshot.last_call_s[row])
    return "" if np.isnan(last_s) else f"; last call {snapshot.game_time_s - last_s:.1f} s ago"
