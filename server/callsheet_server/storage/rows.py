"""Rows of the database as values of the domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from callsheet.wire.world import NpcSpec, PlayerSpec
from callsheet_server.storage.saved import Save, SavedNpc, SavedPlayer, SavedTurn

__all__ = ["Note", "facts", "note", "npc", "player", "save", "turn"]


class Note(NamedTuple):
    """A fact as it was told; without a name: facts told later than its game time are forgotten."""

    npc: str
    """Empty: everybody."""
    name: str | None
    value: Any
    game_time_s: float


def npc(row: dict[str, Any]) -> SavedNpc:
    """An NPC, alive or not."""
    spec = NpcSpec.model_validate_json(row["spec"])
    return SavedNpc(spec, row["handle"], bool(row["alive"]), row["hint_s"])


def player(row: dict[str, Any]) -> SavedPlayer:
    """A player."""
    return SavedPlayer(PlayerSpec.model_validate_json(row["spec"]), row["handle"])


def turn(row: dict[str, Any]) -> SavedTurn:
    """One turn of a conversation."""
    return SavedTurn(row["speaker"], row["text"], row["game_time_s"])


def save(row: dict[str, Any]) -> Save:
    """A save, without its state."""
    return Save(row["name"], row["time_s"], row["saved_at"])


def note(row: dict[str, Any]) -> Note:
    """A fact that was told, or what was forgotten."""
    value = None if row["value"] is None else orjson.loads(row["value"])
    return Note(row["npc"], row["name"], value, row["game_time_s"])


def facts(notes: Iterable[Note]) -> dict[str, dict[str, Any]]:
    """Facts by NPC and name, from notes in order; of NPCs that have any."""
    told: dict[str, dict[str, Note]] = {}
    for note in notes:
        if note.name is not None:
            told.setdefault(note.npc, {})[note.name] = note
            continue
        for npc in [note.npc] if note.npc else list(told):
            left = told.get(npc, {}).items()
            told[npc] = {n: fact for n, fact in left if fact.game_time_s <= note.game_time_s}
    known = {
        npc: {name: fact.value for name, fact in facts.items() if fact.value is not None}
        for npc, facts in told.items()
    }
    return {npc: facts for npc, facts in known.items() if facts}
