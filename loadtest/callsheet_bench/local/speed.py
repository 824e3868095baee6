"""Tokens a second, and how long the last of several speakers waits for a first token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from callsheet_bench.local.cast import REPLY_TOKENS
from callsheet_bench.local.contenders import Contender

__all__ = ["AT_ONCE", "NPCS", "Speed", "measure_round", "warm"]

AT_ONCE = (1, 4, 8)
NPCS = [f"speaker-{number}" for number in range(max(AT_ONCE))]


@dataclass
class Speed:
    """Figures of one contender, a value per round."""

    tokens_per_s: dict[int, list[float]] = field(
        default_factory=lambda: {count: [] for count in AT_ONCE}
    )
    """NPCs at once -> tokens/s of all together."""
    last_over_first: list[float] = field(default_factory=list)
    """First token of the last of eight over that of the first."""
    last_ttft_s: list[float] = field(default_factory=list)


async def warm(contender: Contender) -> None:
    """Have everybody's prefix computed."""
    for npc in NPCS:
        await contender.ask(npc, 1)


async def measure_round(
    contenders: Mapping[str, Contender], found: Mapping[str, Speed], number: int
) -> None:
    """Have every contender speak once in each company, another one first in every round."""
    names = list(contenders)
    first = number % len(names)
    for count in AT_ONCE:
        for name in names[first:] + names[:first]:
            await _speak(contenders[name], count, found[name])


async def _speak(contender: Contender, count: int, speed: Speed) -> None:
    began_s = time.perf_counter()
    replies = await asyncio.gather(*(contender.ask(npc, REPLY_TOKENS) for npc in NPCS[:count]))
    took_s = time.perf_counter() - began_s
    speed.tokens_per_s[count].append(sum(reply.tokens for reply in replies) / took_s)
    if count == max(AT_ONCE):
        waits = sorted(reply.ttft_s for reply in replies)
        speed.last_over_first.append(waits[-1] / waits[0])
        speed.last_ttft_s.append(waits[-1])
