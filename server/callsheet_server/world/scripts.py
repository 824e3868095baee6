"""Scripts of NPCs: which one speaks for which NPC, and what it changes about it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from callsheet.wire.errors import ErrorCode, error_for
from callsheet.wire.script import RegisterScript
from callsheet.wire.world import NpcSpec

__all__ = ["Script", "ScriptBook"]

MAX_MISSED = 5
REST_S = 10.0


@dataclass(slots=True, eq=False)
class Script:
    """A registered script. ``owner`` is the id of the mod's session."""

    owner: str
    spec: RegisterScript
    missed: int = 0
    """Number of times in a row that it did not answer in time what its NPCs heard."""
    rests_until_s: float = 0.0
    """Time before which it is not asked what to make of what is heard."""
    _npcs: frozenset[str] = field(init=False)
    _archetypes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._npcs = frozenset(self.spec.npcs)
        self._archetypes = frozenset(self.spec.archetypes)

    def matches(self, npc: NpcSpec) -> bool:
        return npc.npc in self._npcs or npc.archetype in self._archetypes

    def answered(self) -> None:
        """Note that it answered in time."""
        self.missed = 0

    def kept_silent(self, now_s: float) -> None:
        """Note that it did not answer in time. After several times it is left alone for a while."""
        self.missed += 1
        if self.missed >= MAX_MISSED:
            self.rests_until_s = now_s + REST_S

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

    Who speaks for whom is looked up when it may have changed (``assign``), not when it is needed.
    """

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, str], Script] = {}
        self._by_npc: dict[str, Script] = {}
        self._by_event: dict[str, dict[str, Script]] = {"hear": {}, "near": {}, "tick": {}}

    def register(self, owner: str, spec: RegisterScript) -> Script:
        """Add a script, or replace the one of the same name and owner."""
        script = Script(owner, spec)
        self._take_away([(owner, spec.script)])
        self._scripts[owner, spec.script] = script
        return script

    def unregister(self, owner: str, name: str) -> None:
        """Take a script away.

        Raises:
            WorldError: ``bad_value``, if this owner has no such script.
        """
        if (owner, name) not in self._scripts:
            raise error_for(
                ErrorCode.BAD_VALUE,
                f"this session has registered no script {name!r}",
                field="script",
                value=f'"{name}"',
            )
        self._take_away([(owner, name)])

    def remove_owner(self, owner: str) -> bool:
        """Take away all scripts of a session; True if there were any."""
        names = [key for key in self._scripts if key[0] == owner]
        self._take_away(names)
        return bool(names)

    def _take_away(self, names: Iterable[tuple[str, str]]) -> None:
        """Remove scripts, if they are there; nobody speaks for their NPCs until ``assign``."""
        gone = {self._scripts.pop(name) for name in names if name in self._scripts}
        if gone:
            for npc in [npc for npc, script in self._by_npc.items() if script in gone]:
                self.release(npc)

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
        """Forget an NPC that is gone."""
        self._by_npc.pop(npc, None)
        for npcs in self._by_event.values():
            npcs.pop(npc, None)

    def script_of(self, npc: str) -> Script | None:
        """The script that speaks for an NPC, as last assigned."""
        return self._by_npc.get(npc)

    def names_of(self, owner: str) -> frozenset[str]:
        """The scripts of one owner."""
        return frozenset(name for by, name in self._scripts if by == owner)

    def npcs_of(self, script: Script) -> list[str]:
        """The NPCs a script speaks for."""
        return [npc for npc, by in self._by_npc.items() if by is script]

    def listening(self, event: str) -> Mapping[str, Script]:
        """NPC -> script, of the scripts that want to be told of ``event``."""
        return self._by_event[event]

    def check_integrity(self, npcs: Container[str], owners: Container[str]) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for owner, name in self._scripts:
            assert owner in owners, f"script {name} belongs to nobody"
        for npc, script in self._by_npc.items():
            assert npc in npcs, f"{npc} has a script and is gone"
            key = script.owner, script.spec.script
            assert self._scripts.get(key) is script, f"{npc} is spoken for by a script that is gone"
        for event, listening in self._by_event.items():
            wanted = {npc for npc, script in self._by_npc.items() if event in script.spec.events}
            assert set(listening) == wanted, f"the listeners to {event} are not who they should be"
