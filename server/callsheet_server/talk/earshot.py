"""Earshot: which NPCs overhear a line, and how they remember it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet.wire.fields import MAX_SPEECH_CHARS
from callsheet.wire.talk import Speaker
from callsheet_server.talk.visible import one_line
from callsheet_server.world.memory import Turn
from callsheet_server.world.world import World

__all__ = [
    "MAX_HEARERS",
    "around",
    "heard_back",
    "in_earshot",
    "is_last",
    "overheard",
    "place_of",
]

MAX_HEARERS: Final = 32
"""NPCs that overhear one line: those nearest to it."""
MAX_OVERHEARD_CHARS: Final = 1_000
"""Characters remembered of a line that was said to somebody else."""


def in_earshot(
    world: World, place_m: NDArray[np.float32], radius_m: float, but: Collection[str]
) -> tuple[str, ...]:
    """List the active NPCs within a radius of a place, the nearest first; ``but``: not these."""
    columns = world.columns
    rows = np.flatnonzero(columns.active[: columns.rows])
    range_m = np.linalg.norm(columns.position_m[rows] - place_m, axis=1)
    near = range_m <= radius_m
    rows, range_m = rows[near], range_m[near]
    row_ids = world.row_ids
    ordered = (row_ids[row] for row in rows[np.argsort(range_m, kind="stable")].tolist())
    return tuple(name for name in ordered if name not in but)[:MAX_HEARERS]


def around(world: World, npc: str, radius_m: float | None, but: Collection[str]) -> tuple[str, ...]:
    """List those in earshot of an NPC; nobody if there is no radius."""
    if radius_m is None:
        return ()
    return in_earshot(world, world.columns.position_m[world.npcs[npc].row], radius_m, but)


def place_of(world: World, speaker: Speaker, npc: str) -> NDArray[np.float32]:
    """(3,) metres: where a speaker stands; where ``npc`` stands, if that is not known."""
    if speaker.kind == "player" and speaker.id in world.players:
        player = world.players[speaker.id]
        if player.present:
            return player.position_m
    rows = [world.npcs[npc].row]
    if speaker.kind == "npc" and speaker.id in world.npcs:
        rows.insert(0, world.npcs[speaker.id].row)
    place_m: NDArray[np.float32] = world.columns.position_m[rows[0]]
    return place_m


def overheard(speaker: str, listener: str | None, text: str) -> Turn:
    """Turn of somebody who overhears a line; ``listener`` None = it is said to nobody."""
    said_by = speaker if listener is None else f"{speaker} (to {listener})"
    return Turn(said_by, text[:MAX_OVERHEARD_CHARS])


def heard_back(name: str, text: str) -> Turn:
    """Turn of an NPC that is answered: what it would hear if the game put the answer to it."""
    return Turn(name, one_line(text)[:MAX_SPEECH_CHARS])


def is_last(turn: Turn, turns: Sequence[Turn]) -> bool:
    """True if a turn repeats the latest one, white space aside."""
    if not turns or turns[-1].speaker != turn.speaker:
        return False
    return one_line(turns[-1].text) == one_line(turn.text)
