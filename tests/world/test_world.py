from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from world.ticks import LIMITS, npc, tick_of, world_with

from callsheet.wire import CallsheetError, ErrorCode, PlayerSpec, ScheduledCall, TickKind
from callsheet_server.world.world import OVERDUE_S, World

HERE = (0.0, 0.0, 0.0)


def due_s(world: World, name: str = "bob") -> float | None:
    """The next announced call; None = none."""
    value = float(world.columns.scheduled_call_s[world.npcs[name].row])
    return None if math.isnan(value) else value


def expected(world: World) -> set[str]:
    """The NPCs estimators look at."""
    alive = world.snapshot().alive
    return {world.row_ids[row] for row in np.flatnonzero(alive)}


def advance(world: World, to_s: float) -> None:
    world.apply(tick_of(world, at_s=to_s))


# --- who there is ---------------------------------------------------------------------------------


def test_a_name_is_known_for_as_long_as_somebody_has_it() -> None:
    world = world_with("bob", "zoe")
    for one in ("bob", "zoe"):
        world.describe(world.npcs[one], npc(one).model_copy(update={"name": "Innkeeper"}))
    assert "innKEEPER" in world.names
    assert "bob" not in world.names
    world.despawn(["bob"], [])
    assert "innkeeper" in world.names
    world.despawn(["zoe"], [])
    assert "innkeeper" not in world.names
    world.check_integrity()


def test_spawning_is_all_or_none() -> None:
    world = world_with("bob", players=("ann",))
    for npcs, players, code in (
        (["zoe", "bob"], [], ErrorCode.DUPLICATE_NPC),
        (["zoe"], ["ann"], ErrorCode.DUPLICATE_PLAYER),
        ([f"n{i}" for i in range(101)], [], ErrorCode.LIMIT_EXCEEDED),
        (["zoe"], list("abcdefgh"), ErrorCode.LIMIT_EXCEEDED),
    ):
        with pytest.raises(CallsheetError) as raised:
            world.spawn([npc(n) for n in npcs], [PlayerSpec(player=p, name=p) for p in players])
        assert raised.value.code == code
        assert (set(world.npcs), set(world.players)) == ({"bob"}, {"ann"})
        world.check_integrity()


def test_a_world_is_filled_to_the_last_npc() -> None:
    world = world_with()
    for start in (0, 100):
        world.spawn([npc(f"n{i}") for i in range(start, start + 100)], [])
    with pytest.raises(CallsheetError) as raised:
        world.spawn([npc("one-more")], [])
    assert (raised.value.value, raised.value.limit) == ("201", LIMITS.max_npcs)


@pytest.mark.parametrize(
    ("npcs", "players", "field"),
    [
        (["bob", "zoe"], [], "npcs.1"),
        (["bob", "bob"], [], "npcs.1"),
        (["bob"], ["joe"], "players.0"),
    ],
)
def test_despawning_is_all_or_none(npcs: list[str], players: list[str], field: str) -> None:
    world = world_with("bob", players=("ann",))
    with pytest.raises(CallsheetError) as raised:
        world.despawn(npcs, players)
    assert raised.value.field == field
    assert set(world.npcs) == {"bob"}


def test_a_row_is_reused_without_what_the_last_one_left() -> None:
    world = world_with("bob")
    world.set_traits("bob", 5.0, 0.5, (ScheduledCall(at_s=9.0),))
    world.apply(tick_of(world, {"bob": (1, 2, 3)}))
    world.turn_opened("bob")
    stale = tick_of(world, {"bob": (7, 7, 7)})
    world.despawn(["bob"], [])
    world.spawn([npc("ida")], [])
    row = world.npcs["ida"].row
    assert row == 0
    assert due_s(world, "ida") is None
    assert world.columns.open_turns[row] == 0
    report = world.apply(stale)
    assert (report.npc_updates, report.unknown_count) == (0, 1)
    assert world.columns.position_m[row].tolist() == [0, 0, 0]
    world.check_integrity()


# --- ticks ----------------------------------------------------------------------------------------


def test_a_keyframe_names_everyone_a_delta_those_that_changed() -> None:
    world = world_with("bob", "ida")
    assert expected(world) == set()
    world.apply(tick_of(world, {"bob": HERE, "ida": HERE}, kind=TickKind.KEYFRAME))
    assert expected(world) == {"bob", "ida"}
    world.apply(tick_of(world, {"ida": (1, 0, 0)}))
    assert expected(world) == {"bob", "ida"}
    world.apply(tick_of(world, {"ida": HERE}, kind=TickKind.KEYFRAME))
    assert expected(world) == {"ida"}
    world.apply(tick_of(world, {"bob": HERE}))
    assert expected(world) == {"bob", "ida"}


def test_an_npc_spawned_with_a_position_is_there_at_once() -> None:
    world = World("w", LIMITS)
    world.spawn([npc("bob", position=(1, 2, 3)), npc("ida")], [])
    assert expected(world) == {"bob"}
    assert world.snapshot().position_m[0].tolist() == [1, 2, 3]


def test_an_open_turn_keeps_an_inactive_npc_expected() -> None:
    world = world_with("bob")
    handle = world.turn_opened("bob")
    assert expected(world) == {"bob"}
    assert world.snapshot().in_conversation.all()
    world.turn_closed("bob", handle)
    assert expected(world) == set()


def test_who_cannot_talk_is_not_expected() -> None:
    world = world_with("bob")
    world.apply(tick_of(world, {"bob": HERE}, flags=[1]))
    assert expected(world) == set()
    world.apply(tick_of(world, {"bob": HERE}))
    assert expected(world) == {"bob"}


def test_players_are_present_while_ticks_name_them() -> None:
    world = world_with(players=("ann", "joe"))
    assert len(world.snapshot().player_position_m) == 0
    world.apply(tick_of(world, players={"ann": (1, 0, 0)}))
    world.apply(tick_of(world, players={"joe": (2, 0, 0)}))
    assert world.snapshot().player_position_m[:, 0].tolist() == [1, 2]
    world.apply(tick_of(world, players={"joe": (3, 0, 0)}, kind=TickKind.KEYFRAME))
    assert world.snapshot().player_position_m[:, 0].tolist() == [3]


@pytest.mark.parametrize("kind", TickKind)
def test_a_bad_record_changes_nothing_and_is_reported(kind: TickKind) -> None:
    world = world_with("bob", "ida", players=("ann", "joe"))
    world.apply(tick_of(world, {"bob": (1, 1, 1)}, {"ann": (1, 1, 1)}))
    report = world.apply(
        tick_of(
            world,
            {"bob": (math.nan, 0, 0), "ida": (math.inf, 0, 0)},
            {"ann": (math.nan, 0, 0), "joe": (0, 2e7, 0)},
            kind,
        )
    )
    assert (report.npc_updates, report.bad_count, report.unknown_count) == (0, 4, 0)
    assert expected(world) == {"bob"}  # As before; ida has not been placed yet.
    assert world.snapshot().position_m[0].tolist() == [1, 1, 1]
    assert world.snapshot().player_position_m.tolist() == [[1, 1, 1]]
    world.check_integrity()


def test_a_report_names_eight_and_counts_all() -> None:
    world = world_with(*(f"n{i}" for i in range(20)))
    everyone = dict.fromkeys(world.npcs, (math.nan, 0.0, 0.0))
    report = world.apply(tick_of(world, everyone))
    assert report.bad_handles == tuple(n.handle for n in world.npcs.values())[:8]
    assert report.bad_count == 20


def test_a_snapshot_is_read_only() -> None:
    snapshot = world_with("bob").snapshot()
    with pytest.raises(ValueError, match="read-only"):
        snapshot.position_m[0] = 1


# --- announced calls ------------------------------------------------------------------------------


def test_a_hint_in_a_tick_counts_from_that_tick_and_stays() -> None:
    world = world_with("bob")
    world.apply(tick_of(world, {"bob": HERE}, at_s=10, next_call_s=[5.0]))
    assert due_s(world) == 15
    world.apply(tick_of(world, {"bob": HERE}, at_s=11))
    assert due_s(world) == 15
    world.apply(tick_of(world, {"bob": HERE}, at_s=12, flags=[2]))
    assert due_s(world) is None


def test_a_hint_replaces_the_schedule_and_taking_it_back_restores_it() -> None:
    world = world_with("bob")
    world.set_traits("bob", 1, 0, (ScheduledCall(at_s=100.0),))
    world.hint("bob", 3.0)
    assert due_s(world) == 3
    world.hint("bob", None)
    assert due_s(world) == 100


def test_an_overdue_call_gives_way_to_the_next() -> None:
    world = world_with("bob")
    world.set_traits("bob", 1, 0, (ScheduledCall(at_s=5.0), ScheduledCall(at_s=50.0)))
    advance(world, 5 + OVERDUE_S)
    assert due_s(world) == 5
    advance(world, 5.5 + OVERDUE_S)
    assert due_s(world) == 50
    advance(world, 51 + OVERDUE_S)
    assert due_s(world) is None


@pytest.mark.parametrize(("ended_s", "next_s"), [(8.0, 10.0), (10.0, 40.0), (12.0, 40.0)])
def test_a_call_that_came_turns_to_the_next_one(ended_s: float, next_s: float) -> None:
    world = world_with("bob")
    world.set_traits("bob", 1, 0, (ScheduledCall(at_s=10.0, every_s=30.0),))
    advance(world, ended_s)
    world.turn_closed("bob", world.turn_opened("bob"))
    assert due_s(world) == pytest.approx(next_s)


def test_the_same_schedule_again_keeps_a_hint() -> None:
    world = world_with("bob")
    schedule = (ScheduledCall(at_s=10.0),)
    world.set_traits("bob", 1, 0, schedule)
    world.hint("bob", 3.0)
    world.set_traits("bob", 2, 0, schedule)
    assert due_s(world) == 3


@given(
    at_s=st.floats(0, 1e12),
    every_s=st.floats(min_value=0, max_value=1e9, exclude_min=True),
    now_s=st.floats(0, 1e12),
)
def test_a_repeated_call_is_never_in_the_past_nor_too_far(
    at_s: float, every_s: float, now_s: float
) -> None:
    world = world_with("bob")
    advance(world, now_s)
    world.set_traits("bob", 1, 0, (ScheduledCall(at_s=at_s, every_s=every_s),))
    next_s = due_s(world)
    assert next_s is not None
    assert now_s <= next_s <= max(at_s, (now_s + every_s) * (1 + 1e-12))


# --- calls that came ------------------------------------------------------------------------------


def test_the_end_of_the_last_call_is_kept() -> None:
    world = world_with("bob")
    assert np.isnan(world.snapshot().last_call_s[0])
    advance(world, 7.0)
    world.turn_closed("bob", world.turn_opened("bob"))
    assert world.snapshot().last_call_s[0] == 7.0


def test_a_turn_of_one_who_is_gone_closes_nothing() -> None:
    world = world_with("bob")
    handle = world.turn_opened("bob")
    world.despawn(["bob"], [])
    world.turn_closed("bob", handle)
    world.spawn([npc("bob")], [])
    world.turn_closed("bob", handle)
    assert world.columns.open_turns[world.npcs["bob"].row] == 0
    assert np.isnan(world.snapshot().last_call_s[0])
    world.check_integrity()


# --- what is handed out ---------------------------------------------------------------------------


def test_row_ids_handed_out_are_never_changed() -> None:
    world = world_with("ann", "bob")
    before = world.row_ids
    advance(world, 1.0)
    assert world.row_ids is before, "nobody came or went: nothing is copied"
    world.despawn(["ann"], [])
    world.spawn([npc("zoe"), npc("ida")], [])
    assert before == ("ann", "bob")
    assert world.row_ids == ("zoe", "bob", "ida")


def test_row_ids_are_as_many_as_rows_when_only_the_dead_were_restored() -> None:
    old = world_with("ann", "bob")
    world = world_with()
    for one in old.npcs.values():
        world.columns.retire(one.handle)
    assert world.row_ids == ("", "")
    assert len(world.snapshot().alive) == len(world.row_ids)
    world.check_integrity()
