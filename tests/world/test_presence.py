from __future__ import annotations

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
    return [(change.npc, change.near) for change in presence.update(world, ["bob", "ida"])]


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
    (change,) = Presence().update(world, ["bob"])
    assert change == PresenceChange("bob", "ann", True, 3.0)


@pytest.mark.parametrize("how", ["left out of a keyframe", "despawned"])
def test_a_player_who_is_gone_has_left(world: World, how: str) -> None:
    presence = Presence()
    at(world, presence, 0)
    if how == "despawned":
        world.despawn([], ["ann"])
    else:
        world.apply(tick_of(world, {"bob": HERE}, kind=TickKind.KEYFRAME))
    assert presence.update(world, ["bob"]) == [PresenceChange("bob", "ann", False, float("inf"))]
    assert presence.update(world, ["bob"]) == []


def test_an_npc_that_is_not_simulated_is_near_to_nobody(world: World) -> None:
    presence = Presence()
    at(world, presence, 0)
    world.apply(tick_of(world, {"ida": (100, 0, 0)}, {"ann": HERE}, kind=TickKind.KEYFRAME))
    assert [(c.npc, c.near) for c in presence.update(world, ["bob"])] == [("bob", False)]


def test_who_is_no_longer_watched_is_forgotten_in_silence(world: World) -> None:
    presence = Presence()
    at(world, presence, 0)
    assert presence.update(world, ["ida"]) == []
    assert presence.update(world, []) == []
    assert [c.near for c in presence.update(world, ["bob"])] == [True]


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
    while changes := presence.update(world, ["bob", "ida"]):
        assert len(changes) <= 3
        came += changes
    assert sorted(c.player for c in came) == [f"p{i}" for i in range(8)]
    assert all((c.npc, c.near) == ("bob", True) for c in came)


def test_changes_of_one_player_come_later_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CHANGES", 1)
    world = jumping(1)
    world.apply(tick_of(world, {"ida": HERE}))
    presence = Presence()
    told = [presence.update(world, ["bob", "ida"]) for _ in range(3)]
    assert [[c.npc for c in changes] for changes in told] == [["bob"], ["ida"], []]


def test_players_are_looked_at_in_turn_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PAIRS", 4)
    world, presence = jumping(8), Presence()
    told = [[c.player for c in presence.update(world, ["bob", "ida"])] for _ in range(5)]
    assert [len(players) for players in told] == [2, 2, 2, 2, 0]
    assert len({name for players in told for name in players}) == 8


def test_an_npc_on_the_row_of_one_that_is_gone_is_another() -> None:
    world, presence = jumping(1), Presence()
    assert [c.npc for c in presence.update(world, ["bob", "ida"])] == ["bob"]
    world.despawn(["bob"], [])
    world.spawn([npc("eve", position=HERE)], [])
    world.set_traits("eve", 4.0, 0.0, ())
    assert world.npcs["eve"].row == 0
    assert [(c.npc, c.near) for c in presence.update(world, ["eve", "ida"])] == [("eve", True)]
