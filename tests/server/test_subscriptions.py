"""Looking on: subscriptions, explanations, counters."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AsyncExitStack

import pytest
from server.client import Client
from server.conftest import StartServer, scripted

from callsheet.wire import (
    ErrorCode,
    Explain,
    Explanation,
    HintCalls,
    Moves,
    NpcStates,
    Ok,
    ReplyDelta,
    ReplyEnd,
    ReplyStart,
    Stats,
    Subscribe,
    TickAck,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.outgoing.npc_states import StatesView
from callsheet_server.rooms import subscriptions
from callsheet_server.rooms.room import Room


async def watch(server: CallsheetServer, *topics: str) -> Client:
    """An observer of world "town" with these topics; the caller closes it."""
    observer = await Client(server.port, role="observer").__aenter__()
    subscribe = Subscribe(id=1, topics=topics, interval_s=0.05)  # type: ignore[arg-type]
    await observer.ask(subscribe, Ok)
    return observer


async def test_states_come_in_parts_that_make_up_the_world(server: CallsheetServer) -> None:
    async with Client(server.port) as game:
        names = [f"one-with-a-long-name-{index}" for index in range(600)]
        handles = [npc.handle for npc in (await game.spawn(*names)).npcs]
        await game.tick(handles, [[index, 0, 0] for index in range(600)])
        await game.get(TickAck)
        observer = await watch(server, "npcs")
        first = await observer.get(NpcStates, part=0)
        assert first.parts > 1
        parts = [first] + [
            await observer.get(NpcStates, part=part) for part in range(1, first.parts)
        ]
        states = [state for part in parts for state in part.npcs]
        assert [(s.npc, s.position[0]) for s in states] == list(zip(names, range(600), strict=True))
        await observer.socket.close()


async def test_all_who_look_on_share_what_is_encoded_a_few_npcs_at_a_time(
    server: CallsheetServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "NPCS_PER_UPDATE", 100)
    encoded: list[int] = []
    encode = StatesView.encode

    def counted(view: StatesView, max_npcs: int) -> int:
        encoded.append(encode(view, max_npcs))
        return encoded[-1]

    monkeypatch.setattr(StatesView, "encode", counted)
    async with Client(server.port) as game, AsyncExitStack() as stack:
        await game.spawn(*(f"n{index}" for index in range(250)))
        observers = [await watch(server, "npcs") for _ in range(8)]
        for observer in observers:
            stack.push_async_callback(observer.socket.close)
        encoded.clear()
        updates, update = 0, server.subscriptions.update

        def counting(rooms: Collection[Room], now_s: float) -> None:
            nonlocal updates
            updates += 1
            before = sum(encoded)
            update(rooms, now_s)
            assert sum(encoded) - before <= 100

        monkeypatch.setattr(server.subscriptions, "update", counting)
        for observer in observers:
            whole = [await observer.get(NpcStates) for _ in range(3)]
            assert {len(states.npcs) for states in whole} == {250}
        assert sum(encoded) <= 100 * updates + 250


async def test_a_player_who_is_near_shows_in_state_and_explanation(
    game: Client, server: CallsheetServer
) -> None:
    await game.get(TickAck)
    observer = await watch(server, "npcs")
    (bob,) = (await observer.get(NpcStates)).npcs
    assert (bob.npc, bob.estimator, bob.distance_s) == ("bob", "proximity", 0)
    found = await observer.ask(Explain(id=2, npc="bob"), Explanation)
    assert (found.estimator, found.distance_s) == ("proximity", 0)
    assert {view.name for view in found.estimators} == {
        "conversation",
        "schedule",
        "proximity",
        "encounter",
        "history",
        "chain",
    }
    await game.send(HintCalls.model_validate_json('{"id":50,"hints":[{"npc":"bob","in_s":0}]}'))
    await game.get(Ok, id=50)
    found = await observer.ask(Explain(id=3, npc="bob"), Explanation)
    assert found.estimator == "schedule"
    await observer.socket.close()


async def test_an_unknown_npc_cannot_be_explained(game: Client) -> None:
    error = await game.refusal(Explain(id=20, npc="zoe"))
    assert (error.code, error.field, error.value) == (ErrorCode.UNKNOWN_NPC, "npc", '"zoe"')


async def test_a_world_without_a_game_says_so(server: CallsheetServer) -> None:
    async with Client(server.port, role="observer") as observer:
        error = await observer.refusal(Explain(id=1, npc="bob"))
        assert error.code == ErrorCode.WORLD_NOT_READY


async def test_who_asks_for_replies_in_the_middle_of_one_gets_the_rest(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.05))
    async with Client(server.port) as game:
        await game.spawn("bob")
        asked = await game.say("bob")
        await game.get(ReplyDelta)
        observer = await watch(server, "replies")
        end = await observer.get(ReplyEnd)
        assert end.text == (await game.reply(asked)).text
        assert not [m for m in observer.received if isinstance(m, ReplyStart)]
        told = "".join(m.text for m in observer.received if isinstance(m, ReplyDelta))
        assert told
        assert end.text.endswith(told)
        assert told != end.text
        await observer.socket.close()


async def test_moves_are_told_with_their_reason(server: CallsheetServer) -> None:
    observer = await watch(server, "residency")
    async with Client(server.port) as game:
        await game.spawn("bob")
        await game.reply(await game.say("bob"))
        told = await observer.get(Moves)
        move = told.moves[0]
        assert (move.kind, move.key, move.source, move.target) == (
            "prefix",
            "bob",
            "absent",
            "device",
        )
        assert move.reason
        assert move.error is None
        assert move.bytes == 1_000_000
        assert told.dropped == 0
    await observer.socket.close()


async def test_stats_count_what_happened_in_this_world(
    game: Client, server: CallsheetServer
) -> None:
    async with Client(server.port, world="village") as other:
        await other.spawn("eve")
        await other.reply(await other.say("eve"))
    await game.reply(await game.say("bob"))
    await server.mover.idle()
    observer = await watch(server, "stats")
    stats = await observer.get(Stats)
    assert (stats.npcs, stats.players, stats.ticks, stats.npc_updates) == (1, 1, 1, 1)
    assert (stats.requests, stats.replies, stats.errors) == (1, 1, 0)
    assert (stats.running, stats.queued) == (0, 0)
    assert stats.ttft_resident.replies + stats.ttft_not_resident.replies == 1
    assert stats.loads == 1
    await observer.socket.close()


@pytest.mark.parametrize("how", ["unsubscribe", "leave"])
async def test_a_subscription_ends(game: Client, server: CallsheetServer, how: str) -> None:
    observer = await watch(server, "npcs", "stats")
    room = server.rooms["town"]
    await observer.get(NpcStates)
    if how == "unsubscribe":
        await observer.ask(Subscribe(id=2, topics=()), Ok)
    await observer.socket.close()
    async with Client(server.port, role="observer") as other:  # The first is cleared away by now.
        await other.settle()
        assert room.subscriptions == {}


async def test_moves_that_were_left_out_are_counted(
    start_server: StartServer,
) -> None:
    engine = scripted(device_budget_bytes=3_000_000)
    server = await start_server(engine)
    observer = await watch(server, "residency")
    async with Client(server.port) as game:
        (session,) = (s for s in server.sessions if s.role == "observer")
        subscription = server.rooms["town"].subscriptions[session.id]
        subscription.dropped = 5  # As if the observer had been away for 605 moves.
        await game.spawn("bob")
        await game.reply(await game.say("bob"))
        assert (await observer.get(Moves)).dropped == 5
        assert subscription.dropped == 0
    await observer.socket.close()
