"""The rooms of all worlds that somebody is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from callsheet_server.limits.settings import LimitSettings
from callsheet_server.rooms.room import Room
from callsheet_server.storage.changes import Journal
from callsheet_server.storage.saved import Save
from callsheet_server.world.world import WorldLimits

__all__ = ["Rooms"]

MAX_GUESTS_PER_WORLD = 8
"""Observers that may be in a world as players: enough to show it to a team."""


class Rooms(Mapping[str, Room]):
    """Rooms by the name of their world. One is made for the first session that enters."""

    def __init__(
        self,
        limits: LimitSettings,
        memory_tokens: int,
        journal: Callable[[str], Journal],
        saves: Callable[[str], dict[str, Save]],
    ) -> None:
        """``memory_tokens``: of each NPC's latest turns; ``journal``, ``saves``: of a world."""
        self._limits = WorldLimits(
            max_npcs=limits.max_npcs_per_world,
            max_npcs_per_spawn=limits.max_npcs_per_spawn,
            max_players=limits.max_players_per_world,
            max_guests=MAX_GUESTS_PER_WORLD,
        )
        self._memory_tokens = memory_tokens
        self._journal = journal
        self._saves = saves
        self._rooms: dict[str, Room] = {}

    def __getitem__(self, world: str) -> Room:
        return self._rooms[world]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rooms)

    def __len__(self) -> int:
        return len(self._rooms)

    def open(self, world: str) -> Room:
        """Return the room of a world; a new one if nobody is in it."""
        if world not in self._rooms:
            self._rooms[world] = Room(
                world,
                self._limits,
                self._memory_tokens,
                self._journal(world),
                self._saves(world),
            )
        return self._rooms[world]

    def close(self, world: str) -> None:
        """Drop a room that nobody is in any more."""
        del self._rooms[world]

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        for room in self._rooms.values():
            room.check_integrity()
