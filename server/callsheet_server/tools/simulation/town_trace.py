"""The predictable town as a trace: what the residency bench replays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from callsheet_server.tools.town.simulation import (
    PLAYER_MPS,
    REACH_M,
    WALK_MPS,
    TownSimulation,
    TownStep,
)
from callsheet_server.trace.trace import Trace, TraceCall, TraceNpc, TracePlayer, TraceTick

__all__ = ["record_town"]

CHARACTERS_PER_TOKEN = 4.0
MEMORY_TOKENS = 500
"""Tokens of what an NPC remembers, on top of its persona."""


def record_town(
    town: TownSimulation,
    seconds: float,
    tick_s: float = 0.1,
    bytes_per_token: int = 23_040,
    prefill_tokens_per_s: float = 2000.0,
    reply_s: float = 2.0,
) -> Trace:
    """Run ``town`` for ``seconds`` of game time and keep what a server would have been told.

    Args:
        town: advanced by this.
        seconds: length of the trace.
        tick_s: game time between ticks.
        bytes_per_token: of KV; the default is that of SmolLM2-135M in 16-bit floats.
        prefill_tokens_per_s: sets ``rebuild_s``.
        reply_s: how long every reply takes.
    """
    npcs = []
    for character, sociability in zip(town.cast, town.sociability.tolist(), strict=True):
        tokens = int(len(character.persona) / CHARACTERS_PER_TOKEN) + MEMORY_TOKENS
        npcs.append(
            TraceNpc(
                id=character.id,
                interaction_radius_m=REACH_M,
                sociability=sociability,
                size_bytes=tokens * bytes_per_token,
                rebuild_s=tokens / prefill_tokens_per_s,
                name=character.name,
                persona=character.persona,
            )
        )
    players = tuple(TracePlayer(name.lower().replace(" ", "-"), name) for name in town.player_names)
    trace = Trace("town", PLAYER_MPS, WALK_MPS, tuple(npcs), players=players)
    before: TownStep | None = None
    for _ in range(round(seconds / tick_s)):
        step = town.step(tick_s)
        rows = _changed(before, step)
        trace.ticks.append(
            TraceTick(
                step.time_s,
                rows,
                step.position_m[rows],
                step.velocity_mps[rows],
                step.scheduled_call_s[rows],
                step.player_position_m,
                step.player_velocity_mps,
                np.arange(len(step.player_position_m)),
                np.zeros(0, np.intp),
            )
        )
        trace.calls.extend(
            TraceCall(step.time_s, call.npc, reply_s, 40, text=call.text) for call in step.calls
        )
        before = step
    return trace


def _changed(before: TownStep | None, step: TownStep) -> NDArray[np.intp]:
    if before is None:
        return np.arange(len(step.position_m))
    moved = (before.position_m != step.position_m).any(axis=1)
    turned = (before.velocity_mps != step.velocity_mps).any(axis=1)
    return np.flatnonzero(moved | turned | (before.scheduled_call_s != step.scheduled_call_s))
