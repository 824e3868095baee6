"""NPCs and players as a game's frame loop holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from callsheet.frames.person import Person, Position, to_metres
from callsheet.wire.talk import ReplyDelta, ReplyEnd, ReplyStart
from callsheet.wire.world import NpcSpec, PlayerSpec

__all__ = ["FrameNpc", "FramePlayer"]

BUBBLE_S: Final = 2.0
BUBBLE_S_PER_CHAR: Final = 0.06
"""Time that a line stays after its end: two seconds, and as long as it takes to read."""


class FramePlayer(Person):
    """A player."""

    def spec(self, units_per_m: float) -> PlayerSpec:
        """Describe the player as ``spawn`` wants it."""
        position = to_metres(self.position, units_per_m)
        return PlayerSpec(player=self.id, name=self.name, position=position)


class FrameNpc(Person):
    """An NPC: where it is is the game's to say, what it says is here to be drawn."""

    def __init__(
        self,
        npc: str,
        position: Position,
        ask: Callable[[FrameNpc, str, FramePlayer | None], None],
        options: dict[str, Any],
    ) -> None:
        super().__init__(npc, options["name"], position)
        self.bubble: str = ""
        """Line that it says now, as far as it has come; "" again some time after the end."""
        self.talking: bool = False
        """True from the moment it is spoken to until its reply has ended."""
        self._ask = ask
        self._options = options
        self._reply: int | None = None
        self._bubble_ends_s = 0.0

    def say(self, text: str, speaker: FramePlayer | None = None) -> None:
        """Say something to the NPC; the answer comes into ``bubble`` in the next frames.

        Args:
            text: what is said.
            speaker: a player; None = a narrator.
        """
        self.talking = True
        self._ask(self, text, speaker)

    def spec(self, units_per_m: float) -> NpcSpec:
        """Describe the NPC as ``spawn`` wants it."""
        position = to_metres(self.position, units_per_m)
        return NpcSpec(npc=self.id, position=position, **self._options)

    # --- told by the client ------------------------------------------------------------------

    def begin(self, start: ReplyStart) -> None:
        """Begin to speak."""
        self._reply, self.bubble, self.talking = start.reply, "", True

    def add(self, delta: ReplyDelta) -> None:
        """Speak on."""
        if delta.reply == self._reply:
            self.bubble += delta.text

    def end(self, end: ReplyEnd, now_s: float) -> None:
        """End a line, which stays to be read."""
        if end.reply == self._reply:
            self.bubble, self._reply, self.talking = end.text, None, False
            self._bubble_ends_s = now_s + BUBBLE_S + BUBBLE_S_PER_CHAR * len(end.text)

    def fade(self, now_s: float) -> None:
        """Take the bubble away when it has been there for long enough."""
        if self.bubble and self._reply is None and now_s >= self._bubble_ends_s:
            self.bubble = ""

    def lose(self) -> None:
        """Note that the session is gone, and what was being said with it."""
        super().lose()
        self._reply, self.talking = None, False
