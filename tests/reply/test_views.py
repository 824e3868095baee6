"""What observers are told, and that it fits: under 64,000 bytes whatever the world is like."""

from __future__ import annotations

import pytest
from world.ticks import tick_of

from callsheet.wire import Move, NpcSpec, PlayerSpec, encode
from callsheet_server.distance import DistanceSettings, explain
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
