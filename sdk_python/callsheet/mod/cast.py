"""Bases of scripts for a cast: what its NPCs know by keys, and how they greet."""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from callsheet.cast.character import LoreEntry
from callsheet.cast.file import Cast, read_cast
from callsheet.cast.fitting import estimated_tokens
from callsheet.mod.npc import Answer, Npc
from callsheet.wire.script import Heard

__all__ = ["CastScript", "Greetings", "Lorebook", "matching"]

MAX_MATERIAL_CHARS: Final = 4_000
"""Of the protocol, for one reply."""
MAX_MET: Final = 200
"""Players an NPC knows by sight."""


@cache
def _cast_of(path: Path) -> Cast:
    return read_cast(path)


class CastScript(Npc):
    """A script for the NPCs of a cast file."""

    cast: ClassVar[str | Path | None] = None
    """A cast file; a relative path is looked for beside the mod."""
    npcs: ClassVar[Sequence[str]] = ()
    """Absent = all NPCs of the cast, where no archetypes are named."""
    _whole: ClassVar[Cast] = Cast()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "cast" in vars(cls) and cls.cast is not None:
            mod = getattr(sys.modules.get(cls.__module__), "__file__", None) or "."
            cls._whole = _cast_of((Path(mod).parent / cls.cast).resolve())
            if not (cls.npcs or cls.archetypes):
                cls.npcs = [npc.npc for npc in cls._whole.npcs]


class Lorebook(CastScript):
    """Adds to a reply what is known about what is being said, within a budget of tokens.

    Entries come from the cast file and from ``entries``. An entry is known where one of its keys
    stands in one of the latest lines heard, and its secondary keys do as its ``logic`` says.
    """

    entries: ClassVar[Sequence[LoreEntry]] = ()
    """Entries that all NPCs of this script know, besides the cast's."""
    budget_tokens: ClassVar[int] = 300
    """Most that lore may add to a reply, in tokens as estimated; a cast's own budget wins."""
    scan_depth: ClassVar[int] = 4
    """Latest lines heard that are looked through for keys."""
    chance: ClassVar[Callable[[], float]] = staticmethod(random.random)
    """Draws from [0, 1) for entries with a probability."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: deque[str] = deque(maxlen=self.scan_depth)
        own = self._whole.npc(self.npc)
        self._material = own.material if own else ""
        self._entries = (*(own.lorebook if own else ()), *self._whole.lorebook, *self.entries)
        budget = own.lorebook_budget_tokens if own else None
        self._budget = budget or self._whole.lorebook_budget_tokens or self.budget_tokens

    def on_hear(self, heard: Heard) -> Answer | None:
        """Add what is known, and the instructions that the cast has for this NPC."""
        self._heard.append(heard.text)
        known = matching(self._entries, self._heard, self._budget, type(self).chance)
        text = "\n".join(filter(None, (*known, self._material)))
        return self.material(text[-MAX_MATERIAL_CHARS:]) if text else None


class Greetings(CastScript):
    """Greets whom it has not met before, with the lines that the cast file has for that.

    A player who is near others of this script too hears a group greeting, where there is one.
    """

    _company: ClassVar[dict[str, set[str]]] = {}
    """Player -> NPCs of this script near that player."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._company = {}

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    async def on_near(self, player: str) -> None:
        """Say the next greeting to a player met for the first time."""
        near = self._company.setdefault(player, set())
        near.add(self.npc)
        own = self._whole.npc(self.npc)
        if own is None or player in self._seen:
            return
        lines = (own.group_greetings if len(near) > 1 else ()) or own.greetings
        if not lines:
            return
        self._seen.add(player)
        met = (await self.recall()).get("met")
        known = list(met) if isinstance(met, list) else []
        if player in known:
            return
        await self.remember(met=[*known, player][-MAX_MET:])
        await self.say(lines[len(known) % len(lines)])

    async def on_leave(self, player: str) -> None:
        """Note who is no longer here."""
        self._company.get(player, set()).discard(self.npc)

    async def on_despawn(self) -> None:
        """Leave everybody's company."""
        for near in self._company.values():
            near.discard(self.npc)


def matching(
    entries: Sequence[LoreEntry],
    heard: Sequence[str],
    budget_tokens: int,
    chance: Callable[[], float],
) -> list[str]:
    """Choose what is known about what was heard.

    Args:
        entries: the book.
        heard: the latest lines.
        budget_tokens: of all that is chosen, as estimated; a higher order comes first.
        chance: draws from [0, 1).

    Returns:
        Contents, the highest order last: nearest to what is answered.
    """
    text = "\n".join(heard)
    folded = text.casefold()
    chosen: list[str] = []
    left = budget_tokens
    for entry in sorted(entries, key=lambda entry: -entry.order):
        if not (entry.constant or _is_heard(entry, text if entry.case_sensitive else folded)):
            continue
        tokens = estimated_tokens([entry.content])[0]
        if tokens > left or (entry.probability < 1 and chance() >= entry.probability):
            continue
        left -= tokens
        chosen.append(entry.content)
    return chosen[::-1]


def _is_heard(entry: LoreEntry, text: str) -> bool:
    def there(key: str) -> bool:
        return (key if entry.case_sensitive else key.casefold()) in text

    if not any(there(key) for key in entry.keys):
        return False
    beside = [there(key) for key in entry.secondary_keys]
    if not beside:
        return True
    return {
        "any": any(beside),
        "all": all(beside),
        "not_any": not any(beside),
        "not_all": not all(beside),
    }[entry.logic]
