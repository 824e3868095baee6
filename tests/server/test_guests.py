"""Observers who join a world, over a real socket."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from callsheet_server.app import CallsheetServer
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.settings import Settings

FAST = ScriptedSettings(token_delay_s=0.0)
AT = [1.0, 0.0, 2.0]


class Peer:
    """Speaks JSON; ``ask`` returns the message that completes a request."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    async def send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(await self._socket.recv())
            if wanted(message):
                return message

    async def ask(self, **message: Any) -> dict[str, Any]:
        number = next(self._ids)
        await self.send(**message, id=number)
        told = ("reply_start", "reply_delta")
        return await self.until(lambda m: m.get("id") == number and m["type"] not in told)

    async def say(self, speaker: dict[str, str]) -> dict[str, Any]:
        return await self.ask(type="say", npc="bob", text="Hello!", speaker=speaker)

    async def players(self) -> dict[str, list[float]]:
        """Who is present, by the next picture of the world."""
        await self.ask(type="subscribe", topics=["npcs"], interval_s=0.05)
        states = await self.until(lambda m: m["type"] == "npc_states")
        await self.ask(type="subscribe", topics=[])
        return {player["player"]: player["position"] for player in states["players"]}


Enter = Callable[..., Any]


@pytest.fixture
async def stage() -> AsyncIterator[Callable[..., Any]]:
    """Starts a server and lets peers in: ``await enter("observer")``."""
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> tuple[CallsheetServer, Enter]:
            settings = Settings.model_validate(
                {"server": {"port": 0, "drain_timeout_s": 0}, "scripted": FAST.model_dump()}
                | changes
            )
            server = CallsheetServer(settings, ScriptedEngine(settings.scripted))
            await stack.enter_async_context(server)

            async def enter(role: str, **hello: Any) -> tuple[Peer, dict[str, Any]]:
                socket = await stack.enter_async_context(
                    connect(f"ws://127.0.0.1:{server.port}", close_timeout=0.1)
                )
                peer = Peer(socket)
                client = {"name": "test", "version": "1"}
                message = {"protocol": "1.1", "role": role, "world": "town", "client": client}
                await peer.send(type="hello", **(message | hello))
                return peer, await peer.until(lambda m: m["type"] in ("welcome", "error"))

            return server, enter

        yield start


async def play(enter: Enter) -> Peer:
    game: Peer
    game, _ = await enter("game")
    npc = {"npc": "bob", "name": "Bob", "position": AT}
    player = {"player": "ann", "name": "Ann", "position": AT}
    await game.ask(type="configure_world", player_max_speed_mps=4.0)
    await game.ask(type="spawn", npcs=[npc], players=[player])
    return game


async def keyframe(game: Peer, number: int, players: list[dict[str, Any]]) -> None:
    await game.send(
        type="tick", kind="keyframe", tick=number, game_time_s=number, ack=True, players=players
    )
    await game.until(lambda m: m["type"] == "tick_ack")


async def test_a_guest_joins_walks_talks_and_leaves(stage: Callable[..., Any]) -> None:
    server, enter = await stage()
    game = await play(enter)
    guest, welcome = await enter("observer")
    assert welcome["worlds"] == ["town"]
    joined = await guest.ask(type="join", name="Eve", position=AT)
    assert joined == {
        "type": "joined",
        "seq": joined["seq"],
        "id": 1,
        "player": "guest:1",
        "max_speed_mps": 4.0,
    }
    await guest.send(type="move_player", position=[5.0, 0.0, 5.0])
    await keyframe(game, 1, [])
    assert await guest.players() == {"guest:1": [5.0, 0.0, 5.0]}
    end = await guest.say({"kind": "player", "id": "guest:1"})
    assert (end["type"], end["finish_reason"]) == ("reply_end", "stop")
    other, _ = await enter("observer")
    await guest.send(type="bye")
    while await other.players():
        pass
    assert server.rooms["town"].guests == {}


async def test_an_observer_speaks_for_nobody_else(stage: Callable[..., Any]) -> None:
    _, enter = await stage()
    await play(enter)
    guest, _ = await enter("observer")
    refused = await guest.say({"kind": "player", "id": "ann"})
    assert refused["code"] == "unknown_player"
    await guest.send(type="move_player", position=AT)
    refused = await guest.until(lambda m: m["type"] == "error")
    assert refused["code"] == "unknown_player"
    await guest.ask(type="join", name="Eve", position=AT)
    for speaker in ({"kind": "player", "id": "ann"}, {"kind": "narrator"}):
        refused = await guest.say(speaker)
        assert (refused["code"], refused["field"]) == ("forbidden", "speaker.id")


async def test_one_player_each_and_only_so_many(stage: Callable[..., Any]) -> None:
    _, enter = await stage(limits={"max_guests_per_world": 1})
    await play(enter)
    guest, _ = await enter("observer")
    await guest.ask(type="join", name="Eve", position=AT)
    assert (await guest.ask(type="join", name="Eve", position=AT))["code"] == "duplicate_player"
    late, _ = await enter("observer")
    refused = await late.ask(type="join", name="Eve", position=AT)
    assert (refused["code"], refused["limit"]) == ("limit_exceeded", 1.0)


async def test_guests_take_no_place_from_the_game(stage: Callable[..., Any]) -> None:
    _, enter = await stage(limits={"max_players_per_world": 2})
    game = await play(enter)
    guest, _ = await enter("observer")
    await guest.ask(type="join", name="Eve", position=AT)
    spawned = await game.ask(type="spawn", players=[{"player": "cy", "name": "Cy"}])
    assert spawned["type"] == "spawned"


async def test_a_game_may_send_a_guest_away_but_not_move_it(stage: Callable[..., Any]) -> None:
    server, enter = await stage()
    game = await play(enter)
    guest, _ = await enter("observer")
    await guest.ask(type="join", name="Eve", position=AT)
    handle = server.rooms["town"].world.players["guest:1"].handle
    await keyframe(game, 1, [{"handle": handle, "position": [9.0, 9.0, 9.0]}])
    assert await guest.players() == {"guest:1": AT}
    await game.ask(type="despawn", players=["guest:1"])
    assert (await guest.say({"kind": "player", "id": "guest:1"}))["code"] == "unknown_player"
    assert (await guest.ask(type="join", name="Eve", position=AT))["player"] == "guest:2"


async def test_guests_go_with_the_game_and_need_one(stage: Callable[..., Any]) -> None:
    _, enter = await stage()
    guest, welcome = await enter("observer")
    assert welcome["worlds"] == []
    refused = await guest.ask(type="join", name="Eve", position=AT)
    assert refused["code"] == "world_not_ready"
    game = await play(enter)
    await guest.ask(type="join", name="Eve", position=AT)
    await game.send(type="bye")
    await guest.until(lambda m: m["type"] == "world_closed")
    await play(enter)
    assert (await guest.ask(type="join", name="Eve", position=AT))["type"] == "joined"


@pytest.mark.parametrize(
    ("server", "allowed"),
    [
        ({"host": "127.0.0.1"}, True),
        ({"host": "localhost"}, True),
        ({"host": "127.0.0.1", "observers_may_act": False}, False),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "observer_token": "secret"}, True),
    ],
)
async def test_who_may_act(
    stage: Callable[..., Any], server: dict[str, Any], allowed: bool
) -> None:
    running, enter = await stage(server={"port": 0, "drain_timeout_s": 0} | server)
    await play(enter)
    guest, _ = await enter("observer", token="secret")
    joined = await guest.ask(type="join", name="Eve", position=AT)
    chosen = await guest.ask(type="set_policy", policy="naive")
    if allowed:
        assert (joined["type"], chosen["type"]) == ("joined", "ok")
        assert running.controller.policy.name == "naive"
    else:
        assert (joined["code"], chosen["code"]) == ("forbidden", "forbidden")
        assert "server.observer_token" in joined["message"]
        assert running.controller.policy.name == "distance"


async def test_the_policy_is_told_in_stats(stage: Callable[..., Any]) -> None:
    _, enter = await stage(residency={"policy": "lru"})
    await play(enter)
    observer, _ = await enter("observer")
    await observer.ask(type="subscribe", topics=["stats"], interval_s=0.05)
    assert (await observer.until(lambda m: m["type"] == "stats"))["policy"] == "lru"
    await observer.ask(type="set_policy", policy="distance")
    await observer.until(lambda m: m["type"] == "stats" and m["policy"] == "distance")


async def test_a_game_cannot_join(stage: Callable[..., Any]) -> None:
    _, enter = await stage()
    game = await play(enter)
    assert (await game.ask(type="join", name="Eve", position=AT))["code"] == "forbidden"
