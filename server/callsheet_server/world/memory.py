"""Memory of an NPC: its latest turns word for word, and the facts its script noted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Memory", "Turn", "estimated_tokens", "most_turns", "window"]

MESSAGE_TOKENS: Final = 8
"""Tokens that a chat template puts around a turn, about."""
MAX_AWAY: Final = 10_000
"""NPCs whose memory is kept while they are not in the world, where nothing is kept on disk."""
BYTES_PER_TOKEN: Final = 3
"""Bytes of UTF-8 per token; English has more than 4, so estimates are on the safe side."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said or done. ``speaker`` is None for the NPC's own turns."""

    speaker: str | None
    text: str


def estimated_tokens(turn: Turn) -> int:
    """About how many tokens a turn takes in a prompt; no tokenizer is asked."""
    said_bytes = len((turn.speaker or "").encode()) + len(turn.text.encode())
    return MESSAGE_TOKENS + -(-said_bytes // BYTES_PER_TOKEN)


def most_turns(budget_tokens: int) -> int:
    """Most turns that can fit into a budget; at least one is always kept."""
    return max(1, budget_tokens // MESSAGE_TOKENS)


def window(turns: Sequence[Turn], budget_tokens: int) -> tuple[Turn, ...]:
    """The latest turns that a prompt may hold.

    All of them as long as they fit; else as many as fit into half the budget. So a window that
    is kept up with every turn only grows at its end, and the KV of what stands before stays good,
    but for a cut once in half a budget. The last turn stays, whatever its length.
    """
    if sum(map(estimated_tokens, turns)) <= budget_tokens:
        return tuple(turns)
    start, left_tokens = len(turns), budget_tokens // 2
    while (left_tokens := left_tokens - estimated_tokens(turns[start - 1])) >= 0:
        start -= 1
    return tuple(turns[min(start, len(turns) - 1) :])


class Memory:
    """The turns and facts of all NPCs of a world."""

    def __init__(self, budget_tokens: int) -> None:
        """``budget_tokens``: of the turns of one NPC, see ``window``."""
        self.budget_tokens = budget_tokens
        self._turns: dict[str, tuple[Turn, ...]] = {}
        self._facts: dict[str, dict[str, Any]] = {}
        self._away: OrderedDict[str, tuple[tuple[Turn, ...], Mapping[str, Any]]] = OrderedDict()
        """Turns and facts of those who left; the longest away are forgotten first."""

    def turns(self, npc: str) -> tuple[Turn, ...]:
        """The window, oldest first."""
        return self._turns.get(npc, ())

    def facts(self, npc: str) -> Mapping[str, Any]:
        """JSON values by name."""
        return self._facts.get(npc, {})

    def add(self, npc: str, *turns: Turn) -> None:
        """Add turns to the window; what no longer fits leaves it."""
        if turns:
            self._turns[npc] = window((*self.turns(npc), *turns), self.budget_tokens)

    def note(self, npc: str, facts: Mapping[str, Any]) -> None:
        """Set facts; a value of None takes one away."""
        known = {**self._facts.pop(npc, {}), **facts}
        left = {name: value for name, value in known.items() if value is not None}
        if left:
            self._facts[npc] = left

    def put(self, npc: str, turns: Iterable[Turn], facts: Mapping[str, Any]) -> None:
        """Replace all that an NPC remembers."""
        self.forget(npc)
        self.add(npc, *turns)
        self.note(npc, facts)

    def recall(self, npc: str, turns: Iterable[Turn], facts: Mapping[str, Any]) -> None:
        """Add what an NPC remembered before what it has learnt since it came."""
        self.put(npc, (*turns, *self.turns(npc)), {**facts, **self.facts(npc)})

    def leave(self, npc: str, *, keep: bool) -> None:
        """Let an NPC go; ``keep``: ``come`` brings back what it remembers."""
        if keep and (self.turns(npc) or self.facts(npc)):
            self._away[npc] = self.turns(npc), self.facts(npc)
            if len(self._away) > MAX_AWAY:
                self._away.popitem(last=False)
        self._turns.pop(npc, None)
        self._facts.pop(npc, None)

    def come(self, npc: str) -> None:
        """Bring back what an NPC that left remembers."""
        if npc in self._away:
            self.recall(npc, *self._away.pop(npc))

    def everybody(self) -> list[str]:
        """All who remember anything, those away too."""
        return list({**self._turns, **self._facts, **self._away})

    def forget(self, npc: str) -> None:
        """Forget all that an NPC remembers, away or not."""
        self.leave(npc, keep=False)
        self._away.pop(npc, None)
