"""People of the benchmark: personas of a given length, and what is asked of them."""

from __future__ import annotations

import itertools

from callsheet_server.engine.engine import GenerationRequest, NpcProfile, Sampling
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

__all__ = ["PERSONA_TOKENS", "REPLY_TOKENS", "WORLD", "profile", "question"]

PERSONA_TOKENS = 600
REPLY_TOKENS = 64
WORLD = "bench"
TOKENS_PER_WORD = 1.3
"""Of the default model's tokenizer, on this text."""
FACTS = (
    "keeps the ledgers of the harbour",
    "has sailed twice around the cape",
    "never forgets a debt",
    "sings when the fog comes in",
    "quarrels with the miller about the weir",
    "feeds the grey cat behind the chandlery",
)
TOPICS = ("harbour", "miller", "ledgers", "fog", "chandlery", "cape", "grey cat", "weir", "debts")
_serial = itertools.count()


def profile(npc: str, tokens: int = PERSONA_TOKENS, archetype: str | None = None) -> NpcProfile:
    """An NPC with a persona of about ``tokens`` tokens, like nobody else's from the first word."""
    words = f"{npc} is a townsman of Saltmere".split()
    for number, fact in enumerate(itertools.cycle(FACTS)):
        if len(words) * TOKENS_PER_WORD >= tokens:
            break
        words += f"and {fact} since year {number + 1},".split()
    return NpcProfile(NpcKey(WORLD, npc), npc, " ".join(words), archetype=archetype)


def question(npc: str, tokens: int = REPLY_TOKENS) -> GenerationRequest:
    """A line to which a long answer comes; ``tokens`` end it.

    No line is asked twice, so that nobody has its KV already.
    """
    number = next(_serial)
    topic = TOPICS[number % len(TOPICS)]
    line = f"{number + 1} ships came in today. Tell me all about the {topic}, and at length."
    return GenerationRequest(
        request_id=f"ask-{number}",
        npc=NpcKey(WORLD, npc),
        turns=(Turn("Anna", line),),
        max_new_tokens=tokens,
        sampling=Sampling(temperature=0.0),
    )
