"""One world's NPCs as parallel arrays, as they stand at one tick."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """N NPC rows and P players at one instant of game time.

    An NPC keeps its row for as long as it lives; the row of a despawned NPC has ``alive`` False
    and may be handed to a later spawn. All arrays live on the CPU and are read-only views of the
    world's storage: use them before the next call that changes the world, copy what must last.
    """

    game_time_s: float
    alive: NDArray[np.bool_]
    """(N,) bool. Rows that are False hold leftovers; their distance is +inf."""
    handle: NDArray[np.uint32]
    """(N,) uint32, the handle of the NPC on each row."""
    position_m: NDArray[np.float32]
    """(N, 3) float32, always finite."""
    velocity_mps: NDArray[np.float32]
    """(N, 3) float32, always finite."""
    interaction_radius_m: NDArray[np.float32]
    """(N,) float32, >= 0: how near a player comes before a talk can start."""
    sociability: NDArray[np.float32]
    """(N,) float32 in [0, 1]; 0 = never talks to other NPCs."""
    scheduled_call_s: NDArray[np.float64]
    """(N,) float64, absolute game time of the next call the game announced; NaN = none."""
    in_conversation: NDArray[np.bool_]
    """(N,) bool: a turn of this NPC is open or queued."""
    last_call_s: NDArray[np.float64]
    """(N,) float64, absolute game time at which the last call ended; NaN = never called."""
    player_position_m: NDArray[np.float32]
    """(P, 3) float32."""
    player_velocity_mps: NDArray[np.float32]
    """(P, 3) float32."""
    player_max_speed_mps: float
    """The fastest a player of this world can move, as the game declared it; > 0."""
    npc_max_speed_mps: float
    """The fastest an NPC of this world can move, as the game declared it; >= 0."""

    def part(self, rows: slice | NDArray[np.intp]) -> Snapshot:
        """The same instant with only these NPCs; views if they are a slice."""
        return replace(
            self,
            alive=self.alive[rows],
            handle=self.handle[rows],
            position_m=self.position_m[rows],
            velocity_mps=self.velocity_mps[rows],
            interaction_radius_m=self.interaction_radius_m[rows],
            sociability=self.sociability[rows],
            scheduled_call_s=self.scheduled_call_s[rows],
            in_conversation=self.in_conversation[rows],
            last_call_s=self.last_call_s[rows],
        )
