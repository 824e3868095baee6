"""A town's day of calls, the same for everybody who is to serve it. Seeded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet_bench.cluster.workload import Calls, Crowd, draw_calls
from callsheet_server.engine.engine import GenerationRequest, NpcProfile, Sampling
from callsheet_server.engine.sglang.tokenizer import load_prompts
from callsheet_server.tools.town.cast import cast
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

__all__ = ["CONTEXT_TOKENS", "SPEED", "WORLD", "Day", "make_day"]

WORLD: Final = "town"
CONTEXT_TOKENS: Final = 2048
CALLS_PER_S: Final = 2.0
"""In the town's time."""
PREDICTABILITY: Final = 0.8
SPEED: Final = 3.0
"""Seconds of the town in a second here: some calls a second are what two cores can serve."""
TOLD_OF: Final = 2
"""Neighbours that a persona tells of: with them it has some hundred tokens."""
LINES: Final = 5
"""After so many calls of an NPC its talk begins anew."""
REPLY_TOKENS: Final = 4
LINE: Final = "Have you heard what they say at the well?"
ANSWER: Final = "Not a word, friend, and I have been here all day."


@dataclass(frozen=True, slots=True)
class Day:
    """N NPCs and C calls in order of time."""

    profiles: tuple[NpcProfile, ...]
    prefix_tokens: tuple[int, ...]
    """(N,) world and persona."""
    calls: Calls
    requests: tuple[GenerationRequest, ...]
    """(C,)"""
    prompts: tuple[tuple[int, ...], ...]
    """(C,) tokens of each."""

    @property
    def names(self) -> tuple[str, ...]:
        """(N,) names of the NPCs in their world."""
        return tuple(profile.key.npc for profile in self.profiles)

    def distance_s(self, now_s: float) -> NDArray[np.float32]:
        """(N,) float32, in seconds here: what is known ``now_s`` after the day's begin here."""
        return self.calls.distances(now_s * SPEED, len(self.profiles)) / np.float32(SPEED)


def make_day(tokenizer: Path, npcs: int, seconds: float, seed: int) -> Day:
    """Draw a day.

    Args:
        tokenizer: folder.
        npcs: how many.
        seconds: of the town's time.
        seed: of cast and calls.
    """
    profiles = _profiles(npcs, seed)
    even = np.full(npcs, 1.0 / npcs)
    calls = draw_calls(Crowd(npcs, CALLS_PER_S, seconds, PREDICTABILITY, even), seed)
    builder = load_prompts(str(tokenizer), CONTEXT_TOKENS)
    prefixes = [builder.prefix("", profile, "") for profile in profiles]
    said: Counter[int] = Counter()
    requests, prompts = [], []
    for number, npc in enumerate(calls.npc.tolist()):
        request = _request(number, profiles[npc].key, said[npc] % LINES)
        said[npc] += 1
        requests.append(request)
        prompts.append(builder.prompt(prefixes[npc], request))
    return Day(
        profiles,
        tuple(len(prefix.world) + len(prefix.persona) for prefix in prefixes),
        calls,
        tuple(requests),
        tuple(prompts),
    )


def _profiles(npcs: int, seed: int) -> tuple[NpcProfile, ...]:
    people = cast(npcs, seed)
    personas = [
        " ".join(people[(number + step) % npcs].persona for step in range(TOLD_OF + 1))
        for number in range(npcs)
    ]
    return tuple(
        NpcProfile(NpcKey(WORLD, one.id), one.name, persona)
        for one, persona in zip(people, personas, strict=True)
    )


def _request(number: int, key: NpcKey, lines_before: int) -> GenerationRequest:
    """A call whose turns do not depend on the replies, so that all are asked the same."""
    before = [
        turn for _ in range(lines_before) for turn in (Turn("Anna", LINE), Turn(None, ANSWER))
    ]
    return GenerationRequest(
        request_id=f"call-{number}",
        npc=key,
        turns=(*before, Turn("Anna", LINE)),
        max_new_tokens=REPLY_TOKENS,
        sampling=Sampling(temperature=0.0),
    )
