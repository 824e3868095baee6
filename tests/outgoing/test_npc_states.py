"""States of all NPCs as told to observers: under 64,000 bytes a message."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from outgoing.worlds import MAX_BYTES, WIDE, full_world

from callsheet.wire import MAX_INTEGER, NpcSpec, NpcStates, encode
from callsheet.wire.codec import parse_server_message
from callsheet_residency.state import Tier
from callsheet_server.distance import Assumptions, Distances, Forecast
from callsheet_server.outgoing.npc_states import StatesView
from callsheet_server.world.world import World, WorldLimits

LONGEST_M = -8388607.5
"""As many digits as a coordinate takes."""


def distances(world: World, distance_s: float) -> Distances:
    found = Forecast(Assumptions()).estimate(world.snapshot())
    return replace(found, distance_s=np.full_like(found.distance_s, distance_s))


def told(
    world: World, found: Distances | None, prefixes: list[tuple[Tier, int | None]]
) -> list[NpcStates]:
    """Messages that a client reads; each frame is canonical JSON of one."""
    parts = []
    by_npc = dict(zip(world.npcs, prefixes, strict=True))
    view = StatesView(world, found, by_npc.__getitem__)
    while not view.is_done:
        assert view.encode(7) <= 7
    for part, frame in enumerate(view.frames()):
        message = parse_server_message(frame)
        assert isinstance(message, NpcStates)
        assert message.part == part
        assert encode(message) == frame
        assert len(frame) < MAX_BYTES
        parts.append(message)
    return parts


@pytest.mark.parametrize(("npcs", "players"), [(0, 0), (1, 1), (149, 64), (600, 64), (10, 1_000)])
@pytest.mark.parametrize("character", WIDE)
def test_states_fit_and_are_complete(npcs: int, players: int, character: str) -> None:
    world = full_world(npcs, players, LONGEST_M, character)
    prefixes: list[tuple[Tier, int | None]] = [(Tier.ABSENT, MAX_INTEGER)] * npcs
    parts = told(world, distances(world, 123456.789), prefixes)
    assert [part.part for part in parts] == list(range(len(parts)))
    assert {part.parts for part in parts} == {len(parts)}
    assert [s.npc for part in parts for s in part.npcs] == list(world.npcs)
    assert [s.player for part in parts for s in part.players] == list(world.players)


def test_before_the_first_tick_nobody_has_a_distance() -> None:
    world = full_world(2, 0, LONGEST_M)
    (part,) = told(world, None, [(Tier.DEVICE, 7), (Tier.DISK, None)])
    assert [(s.distance_s, s.estimator, s.tier, s.bytes) for s in part.npcs] == [
        (None, None, "device", 7),
        (None, None, "disk", None),
    ]


def test_names_sizes_and_last_calls_are_told() -> None:
    world = World("w", WorldLimits(max_npcs=2, max_npcs_per_spawn=2, max_players=1))
    world.spawn([NpcSpec(npc="bob", name="Bob")], [])
    world.set_traits("bob", interaction_radius_m=4.0, sociability=0.0, schedule=())
    (part,) = told(world, None, [(Tier.HOST, 5)])
    (bob,) = part.npcs
    assert (bob.name, bob.interaction_radius_m, bob.bytes, bob.last_call_s) == ("Bob", 4.0, 5, None)
    world.columns.last_call_s[0] = 12.5
    (part,) = told(world, None, [(Tier.HOST, 5)])
    assert part.npcs[0].last_call_s == 12.5


def test_no_expectation_is_no_number() -> None:
    world = full_world(1, 0, LONGEST_M)
    (part,) = told(world, distances(world, np.inf), [(Tier.HOST, 1)])
    assert part.npcs[0].distance_s is None
