"""Rows of the database as values of the domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from callsheet.wire.world import NpcSpec, PlayerSpec
from callsheet_server.storage.saved import Save, SavedNpc, SavedPlayer, SavedTurn

__all__ = ["facts", "note", "npc", "player", "save", "turn"]


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


def note(row: dict[str, Any]) -> tuple[str | None, Any, float]:
    """A fact's name, value and game time; without a name: facts told later are forgotten."""
    value = None if row["value"] is None else orjson.loads(row["value"])
    return row["name"], value, row["game_time_s"]


def facts(notes: Iterable[tuple[str | None, Any, float]]) -> dict[str, Any]:
    """Facts by name, from notes in order."""
    told: dict[str, tuple[Any, float]] = {}
    for name, value, game_time_s in notes:
        if name is not None:
            told[name] = value, game_time_s
        else:
            told = {k: fact for k, fact in told.items() if fact[1] <= game_time_s}
    return {name: value for name, (value, _) in told.items() if value is not None}
