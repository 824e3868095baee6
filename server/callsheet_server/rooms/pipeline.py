"""One tick's journey, layer by layer, and the few other ways state and distances change."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.fields import PolicyName
from callsheet.wire.observe import Explanation
from callsheet.wire.tick import Tick
from callsheet.wire.world import NpcSpec, TickAck
from callsheet_residency.actions import Plan
from callsheet_residency.state import StateKind, StateStore, Tier
from callsheet_server.distance import ROWS_PER_ESTIMATE, Distances, explain
from callsheet_server.engine.engine import Drainable, Engine, ManyModels, NpcProfile
from callsheet_server.engine.errors import EngineError
from callsheet_server.engine.mover import Mover
from callsheet_server.outgoing import views
from callsheet_server.residency.controller import ResidencyController
from callsheet_server.residency.policies import LIVE_POLICIES
from callsheet_server.rooms.room import Room
from callsheet_server.world.errors import bad_value
from callsheet_server.world.world import TickReport, World

__all__ = ["ESTIMATE_PERIOD_S", "Pipeline"]

ESTIMATE_PERIOD_S: Final = 0.5
"""Time between two estimates of a world, whatever its tick rate: prefetching looks seconds ahead,
and who is spoken to is loaded at once. A world of more NPCs than one estimate reads anew is
estimated more often, by as much."""
ESTIMATE_GAME_S: Final = 1.0
"""Game time that no estimate lags behind, where a game's clock runs faster or jumps."""


class Pipeline:
    """Carries ticks through world, distance, residency and engine, in this order."""

    def __init__(
        self,
        engine: Engine,
        stores: Sequence[StateStore],
        controller: ResidencyController,
        mover: Mover,
        clock: Callable[[], float],
        planned: Callable[[Plan, float], None],
        style: str = "",
    ) -> None:
        """``planned`` is told of every plan with moves in it and the seconds it took.

        ``style`` ends the persona of every NPC.
        """
        self._engine = engine
        self._controller = controller
        self._mover = mover
        self._clock = clock
        self._planned = planned
        self._style = style
        self._stores = stores
        self._kinds = {store.kind for store in stores}
        self._models = engine if isinstance(engine, ManyModels) else None

    def tick(self, room: Room, tick: Tick) -> TickReport:
        """Take a tick in and act on it."""
        report = room.world.apply(tick)
        room.counters.ticks += 1
        room.counters.npc_updates += report.npc_updates
        room.is_behind = True
        self._estimate_if_due(room)
        room.tell_scripts(self._clock())
        if tick.ack and (game := room.game) is not None:
            game.send(TickAck(tick=tick.tick, game_time_s=tick.game_time_s), key="tick_ack")
        return report

    def catch_up(self, rooms: Iterable[Room]) -> None:
        """Estimate the worlds whose last ticks came before their time for it."""
        for room in rooms:
            self._estimate_if_due(room)

    def _estimate_if_due(self, room: Room) -> None:
        if not room.is_behind:
            return
        lag_s = math.inf if room.distances is None else _lag_s(room.world, room.distances)
        if self._clock() >= room.estimate_due_s or lag_s >= ESTIMATE_GAME_S:
            self.replan(room)

    def replan(self, room: Room) -> None:
        """Estimate a world's distances anew and start the moves that follow."""
        turns = max(1.0, room.world.columns.rows / ROWS_PER_ESTIMATE)
        period_s, now_s = ESTIMATE_PERIOD_S / turns, self._clock()
        room.estimate_due_s = max(room.estimate_due_s, now_s - period_s / 2) + period_s
        room.is_behind = False
        snapshot = room.world.snapshot()
        room.distances = room.forecast.estimate(snapshot)
        told_s = room.distances.distance_s
        if self._stores:  # Else the engine plans for itself.
            told_s = self._controller.policy.distance_s(_View(room.world, room.distances))
            told_s.setflags(write=False)
            self._controller.set_distances(room.name, told_s)
        self._engine.publish(room.name, room.world.row_ids, told_s)
        self.step()

    def step(self) -> None:
        """Plan with the distances as they are: time has passed or moves have ended."""
        self._note_changes()
        now_s = self._clock()
        plan = self._controller.step(now_s)
        if plan:
            self._planned(plan, self._clock() - now_s)
        self._mover.submit(plan)

    def _note_changes(self) -> None:
        """Look again at what the engine changed by itself; done often it is never much at once."""
        for store in self._stores:
            for key in store.take_changes():
                self._controller.refresh(store.kind, key)

    def demand(self, room: Room, npc: str) -> None:
        """Somebody talks to an NPC now: bring its state ahead of everything else."""
        spec = room.world.npc(npc).spec
        if self._models is not None:
            self._urgently(StateKind.WEIGHTS, self._models.model_of(spec.archetype))
        if spec.adapter is not None:
            self._urgently(StateKind.ADAPTER, spec.adapter)
        self._urgently(StateKind.PREFIX, room.key(npc))

    def _urgently(self, kind: StateKind, key: Hashable) -> None:
        if kind in self._kinds:
            self._mover.submit(self._controller.demand(kind, key), urgent=True)

    # --- who there is ------------------------------------------------------------------------

    def check_adapter(self, adapter: str | None, field: str) -> None:
        """Refuse an adapter the engine does not have, before anything is changed.

        Raises:
            CallsheetError: ``unknown_adapter``.
        """
        if adapter and adapter not in self._engine.adapters:
            known = (
                ", ".join(sorted(self._engine.adapters))
                or f"none; see [{self._engine.info.name}] adapters"
            )
            raise error_for(
                ErrorCode.UNKNOWN_ADAPTER,
                f"the engine has no adapter {adapter!r}; it has: {known}",
                field=field,
                value=f'"{adapter}"',
            )

    def put_npc(self, room: Room, spec: NpcSpec) -> None:
        """Announce an NPC to the engine, or its new profile; plan for its state from now on."""
        key, row = room.key(spec.npc), room.world.npc(spec.npc).row
        self._engine.put_npc(
            NpcProfile(key, spec.name, _persona(spec), spec.adapter, self._style, spec.archetype)
        )
        self._controller.unlink(room.name, row)
        for kind in (StateKind.PREFIX, StateKind.BLOB):
            self._controller.link(room.name, row, kind, key)
        if self._models is not None:
            model = self._models.model_of(spec.archetype)
            self._controller.link(room.name, row, StateKind.WEIGHTS, model)
        if spec.adapter is not None:
            self._controller.link(room.name, row, StateKind.ADAPTER, spec.adapter)
        self._note_changes()

    def forget(self, room: Room, npc: str) -> None:
        """Forget an NPC that is about to go."""
        key, row = room.key(npc), room.world.npc(npc).row
        self._controller.unlink(room.name, row)
        for kind in (StateKind.PREFIX, StateKind.BLOB):
            self._controller.untrack(kind, key)
        self._engine.forget_npc(key)

    def forget_world(self, room: Room) -> None:
        """Forget a world that is over: nothing of it is kept."""
        self._controller.forget_world(room.name)
        self._engine.forget_world(room.name)

    def set_lore(self, room: Room) -> Iterator[None]:
        """Pass on changed lore to the engine; in steps, every prefix of the world changes."""
        for _ in self._engine.set_world_prefix(room.name, room.world.lore):
            self._note_changes()
            yield

    @property
    def policy(self) -> str | None:
        """Name of the policy that moves state; None if the engine plans for itself."""
        return self._controller.policy.name if self._stores else None

    def set_policy(self, name: PolicyName) -> None:
        """Move state by another policy, from each world's next tick on.

        Raises:
            CallsheetError: ``bad_value``, the engine plans for itself.
        """
        if not self._stores:
            raise bad_value("this engine moves state by its own policy", "policy", name)
        self._controller.set_policy(LIVE_POLICIES[name])

    def drain_replica(self, name: str, *, undo: bool) -> None:
        """Have every NPC moved away from a replica of the engine.

        Raises:
            CallsheetError: ``bad_value``, there is no such replica or no other one.
        """
        if not isinstance(self._engine, Drainable):
            raise bad_value("this engine has no replicas", "replica", name)
        try:
            self._engine.drain(name, undo=undo)
        except EngineError as error:
            raise bad_value(str(error), "replica", name) from error

    # --- looking on --------------------------------------------------------------------------

    def prefix_tier(self, room: Room, npc: str) -> Tier:
        """Tier of an NPC's prefix; ``ABSENT`` if the engine does not tell."""
        prefixes = self._engine.prefixes
        return prefixes.tier(room.key(npc)) if prefixes is not None else Tier.ABSENT

    def prefix_bytes(self, room: Room, npc: str) -> int | None:
        """The size of an NPC's prefix; None if the engine keeps that to itself."""
        prefixes = self._engine.prefixes
        return prefixes.size_bytes(room.key(npc)) if prefixes is not None else None

    def explain(self, room: Room, npc: str, request: int) -> Explanation:
        """Say why an NPC has its distance."""
        if room.is_behind:
            self.replan(room)
        row = room.world.npc(npc).row
        found = explain(room.world.snapshot, row, room.forecast, room.distances)
        tier = self.prefix_tier(room, npc)
        note = self._engine.misfits.why(room.key(npc))
        return views.explanation(
            request, npc, room.world.game_time_s, tier, found, note, room.memory.turns(npc)
        )


def _lag_s(world: World, distances: Distances) -> float:
    """Game time since an estimate."""
    return world.game_time_s - distances.now_s


def _persona(spec: NpcSpec) -> str:
    """Text of the persona, and what the NPC knows besides."""
    if not spec.knowledge:
        return spec.persona
    facts = (" ".join(fact.split()) for fact in spec.knowledge)
    return "\n- ".join((f"{spec.persona}\n\nYou know:", *facts))


class _View:
    """A world at this moment, as policies look at it; the arrays are by NPC row."""

    def __init__(self, world: World, distances: Distances) -> None:
        self._world = world
        self._distances = distances

    def estimated_s(self) -> NDArray[np.float32]:
        return self._distances.distance_s

    def unused_s(self) -> NDArray[np.float32]:
        columns, rows = self._world.columns, self._world.columns.rows
        unused_s = self._world.game_time_s - columns.last_call_s[:rows]
        unused_s[np.isnan(unused_s)] = np.inf
        unused_s[columns.open_turns[:rows] > 0] = 0.0
        return unused_s.astype(np.float32)
