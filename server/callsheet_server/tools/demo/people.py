"""Texts of the townsfolk: lore for all of them, and a biography for each."""

from __future__ import annotations

import random
from collections.abc import Sequence

from callsheet_server.tools.town.cast import Character

__all__ = ["LORE", "biographies"]

LORE = (
    "This is Larkwater, a small market town between a lake and a wood. The market is held every "
    "day around the old well. The tavern is called the Crooked Lantern. A dry summer has left the "
    "lake low, and people talk of lights in the ruined tower. Strangers came through the gate this "
    "morning. Speak as your character would, in one or two short sentences. Never leave your role, "
    "and never say that you are an assistant or a machine."
)

KIN = ("cousin", "old friend", "neighbour", "rival", "godparent", "debtor")
ERRANDS = (
    "to mend the fence before the wind turns",
    "to buy salt and lamp oil at the market",
    "to ask the scribe about an unpaid bill",
    "to find out who has been at the tower",
    "to carry a basket of eggs to the tavern without breaking one",
    "to see whether the well is really running dry",
)


def biographies(cast: Sequence[Character], seed: int) -> list[str]:
    """Each character's persona, with somebody they know and what they are about to do.

    The same cast and seed give the same texts.
    """
    draw = random.Random(seed)  # noqa: S311 - a repeatable town, not a secret
    texts = []
    for character in cast:
        others = [other for other in cast if other is not character]
        lines = [
            f"Your {draw.choice(KIN)} is {other.name}, a {other.trade}."
            for other in draw.sample(others, min(1, len(others)))
        ]
        lines.append(f"Today you mean {draw.choice(ERRANDS)}.")
        texts.append(" ".join([character.persona, *lines]))
    return texts
