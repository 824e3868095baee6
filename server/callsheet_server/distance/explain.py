"""Explanation in words of an NPC's distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from callsheet_server.distance.chains import WINDOW_S
from callsheet_server.distance.conversation import conversation
from callsheet_server.distance.distances import Distances
from callsheet_server.distance.evidence import Readings, encode, soonest_source
from callsheet_server.distance.forecast import Forecast
from callsheet_server.distance.model import certain_s
from callsheet_server.distance.proximity import proximity
from callsheet_server.distance.record import HORIZONS_S, chance_within
from callsheet_server.distance.schedule import schedule
from callsheet_server.distance.shares import raised
from callsheet_server.distance.sources import Estimator
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
    """Every estimator's reason, in one line, and its share in what raises the chance of a call."""
    outlook: str | None
    """Chances of a call within some seconds; None = too little is known of the world to say."""


def explain(
    seen: Callable[[Sequence[int]], Snapshot],
    row: int,
    forecast: Forecast,
    last: Distances | None,
) -> Explanation:
    """Say why one row has its distance, in O(1) of the world.

    What depends on the NPC alone is estimated afresh. What depends on others too, proximity and
    encounter, and what was learned, is as the world's last tick found it.

    Args:
        seen: gives a snapshot of the rows it is asked for, and all players.
        row: which one.
        forecast: of the world.
        last: the world's last distances; None before the first.
    """
    one = seen([row])
    if not one.alive[0]:
        nothing: dict[Estimator, float] = dict.fromkeys(list(Estimator)[:-1], np.inf)
        why = dict.fromkeys(nothing, "no active NPC is on this row")
        return Explanation(np.inf, Estimator.NONE, nothing, why, None)
    value_s: dict[Estimator, float] = dict.fromkeys(list(Estimator)[:-1], np.inf)
    value_s[Estimator.CONVERSATION] = float(conversation(one)[0])
    value_s[Estimator.SCHEDULE] = float(schedule(one, forecast.assumed)[0])
    partner, read = row, None
    if last is not None and forecast.knows(one, row):
        read = forecast.reading_of(one, row)
        value_s[Estimator.PROXIMITY] = float(read.proximity_s[0])
        value_s[Estimator.ENCOUNTER] = float(read.encounter_s[0])
        value_s[Estimator.HISTORY] = float(read.history_s[0])
        if read.hint[0] > 0.0 and read.hint_age_s[0] < WINDOW_S:
            value_s[Estimator.CHAIN] = max(WINDOW_S / 2.0 - float(read.hint_age_s[0]), 0.0)
        if forecast.met is not None and forecast.met.partner[row] >= 0:
            partner = int(forecast.met.partner[row])
    winner = min((Estimator.CONVERSATION, Estimator.SCHEDULE), key=value_s.__getitem__)
    distance_s = value_s[winner]
    if last is not None and read is not None and last.winner[row] > Estimator.SCHEDULE:
        learned_s = float(last.distance_s[row])
        if learned_s < distance_s:
            winner, distance_s = Estimator(last.winner[row]), learned_s
    if distance_s == np.inf:
        winner = Estimator.NONE
    reasons = {
        estimator: "expects no call"
        if seconds == np.inf
        else _why(estimator, seen([row, partner]), forecast, read)
        for estimator, seconds in value_s.items()
    }
    if read is not None and Estimator.SCHEDULE < winner < Estimator.NONE:
        for estimator, share in _shares(forecast, read).items():
            reasons[estimator] += f" ({share:.0%} of the forecast)"
    outlook = _outlook(forecast, read) if winner > Estimator.SCHEDULE else "a call is certain"
    return Explanation(distance_s, winner, value_s, reasons, outlook)


def _outlook(forecast: Forecast, read: Readings | None) -> str | None:
    """Tell the model's chances of a call."""
    if read is None or not forecast.has_word:
        return None
    said_s = certain_s(forecast.model.logit(encode(read)))
    chances = {h: float(chance_within(said_s, h)[0]) for h in HORIZONS_S}
    return "calls " + ", ".join(f"within {h:g} s: {p:.0%}" for h, p in chances.items())


def _shares(forecast: Forecast, read: Readings) -> dict[Estimator, float]:
    """Divide what raises the chance among the sources; the soonest estimate is its maker's."""
    _, maker = soonest_source(read)
    parts = raised(forecast.model, encode(read), maker, read.usual_rate_per_s)[0]
    named = zip(Estimator, parts.tolist(), strict=True)
    positive = {source: part for source, part in named if part > 0.0}
    total = sum(positive.values())
    return {source: part / total for source, part in positive.items()}


def _why(
    estimator: Estimator, snapshot: Snapshot, forecast: Forecast, read: Readings | None
) -> str:
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
                float(proximity(_with_player(snapshot, p), forecast.assumed)[row])
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
        case Estimator.HISTORY if read is not None:
            ago = f"the last {read.elapsed_s[0]:.1f} s ago"
            if read.gaps[0] == 1:
                return f"calls every {read.gap_s[0]:.1f} s, regularly, {ago}"
            mean_s = 1.0 / (float(read.steady_rate[0]) * read.usual_rate_per_s)
            return f"calls at random, every {mean_s:.1f} s on average, {ago}"
        case Estimator.CHAIN if read is not None:
            called = f"{read.hint_age_s[0]:.1f} s ago"
            return f"follows whoever called {called}, in {read.hint[0]:.0%} of cases"
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
