"""Five estimators, one number: the invocation distance of every NPC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from callsheet_server.distance.assumptions import Assumptions
from callsheet_server.distance.conversation import conversation
from callsheet_server.distance.encounter import EncounterState, encounter
from callsheet_server.distance.history import history
from callsheet_server.distance.proximity import proximity
from callsheet_server.distance.schedule import schedule
from callsheet_server.world.snapshot import Snapshot

__all__ = ["Distances", "Estimator", "estimate"]


class Estimator(IntEnum):
    """Source of an NPC's distance. In a tie the first of this order is named: the surest one."""

    CONVERSATION = 0
    SCHEDULE = 1
    PROXIMITY = 2
    ENCOUNTER = 3
    HISTORY = 4
    NONE = 5
    """No estimator expects a call: the distance is +inf."""


@dataclass(frozen=True, slots=True)
class Distances:
    """The invocation distances of one world's N rows at one instant."""

    now_s: float
    """Game time they hold for."""
    distance_s: NDArray[np.float32]
    """(N,) float32, >= 0, seconds of game time to the next expected call; dead rows +inf.

    Read-only, as ``winner`` is: other threads may keep it.
    """
    winner: NDArray[np.uint8]
    """(N,) uint8, an ``Estimator``."""
    proximity_s: NDArray[np.float32]
    """(N,) float32, what that estimator alone expects; for ``explain``."""
    encounter: EncounterState
    """Carried to the next ``estimate``; see ``encounter.py``."""


def estimate(
    snapshot: Snapshot, assumed: Assumptions, previous: Distances | None = None
) -> Distances:
    """Run the estimators; the smallest wins. Pure: owns its output, keeps no view of ``snapshot``.

    Args:
        snapshot: N rows.
        assumed: of the estimators.
        previous: the result of the tick before in the same world, or None.
    """
    encounter_s, state = encounter(snapshot, assumed, previous.encounter if previous else None)
    proximity_s = proximity(snapshot, assumed)
    distance_s = conversation(snapshot)
    winner = np.full(len(distance_s), Estimator.NONE, np.uint8)
    winner[snapshot.in_conversation] = Estimator.CONVERSATION
    for estimator, value_s in (
        (Estimator.SCHEDULE, schedule(snapshot, assumed)),
        (Estimator.PROXIMITY, proximity_s),
        (Estimator.ENCOUNTER, encounter_s),
        (Estimator.HISTORY, history(snapshot)),
    ):
        winner[value_s < distance_s] = estimator
        np.minimum(distance_s, value_s, out=distance_s)
    dead = ~snapshot.alive
    distance_s[dead] = np.inf
    winner[dead] = Estimator.NONE
    for array in (distance_s, winner):
        array.flags.writeable = False
    return Distances(snapshot.game_time_s, distance_s, winner, proximity_s, state)
