"""Lore with conditions: what an NPC knows in one place, at one time, or while a flag is set."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from callsheet.wire.fields import Vec3
from callsheet.wire.world import ConditionalLore
from callsheet_server.world.world import Npc, World

__all__ = ["MAX_LORE_CHARS", "known_now"]

MAX_LORE_CHARS: Final = 4_000
"""Characters of lore with conditions in one prompt; entries that no longer fit are left out."""


def known_now(world: World, npc: Npc) -> tuple[str, ...]:
    """List the entries whose conditions hold for an NPC, in the order the game gave them."""
    left, known = MAX_LORE_CHARS, []
    for entry in world.lore_entries:
        if len(entry.text) <= left and all(_conditions(world, npc, entry)):
            left -= len(entry.text)
            known.append(entry.text)
    return tuple(known)


def _conditions(world: World, npc: Npc, entry: ConditionalLore) -> Iterator[bool]:
    yield entry.archetypes is None or npc.spec.archetype in entry.archetypes
    yield entry.flag is None or entry.flag in world.flags
    yield _is_time(entry, world.game_time_s)
    if entry.place is not None:
        yield _is_near(world, npc, entry.place, entry.radius_m)


def _is_time(entry: ConditionalLore, now_s: float) -> bool:
    from_s = entry.from_s or 0.0
    until_s = math.inf if entry.until_s is None else entry.until_s
    if entry.every_s is not None and now_s > from_s:
        now_s = from_s + (now_s - from_s) % entry.every_s
    return from_s <= now_s < until_s


def _is_near(world: World, npc: Npc, place: Vec3, radius_m: float) -> bool:
    if not world.columns.active[npc.row]:
        return False
    return math.dist(world.columns.position_m[npc.row].tolist(), place) <= radius_m
