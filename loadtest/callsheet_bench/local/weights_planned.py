"""Three models and room for two, the planner alone: no model is run, so no other work disturbs it.

The controller and the planner are the server's own; the time is simulated. Loading a model takes
``LOAD_S``, one at a time. A call that finds its model unloaded waits until it is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from callsheet_bench.local.planned import SIGMA
from callsheet_residency.actions import Action, Load, Plan
from callsheet_residency.settings import PolicySettings
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.simulated import SimulatedStore
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.policies import DISTANCE, NAIVE

__all__ = ["hit_rates"]

MODELS, ROOM_MODELS, NPCS, CALLS = 3, 2, 24, 400
MODEL_BYTES = 1_000_000_000
CALL_S, LOAD_S, STEP_S = 2.0, 1.0, 0.1


def hit_rates(seed: int = 1) -> dict[str, float]:
    """Share of calls whose model was loaded, by policy."""
    rng = np.random.default_rng(seed)
    calls = rng.integers(NPCS, size=CALLS).tolist()
    return {
        "distance": _Town(looks_ahead=True).play(calls, rng),
        "lru": _Town(looks_ahead=False).play(calls, rng),
    }


@dataclass
class _Town:
    looks_ahead: bool
    now_s: float = 0.0
    moves: list[Action] = field(default_factory=list)
    under_way: Action | None = None
    done_s: float = 0.0
    """Time at which the move under way ends."""

    def __post_init__(self) -> None:
        room = {Tier.DEVICE: ROOM_MODELS * MODEL_BYTES, Tier.DISK: MODELS * MODEL_BYTES}
        self.store = SimulatedStore(StateKind.WEIGHTS, room, np.inf)
        policy = DISTANCE if self.looks_ahead else NAIVE
        settings = PolicySettings(
            device_headroom=0.0, assumed_device_link_bytes_per_s=MODEL_BYTES / LOAD_S
        )
        self.controller = ResidencyController([self.store], settings, policy)
        for model in range(MODELS):
            self.store.put(model, MODEL_BYTES)
            self.store.evict(model, Tier.DISK)
        for npc in range(NPCS):
            self.controller.link("town", npc, StateKind.WEIGHTS, npc % MODELS)

    def play(self, calls: list[int], rng: np.random.Generator) -> float:
        """Play the calls; returns the share whose model was loaded."""
        hits, used_s = 0, np.full(NPCS, -np.inf)
        for index, npc in enumerate(calls):
            due_s = self.now_s + CALL_S
            until_s = np.full(NPCS, np.inf)
            for later in reversed(range(index, min(index + NPCS, len(calls)))):
                until_s[calls[later]] = (1 + later - index) * CALL_S
            told_s = until_s * rng.lognormal(0.0, SIGMA, NPCS)
            self._tell(told_s if self.looks_ahead else self.now_s - used_s)
            while self.now_s < due_s:
                self._advance(self.controller.step(self.now_s))
            model = npc % MODELS
            hits += self.store.tier(model) is Tier.DEVICE
            used_s[npc] = self.now_s
            known_s = told_s if self.looks_ahead else self.now_s - used_s
            self._tell(np.where(np.arange(NPCS) == npc, 0.0, known_s))
            while self.store.tier(model) is not Tier.DEVICE:
                self._advance(self.controller.demand(StateKind.WEIGHTS, model))
        return hits / len(calls)

    def _tell(self, distance_s: NDArray[np.float64]) -> None:
        self.controller.set_distances("town", distance_s.astype(np.float32))

    def _advance(self, plan: Plan) -> None:
        """Let a step of time pass, and moves with it."""
        if plan.actions and not self.moves:
            self.done_s = self.now_s
        self.moves.extend(plan.actions)
        self.now_s += STEP_S
        while self.moves and self.now_s >= self.done_s:
            action = self.moves[0]
            if action is not self.under_way:
                self.under_way = action
                self.controller.started(action)
                if isinstance(action, Load):
                    self.done_s = self.now_s + LOAD_S
                    continue
            move = self.store.load if isinstance(action, Load) else self.store.evict
            self.controller.finished(action, move(action.key, action.target), LOAD_S, None)
            del self.moves[0]
