"""A town's day as prompts of random tokens: nothing computes them, so nothing need be text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from callsheet_bench.emulated.cells import (
    PERSONA_TOKENS,
    QUESTION_TOKENS,
    WORLD_TOKENS,
    Cell,
)
from callsheet_server.tools.simulation.town_trace import record_town
from callsheet_server.tools.town.simulation import TownSimulation
from callsheet_server.trace import Trace

__all__ = ["Call", "Town"]

DAYS_S = 960.0
TICK_S = 0.25
HISTORY_S = 60.0
"""Game time before the first call: the estimators are to know what was before."""
WINDOW_CALLS = 800
"""Calls from where a round begins to where the next one does: none finds the last one's callers."""
FIRST_TOKEN, LAST_TOKEN = 1000, 40_000
PLAYERS = 2


@dataclass(frozen=True, slots=True)
class Call:
    """A prompt, ready to be sent."""

    npc: int
    time_s: float
    """Game time."""
    input_ids: list[int]
    prefix_tokens: int
    reply_tokens: int


class Town:
    """Its people with their personas, and its day."""

    def __init__(self, npcs: int, seed: int = 1) -> None:
        self._seed = seed
        self._draw = np.random.default_rng(seed)
        self._questions = np.random.default_rng()
        """Never the same: SGLang may still have the KV cache of a question asked before."""
        self.npcs = npcs
        self.world_ids = _tokens(self._draw, WORLD_TOKENS)
        lengths = self._draw.integers(*PERSONA_TOKENS, npcs, endpoint=True).tolist()
        self.persona_ids = [_tokens(self._draw, length) for length in lengths]
        self.trace: Trace = record_town(TownSimulation(npcs, PLAYERS, seed), DAYS_S, TICK_S)
        calls = self.trace.calls
        self._first = next(at for at, call in enumerate(calls) if call.time_s >= HISTORY_S)

    @property
    def persona_tokens(self) -> int:
        """Of everybody together."""
        return sum(map(len, self.persona_ids))

    def device_tokens(self, cell: Cell) -> int:
        """Size of the device pool: so many personas, and room for what runs."""
        turn = QUESTION_TOKENS + cell.reply_tokens[1]
        running = cell.concurrency * (PERSONA_TOKENS[1] + turn)
        kept = round(cell.pool_share * self.persona_tokens) + cell.concurrency * turn
        return WORLD_TOKENS + max(kept, running)

    def greetings(self) -> Iterator[Call]:
        """A prompt of everybody, for the host tier to know them."""
        for npc in range(self.npcs):
            yield self._call(npc, 0.0, 1)

    def calls(self, cell: Cell, window: int, before: int = 0) -> Iterator[Call]:
        """The calls of the town's day from so many before window number ``window`` on.

        The same arguments give the same calls, but for the words of the questions.
        """
        self._draw = np.random.default_rng((self._seed, window, before))
        known = len(self.trace.calls) - self._first
        at = self._first + window * WINDOW_CALLS % max(known - WINDOW_CALLS, 1)
        for call in self.trace.calls[max(at - before, 0) :]:
            npc = call.row
            if self._draw.random() < cell.random_share:
                npc = int(self._draw.integers(self.npcs))
            low, high = cell.reply_tokens
            yield self._call(npc, call.time_s, int(self._draw.integers(low, high, endpoint=True)))

    def _call(self, npc: int, time_s: float, reply_tokens: int) -> Call:
        prefix = self.world_ids + self.persona_ids[npc]
        ids = prefix + _tokens(self._questions, QUESTION_TOKENS)
        return Call(npc, time_s, ids, len(prefix), reply_tokens)


def _tokens(draw: np.random.Generator, count: int) -> list[int]:
    ids: list[int] = draw.integers(FIRST_TOKEN, LAST_TOKEN, count).tolist()
    return ids
