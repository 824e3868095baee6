"""Lasting form of what was learned of a world: values kept with it, small and versioned.

A version that is not known is not read: the world then learns anew, which costs minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from callsheet_server.distance.evidence import WEIGHTS
from callsheet_server.distance.forecast import Forecast

__all__ = ["kept", "remember"]

VERSION = 2
MOST_NPCS = 2_000
"""NPCs whose habits are kept: those who called last."""
LEAST_COUNT = 2.0
"""Transitions seen less often are not kept."""
_HABITS = (
    "since_s",
    "begun_s",
    "calls",
    "often",
    "lately",
    "unprompted",
    "gap_s",
    "gap_variance_s2",
)
_FADED = ("faded_calls", "faded_npc_s", "faded_gaps", "faded_off2")


def kept(forecast: Forecast) -> dict[str, Any]:
    """Return what is worth keeping, ready for JSON."""
    habits, model = forecast.habits, forecast.model
    rows = np.flatnonzero(habits.calls > 0.0)
    rows = rows[np.argsort(-habits.begun_s[rows], kind="stable")][:MOST_NPCS]
    handles = habits.handle[rows].tolist()
    known = set(handles)
    return {
        "version": VERSION,
        "weights": np.round(model.weight, 5).tolist(),
        "precision": np.round(np.diagonal(model.precision), 3).tolist(),
        "calls": habits.seen_calls,
        "faded": [getattr(habits, name) for name in _FADED],
        "npcs": {
            "handle": handles,
            **{name: np.round(getattr(habits, name)[rows], 3).tolist() for name in _HABITS},
        },
        "followers": [
            [first, then, count]
            for first, followers in habits.chains.followers().items()
            for then, count in followers.items()
            if first in known and then in known and count >= LEAST_COUNT
        ],
    }


def remember(forecast: Forecast, value: Mapping[str, Any]) -> None:
    """Put back what ``kept`` returned; an NPC's habits come back when it is met."""
    if value.get("version") != VERSION or len(value["weights"]) != WEIGHTS:
        return
    forecast.model.weight = np.array(value["weights"])
    forecast.model.precision = np.diag(value["precision"])
    npcs = value["npcs"]
    figures = zip(*(npcs[name] for name in _HABITS), strict=True)
    habits = forecast.habits
    habits.seen_calls = value["calls"]
    for name, figure in zip(_FADED, value["faded"], strict=True):
        setattr(habits, name, figure)
    habits.remembered = {
        handle: dict(zip(_HABITS, of, strict=True))
        for handle, of in zip(npcs["handle"], figures, strict=True)
    }
    followers: dict[int, dict[int, float]] = {}
    for first, then, count in value["followers"]:
        followers.setdefault(first, {})[then] = count
    calls = {handle: int(of["calls"]) for handle, of in habits.remembered.items()}
    habits.chains.restore(followers, calls)
