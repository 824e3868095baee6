"""Explanation in words of an NPC's distance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.conversation import conversation
from callsheet_server.distance.distances import Estimator
from callsheet_server.distance.encounter import EncounterState, encounter
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
    snapshot: Snapshot,
    row: int,
    assumed: Assumptions,
    previous: EncounterState | None = None,
) -> Explanation:
    """Estimate afresh and say why for one row: for a person who asks, not every tick.

    Args:
        snapshot: N rows.
        row: which one.
        assumed: of the estimators.
        previous: the ``encounter`` of the world's last ``Distances``. Without it that estimator
            runs anew, which is most of the work.

    Raises:
        IndexError: ``row`` is not a row of the snapshot.
    """
    if not 0 <= row < len(snapshot.alive):
        raise IndexError(f"row {row} is out of range: the snapshot has {len(snapshot.alive)} rows")
    if not snapshot.alive[row]:
        nothing: dict[Estimator, float] = dict.fromkeys(list(Estimator)[:-1], np.inf)
        why = dict.fromkeys(nothing, "no active NPC is on this row")
        return Explanation(np.inf, Estimator.NONE, MappingProxyType(nothing), MappingProxyType(why))
    encounter_s, met = encounter(snapshot, assumed, previous)
    value_s: dict[Estimator, float] = {
        Estimator.CONVERSATION: float(conversation(snapshot)[row]),
        Estimator.SCHEDULE: float(schedule(snapshot, assumed)[row]),
        Estimator.PROXIMITY: float(proximity(snapshot, assumed)[row]),
        Estimator.ENCOUNTER: float(encounter_s[row]),
        Estimator.HISTORY: float(history(snapshot)[row]),
    }
    winner = min(value_s, key=value_s.__getitem__)
    distance_s = value_s[winner]
    if distance_s == np.inf:
        winner = Estimator.NONE
    reasons = {
        estimator: "expects no call"
        if seconds == np.inf
        else _why(estimator, snapshot, row, assumed, int(met.partner[row]))
        for estimator, seconds in value_s.items()
    }
    return Explanation(distance_s, winner, MappingProxyType(value_s), MappingProxyType(reasons))


def _why(
    estimator: Estimator, snapshot: Snapshot, row: int, assumed: Assumptions, partner: int
) -> str:
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
