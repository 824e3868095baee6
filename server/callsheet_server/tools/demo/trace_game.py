"""A recorded session as a game: the same ticks and the same words, at any speed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from callsheet import Client, NpcSpec, PlayerSpec
from callsheet_server.tools.demo.game import ask
from callsheet_server.trace.trace import Trace, TraceCall, TraceTick

__all__ = ["TraceGame"]

_State = tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Rows of the NPCs who are there; their positions, velocities and new hints."""


class TraceGame:
    """A ``Game``. One object, one run."""

    def __init__(
        self, trace: Trace, speed: float, report: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        """Prepare to play.

        Args:
            trace: what happened.
            speed: 1 = as fast as it happened, 10 = ten times as fast.
            report: told how many ticks have been sent and how many answers are still to come.

        Raises:
            ValueError: calls without words, as simulations make them, cannot be said.
        """
        self._trace = trace
        self._speed = speed
        self._report = report
        self.errors: Counter[str] = Counter()
        if not all(call.text for call in trace.calls):
            raise ValueError("its calls have no text, so nobody can say them")

    async def run(self, client: Client) -> None:
        """Play, as the protocol says; returns when every answer has come."""
        trace = self._trace
        await client.configure_world(
            lore=trace.lore,
            player_max_speed_mps=trace.player_max_speed_mps,
            npc_max_speed_mps=trace.npc_max_speed_mps or None,
        )
        handles = await client.spawn(
            [
                NpcSpec(
                    npc=npc.id,
                    name=npc.name or npc.id,
                    persona=npc.persona,
                    archetype=npc.archetype,
                    adapter=npc.adapter,
                    interaction_radius_m=npc.interaction_radius_m,
                    sociability=npc.sociability,
                )
                for npc in trace.npcs
            ],
            [PlayerSpec(player=player.id, name=player.name) for player in trace.players],
        )
        npc_handles = np.array([handles.npcs[npc.id] for npc in trace.npcs], np.uint32)
        player_handles = np.array([handles.players[p.id] for p in trace.players], np.uint32)
        loop, started_s, sent = asyncio.get_running_loop(), 0.0, 0
        answers: set[asyncio.Task[object]] = set()
        async with asyncio.TaskGroup() as asks:
            for tick, state, calls in self._states():
                if not sent:
                    started_s = loop.time() - tick.time_s / self._speed
                await asyncio.sleep(started_s + tick.time_s / self._speed - loop.time())
                rows, position_m, velocity_mps, next_call_s = state
                await client.send_tick(
                    tick.time_s,
                    npc_handles[rows],
                    position_m,
                    velocity_mps,
                    next_call_s,
                    player_handles=player_handles[tick.player_rows],
                    player_positions_m=tick.player_position_m,
                    player_velocities_mps=tick.player_velocity_mps,
                )
                for call in calls:
                    answer = asks.create_task(self._ask(client, call))
                    answers.add(answer)
                    answer.add_done_callback(answers.discard)
                sent += 1
                self._report(sent, len(answers))
            while answers:
                await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
                self._report(sent, len(answers))

    async def _ask(self, client: Client, call: TraceCall) -> None:
        npc = self._trace.npcs[call.row].id
        await ask(client, self.errors, npc, call.text, call.speaker, call.max_tokens)

    def _states(self) -> Iterator[tuple[TraceTick, _State, list[TraceCall]]]:
        """Every tick, with the whole state after it and the calls made since the one before."""
        count = len(self._trace.npcs)
        position_m, velocity_mps = np.zeros((2, count, 3), np.float32)
        active = np.zeros(count, np.bool_)
        hinted_s = np.full(count, np.nan)
        made = 0
        for tick in self._trace.ticks:
            position_m[tick.rows] = tick.position_m
            velocity_mps[tick.rows] = tick.velocity_mps
            active[tick.rows], active[tick.inactive_rows] = True, False
            new = tick.scheduled_call_s != hinted_s[tick.rows]
            hinted_s[tick.rows] = tick.scheduled_call_s
            next_call_s = np.full(count, np.nan, np.float32)
            in_s = np.maximum(tick.scheduled_call_s - tick.time_s, 0.0)
            next_call_s[tick.rows[new]] = in_s[new]
            calls = []
            while made < len(self._trace.calls) and self._trace.calls[made].time_s <= tick.time_s:
                calls.append(self._trace.calls[made])
                made += 1
            rows = np.flatnonzero(active)
            yield tick, (rows, position_m[rows], velocity_mps[rows], next_call_s[rows]), calls
