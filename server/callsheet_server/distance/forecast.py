"""The forecast of one world: evidence in, distances out, and lessons from what then happened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.worth import TAU_S
from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.chains import WINDOW_S
from callsheet_server.distance.conversation import conversation
from callsheet_server.distance.distances import Distances, soonest
from callsheet_server.distance.encounter import EncounterState, encounter
from callsheet_server.distance.evidence import Readings, encode, soonest_source
from callsheet_server.distance.habits import Habits
from callsheet_server.distance.history import history
from callsheet_server.distance.lessons import KNOWN_AFTER_S, PERIOD_S, Lesson, Lessons
from callsheet_server.distance.model import CallModel, certain_s
from callsheet_server.distance.proximity import proximity, time_in_reach_s
from callsheet_server.distance.record import Record
from callsheet_server.distance.schedule import schedule
from callsheet_server.distance.shares import raised
from callsheet_server.distance.sources import Estimator
from callsheet_server.distance.trust import Trust
from callsheet_server.world.snapshot import Snapshot

__all__ = ["ROWS_PER_ESTIMATE", "Forecast"]

ROWS_PER_ESTIMATE = 1024
"""NPCs whose evidence is read anew in one estimate; the others keep their distance until their
turn."""

ENOUGH_CALLS = 20
"""Calls of a world before the model's word counts; until then the smallest estimate does."""

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class Forecast:
    """Learns one world from its ticks. No clock, no randomness, no I/O; not thread-safe."""

    def __init__(self, assumed: Assumptions) -> None:
        self.habits = Habits()
        self.model = CallModel()
        self.assumed = assumed
        self.met: EncounterState | None = None
        """The encounter estimator's last run."""
        self.record = Record()
        self._lessons = Lessons()
        self._trust = Trust()
        self._told_s: F32 = np.zeros(0, np.float32)
        """Distances of the rows, but for schedules and conversations."""
        self._learned_s: F32 = np.zeros(0, np.float32)
        self._smallest_s: F32 = np.zeros(0, np.float32)
        self._winner: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._proximity_s: F32 = np.zeros(0, np.float32)
        self._in_reach_since_s: F64 = np.zeros(0)
        self._next_row = 0

    @property
    def has_word(self) -> bool:
        """True if enough calls have come for the model's word to count."""
        return self.habits.seen_calls >= ENOUGH_CALLS

    def of_others(self) -> Forecast:
        """A forecast for other NPCs of the same game: what the evidence is worth is known."""
        other = Forecast(self.assumed)
        other.model = self.model
        return other

    def estimate(self, snapshot: Snapshot) -> Distances:
        """Take in a tick and say how soon everybody will call.

        Open conversations and announced calls hold exactly, every tick. All else is the model's
        word, which is renewed for the rows whose turn it is.
        """
        began = self.habits.observe(snapshot)
        self._lessons.called(snapshot.handle[began].tolist(), snapshot.game_time_s)
        self._teach(snapshot.game_time_s)
        self._grow(len(snapshot.alive))
        surprises = began[np.isnan(snapshot.scheduled_call_s[began])].tolist()
        self._trust.judge(surprises, self._learned_s, self._smallest_s)
        due_s = schedule(snapshot, self.assumed)
        self._read(snapshot, self._turn(len(snapshot.alive)), due_s)
        distance_s, winner = soonest(
            (
                (Estimator.CONVERSATION, conversation(snapshot)),
                (Estimator.SCHEDULE, due_s),
                (Estimator.NONE, self._told_s),
            )
        )
        learned = winner == Estimator.NONE
        winner[learned] = self._winner[learned]
        dead = ~snapshot.alive
        distance_s[dead] = np.inf
        winner[dead] = Estimator.NONE
        for array in (distance_s, winner):
            array.flags.writeable = False
        return Distances(snapshot.game_time_s, distance_s, winner)

    def reading_of(self, one: Snapshot, row: int) -> Readings:
        """Read the evidence about one NPC; what depends on others is as the last tick found it.

        Args:
            one: a snapshot of this NPC alone.
            row: its row, which the last tick had.
        """
        rows = slice(row, row + 1)
        met_s = np.full(1, np.inf, np.float32)
        if self.met is not None and self.met.handle[row] == one.handle[0]:
            met_s[0] = max(float(self.met.due_s[row]) - one.game_time_s, 0.0)
        return self._readings(one, rows, self._proximity_s[rows], met_s)

    def knows(self, one: Snapshot, row: int) -> bool:
        """True if the last tick had this NPC on ``row``."""
        return row < len(self._learned_s) and self.habits.handle[row] == one.handle[0]

    def _readings(
        self, part: Snapshot, rows: slice, proximity_s: F32, encounter_s: F32
    ) -> Readings:
        now_s, habits = part.game_time_s, self.habits
        since_s, together_s = self._in_reach_since_s[rows], np.full(len(part.alive), np.inf)
        if self.met is not None and len(self.met.together_since_s) == len(self._learned_s):
            together_s = self.met.together_since_s[rows]
        past = history(habits, rows)
        usual_per_s = habits.usual_rate_per_s()
        calls, gap_s = habits.calls[rows], habits.gap_s[rows]
        elapsed_s = now_s - habits.begun_s[rows]
        with np.errstate(divide="ignore", over="ignore"):
            return Readings(
                proximity_s=proximity_s,
                reach_s=time_in_reach_s(part),
                dwelt_s=_ago(now_s, since_s),
                encounter_s=encounter_s,
                together_s=_ago(now_s, together_s),
                history_s=past.left_s,
                elapsed_s=elapsed_s.astype(np.float32),
                of_gap=(elapsed_s / np.maximum(gap_s, 1e-3)).astype(np.float32),
                gap_s=gap_s.astype(np.float32),
                renewal=_log_odds(past.worth),
                gaps=np.where(calls > 1.0, np.where(past.regular, 1, 2), 0).astype(np.int8),
                steady_rate=(past.steady_per_s / usual_per_s).astype(np.float32),
                recent_rate=(past.recent_per_s / usual_per_s).astype(np.float32),
                unprompted_rate=(past.unprompted_per_s / usual_per_s).astype(np.float32),
                usual_rate_per_s=usual_per_s,
                hint=habits.hint[rows],
                hint_age_s=(now_s - habits.hinted_s[rows]).astype(np.float32),
                announced=~np.isnan(part.scheduled_call_s),
            )

    def _read(self, snapshot: Snapshot, rows: slice, due_s: F32) -> None:
        """Renew the distances of some rows, and take a lesson of them if it is time."""
        part = snapshot.part(rows)
        encounter_s, self.met = encounter(snapshot, self.assumed, self.met)
        self._proximity_s[rows] = proximity_s = proximity(part, self.assumed)
        since_s = self._in_reach_since_s[rows]
        since_s[:] = np.where(proximity_s == 0.0, np.minimum(since_s, part.game_time_s), np.inf)
        readings = self._readings(part, rows, proximity_s, encounter_s[rows])
        evidence = encode(readings)
        soonest_s, maker = soonest_source(readings)
        winner = maker.copy()
        self._smallest_s[rows] = soonest_s
        hinted = (readings.hint > 0.0) & (readings.hint_age_s < WINDOW_S)
        logit = self.model.logit(evidence)
        logit[(maker == Estimator.NONE) & ~hinted] = -np.inf
        learned_s = certain_s(logit)
        self._learned_s[rows] = learned_s
        if self.has_word:
            winner[hinted] = Estimator.CHAIN
            if self._trust.holds:
                soonest_s = learned_s
            else:  # The model's distances, dealt out in the better order.
                dealt_s = np.sort(learned_s)
                soonest_s = dealt_s[np.argsort(np.argsort(soonest_s, kind="stable"))]
        self._told_s[rows], self._winner[rows] = soonest_s, winner
        if not self._lessons.due(snapshot.game_time_s):
            return
        free = snapshot.alive[rows] & ~snapshot.in_conversation[rows]
        # An announced call proves the announcement: it teaches nothing about the rest.
        eligible = np.flatnonzero(free & ~(due_s[rows] < KNOWN_AFTER_S))
        picked = self._lessons.pick(eligible)
        if not len(picked):
            return
        of_all = len(eligible) * len(snapshot.alive) / len(readings.hint)
        each = of_all / len(picked) * PERIOD_S / TAU_S
        shown = evidence.take(picked)
        self._lessons.begin(
            Lesson(
                time_s=snapshot.game_time_s,
                handle=snapshot.handle[rows][picked].copy(),
                evidence=shown,
                logit=logit[picked],
                raised=raised(self.model, shown, maker[picked], readings.usual_rate_per_s),
                each=each,
            )
        )

    def _teach(self, now_s: float) -> None:
        for lesson, came_s in self._lessons.ended(now_s):
            if self.has_word:
                self.record.take(lesson, came_s)
            self.model.learn(lesson.evidence, np.exp(-came_s / TAU_S), lesson.each, PERIOD_S)

    def _turn(self, rows: int) -> slice:
        """The rows whose turn it is."""
        if rows <= ROWS_PER_ESTIMATE:
            return slice(0, rows)
        first = self._next_row if self._next_row < rows else 0
        self._next_row = first + ROWS_PER_ESTIMATE
        return slice(first, min(first + ROWS_PER_ESTIMATE, rows))

    def _grow(self, rows: int) -> None:
        more = rows - len(self._learned_s)
        if more > 0:
            unknown_s = np.full(more, np.inf, np.float32)
            self._told_s = np.append(self._told_s, unknown_s)
            self._learned_s = np.append(self._learned_s, unknown_s)
            self._smallest_s = np.append(self._smallest_s, unknown_s)
            self._winner = np.append(self._winner, np.full(more, Estimator.NONE, np.uint8))
            self._proximity_s = np.append(self._proximity_s, np.full(more, np.inf, np.float32))
            self._in_reach_since_s = np.append(self._in_reach_since_s, np.full(more, np.inf))


def _log_odds(worth: F64) -> F32:
    bounded = np.clip(worth, 3e-4, 1.0 - 3e-4)
    return np.log(bounded / (1.0 - bounded)).astype(np.float32)


def _ago(now_s: float, since_s: F64) -> F32:
    """Seconds since then; +inf where it is not so."""
    return np.where(np.isfinite(since_s), now_s - since_s, np.inf).astype(np.float32)
