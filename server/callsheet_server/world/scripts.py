"""Which script speaks for which NPC, and what it changes about it."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.script import RegisterScript
from callsheet.wire.world import NpcSpec

__all__ = ["Script", "ScriptBook"]


@dataclass(slots=True, eq=False)
class Script:
    """A registered script. ``owner`` is the id of the mod's session."""

    owner: str
    spec: RegisterScript
    _npcs: frozenset[str] = field(init=False)
    _archetypes: frozenset[str] = field(init=False)
    _ticked_at_s: float = -math.inf

    def __post_init__(self) -> None:
        self._npcs = frozenset(self.spec.npcs)
        self._archetypes = frozenset(self.spec.archetypes)

    def matches(self, npc: NpcSpec) -> bool:
        return npc.npc in self._npcs or npc.archetype in self._archetypes

    def tick_due(self, game_time_s: float) -> bool:
        """True once per ``tick_interval_s`` of game time; also when a new game's time begins."""
        if 0 <= game_time_s - self._ticked_at_s < self.spec.tick_interval_s:
            return False
        self._ticked_at_s = game_time_s
        return True

    def over(self, npc: NpcSpec) -> NpcSpec:
        """The NPC as the game described it, with what the script replaces."""
        changes = {
            name: value
            for name in ("persona", "interaction_radius_m", "sociability", "schedule")
            if (value := getattr(self.spec, name)) is not None
        }
        return npc.model_copy(update=changes)


class ScriptBook:
    """The scripts of one world. Where several match an NPC, the one registered last speaks.

    Who speaks for whom is looked up when it may have changed (``bind``), not when it is needed.
    """

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, str], Script] = {}
        self._bound: dict[str, Script] = {}

    def __iter__(self) -> Iterator[Script]:
        return iter(self._scripts.values())

    def register(self, owner: str, spec: RegisterScript) -> Script:
        """Add a script, or replace the one of the same name and owner."""
        script = Script(owner, spec)
        self._scripts.pop((owner, spec.script), None)
        self._scripts[owner, spec.script] = script
        return script

    def unregister(self, owner: str, name: str) -> None:
        """Take a script away.

        Raises:
            WorldError: ``bad_value``, if this owner has no such script.
        """
        if self._scripts.pop((owner, name), None) is None:
            raise error_for(
                ErrorCode.BAD_VALUE,
                f"this session has registered no script {name!r}",
                field="script",
                value=f'"{name}"',
            )

    def remove_owner(self, owner: str) -> bool:
        """Take away all scripts of a session; True if there were any."""
        names = [key for key in self._scripts if key[0] == owner]
        for key in names:
            del self._scripts[key]
        return bool(names)

    def bind(self, npc: NpcSpec) -> Script | None:
        """Find the script that speaks for an NPC from now on."""
        script = next((s for s in reversed(self._scripts.values()) if s.matches(npc)), None)
        if script is None:
            self._bound.pop(npc.npc, None)
        else:
            self._bound[npc.npc] = script
        return script

    def unbind(self, npc: str) -> None:
        """An NPC is gone."""
        self._bound.pop(npc, None)

    def for_npc(self, npc: str) -> Script | None:
        """The script that speaks for an NPC."""
        return self._bound.get(npc)

    def listening(self, event: str) -> Iterator[tuple[str, Script]]:
        """The NPCs whose script wants to be told of ``event``, with that script."""
        return ((npc, s) for npc, s in self._bound.items() if event in s.spec.events)

    def check_integrity(self, npcs: Container[str]) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for npc, script in self._bound.items():
            assert npc in npcs, f"{npc} has a script and is gone"
            key = script.owner, script.spec.script
            assert self._scripts.get(key) is script, f"{npc} is bound to a script that is gone"
