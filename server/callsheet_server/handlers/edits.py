"""Requests that change a world: each changes memory at once and says what is to be durable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from callsheet.wire.script import NpcSpawned, SetFacts
from callsheet.wire.world import (
    ConfigureWorld,
    Despawn,
    HintCalls,
    NpcSpec,
    Spawn,
    Spawned,
    SpawnedNpc,
    SpawnedPlayer,
    UpdateNpc,
)
from callsheet_server.handlers.rate_limits import RateLimits
from callsheet_server.rooms.persistence import save_config, save_npc, unread
from callsheet_server.rooms.pipeline import Pipeline
from callsheet_server.rooms.room import Room
from callsheet_server.storage.changes import Change
from callsheet_server.storage.writes import PutFact, PutPlayer, RemovePlayer, Write
from callsheet_server.talk.action_schemas import check_actions
from callsheet_server.talk.conversations import Conversations
from callsheet_server.talk.prompting import shown_name
from callsheet_server.world.errors import bad_value, limit_exceeded

__all__ = ["WorldEditor", "tell_script", "unless_closed"]

MAX_FACTS_PER_NPC = 256
MAX_FACTS_BYTES = 48_000
"""Size of an NPC's facts as JSON: what `facts` can tell in one message."""
MAX_FACT_NAME_CHARS = 64


class WorldEditor:
    """Every method validates first, so that a request that is refused has changed nothing."""

    def __init__(
        self, pipeline: Pipeline, conversations: Conversations, rate_limits: RateLimits
    ) -> None:
        self._pipeline = pipeline
        self._conversations = conversations
        self._rate_limits = rate_limits

    def spawn(
        self, room: Room, message: Spawn, answer: Callable[[Spawned, Change], None]
    ) -> Iterator[None]:
        """Add NPCs and players; prepare the NPCs one a step.

        What they remember of earlier is there once it is durable.
        """
        for index, spec in enumerate(message.npcs):
            self._pipeline.check_adapter(spec.adapter, f"npcs.{index}.adapter")
        lists = {
            f"npcs.{index}.action_specs": spec.action_specs
            for index, spec in enumerate(message.npcs)
            if spec.action_specs
        }
        check_actions(lists)
        shown = [p.model_copy(update={"name": shown_name(p.name)}) for p in message.players]
        npcs, players = room.world.spawn(message.npcs, shown)
        names = [npc.spec.npc for npc in npcs]
        memory = room.memory
        for name in names:
            self.sync(room, name)
            yield

        def arrived(facts: Mapping[str, Mapping[str, Any]] | None) -> None:
            for npc in npcs:
                name = npc.spec.npc
                if room.world.npcs.get(name) is npc:
                    memory.come(name)
                    if facts is not None:
                        memory.recall(name, unread(facts.get(name, {})))
                    tell_script(room, name, alive=True)

        def undo() -> Iterator[None]:
            for npc in npcs:
                if room.world.npcs.get(npc.spec.npc) is npc:
                    self._remove(room, npc.spec.npc)
                yield
            room.world.despawn((), [player.spec.player for player in players])

        spawned = Spawned(
            id=message.id,
            npcs=tuple(SpawnedNpc(npc=n.spec.npc, handle=n.handle) for n in npcs),
            players=tuple(SpawnedPlayer(player=p.spec.player, handle=p.handle) for p in players),
            note=self._conversations.note_for(
                (action for specs in lists.values() for action in specs), "a say allows it"
            ),
        )
        change = Change(
            writes=(
                *(save_npc(room.world, npc) for npc in npcs),
                *(PutPlayer(p.spec, p.handle) for p in players),
                save_config(room.world),
            ),
            read=lambda file: file.facts(names),
            done=arrived,
            undo=unless_closed(room, undo),
        )
        answer(spawned, change)

    def despawn(
        self, room: Room, message: Despawn, answer: Callable[[Change], None]
    ) -> Iterator[None]:
        """Remove NPCs and players, one a step. What the NPCs remember is kept for a next time."""
        world, memory = room.world, room.memory
        world.check_known(message.npcs, message.players)
        npcs = [world.npcs[name] for name in message.npcs]
        players = [world.players[name] for name in message.players]
        before = {}
        saved: list[Write] = [RemovePlayer(name) for name in message.players]
        for npc in npcs:
            name = npc.spec.npc
            before[name] = memory.mind(name)
            saved.append(save_npc(world, npc, alive=False))
            self._remove(room, name)
            yield
        world.despawn((), message.players)

        def undo() -> Iterator[None]:
            for npc in npcs:
                name = npc.spec.npc
                world.restore([(npc.spec, npc.handle)], ())
                self.sync(room, name)
                memory.put(name, before[name])
                tell_script(room, name, alive=True)
                yield
            world.restore((), [(p.spec, p.handle) for p in players])

        answer(Change(saved, undo=unless_closed(room, undo)))

    def update_npc(self, room: Room, message: UpdateNpc) -> Change:
        """Change what an NPC is."""
        npc = room.world.npc(message.npc)
        check_actions({"action_specs": message.action_specs or ()})
        changes = {
            name: value
            for name in message.model_fields_set & NpcSpec.model_fields.keys()
            if (value := getattr(message, name)) is not None
        }
        if message.adapter == "":
            changes["adapter"] = None
        else:
            self._pipeline.check_adapter(message.adapter, "adapter")
        before, world = npc.spec, room.world
        world.describe(npc, before.model_copy(update=changes))
        self.sync(room, message.npc)

        def undo() -> None:
            world.describe(npc, before)
            self.sync(room, message.npc)

        return Change((save_npc(room.world, npc),), undo=unless_closed(room, undo))

    def configure(
        self, room: Room, message: ConfigureWorld, answer: Callable[[Change], None]
    ) -> Iterator[None]:
        """Set what holds for the whole world; new lore is brought to its NPCs one a step."""
        world = room.world
        before = message.model_copy(
            update={
                "lore": world.lore,
                "player_max_speed_mps": world.player_max_speed_mps,
                "npc_max_speed_mps": world.npc_max_speed_mps,
                "lore_entries": world.lore_entries,
                "flags": tuple(world.flags),
            }
        )
        yield from self._configure(room, message)
        undo = unless_closed(room, lambda: self._configure(room, before))
        answer(Change((save_config(world),), undo=undo))

    def hint(self, room: Room, message: HintCalls) -> Change:
        """Say when NPCs will need the model."""
        world = room.world
        npcs = [world.npc(hint.npc, f"hints.{i}.npc") for i, hint in enumerate(message.hints)]
        before = [(npc.row, world.columns.scheduled_call_s[npc.row]) for npc in npcs]
        for hint in message.hints:
            world.hint(hint.npc, hint.in_s)

        def undo() -> None:
            for row, scheduled_call_s in before:
                world.columns.scheduled_call_s[row] = scheduled_call_s

        return Change([save_npc(world, npc) for npc in npcs], undo=undo)

    def set_facts(self, room: Room, message: SetFacts) -> Change:
        """Note facts about an NPC."""
        room.world.npc(message.npc)
        memory, known = room.memory, room.memory.facts(message.npc)
        _check_facts(message.facts, known)
        before = {name: known.get(name) for name in message.facts}
        memory.note(message.npc, message.facts)
        time_s = room.world.game_time_s
        return Change(
            [PutFact(message.npc, *fact, time_s) for fact in message.facts.items()],
            undo=lambda: memory.note(message.npc, before),
        )

    def close(self, room: Room) -> Iterator[None]:
        """Empty the world of a game that left, an NPC a step. What is on disk stays."""
        for npc in list(room.world.npcs):
            self._remove(room, npc)
            yield
        self._pipeline.forget_world(room)
        room.clear_world()

    # --- NPCs come, change and go ------------------------------------------------------------

    def forget(self, room: Room, npc: str) -> None:
        """Forget an NPC that is about to go."""
        self._conversations.cancel_npc(room, npc)
        tell_script(room, npc, alive=False)
        self._pipeline.forget(room, npc)
        self._rate_limits.forget_npc(room.key(npc))
        room.forget(npc)

    def _remove(self, room: Room, npc: str) -> None:
        self.forget(room, npc)
        room.world.despawn((npc,), ())

    def sync_all(self, room: Room) -> Iterator[None]:
        """Bring all NPCs up to date after scripts have come or gone, one a step."""
        for npc in list(room.world.npcs):
            self.sync(room, npc)
            yield

    def sync(self, room: Room, npc: str) -> None:
        """Bring the world's numbers and the engine's profile up to what game and script say."""
        spec = room.world.npc(npc).spec
        script = room.scripts.assign(spec)
        effective = spec if script is None else script.over(spec)
        room.world.set_traits(
            npc, effective.interaction_radius_m, effective.sociability, effective.schedule
        )
        self._pipeline.put_npc(room, effective)

    def _configure(self, room: Room, message: ConfigureWorld) -> Iterator[None]:
        world = room.world
        if message.player_max_speed_mps is not None:
            world.player_max_speed_mps = message.player_max_speed_mps
        if message.npc_max_speed_mps is not None:
            world.npc_max_speed_mps = message.npc_max_speed_mps
        if message.lore_entries is not None:
            world.lore_entries = message.lore_entries
        if message.flags is not None:
            world.flags = frozenset(message.flags)
        if message.lore is not None and message.lore != world.lore:
            world.lore = message.lore
            yield from self._pipeline.set_lore(room)


def tell_script(room: Room, npc: str, alive: bool) -> None:
    """Tell the mod whose script speaks for an NPC that it came or goes."""
    found = room.script_for(npc)
    if found is not None:
        script, mod = found
        mod.send(NpcSpawned(script=script.spec.script, npc=npc, alive=alive))


def unless_closed(
    room: Room, undo: Callable[[], Iterator[None] | None]
) -> Callable[[], Iterator[None]]:
    """Undo nothing in a world that has been left since."""
    world = room.world

    def steps() -> Iterator[None]:
        if room.world is world:
            yield from undo() or ()

    return steps


def _check_facts(facts: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Make sure that facts have good names and an NPC does not get too many.

    Raises:
        WorldError: ``bad_value`` or ``limit_exceeded``.
    """
    for name in facts:
        if not 1 <= len(name) <= MAX_FACT_NAME_CHARS:
            raise bad_value(
                f"the name of a fact has 1 to {MAX_FACT_NAME_CHARS} characters",
                "facts",
                f'"{name[:MAX_FACT_NAME_CHARS]}"',
            )
    after = {name: value for name, value in {**known, **facts}.items() if value is not None}
    count = len(after)
    if count > MAX_FACTS_PER_NPC:
        raise limit_exceeded("facts of one NPC", "facts", count, MAX_FACTS_PER_NPC)
    size_bytes = len(orjson.dumps(after))
    if size_bytes > MAX_FACTS_BYTES:
        raise limit_exceeded("bytes of facts of one NPC", "facts", size_bytes, MAX_FACTS_BYTES)
