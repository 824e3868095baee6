"""Which script speaks for which NPC, and what it changes about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.script import RegisterScript
from callsheet.wire.world import NpcSpec

__all__ = ["Script", "ScriptBook"]


@dataclass(frozen=True, slots=True)
class Script:
    """A registered script. ``owner`` is the id of the mod's session."""

    owner: str
    spec: RegisterScript

    def matches(self, npc: NpcSpec) -> bool:
        return npc.npc in self.spec.npcs or npc.archetype in self.spec.archetypes

    def over(self, npc: NpcSpec) -> NpcSpec:
        """The NPC as the game described it, with what the script replaces."""
        changes = {
            name: value
            for name in ("persona", "interaction_radius_m", "sociability", "schedule")
            if (value := getattr(self.spec, name)) is not None
        }
        return npc.model_copy(update=changes)


class ScriptBook:
    """The scripts of one world. Where several match an NPC, the one registered last speaks."""

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, str], Script] = {}
        self._by_npc: dict[str, Script] = {}
        self._by_event: dict[str, dict[str, Script]] = {"hear": {}, "near": {}, "tick": {}}

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
                value=name,
            )

    def remove_owner(self, owner: str) -> bool:
        """Take away all scripts of a session; True if there were any."""
        names = [key for key in self._scripts if key[0] == owner]
        for key in names:
            del self._scripts[key]
        return bool(names)

    def assign(self, npc: NpcSpec) -> Script | None:
        """Find anew which script speaks for an NPC."""
        self.release(npc.npc)
        script = next((s for s in reversed(self._scripts.values()) if s.matches(npc)), None)
        if script is not None:
            self._by_npc[npc.npc] = script
            for event in script.spec.events:
                self._by_event[event][npc.npc] = script
        return script

    def release(self, npc: str) -> None:
        """An NPC is gone."""
        self._by_npc.pop(npc, None)
        for npcs in self._by_event.values():
            npcs.pop(npc, None)

    def script_of(self, npc: str) -> Script | None:
        """The script that speaks for an NPC, as last assigned."""
        return self._by_npc.get(npc)

    def npcs_of(self, script: Script) -> list[str]:
        """The NPCs a script speaks for."""
        return [npc for npc, by in self._by_npc.items() if by is script]

    def listening(self, event: str) -> Mapping[str, Script]:
        """NPC -> script, of the scripts that want to be told of ``event``."""
        return self._by_event[event]
