"""Views told to observers: under 64,000 bytes whatever the world is like."""

from __future__ import annotations

import pytest
from outgoing.worlds import MAX_BYTES, WIDE, full_world
from world.ticks import tick_of

from callsheet.wire import Move, encode
from callsheet_residency.state import StateKind, Tier
from callsheet_server.distance import Assumptions, Forecast, explain
from callsheet_server.engine.engine import Occupancy, TierUse
from callsheet_server.outgoing import views
from callsheet_server.rooms.subscriptions import MAX_TEXT_CHARS
from callsheet_server.world.memory import Turn

LONGEST_FLOAT = -1.1754943508222875e-38
"""The float32 that takes the most digits as JSON."""


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
    world = full_world(2, 1, LONGEST_FLOAT)
    world.apply(tick_of(world, at_s=4.0))
    found = explain(world.snapshot, 0, Forecast(Assumptions()), None)
    turns = [Turn("Ann (to Ida)", "x" * 1_000)] * 20 + [Turn(None, "Hm.")]
    told = views.explanation(9, "bob", 4.0, Tier.DISK, found, "it cannot speak", turns)
    assert told.remembers is not None
    assert [len(line.text) for line in told.remembers] == [300] * 7 + [3]
    assert [line.speaker for line in told.remembers[-2:]] == ["Ann (to Ida)", None]
    assert (told.id, told.npc, told.game_time_s, told.tier) == (9, "bob", 4.0, "disk")
    assert (told.estimator, told.distance_s) == ("conversation", 0.0)
    assert told.note == "it cannot speak"
    assert [view.name for view in told.estimators] == [
        "conversation",
        "schedule",
        "proximity",
        "encounter",
        "history",
        "chain",
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
