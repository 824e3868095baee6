"""Sessions: who may connect, in what role, for how long; resuming."""

from __future__ import annotations

import pytest
from server.client import Client
from server.conftest import StartServer, scripted
from waiting import until
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from callsheet.wire import (
    Ack,
    ActionResult,
    AnyClientMessage,
    Bye,
    CloseCode,
    Despawn,
    Error,
    ErrorCode,
    HearAnswer,
    HintCalls,
    Ok,
    Ping,
    Pong,
    RegisterScript,
    ReplyEnd,
    ReplyStart,
    Request,
    Role,
    Spawn,
    Spawned,
    Speak,
    Subscribe,
    TickAck,
    TickKind,
    WorldClosed,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.session.session import Session, SessionState


async def no_sessions(server: CallsheetServer, left: int = 0) -> None:
    """Wait until the server has forgotten the sessions that are over."""
    await until(lambda: len(server.sessions) <= left)


async def game_lost(server: CallsheetServer) -> Session:
    """Wait until the server has noticed that its game's connection is gone; the game's session."""
    (session,) = (s for s in server.sessions if s.role == "game")
    await until(lambda: session.state is SessionState.DETACHED)
    return session


# --- hello and welcome ---------------------------------------------------------------------------


async def test_welcome_tells_what_holds_for_the_session(start_server: StartServer) -> None:
    server = await start_server(limits={"max_npcs_per_spawn": 7}, heartbeat_interval_s=2.5)
    async with Client(server.port, world="w") as game:
        welcome = game.welcome
        assert (welcome.world, welcome.role, welcome.resumed) == ("w", "game", False)
        assert welcome.limits.max_npcs_per_spawn == 7
        assert welcome.heartbeat_interval_s == 2.5
        assert welcome.last_request_id == 0
        assert welcome.engine.name == "scripted"


async def test_a_second_game_finds_the_world_taken(server: CallsheetServer) -> None:
    async with Client(server.port) as game:
        second = Client(server.port)
        await second.dial()
        await second.send(second.hello)
        assert await second.closed() == CloseCode.WORLD_TAKEN
        (error,) = second.received
        assert isinstance(error, Error)
        assert (error.code, error.field, error.value) == (
            ErrorCode.WORLD_TAKEN,
            "world",
            '"town"',
        )
        await game.settle()


async def test_a_game_takes_over_from_one_that_was_lost(server: CallsheetServer) -> None:
    async with Client(server.port, role="mod") as mod:
        async with Client(server.port) as lost:
            await lost.spawn("bob")
            lost.drop()
        await game_lost(server)
        async with Client(server.port) as game:
            assert not game.welcome.resumed
            await mod.get(WorldClosed)
            await game.spawn("bob")
            late = Client(server.port, resume=lost.resumption())
            await late.dial()
            await late.send(late.hello)
            assert await late.closed() == CloseCode.WORLD_TAKEN
            assert (await game.reply(await game.say("bob"))).finish_reason == "stop"


async def test_a_world_can_be_taken_again_as_soon_as_its_game_said_bye(
    server: CallsheetServer,
) -> None:
    async with Client(server.port, role="observer") as observer:
        async with Client(server.port) as first:
            await first.spawn("bob")
            await first.send(Bye())
            assert await first.closed() == CloseCode.NORMAL
        async with Client(server.port) as second:
            await second.spawn("bob")
            await observer.get(WorldClosed)
            await no_sessions(server, left=2)
            assert (await second.reply(await second.say("bob"))).finish_reason == "stop"


async def test_a_world_begins_with_the_first_hello_and_ends_with_the_last_session(
    server: CallsheetServer,
) -> None:
    async with Client(server.port, role="mod", world="w") as mod:
        await mod.settle()
        assert set(server.rooms) == {"w"}
    await no_sessions(server)
    assert server.rooms == {}


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("observer", Speak(id=1, npc="bob", text="hi")),
        ("observer", HintCalls.model_validate_json('{"id":1,"hints":[{"npc":"bob"}]}')),
        ("observer", RegisterScript(id=1, script="s")),
        ("mod", Spawn(id=1)),
        ("mod", Despawn(id=1)),
        ("mod", ActionResult(action=1, ok=True)),
        ("game", RegisterScript(id=1, script="s")),
        ("game", HearAnswer(call=1)),
    ],
    ids=lambda value: value if isinstance(value, str) else value.type,
)
async def test_a_role_may_not_send_everything(
    server: CallsheetServer, role: Role, message: AnyClientMessage
) -> None:
    async with Client(server.port, role=role) as client:
        await client.send(message)
        error = await client.error(ErrorCode.FORBIDDEN)
        assert (error.field, error.value) == ("type", f'"{message.type}"')
        assert error.id == (message.id if isinstance(message, Request) else None)
        await client.ask(Subscribe(id=2, topics=()), Ok)


@pytest.mark.parametrize("role", ["mod", "observer"])
async def test_only_games_tick(server: CallsheetServer, role: Role) -> None:
    async with Client(server.port, role=role) as client:
        await client.tick()
        await client.error(ErrorCode.FORBIDDEN)
        await client.send_raw('{"type":"tick","kind":"keyframe","tick":1,"game_time_s":0}')
        await client.error(ErrorCode.FORBIDDEN)


@pytest.mark.parametrize(
    "offered",
    [
        None,
        [Subprotocol("callsheet.v1")],
        [Subprotocol("chat"), Subprotocol("callsheet.v1")],
        [Subprotocol("chat")],
    ],
)
async def test_the_subprotocol_is_optional(
    server: CallsheetServer, offered: list[Subprotocol] | None
) -> None:
    async with connect(f"ws://127.0.0.1:{server.port}/", subprotocols=offered) as socket:
        chosen = "callsheet.v1" if offered and "callsheet.v1" in offered else None
        assert socket.subprotocol == chosen


# --- how sessions end ----------------------------------------------------------------------------


async def test_what_follows_bye_is_not_carried_out(server: CallsheetServer) -> None:
    async with Client(server.port, role="observer"), Client(server.port) as game:
        await game.send(
            Bye(), Spawn.model_validate_json('{"id":1,"npcs":[{"npc":"x","name":"X"}]}')
        )
        assert await game.closed() == CloseCode.NORMAL
        assert server.rooms["town"].world.npcs == {}


async def test_when_the_game_says_bye_its_world_closes(server: CallsheetServer) -> None:
    async with Client(server.port, role="observer") as observer:
        async with Client(server.port) as game:
            await game.spawn("bob")
            await game.send(Bye())
            assert await game.closed() == CloseCode.NORMAL
        await observer.get(WorldClosed)
        room = server.rooms["town"]
        assert (room.world.npcs, room.world.players, room.game) == ({}, {}, None)
        assert server.engine.occupancy().running == 0


@pytest.mark.parametrize(("code", "resumed"), [(1000, False), (1001, True), (4000, False)])
async def test_the_close_code_decides_whether_a_session_can_be_resumed(
    server: CallsheetServer, code: int, resumed: bool
) -> None:
    async with Client(server.port) as game:
        await game.socket.close(code)
    async with Client(server.port, resume=game.resumption()) as again:
        assert again.welcome.resumed is resumed


async def test_when_the_grace_is_over_the_world_closes(start_server: StartServer) -> None:
    server = await start_server(
        scripted(token_delay_s=0.1), resume_grace_s=0.05, heartbeat_interval_s=300
    )
    async with Client(server.port, role="mod") as mod, Client(server.port, role="observer") as eye:
        async with Client(server.port) as game:
            await game.spawn("bob")
            await game.say("bob")
            await game.get(ReplyStart)
            game.drop()
        await mod.get(WorldClosed)
        await eye.get(WorldClosed)
        assert server.rooms["town"].world.npcs == {}
        async with Client(server.port, resume=game.resumption()) as again:
            assert not again.welcome.resumed
            assert again.welcome.session != game.welcome.session
            await again.spawn("bob")


async def test_silence_of_three_intervals_ends_the_connection_not_the_session(
    start_server: StartServer,
) -> None:
    server = await start_server(heartbeat_interval_s=0.05, resume_grace_s=60)
    async with Client(server.port) as game:
        await game.spawn("bob")
        assert await game.closed() == CloseCode.HEARTBEAT_TIMEOUT
        error = game.received[-1]
        assert isinstance(error, Error)
        assert error.code == ErrorCode.HEARTBEAT_TIMEOUT
    async with Client(server.port, resume=game.resumption()) as again:
        assert again.welcome.resumed
        again.drop()


async def test_any_frame_is_a_sign_of_life(server: CallsheetServer, game: Client) -> None:
    (session,) = server.sessions
    before_s = session.last_frame_s
    await game.send(Ping(client_time_s=0))
    await game.get(Pong)
    assert session.last_frame_s > before_s


# --- resuming ------------------------------------------------------------------------------------


async def test_a_token_works_once(server: CallsheetServer) -> None:
    async with Client(server.port, role="mod") as mod:
        mod.drop()
    resumption = mod.resumption()
    async with Client(server.port, role="mod", resume=resumption) as again:
        assert again.welcome.resumed
        await again.settle()
        again.drop()
    async with Client(server.port, role="mod", resume=resumption) as third:
        assert not third.welcome.resumed


async def test_a_token_works_again_if_the_welcome_it_brought_was_lost(
    server: CallsheetServer,
) -> None:
    async with Client(server.port, role="mod") as mod:
        mod.drop()
    for _ in range(3):
        async with Client(server.port, role="mod", resume=mod.resumption()) as again:
            assert again.welcome.resumed
            again.drop()
    async with Client(server.port, role="mod", resume=again.resumption()) as newest:
        assert newest.welcome.resumed


async def test_a_wrong_token_resumes_nothing(server: CallsheetServer) -> None:
    async with Client(server.port, role="mod") as mod:
        wrong = mod.resumption().model_copy(update={"token": "guess"})
        async with Client(server.port, role="mod", resume=wrong) as thief:
            assert not thief.welcome.resumed
            assert thief.welcome.session != mod.welcome.session
        await mod.settle()


async def test_a_session_is_resumed_in_its_own_role_and_world_only(
    server: CallsheetServer,
) -> None:
    async with Client(server.port, role="mod") as mod:
        mod.drop()
    for role, world in (("observer", "town"), ("mod", "village")):
        async with Client(server.port, role=role, world=world, resume=mod.resumption()) as other:  # type: ignore[arg-type]
            assert not other.welcome.resumed


async def test_a_resume_takes_an_open_connection_over(server: CallsheetServer) -> None:
    async with Client(server.port) as old:
        await old.spawn("bob")
        async with Client(server.port, resume=old.resumption()) as new:
            assert new.welcome.resumed
            assert await old.closed() == CloseCode.SUPERSEDED
            error = old.received[-1]
            assert isinstance(error, Error)
            assert error.code == ErrorCode.SUPERSEDED
            assert (await new.reply(await new.say("bob"))).finish_reason == "stop"


async def test_a_resume_replays_exactly_what_was_not_received(server: CallsheetServer) -> None:
    async with Client(server.port) as game:
        await game.spawn("bob")
        for number in range(2, 12):
            await game.ask(Subscribe(id=number, topics=()), Ok)
        await game.send(Ack(seq=4))
        await game.settle()
        game.drop()
    async with Client(server.port, resume=game.resumption(last_seq=6)) as again:
        for number in range(7, 12):
            await again.get(Ok, id=number)
        await again.get(Error)
        assert again.last_seq == game.last_seq
        assert [m.type for m in again.received] == ["welcome"] + ["ok"] * 5 + ["error"]


async def test_a_number_that_was_never_sent_resumes_nothing(server: CallsheetServer) -> None:
    async with Client(server.port) as game:
        await game.spawn("bob")
        game.drop()
    resume = game.resumption(last_seq=game.last_seq + 1)
    async with Client(server.port, resume=resume) as again:
        assert not again.welcome.resumed


@pytest.mark.parametrize("acknowledged", [True, False])
async def test_a_ping_acknowledges_as_an_ack_does(
    start_server: StartServer, acknowledged: bool
) -> None:
    server = await start_server(limits={"max_outbox_messages": 64})
    async with Client(server.port) as game:
        for number in range(1, 101):
            await game.ask(Subscribe(id=number, topics=()), Ok)
            if acknowledged:
                await game.send(Ping(client_time_s=1.0, ack=game.last_seq))
        await game.send(Ping(client_time_s=2.0))
        await game.get(Pong, client_time_s=2.0)
        game.drop()
    async with Client(server.port, resume=game.resumption(last_seq=10)) as again:
        assert again.welcome.resumed is acknowledged, "what was dropped unheard cannot be resumed"
        again.drop()


async def test_after_a_resume_the_first_tick_must_be_a_keyframe(
    game: Client, server: CallsheetServer
) -> None:
    bob = server.rooms["town"].world.npcs["bob"].handle
    await game.get(TickAck)
    game.drop()
    async with Client(server.port, resume=game.resumption()) as again:
        await again.tick([bob], [5, 0, 0], kind=TickKind.DELTA, number=10)
        assert (await again.error(ErrorCode.BAD_TICK)).field == "kind"
        await again.tick([bob], [6, 0, 0], kind=TickKind.KEYFRAME, number=11)
        await again.tick([bob], [7, 0, 0], kind=TickKind.DELTA, number=12)
        await again.get(TickAck, tick=12)
        again.drop()


async def test_a_server_that_was_restarted_knows_no_session(start_server: StartServer) -> None:
    first = await start_server()
    async with Client(first.port) as game:
        game.drop()
    second = await start_server()
    async with Client(second.port, resume=game.resumption()) as again:
        assert not again.welcome.resumed


async def test_acks_make_room(start_server: StartServer) -> None:
    server = await start_server(limits={"max_outbox_messages": 64})
    async with Client(server.port, role="mod") as mod:
        for number in range(1, 200):
            await mod.ask(Subscribe(id=number, topics=()), Ok)
            await mod.send(Ack(seq=mod.last_seq))
        await mod.send(Ack(seq=10_000))
        error = await mod.error(ErrorCode.BAD_MESSAGE)
        assert (error.field, error.value, error.limit) == ("seq", "10000", 199)


async def test_a_game_away_for_too_many_messages_is_gone(start_server: StartServer) -> None:
    limits = {"max_outbox_messages": 64, "max_mod_turns_per_npc_per_min": 1e6}
    server = await start_server(limits=limits)
    async with Client(server.port, role="mod") as mod:
        async with Client(server.port) as game:
            await game.spawn("bob")
            game.drop()
        session = await game_lost(server)
        for number in range(1, 22):
            await mod.send(Speak(id=number, npc="bob", text="I am still here."))
            await mod.get(ReplyEnd, id=number)
            await mod.send(Ack(seq=mod.last_seq))
        assert session.state is SessionState.DETACHED  # 1 + 21 * 3 messages wait for it.
        await mod.send(Speak(id=99, npc="bob", text="I am still here."))
        await mod.get(WorldClosed)


async def test_spawned_answers_survive_a_lost_connection(server: CallsheetServer) -> None:
    """The request got through, its answer did not: after the resume it comes, once."""
    async with Client(server.port) as game:
        await game.send(Spawn(id=1))
        game.drop()
    async with Client(server.port, resume=game.resumption(last_seq=0)) as again:
        if again.welcome.last_request_id == 0:
            await again.send(Spawn(id=1))
        await again.get(Spawned, id=1)
        await again.ask(Subscribe(id=2, topics=()), Ok)
        assert sum(isinstance(m, Spawned) for m in again.received) == 1
