"""Observers who join a world as players of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from server.client import PLAYER, Client
from server.conftest import StartServer

from callsheet.wire import (
    Bye,
    ConfigureWorld,
    Despawn,
    ErrorCode,
    Join,
    Joined,
    MovePlayer,
    NpcStates,
    Ok,
    PlayerSpec,
    Say,
    SetPolicy,
    Spawn,
    Spawned,
    Speaker,
    Stats,
    Subscribe,
    TickAck,
    WorldClosed,
)
from callsheet_server.rooms import rooms

AT = (1.0, 0.0, 2.0)
EVE = Speaker(kind="player", id="guest:1")


def join(client: Client) -> Join:
    return Join(id=client.next_id(), name="Eve", position=AT)


def say(client: Client, speaker: Speaker) -> Say:
    return Say(id=client.next_id(), npc="bob", text="Hello!", speaker=speaker)


async def place_of_guest(client: Client) -> Sequence[float] | None:
    """Position of the first guest, by a fresh picture of the world; None = it is not there."""
    await client.ask(
        Subscribe(id=client.next_id(), topics=("npcs",), interval_s=0.05),
        Ok,
    )
    states = await client.get(NpcStates)
    await client.ask(Subscribe(id=client.next_id(), topics=()), Ok)
    return next((p.position for p in states.players if p.player == "guest:1"), None)


async def test_a_guest_joins_walks_talks_and_leaves(start_server: StartServer) -> None:
    server = await start_server()
    async with (
        Client(server.port) as game,
        Client(server.port, role="observer") as guest,
        Client(server.port, role="observer") as other,
    ):
        await game.spawn("bob")
        await game.ask(ConfigureWorld(id=game.next_id(), player_max_speed_mps=4.0), Ok)
        joined = await guest.ask(join(guest), Joined)
        assert (joined.player, joined.max_speed_mps) == ("guest:1", 4.0)
        await guest.send(MovePlayer(position=(5.0, 0.0, 5.0)))
        await guest.settle()
        await game.tick()  # a keyframe that knows nothing of it
        await game.get(TickAck)
        assert await place_of_guest(other) == (5.0, 0.0, 5.0)
        question = say(guest, EVE)
        await guest.send(question)
        assert (await guest.reply(question.id)).finish_reason == "stop"
        await game.settle()  # the game is told of it too
        await guest.send(Bye())
        await guest.closed()
        while await place_of_guest(other) is not None:
            pass
        assert server.rooms["town"].guests == {}


async def test_an_observer_speaks_for_nobody_else(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port) as game, Client(server.port, role="observer") as guest:
        await game.spawn("bob")
        assert (await guest.refusal(say(guest, PLAYER))).code == ErrorCode.UNKNOWN_PLAYER
        await guest.send(MovePlayer(position=AT))
        await guest.error(ErrorCode.UNKNOWN_PLAYER)
        await guest.ask(join(guest), Joined)
        for speaker in (PLAYER, Speaker(kind="narrator")):
            refused = await guest.refusal(say(guest, speaker))
            assert (refused.code, refused.field) == (ErrorCode.FORBIDDEN, "speaker.id")


async def test_one_player_each_and_only_so_many(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "MAX_GUESTS_PER_WORLD", 1)
    server = await start_server()
    async with (
        Client(server.port) as game,
        Client(server.port, role="observer") as guest,
        Client(server.port, role="observer") as late,
    ):
        await game.spawn("bob")
        await guest.ask(join(guest), Joined)
        assert (await guest.refusal(join(guest))).code == ErrorCode.DUPLICATE_PLAYER
        refused = await late.refusal(join(late))
        assert (refused.code, refused.limit) == (ErrorCode.LIMIT_EXCEEDED, 1)


async def test_guests_take_no_place_from_the_game(start_server: StartServer) -> None:
    server = await start_server(limits={"max_players_per_world": 1})
    async with Client(server.port) as game, Client(server.port, role="observer") as guest:
        await game.spawn("bob", players=())
        await guest.ask(join(guest), Joined)
        ann = PlayerSpec(player="ann", name="Ann")
        await game.ask(Spawn(id=game.next_id(), players=(ann,)), Spawned)


async def test_a_game_may_send_a_guest_away_but_not_move_it(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port) as game, Client(server.port, role="observer") as guest:
        await game.spawn("bob")
        await guest.ask(join(guest), Joined)
        handle = server.rooms["town"].world.players["guest:1"].handle
        await game.tick(players=[handle], player_position_m=[(9.0, 9.0, 9.0)])
        await game.error(ErrorCode.UNKNOWN_HANDLE)
        assert await place_of_guest(guest) == AT
        await game.ask(Despawn(id=game.next_id(), players=("guest:1",)), Ok)
        assert (await guest.refusal(say(guest, EVE))).code == ErrorCode.UNKNOWN_PLAYER
        assert (await guest.ask(join(guest), Joined)).player == "guest:2"


async def test_guests_go_with_the_game_and_need_one(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port, role="observer") as guest:
        assert guest.welcome.worlds == ()
        assert (await guest.refusal(join(guest))).code == ErrorCode.WORLD_NOT_READY
        async with Client(server.port) as game:
            await game.spawn("bob")
            await guest.ask(join(guest), Joined)
            await game.send(Bye())
            await guest.get(WorldClosed)
        async with Client(server.port) as game, Client(server.port, role="observer") as late:
            await game.spawn("bob")
            await guest.ask(join(guest), Joined)
            assert late.welcome.worlds == ("town",)
            assert game.welcome.worlds is None


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"host": "127.0.0.1"}, True),
        ({"host": "localhost"}, True),
        ({"host": "127.0.0.1", "observers_may_act": False}, False),
        ({"observer_token": "secret"}, True),
    ],
)
async def test_who_may_act(
    start_server: StartServer, settings: dict[str, Any], allowed: bool
) -> None:
    server = await start_server(**settings)
    async with (
        Client(server.port) as game,
        Client(server.port, role="observer", token="secret") as guest,
    ):
        await game.spawn("bob")
        choice = SetPolicy(id=guest.next_id(), policy="naive")
        if allowed:
            await guest.ask(choice, Ok)
            await guest.ask(join(guest), Joined)
            assert server.controller.policy.name == "naive"
        else:
            assert (await guest.refusal(choice)).code == ErrorCode.FORBIDDEN
            refused = await guest.refusal(join(guest))
            assert refused.code == ErrorCode.FORBIDDEN
            assert "server.observers_may_act" in refused.message
            assert server.controller.policy.name == "distance"


async def test_the_policy_is_told_in_stats(start_server: StartServer) -> None:
    server = await start_server(residency={"policy": "lru"})
    async with Client(server.port, role="observer") as observer:
        topics = Subscribe(id=observer.next_id(), topics=("stats",), interval_s=0.05)
        await observer.ask(topics, Ok)
        await observer.get(Stats, policy="lru")
        await observer.ask(SetPolicy(id=observer.next_id(), policy="distance"), Ok)
        await observer.get(Stats, policy="distance")
