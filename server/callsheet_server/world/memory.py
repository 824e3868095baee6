"""Memory of an NPC: its latest turns word for word, and the facts its script noted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

__all__ = ["Memory", "Mind", "Turn", "estimated_tokens", "most_turns", "window"]

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


@dataclass(frozen=True, slots=True)
class Mind:
    """All that an NPC has at hand."""

    turns: tuple[Turn, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    unread: bool = False
    """True: what was said before ``turns`` is on the disk, and was not read yet."""


NOTHING: Final = Mind()


class Memory:
    """The turns and facts of all NPCs of a world."""

    def __init__(self, budget_tokens: int) -> None:
        """``budget_tokens``: of the turns of one NPC, see ``window``."""
        self.budget_tokens = budget_tokens
        self._minds: dict[str, Mind] = {}
        self._away: OrderedDict[str, Mind] = OrderedDict()
        """Those who left; the longest away are forgotten first."""

    def mind(self, npc: str) -> Mind:
        """All that an NPC has at hand, for ``put``."""
        return self._minds.get(npc, NOTHING)

    def turns(self, npc: str) -> tuple[Turn, ...]:
        """The window, oldest first."""
        return self.mind(npc).turns

    def facts(self, npc: str) -> Mapping[str, Any]:
        """JSON values by name."""
        return self.mind(npc).facts

    def add(self, npc: str, *turns: Turn) -> None:
        """Add turns to the window; what no longer fits leaves it."""
        mind = self.mind(npc)
        if turns:
            turns = window((*mind.turns, *turns), self.budget_tokens)
            self.put(npc, replace(mind, turns=turns))

    def note(self, npc: str, facts: Mapping[str, Any]) -> None:
        """Set facts; a value of None takes one away."""
        known = {**self.facts(npc), **facts}
        left = {name: value for name, value in known.items() if value is not None}
        self.put(npc, replace(self.mind(npc), facts=left))

    def put(self, npc: str, mind: Mind) -> None:
        """Replace all that an NPC has at hand."""
        self.forget(npc)
        if mind != NOTHING:
            self._minds[npc] = mind

    def put_back(self, npc: str, before: Mind, after: Mind) -> None:
        """Undo a change from ``before`` to ``after``; turns that were learnt since stay."""
        undone = set(map(id, after.turns))
        newer = [turn for turn in self.turns(npc) if id(turn) not in undone]
        self.put(npc, before)
        self.add(npc, *newer)

    def recall(self, npc: str, before: Mind) -> None:
        """Add what an NPC remembered before what it has learnt since."""
        mind = self.mind(npc)
        turns = (*before.turns, *mind.turns)
        if before.turns and mind.turns:
            turns = window(turns, self.budget_tokens)
        self.put(npc, Mind(turns, {**before.facts, **mind.facts}, before.unread))

    def leave(self, npc: str, *, keep: bool) -> None:
        """Let an NPC go; ``keep``: ``come`` brings back what it remembers."""
        mind = self._minds.pop(npc, None)
        if keep and mind is not None:
            self._away[npc] = mind
            if len(self._away) > MAX_AWAY:
                self._away.popitem(last=False)

    def come(self, npc: str) -> None:
        """Bring back what an NPC that left remembers."""
        if npc in self._away:
            self.recall(npc, self._away.pop(npc))

    def everybody(self) -> list[str]:
        """All who remember anything, those away too."""
        return list({**self._minds, **self._away})

    def forget(self, npc: str) -> None:
        """Forget all that an NPC remembers, away or not."""
        self._minds.pop(npc, None)
        self._away.pop(npc, None)
