"""Conversion of a world to what is written on disk, and back after a restart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from callsheet.wire.world import ConditionalLore
from callsheet_server.distance.keeping import kept, remember
from callsheet_server.rooms.room import Room
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.saved import SavedWorld
from callsheet_server.storage.writes import PutNpc, PutWorld
from callsheet_server.world.memory import Mind, Turn, most_turns, window
from callsheet_server.world.world import Npc, World

__all__ = [
    "read_window",
    "restore",
    "restore_hints",
    "save_config",
    "save_counters",
    "save_learned",
    "save_npc",
    "unread",
]

_ENTRIES: Final[TypeAdapter[tuple[ConditionalLore, ...]]] = TypeAdapter(tuple[ConditionalLore, ...])
LEARNED_EVERY_CALLS = 50
"""Calls after which what was learned of a world is saved again."""
MAX_UNSAVED_ACTIONS = 100_000
"""More actions than can have been numbered since the counters were last saved."""


def save_npc(world: World, npc: Npc, alive: bool = True) -> PutNpc:
    """Return the write that saves an NPC and its next scheduled call; ``alive`` False = it goes."""
    call_s = float(world.columns.scheduled_call_s[npc.row])
    return PutNpc(npc.spec, npc.handle, None if math.isnan(call_s) else call_s, alive)


def save_config(world: World) -> PutWorld:
    """Return the write that saves what holds for the whole world."""
    config = {
        "lore": world.lore,
        "player_max_speed_mps": world.player_max_speed_mps,
        "npc_max_speed_mps": world.npc_max_speed_mps,
        "next_player_handle": world.next_player_handle,
        "lore_entries": [entry.model_dump(exclude_none=True) for entry in world.lore_entries],
        "flags": sorted(world.flags),
    }
    return PutWorld("config", config)


def save_counters(room: Room) -> PutWorld:
    """Return the write that saves what must not count from the beginning again."""
    counters = {
        "replies": room.replies,
        "actions": room.actions_taken,
        "game_time_s": room.world.game_time_s,
    }
    return PutWorld("counters", counters)


def save_learned(room: Room) -> tuple[PutWorld, ...]:
    """Return the write that saves what the forecast has learned, if enough calls have come."""
    calls = room.forecast.habits.seen_calls
    if calls < room.learned_from_calls + LEARNED_EVERY_CALLS:
        return ()
    room.learned_from_calls = calls
    return (PutWorld("learned", kept(room.forecast)),)


def read_window(file: WorldFile, npc: str, budget_tokens: int) -> tuple[Turn, ...]:
    """Read the window of an NPC; for ``Change.read``."""
    turns = file.latest_turns(npc, most_turns(budget_tokens))
    return window([Turn(turn.speaker, turn.text) for turn in turns], budget_tokens)


def unread(facts: Mapping[str, Any]) -> Mind:
    """Return what an NPC has at hand while its turns are on the disk only."""
    return Mind(facts=facts, unread=True)


def restore(room: Room, saved: SavedWorld) -> None:
    """Put a world back as it was; nobody stands anywhere until the game's next keyframe."""
    world, config, counters = room.world, saved.config, saved.counters
    world.lore = config.get("lore", world.lore)
    world.player_max_speed_mps = config.get("player_max_speed_mps", world.player_max_speed_mps)
    world.npc_max_speed_mps = config.get("npc_max_speed_mps", world.npc_max_speed_mps)
    world.next_player_handle = config.get("next_player_handle", 1)
    entries = config.get("lore_entries", ())
    world.lore_entries = _ENTRIES.validate_json(orjson.dumps(entries))
    world.flags = frozenset(config.get("flags", ()))
    world.game_time_s = counters.get("game_time_s", 0.0)
    room.replies = counters.get("replies", 0)
    room.actions_taken = counters.get("actions", 0) + MAX_UNSAVED_ACTIONS
    for npc in saved.npcs:
        world.columns.retire(npc.handle)
    alive = [npc for npc in saved.npcs if npc.alive]
    world.restore(
        [(npc.spec, npc.handle) for npc in alive], [(p.spec, p.handle) for p in saved.players]
    )
    remember(room.forecast, saved.learned)
    room.learned_from_calls = room.forecast.habits.seen_calls
    for npc in alive:
        room.memory.put(npc.spec.npc, unread(saved.facts.get(npc.spec.npc, {})))


def restore_hints(world: World, saved: SavedWorld) -> None:
    """Announced calls, once the NPCs have their schedules."""
    for npc in saved.npcs:
        if npc.alive and npc.hint_s is not None:
            world.columns.scheduled_call_s[world.npcs[npc.spec.npc].row] = npc.hint_s
