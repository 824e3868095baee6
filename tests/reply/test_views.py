"""What observers are told, and that it fits: under 64,000 bytes whatever the world is like."""

from __future__ import annotations

import numpy as np
import pytest
from world.ticks import tick_of

from callsheet.wire import MAX_INTEGER, Move, NpcSpec, NpcStates, PlayerSpec, encode
from callsheet_server.distance import Distances, DistanceSettings, estimate, explain
from callsheet_server.engine.engine import Occupancy, TierUse
from callsheet_server.observe import MAX_TEXT_CHARS
from callsheet_server.reply import views
from callsheet_server.residency.state import StateKind, Tier
from callsheet_server.world.world import World, WorldLimits

MAX_BYTES = 64_000
LONGEST_FLOAT = -1.1754943508222875e-38
"""The float32 that takes the most digits as JSON."""


WIDE = ["x", '"', "\x01", "\u2028", "\U0001f600"]
"""Characters that JSON writes in one to six bytes."""


def full_world(npcs: int, players: int, character: str = "\x01") -> World:
    """Ids, names and positions that take as much room as they can."""
    name = character * 100
    world = World("w", WorldLimits(max_npcs=npcs, max_npcs_per_spawn=npcs, max_players=players))
    there = (LONGEST_FLOAT, LONGEST_FLOAT, LONGEST_FLOAT)
    world.spawn(
        [NpcSpec(npc=f"{i:064d}", name=name, position=there) for i in range(npcs)],
        [PlayerSpec(player=f"{i:064d}", name=name, position=there) for i in range(players)],
    )
    world.columns.handle[:npcs] |= 0xFFF00000
    for one in world.npcs.values():
        one.handle = int(world.columns.handle[one.row])
    world.columns.open_turns[:npcs] = 1
    world.columns.interaction_radius_m[:npcs] = LONGEST_FLOAT
    world.columns.last_call_s[:npcs] = LONGEST_FLOAT
    return world


def distances(world: World, distance_s: float) -> Distances:
    found = estimate(world.snapshot(), DistanceSettings())
    found.distance_s[:] = distance_s
    return found


@pytest.mark.parametrize(("npcs", "players"), [(0, 0), (1, 1), (149, 64), (600, 64), (10, 1_000)])
@pytest.mark.parametrize("character", WIDE)
def test_states_fit_and_are_complete(npcs: int, players: int, character: str) -> None:
    world = full_world(npcs, players, character)
    prefixes = [(Tier.ABSENT, MAX_INTEGER)] * npcs
    parts = list(views.npc_states(world, distances(world, -LONGEST_FLOAT), prefixes))
    assert all(len(encode(part)) < MAX_BYTES for part in parts)
    assert [part.part for part in parts] == list(range(len(parts)))
    assert {part.parts for part in parts} == {len(parts)}
    assert [s.npc for part in parts for s in part.npcs] == list(world.npcs)
    assert [s.player for part in parts for s in part.players] == list(world.players)


def test_before_the_first_tick_nobody_has_a_distance() -> None:
    world = full_world(2, 0)
    (part,) = views.npc_states(world, None, [(Tier.DEVICE, 7), (Tier.DISK, None)])
    assert isinstance(part, NpcStates)
    assert [(s.distance_s, s.estimator, s.tier, s.bytes) for s in part.npcs] == [
        (None, None, "device", 7),
        (None, None, "disk", None),
    ]


def test_names_sizes_and_last_calls_are_told() -> None:
    world = World("w", WorldLimits(max_npcs=2, max_npcs_per_spawn=2, max_players=1))
    world.spawn([NpcSpec(npc="bob", name="Bob")], [])
    world.set_traits("bob", interaction_radius_m=4.0, sociability=0.0, schedule=())
    (part,) = views.npc_states(world, None, [(Tier.HOST, 5)])
    (bob,) = part.npcs
    assert (bob.name, bob.interaction_radius_m, bob.bytes, bob.last_call_s) == ("Bob", 4.0, 5, None)
    world.columns.last_call_s[0] = 12.5
    (part,) = views.npc_states(world, None, [(Tier.HOST, 5)])
    assert part.npcs[0].last_call_s == 12.5


def test_no_expectation_is_no_number() -> None:
    world = full_world(1, 0)
    (part,) = views.npc_states(world, distances(world, np.inf), [(Tier.HOST, 1)])
    assert part.npcs[0].distance_s is None


@pytest.mark.parametrize("text", WIDE)
def test_moves_fit_and_are_complete(text: str) -> None:
    words = text * MAX_TEXT_CHARS
    move = Move(
        kind="prefix",
        key=words,
        source="absent",
        target="device",
        bytes=2**53 - 1,
        seconds=LONGEST_FLOAT,
        reason=words,
        distance_s=LONGEST_FLOAT,
        error=words,
    )
    messages = list(views.moves(1.0, [move] * 601, dropped=7))
    assert all(len(encode(message)) < MAX_BYTES for message in messages)
    assert sum(len(message.moves) for message in messages) == 601
    assert [message.dropped for message in messages] == [7] + [0] * (len(messages) - 1)


def test_an_explanation_names_every_estimator() -> None:
    world = full_world(2, 1)
    world.apply(tick_of(world, at_s=4.0))
    found = explain(world.snapshot(), 0, DistanceSettings())
    told = views.explanation(9, "bob", 4.0, Tier.DISK, found)
    assert (told.id, told.npc, told.game_time_s, told.tier) == (9, "bob", 4.0, "disk")
    assert (told.estimator, told.distance_s) == ("conversation", 0.0)
    assert [view.name for view in told.estimators] == [
        "conversation",
        "schedule",
        "proximity",
        "encounter",
        "history",
    ]
    assert len(encode(told)) < MAX_BYTES


def test_percentiles_of_nothing_are_absent() -> None:
    assert views.ttft_stats(0, []).p50_s is None
    stats = views.ttft_stats(7, [0.1, 0.2, 0.3])
    assert stats.replies == 7
    assert stats.p50_s == pytest.approx(0.2)


def test_tiers_are_told_kind_by_kind() -> None:
    use = TierUse(StateKind.BLOB, Tier.HOST, 5, 10, 1)
    (told,) = views.tier_stats(Occupancy((use,), 0, 0))
    assert (told.kind, told.tier, told.used_bytes, told.budget_bytes, told.items) == (
        "blob",
        "host",
        5,
        10,
        1,
    )
