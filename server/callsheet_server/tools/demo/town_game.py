"""The town as a game: ticks, hints and talk, through the SDK like anybody else's game."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callsheet import Client
from callsheet.core.batches import Handles
from callsheet.wire.observe import NpcState, NpcStates
from callsheet.wire.talk import Speaker
from callsheet.wire.world import Hint, NpcSpec, PlayerSpec
from callsheet_server.tools.demo.game import ask
from callsheet_server.tools.demo.people import LORE, biographies
from callsheet_server.tools.town.simulation import (
    PLAYER_MPS,
    REACH_M,
    WALK_MPS,
    Cause,
    TownCall,
    TownSimulation,
    TownStep,
)

__all__ = ["Pace", "TownGame"]

OPENING_S = 30.0
"""Game time at which the curtain rises: people are on their way to work."""
OPENING_STEP_S = 0.5
PREPARED_AT_ONCE = 4
PREPARE_PERIOD_S = 0.1
MAX_PREPARE_S = 30.0
"""After this the play begins, whoever is ready."""
MAX_LAG_S = 1.0
"""A game that is later than this goes on from now instead of catching up."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Pace of the town's life."""

    hz: float
    """Ticks per second of real time."""
    speed: float
    """Seconds of game time per second of real time."""
    max_open: int
    """Replies under way beyond which nobody begins a talk, so that no queue grows without end."""
    seconds: float | None = None
    """Of real time, once the NPCs are ready; None = until cancelled."""


class TownGame:
    """A ``Game``. One object, one run."""

    def __init__(self, town: TownSimulation, seed: int, pace: Pace) -> None:
        self._town = town
        self._seed = seed
        self._pace = pace
        self._answering: Counter[int] = Counter()
        self._last_words: dict[int, str] = {}
        self._hinted_s = np.full(len(town.cast), np.nan)
        self.errors: Counter[str] = Counter()

    async def run(self, client: Client) -> None:
        """Play, as the protocol says; answers under way at the end are not waited for."""
        await client.configure_world(
            lore=LORE, player_max_speed_mps=PLAYER_MPS, npc_max_speed_mps=WALK_MPS
        )
        handles = await client.spawn(self._npcs(), self._players())
        while self._town.time_s < OPENING_S:
            step = self._town.step(OPENING_STEP_S, quiet=True)
        if client.welcome.engine.keeps_residency:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MAX_PREPARE_S):
                    await self._prepare(client, handles, step)
        seconds = math.inf if self._pace.seconds is None else self._pace.seconds
        ends_s = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as asks:
            for answer in await self._play(client, handles, asks, ends_s):
                answer.cancel()

    def _npcs(self) -> list[NpcSpec]:
        town = self._town
        texts = biographies(town.cast, self._seed)
        return [
            NpcSpec(
                npc=character.id,
                name=character.name,
                persona=text,
                archetype=character.trade,
                interaction_radius_m=REACH_M,
                sociability=sociability,
            )
            for character, text, sociability in zip(
                town.cast, texts, town.sociability.tolist(), strict=True
            )
        ]

    def _players(self) -> list[PlayerSpec]:
        return [PlayerSpec(player=_player_id(name), name=name) for name in self._town.player_names]

    async def _prepare(self, client: Client, handles: Handles, step: TownStep) -> None:
        """Have every prefix computed once, a few at a time, as a game's loading screen would.

        Hints say that the next few are needed now; the planner parks those before them.
        """
        states: dict[str, NpcState] = {}
        end = client.on(lambda told: states.update((n.npc, n) for n in told.npcs), NpcStates)
        await client.subscribe("npcs", interval_s=PREPARE_PERIOD_S)
        hinted: list[str] = []
        try:
            while len(states) < len(handles.npcs) or _absent(states.values()):
                done = [Hint(npc=npc) for npc in hinted]
                hinted = _absent(states.values())[:PREPARED_AT_ONCE]
                if hints := [*done, *(Hint(npc=npc, in_s=0.0) for npc in hinted)]:
                    await client.hint_calls(hints)
                await client.send_tick(
                    step.time_s, list(handles.npcs.values()), step.position_m, keyframe=True
                )
                await asyncio.sleep(PREPARE_PERIOD_S)
            if hinted:
                await client.hint_calls([Hint(npc=npc) for npc in hinted])
        finally:
            end()
            await client.subscribe()

    async def _play(
        self, client: Client, handles: Handles, asks: asyncio.TaskGroup, ends_s: float
    ) -> set[asyncio.Task[None]]:
        """Step the town at its pace until ``ends_s`` of the loop's clock.

        Returns:
            The answers that are still under way.
        """
        npc_handles = np.array([handles.npcs[c.id] for c in self._town.cast], np.uint32)
        player_handles = np.array(list(handles.players.values()), np.uint32)
        loop, period_s = asyncio.get_running_loop(), 1.0 / self._pace.hz
        answers: set[asyncio.Task[None]] = set()
        next_s = loop.time()
        while next_s < ends_s:
            quiet = self._answering.total() >= self._pace.max_open
            step = self._town.step(period_s * self._pace.speed, self._answering.keys(), quiet)
            await client.send_tick(
                step.time_s,
                npc_handles,
                step.position_m,
                step.velocity_mps,
                self._new_hints(step),
                player_handles=player_handles,
                player_positions_m=step.player_position_m,
                player_velocities_mps=step.player_velocity_mps,
            )
            for call in step.calls:
                if call.cause is Cause.SCHEDULE and self._answering:
                    continue  # musings fill the silence, no more
                self._answering[call.npc] += 1
                answer = asks.create_task(self._ask(client, call))
                answers.add(answer)
                answer.add_done_callback(answers.discard)
            next_s = max(next_s + period_s, loop.time() - MAX_LAG_S)
            await asyncio.sleep(next_s - loop.time())
        return answers

    def _new_hints(self, step: TownStep) -> NDArray[np.float32]:
        """(N,) seconds to the next scheduled call where that has changed, else NaN."""
        changed = step.scheduled_call_s != self._hinted_s
        self._hinted_s = step.scheduled_call_s
        in_s = np.where(changed, step.scheduled_call_s - step.time_s, np.nan)
        return np.maximum(in_s, 0.0).astype(np.float32)

    async def _ask(self, client: Client, call: TownCall) -> None:
        """Have one line said and wait for the answer."""
        npc = self._town.cast[call.npc].id
        try:
            end = await ask(client, self.errors, npc, self._words(call), self._speaker(call))
        finally:
            self._answering[call.npc] -= 1
            if not self._answering[call.npc]:
                del self._answering[call.npc]
        if end is not None:
            self._last_words[call.npc] = end.text.strip()

    def _words(self, call: TownCall) -> str:
        """Choose the words: in a talk of two NPCs, each hears what the other has just said."""
        if call.partner is None or call.turn == 0:
            return call.text
        return self._last_words.get(call.partner) or call.text

    def _speaker(self, call: TownCall) -> Speaker:
        match call.cause:
            case Cause.ENCOUNTER:
                assert call.partner is not None
                return Speaker(kind="npc", id=self._town.cast[call.partner].id)
            case Cause.PLAYER:
                return Speaker(kind="player", id=_player_id(call.speaker))
            case Cause.SCHEDULE:
                return Speaker(kind="narrator")


def _player_id(name: str) -> str:
    return name.lower().replace(" ", "-")


def _absent(states: Iterable[NpcState]) -> list[str]:
    """List the NPCs whose prefix is in no tier, those needed soonest first."""
    absent = [npc for npc in states if npc.tier == "absent"]
    absent.sort(key=lambda npc: math.inf if npc.distance_s is None else npc.distance_s)
    return [npc.npc for npc in absent]
