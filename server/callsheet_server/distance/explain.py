"""Why an NPC's distance is what it is, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from callsheet_server.distance.conversation import conversation
from callsheet_server.distance.distances import Estimator
from callsheet_server.distance.encounter import encounter, nearest_sociable
from callsheet_server.distance.history import history
from callsheet_server.distance.proximity import proximity
from callsheet_server.distance.schedule import schedule
from callsheet_server.distance.settings import DistanceSettings
from callsheet_server.world.snapshot import Snapshot

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One NPC's distance, source by source."""

    distance_s: float
    winner: Estimator
    value_s: Mapping[Estimator, float]
    """What every estimator says; +inf = no expectation."""
    why: Mapping[Estimator, str]
    """Every estimator's reason, in one line."""


def explain(snapshot: Snapshot, row: int, settings: DistanceSettings) -> Explanation:
    """Estimate one row afresh and say why. O(N log N): for a person who asks, not for every tick.

    The encounter estimator is run anew, so its value may be up to one period ahead of that in
    ``Distances``.

    Raises:
        IndexError: ``row`` is not a row of the snapshot.
    """
    if not 0 <= row < len(snapshot.alive):
        raise IndexError(f"row {row} is out of range: the snapshot has {len(snapshot.alive)} rows")
    if not snapshot.alive[row]:
        nothing: dict[Estimator, float] = dict.fromkeys(list(Estimator)[:-1], np.inf)
        why = dict.fromkeys(nothing, "no active NPC is on this row")
        return Explanation(
            np.inf, Estimator.NONE, MappingProxyType(nothing), MappingProxyType(why)
        )
    one = _only(snapshot, row)
    encounter_s, _ = encounter(snapshot, settings)
    value_s: dict[Estimator, float] = {
        Estimator.CONVERSATION: float(conversation(one)[0]),
        Estimator.SCHEDULE: float(schedule(one, settings)[0]),
        Estimator.PROXIMITY: float(proximity(one, settings)[0]),
        Estimator.ENCOUNTER: float(encounter_s[row]),
        Estimator.HISTORY: float(history(one)[0]),
    }
    winner = min(value_s, key=value_s.__getitem__)
    distance_s = value_s[winner]
    if distance_s == np.inf:
        winner = Estimator.NONE
    reasons = {
        estimator: "expects no call"
        if seconds == np.inf
        else _why(estimator, snapshot, one, row, settings)
        for estimator, seconds in value_s.items()
    }
    return Explanation(distance_s, winner, MappingProxyType(value_s), MappingProxyType(reasons))


def _only(snapshot: Snapshot, row: int) -> Snapshot:
    """Return the same world with one NPC."""
    at = slice(row, row + 1)
    return replace(
        snapshot,
        alive=snapshot.alive[at],
        handle=snapshot.handle[at],
        position_m=snapshot.position_m[at],
        velocity_mps=snapshot.velocity_mps[at],
        interaction_radius_m=snapshot.interaction_radius_m[at],
        sociability=snapshot.sociability[at],
        scheduled_call_s=snapshot.scheduled_call_s[at],
        in_conversation=snapshot.in_conversation[at],
        last_call_s=snapshot.last_call_s[at],
        call_gap_mean_s=snapshot.call_gap_mean_s[at],
        call_gap_std_s=snapshot.call_gap_std_s[at],
    )


def _why(
    estimator: Estimator, snapshot: Snapshot, one: Snapshot, row: int, settings: DistanceSettings
) -> str:
    now_s = snapshot.game_time_s
    match estimator:
        case Estimator.CONVERSATION:
            return "a turn is open or queued"
        case Estimator.SCHEDULE:
            left_s = float(one.scheduled_call_s[0]) - now_s
            when = f"in {left_s:.1f} s" if left_s >= 0 else f"{-left_s:.1f} s ago"
            return f"the game announced a call {when}"
        case Estimator.PROXIMITY:
            soonest = [
                float(proximity(_with_player(one, p), settings)[0])
                for p in range(len(one.player_position_m))
            ]
            player = int(np.argmin(soonest))
            offset_m = one.position_m[0] - one.player_position_m[player]
            approach_mps = one.player_velocity_mps[player] - one.velocity_mps[0]
            return "player " + _approach(offset_m, approach_mps) + _cooldown(one, now_s)
        case Estimator.ENCOUNTER:
            rows, partners = nearest_sociable(snapshot)
            partner = int(partners[np.flatnonzero(rows == row)[0]])
            offset_m = snapshot.position_m[partner] - snapshot.position_m[row]
            approach_mps = snapshot.velocity_mps[row] - snapshot.velocity_mps[partner]
            name = f"sociable NPC (handle {snapshot.handle[partner]}) "
            return name + _approach(offset_m, approach_mps) + _cooldown(one, now_s)
        case Estimator.HISTORY:
            mean_s, std_s = float(one.call_gap_mean_s[0]), float(one.call_gap_std_s[0])
            elapsed_s = now_s - float(one.last_call_s[0])
            return f"calls every {mean_s:.1f} ± {std_s:.1f} s, the last {elapsed_s:.1f} s ago"
    raise AssertionError(f"{estimator} is no estimator")


def _with_player(one: Snapshot, player: int) -> Snapshot:
    at = slice(player, player + 1)
    return replace(
        one,
        player_position_m=one.player_position_m[at],
        player_velocity_mps=one.player_velocity_mps[at],
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


def _cooldown(one: Snapshot, now_s: float) -> str:
    last_s = float(one.last_call_s[0])
    return "" if np.isnan(last_s) else f"; last call {now_s - last_s:.1f} s ago"
