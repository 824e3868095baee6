"""Conditions of lore."""

from __future__ import annotations

from typing import Any

import pytest

from callsheet.wire import ConditionalLore, NpcSpec
from callsheet_server.world.lore import MAX_LORE_CHARS, known_now
from callsheet_server.world.world import World, WorldLimits

NIGHT: dict[str, Any] = {"from_s": 72_000.0, "until_s": 108_000.0, "every_s": 86_400.0}


def world(game_time_s: float = 0.0, **spec: Any) -> World:
    made = World("town", WorldLimits(max_npcs=2, max_npcs_per_spawn=2, max_players=1))
    spec = {"position": (0.0, 0.0, 0.0), **spec}
    made.spawn([NpcSpec(npc="bob", name="Bob", **spec)], [])
    made.game_time_s = game_time_s
    return made


def is_known(entry: ConditionalLore, where: World) -> bool:
    where.lore_entries = (entry,)
    return bool(known_now(where, where.npcs["bob"]))


@pytest.mark.parametrize(
    ("conditions", "game_time_s", "known"),
    [
        ({}, 5.0, True),
        ({"from_s": 10.0}, 9.9, False),
        ({"from_s": 10.0}, 10.0, True),
        ({"until_s": 10.0}, 9.9, True),
        ({"until_s": 10.0}, 10.0, False),
        (NIGHT, 71_999.0, False),
        (NIGHT, 72_000.0, True),
        (NIGHT, 90_000.0, True),
        (NIGHT, 108_000.0, False),
        (NIGHT, 72_000.0 + 10 * 86_400, True),
        (NIGHT, 110_000.0 + 10 * 86_400, False),
    ],
)
def test_times(conditions: dict[str, Any], game_time_s: float, known: bool) -> None:
    entry = ConditionalLore(text="x", **conditions)
    assert is_known(entry, world(game_time_s)) == known


def test_places() -> None:
    entry = ConditionalLore(text="x", place=(3.0, 4.0, 0.0), radius_m=5.0)
    assert is_known(entry, world())
    assert not is_known(entry, world(position=(0.0, -0.1, 0.0)))
    assert not is_known(entry, world(position=None)), "it is nowhere yet"


def test_archetypes_and_flags_must_all_hold() -> None:
    entry = ConditionalLore(text="x", archetypes=("guard", "smith"), flag="siege")
    guard = world(archetype="guard")
    assert not is_known(entry, guard)
    guard.flags = frozenset({"siege"})
    assert is_known(entry, guard)
    baker = world(archetype="baker")
    baker.flags = guard.flags
    assert not is_known(entry, baker)


def test_what_no_longer_fits_is_left_out() -> None:
    full = world()
    texts = [f"{n}" * 900 for n in range(6)]
    full.lore_entries = tuple(ConditionalLore(text=text) for text in (*texts, "short"))
    known = known_now(full, full.npcs["bob"])
    assert known == (*texts[:4], "short")
    assert sum(map(len, known)) <= MAX_LORE_CHARS
