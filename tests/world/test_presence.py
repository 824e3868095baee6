from __future__ import annotations

from collections.abc import Sequence

import pytest
from world.ticks import npc, tick_of, world_with

from callsheet.wire import TickKind
from callsheet_server.world import presence as limits
from callsheet_server.world.presence import Presence, PresenceChange
from callsheet_server.world.world import World

HERE = (0.0, 0.0, 0.0)


@pytest.fixture
def world() -> World:
    world = world_with("bob", "ida", players=("ann",))
    for name in ("bob", "ida"):
        world.set_traits(name, 4.0, 0.0, ())
    world.apply(tick_of(world, {"bob": HERE, "ida": (100, 0, 0)}, {"ann": (50, 0, 0)}))
    return world


def at(world: World, presence: Presence, x: float) -> list[tuple[str, bool]]:
    world.apply(tick_of(world, players={"ann": (x, 0, 0)}))
    return [(change.npc, change.near) for change in looked(world, presence)]


def looked(
    world: World, presence: Presence, watched: Sequence[str] = ("bob", "ida"), at_s: float = 0.0
) -> list[PresenceChange]:
    return presence.update(world, watched, at_s)


def test_a_player_enters_at_the_radius_and_leaves_at_a_quarter_more(world: World) -> None:
    presence = Presence()
    assert at(world, presence, 4.1) == []
    assert at(world, presence, 4.0) == [("bob", True)]
    assert at(world, presence, 5.0) == []
    assert at(world, presence, 5.1) == [("bob", False)]
    assert at(world, presence, 4.9) == []


def test_from_one_to_another_in_one_step(world: World) -> None:
    presence = Presence()
    at(world, presence, 0)
    assert at(world, presence, 100) == [("ida", True), ("bob", False)]


def test_the_distance_is_told(world: World) -> None:
    world.apply(tick_of(world, players={"ann": (0, 3, 0)}))
    (change,) = looked(world, Presence(), ["bob"])
    assert change == PresenceChange("bob", "ann", True, 3.0)


@pytest.mark.parametrize("how", ["left out of a keyframe", "despawned"])
def test_a_player_who_is_gone_has_left(world: World, how: str) -> None:
    presence = Presence()
    at(world, presence, 0)
    if how == "despawned":
        world.despawn([], ["ann"])
    else:
        world.apply(tick_of(world, {"bob": HERE}, kind=TickKind.KEYFRAME))
    assert looked(world, presence, ["bob"]) == [PresenceChange("bob", "ann", False, float("inf"))]
    assert looked(world, presence, ["bob"]) == []


def test_an_npc_that_is_not_simulated_is_near_to_nobody(world: World) -> None:
    presence = Presence()
    at(world, presence, 0)
    world.apply(tick_of(world, {"ida": (100, 0, 0)}, {"ann": HERE}, kind=TickKind.KEYFRAME))
    assert [(c.npc, c.near) for c in looked(world, presence, ["bob"])] == [("bob", False)]


def test_who_is_no_longer_watched_is_forgotten_in_silence(world: World) -> None:
    presence = Presence()
    at(world, presence, 0)
    assert looked(world, presence, ["ida"]) == []
    assert looked(world, presence, []) == []
    assert [c.near for c in looked(world, presence, ["bob"])] == [True]


def jumping(players: int) -> World:
    """Two NPCs far apart, and players who all stand with the first."""
    names = tuple(f"p{i}" for i in range(players))
    world = world_with("bob", "ida", players=names)
    for name in ("bob", "ida"):
        world.set_traits(name, 4.0, 0.0, ())
    world.apply(tick_of(world, {"bob": HERE, "ida": (100, 0, 0)}, dict.fromkeys(names, HERE)))
    return world


def test_more_changes_than_are_listed_at_once_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CHANGES", 3)
    world, presence = jumping(8), Presence()
    came: list[PresenceChange] = []
    while changes := looked(world, presence):
        assert len(changes) <= 3
        came += changes
    assert sorted(c.player for c in came) == [f"p{i}" for i in range(8)]
    assert all((c.npc, c.near) == ("bob", True) for c in came)


def test_changes_of_one_player_come_later_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CHANGES", 1)
    world = jumping(1)
    world.apply(tick_of(world, {"ida": HERE}))
    presence = Presence()
    told = [looked(world, presence) for _ in range(3)]
    assert [[c.npc for c in changes] for changes in told] == [["bob"], ["ida"], []]


def test_players_are_looked_at_in_turn_within_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked: what a look costs is there first."""
    for name, value in (("LOOK_US", 1.0), ("NPC_US", 0.0), ("CHANGE_US", 0.0)):
        monkeypatch.setattr(limits, name, value)
    monkeypatch.setattr(limits, "WORK_AT_ONCE_US", 4.0)
    monkeypatch.setattr(limits, "WORK_US_PER_S", 2.0)
    world, presence = jumping(8), Presence()
    told = [
        [change.player for change in looked(world, presence, at_s=at_s)]
        for at_s in (0.0, 0.0, 0.4, 1.0, 1.0, 100.0)
    ]
    assert [len(players) for players in told] == [4, 0, 0, 2, 0, 2]
    assert len({name for players in told for name in players}) == 8


def test_changes_are_paid_for_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "NPC_US", 0.0)
    monkeypatch.setattr(limits, "WORK_AT_ONCE_US", 9 * limits.LOOK_US)
    monkeypatch.setattr(limits, "CHANGE_US", 7 * limits.LOOK_US)
    world, presence = jumping(8), Presence()
    assert len(looked(world, presence)) == 2
    assert looked(world, presence) == []
    assert looked(world, presence, at_s=100.0)


def test_a_crowd_so_large_that_one_look_takes_all_is_looked_at_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "NPC_US", limits.WORK_AT_ONCE_US)
    world, presence = jumping(3), Presence()
    times_s = [10.0 * number for number in range(4)]
    assert [len(looked(world, presence, at_s=at_s)) for at_s in times_s] == [1, 1, 1, 0]


def test_an_npc_on_the_row_of_one_that_is_gone_is_another() -> None:
    world, presence = jumping(1), Presence()
    assert [c.npc for c in looked(world, presence)] == ["bob"]
    world.despawn(["bob"], [])
    world.spawn([npc("eve", position=HERE)], [])
    world.set_traits("eve", 4.0, 0.0, ())
    assert world.npcs["eve"].row == 0
    assert [(c.npc, c.near) for c in looked(world, presence, ["eve", "ida"])] == [("eve", True)]
