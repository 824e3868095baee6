"""Mistakes of a client: the documented error, and nobody else notices.

Each test has ``bystander``, a game in another world that must be unharmed at the end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from server.client import Client
from server.conftest import StartServer, scripted

from callsheet.wire import (
    PROTOCOL,
    Cancel,
    CloseCode,
    Error,
    ErrorCode,
    Explain,
    Explanation,
    NpcSpec,
    Ok,
    Ping,
    PlayerSpec,
    Pong,
    ReplyEnd,
    ReplyStart,
    Spawn,
    Spawned,
    Subscribe,
    TickAck,
    TickKind,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.session.session import SessionState

pytestmark = pytest.mark.usefixtures("bystander")

NAN, INF = math.nan, math.inf


async def still_works(game: Client) -> None:
    """The session goes on: bob answers."""
    assert (await game.reply(await game.say("bob"))).finish_reason == "stop"


def position(server: CallsheetServer, npc: str) -> list[float]:
    world = server.rooms["town"].world
    position_m: list[float] = world.columns.position_m[world.npcs[npc].row].tolist()
    return position_m


# --- malformed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "field", "value", "limit", "request_id"),
    [
        ("{", "bad_json", None, None, None, None),
        ("\x00", "bad_json", None, None, None, None),
        ("[" * 100_000, "bad_json", None, None, None, None),
        ("[1]", "bad_message", None, "[1]", None, None),
        ('{"type":"fly","id":70}', "unknown_type", "type", '"fly"', None, None),
        ('{"type":"explain","id":0,"npc":"bob"}', "bad_message", "id", "0", 1, None),
        ('{"type":"explain","id":71}', "bad_message", "npc", None, None, 71),
        (
            '{"type":"say","id":72,"npc":"bob","speaker":{"kind":"god"},"text":"x"}',
            "bad_message",
            "speaker.kind",
            '"god"',
            None,
            72,
        ),
        ('{"type":"explain","id":73,"npc":"bob","x":1}', "bad_message", "x", "1", None, 73),
        ('{"type":"explain","id":74,"npc":NaN}', "bad_message", "npc", "NaN", None, 74),
    ],
)
async def test_malformed_text_is_answered_and_the_session_goes_on(
    game: Client,
    text: str,
    code: str,
    field: str | None,
    value: str | None,
    limit: float | None,
    request_id: int | None,
) -> None:
    await game.send_raw(text)
    error = await game.get(Error, code=code)
    assert (error.field, error.value, error.limit) == (field, value, limit)
    assert error.id == request_id
    assert error.message
    await still_works(game)


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        (b"", "header"),
        (b"CS", "header"),
        (b"XX" + bytes(30), "magic"),
        (b"CS\x02\x01" + bytes(28), "version"),
        (b"CS\x01\x09" + bytes(28), "kind"),
        (b"CS\x01\x01\xff\x00" + bytes(26), "flags"),
        (b"CS\x01\x01" + bytes(8) + b"\x05" + bytes(19), "npc_count"),
        (b"CS\x01\x01" + bytes(12) + b"\xff" * 8 + bytes(8), "game_time_s"),
    ],
)
async def test_a_malformed_tick_is_dropped_and_named(
    game: Client, frame: bytes, field: str
) -> None:
    await game.send_raw(frame)
    assert (await game.error(ErrorCode.BAD_TICK)).field == field
    await still_works(game)


async def test_a_json_tick_that_does_not_parse_is_dropped_whole(
    game: Client, server: CallsheetServer
) -> None:
    handle = server.rooms["town"].world.npcs["bob"].handle
    await game.send_raw(
        '{"type":"tick","kind":"delta","tick":9,"game_time_s":0,"npcs":['
        f'{{"handle":{handle},"position":[5,0,0]}},{{"handle":{handle},"position":[2e7,0,0]}}]}}'
    )
    error = await game.error(ErrorCode.BAD_MESSAGE)
    assert (error.field, error.limit) == ("npcs.1.position.0", 1e7)
    assert position(server, "bob") == [0, 0, 0]


# --- oversized -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "max_message_bytes", "max_tick_bytes"),
    [
        ("x" * 70_000, 65_536, 100_000),
        ("é" * 35_000, 65_536, 100_000),  # 35,000 characters, 70,000 bytes
        (bytes(70_000), 100_000, 65_536),
    ],
    ids=["text", "text in bytes", "tick"],
)
async def test_an_oversized_frame_is_named_and_ends_the_session(
    start_server: StartServer, frame: str | bytes, max_message_bytes: int, max_tick_bytes: int
) -> None:
    limits = {"max_message_bytes": max_message_bytes, "max_tick_bytes": max_tick_bytes}
    server = await start_server(limits=limits)
    async with Client(server.port) as game, Client(server.port, world="other") as other:
        await other.spawn("ida")
        await game.send_raw(frame)
        assert await game.closed() == CloseCode.MESSAGE_TOO_BIG
        error = game.received[-1]
        assert isinstance(error, Error)
        assert error.code == ErrorCode.MESSAGE_TOO_LARGE
        assert (error.value, error.limit) == ("70000", 65_536)
        async with Client(server.port, resume=game.resumption()) as again:
            assert not again.welcome.resumed
        assert (await other.reply(await other.say("ida"))).finish_reason == "stop"


async def test_a_frame_beyond_every_limit_is_not_even_read(start_server: StartServer) -> None:
    server = await start_server(limits={"max_message_bytes": 65_536, "max_tick_bytes": 65_536})
    async with Client(server.port) as game:
        await game.send_raw(bytes(70_000))
        assert await game.closed() == CloseCode.MESSAGE_TOO_BIG
        async with Client(server.port, resume=game.resumption()) as again:
            assert not again.welcome.resumed


# --- out of order --------------------------------------------------------------------------------


async def test_a_request_id_that_does_not_grow_is_refused_and_not_carried_out(
    game: Client, server: CallsheetServer
) -> None:
    await game.ask(Subscribe(id=50, topics=()), Ok)
    for number in (50, 49):
        error = await game.refusal(Spawn(id=number, npcs=(NpcSpec(npc="zoe", name="Zoe"),)))
        assert error.code == ErrorCode.DUPLICATE_REQUEST
        assert (error.field, error.value, error.limit) == ("id", str(number), 50)
    assert "zoe" not in server.rooms["town"].world.npcs
    await game.ask(Subscribe(id=51, topics=()), Ok)


async def test_a_refused_request_counts_as_taken(game: Client) -> None:
    await game.refusal(Explain(id=50, npc="nobody"))
    assert (await game.refusal(Explain(id=50, npc="bob"))).code == ErrorCode.DUPLICATE_REQUEST


async def test_a_tick_out_of_order_is_dropped(game: Client, server: CallsheetServer) -> None:
    bob = server.rooms["town"].world.npcs["bob"].handle
    await game.tick([bob], [7, 0, 0], number=1)
    error = await game.error(ErrorCode.TICK_OUT_OF_ORDER)
    assert (error.field, error.value, error.limit) == ("tick", "1", 1)
    assert position(server, "bob") == [0, 0, 0]
    await still_works(game)


async def test_a_delta_before_the_first_keyframe_is_dropped(server: CallsheetServer) -> None:
    async with Client(server.port) as game:
        await game.spawn("bob")
        await game.tick(kind=TickKind.DELTA)
        assert (await game.error(ErrorCode.BAD_TICK)).field == "kind"
        await still_works(game)


async def test_time_running_backwards_drops_the_tick(game: Client, server: CallsheetServer) -> None:
    bob = server.rooms["town"].world.npcs["bob"].handle
    await game.tick([bob], [1, 0, 0], game_time_s=100.0)
    await game.tick([bob], [2, 0, 0], game_time_s=99.5)
    error = await game.error(ErrorCode.TIME_BACKWARDS)
    assert (error.field, error.value, error.limit) == ("game_time_s", "99.5", 100.0)
    await game.tick([bob], [3, 0, 0], game_time_s=100.0)
    await game.get(TickAck, tick=4)
    assert position(server, "bob") == [3, 0, 0]
    assert server.rooms["town"].world.game_time_s == 100.0


async def test_a_second_hello_is_refused(game: Client) -> None:
    await game.send(game.hello)
    error = await game.error(ErrorCode.BAD_MESSAGE)
    assert (error.field, error.value) == ("type", '"hello"')
    await still_works(game)


# --- wrong version, unauthenticated --------------------------------------------------------------


async def refused(client: Client, frame: str | bytes | None = None) -> tuple[Error, int]:
    """Error that a connection refused at hello is told, and the close code."""
    await client.dial()
    if frame is None:
        await client.send(client.hello)
    else:
        await client.send_raw(frame)
    code = await client.closed()
    (error,) = client.received
    assert isinstance(error, Error)
    assert error.seq is None
    return error, code


@pytest.mark.parametrize(("version", "side"), [("2.0", "server"), ("0.9", "client")])
async def test_a_wrong_version_is_told_which_side_to_upgrade(
    server: CallsheetServer, version: str, side: str
) -> None:
    error, code = await refused(Client(server.port, protocol=version))
    assert (error.code, code) == (ErrorCode.VERSION_MISMATCH, CloseCode.VERSION_MISMATCH)
    assert f"upgrade the {side}" in error.message
    assert version in error.message
    assert f"speaks {PROTOCOL}" in error.message
    assert (error.field, error.value) == ("protocol", f'"{version}"')


async def test_another_major_version_may_have_another_hello(server: CallsheetServer) -> None:
    error, _ = await refused(
        Client(server.port), '{"type":"hello","protocol":"2.0","credentials":[]}'
    )
    assert error.code == ErrorCode.VERSION_MISMATCH


async def test_a_newer_minor_version_is_welcome(server: CallsheetServer) -> None:
    async with Client(server.port, world="minor", protocol="1.9") as game:
        assert game.welcome.protocol == PROTOCOL


@pytest.mark.parametrize("token", [None, "guess", "sesame "])
async def test_a_client_without_the_token_is_refused(
    start_server: StartServer, token: str | None
) -> None:
    server = await start_server(game_token="sesame")
    async with Client(server.port, token="sesame"):
        client = Client(server.port, token=token, world="other")
        error, code = await refused(client)
        assert (error.code, code) == (ErrorCode.UNAUTHORIZED, CloseCode.UNAUTHORIZED)
        assert error.field == "token"
        assert "sesame" not in error.message
        assert "other" not in server.rooms
        async with Client(server.port, role="observer") as observer:
            await observer.settle()


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ('{"type":"ping","client_time_s":1}', None),
        ("not json", None),
        ("[]", None),
        (b"CS\x01\x01" + bytes(28), None),
        ('{"type":"hello","role":"king","world":"w","client":{"name":"x","version":"1"}}', "role"),
        ('{"type":"hello","role":"game","client":{"name":"x","version":"1"}}', "world"),
        (
            '{"type":"hello","protocol":"v1.0","role":"game","world":"w",'
            '"client":{"name":"x","version":"1"}}',
            "protocol",
        ),
    ],
)
async def test_anything_but_a_hello_first_is_refused(
    server: CallsheetServer, frame: str | bytes, field: str | None
) -> None:
    error, code = await refused(Client(server.port), frame)
    expected = ErrorCode.HELLO_EXPECTED if field is None else ErrorCode.BAD_MESSAGE
    assert (error.code, code) == (expected, CloseCode.PROTOCOL_ERROR)
    assert error.field == field


async def test_a_connection_that_says_nothing_is_closed(start_server: StartServer) -> None:
    server = await start_server(hello_timeout_s=0.05)
    client = Client(server.port)
    await client.dial()
    assert await client.closed() == CloseCode.HELLO_TIMEOUT
    (error,) = client.received
    assert isinstance(error, Error)
    assert (error.code, error.limit) == (ErrorCode.HELLO_TIMEOUT, 0.05)


# --- flooding ------------------------------------------------------------------------------------


async def test_a_flood_of_errors_ends_the_session(game: Client, server: CallsheetServer) -> None:
    for _ in range(101):
        await game.send_raw("{")
    assert await game.closed() == CloseCode.FLOODING
    errors = [m for m in game.received if isinstance(m, Error)]
    assert [e.code for e in errors] == [ErrorCode.BAD_JSON] * 101 + [ErrorCode.FLOODING]
    assert errors[-1].limit == 100
    async with Client(server.port, resume=game.resumption()) as again:
        assert not again.welcome.resumed


async def test_messages_beyond_the_rate_are_refused_and_not_carried_out(
    start_server: StartServer,
) -> None:
    server = await start_server(limits={"max_messages_per_s": 1.0})
    async with Client(server.port) as game:
        await game.spawn("bob")
        await game.ask(Explain(id=game.next_id(), npc="bob"), Explanation)
        error = await game.refusal(Spawn(id=9, npcs=(NpcSpec(npc="zoe", name="Zoe"),)))
        assert (error.code, error.limit) == (ErrorCode.LIMIT_EXCEEDED, 1.0)
        assert error.retry_after_s is not None
        assert 0 < error.retry_after_s <= 1
        assert set(server.rooms["town"].world.npcs) == {"bob"}
        (session,) = server.sessions
        assert session.last_request_id == 9


async def test_ticks_beyond_the_rate_are_dropped_and_told_of_once(
    start_server: StartServer,
) -> None:
    server = await start_server(limits={"max_ticks_per_s": 2.0})
    async with Client(server.port) as game:
        for _ in range(20):
            await game.tick()
        await game.settle()
        errors = [m for m in game.received if isinstance(m, Error) and m.id is None]
        assert [(e.code, e.limit) for e in errors] == [(ErrorCode.LIMIT_EXCEEDED, 2.0)]
        assert server.rooms["town"].counters.ticks == 4


async def test_too_many_open_requests_are_refused_with_a_time_to_retry(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.05), limits={"max_open_requests": 3})
    async with Client(server.port) as game:
        await game.spawn("bob")
        asked = [await game.say("bob") for _ in range(4)]
        error = await game.get(Error)
        assert (error.code, error.id, error.limit) == (ErrorCode.LIMIT_EXCEEDED, asked[3], 3)
        assert error.retry_after_s
        await game.send(*(Cancel(id=number) for number in asked[:3]))
        for number in asked[:3]:
            assert (await game.reply(number)).finish_reason == "cancelled"


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [
        {"position": (NAN, 0, 0)},
        {"position": (0, INF, 0)},
        {"position": (0, 0, -INF)},
        {"position": (2e7, 0, 0)},
        {"velocity": (NAN, 0, 0)},
        {"velocity": (0, -2e7, 0)},
        {"next_call_s": -1.0},
        {"next_call_s": INF},
        {"next_call_s": -INF},
        {"flags": 4},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", TickKind)
async def test_a_record_with_a_bad_value_is_skipped_and_the_rest_counts(
    server: CallsheetServer, record: dict[str, Any], kind: TickKind
) -> None:
    async with Client(server.port) as game:
        bob, ida = (npc.handle for npc in (await game.spawn("bob", "ida")).npcs)
        await game.tick([bob, ida], [[1, 1, 1], [2, 2, 2]])
        columns: dict[str, Any] = {
            "velocity_mps": [record.get("velocity", (0, 0, 0)), (0, 0, 0)],
            "next_call_s": [record.get("next_call_s", NAN), NAN],
            "flags": [record.get("flags", 0), 0],
        }
        await game.tick(
            [bob, ida], [record.get("position", (9, 9, 9)), (3, 3, 3)], kind=kind, **columns
        )
        error = await game.error(ErrorCode.BAD_VALUE)
        assert error.value == f"[{bob}]"
        assert error.id is None
        await game.get(TickAck, tick=2)
        assert position(server, "bob") == [1, 1, 1]
        assert position(server, "ida") == [3, 3, 3]
        assert server.rooms["town"].world.snapshot().alive.all()
        await still_works(game)


async def test_a_player_record_with_a_bad_value_is_skipped(
    game: Client, server: CallsheetServer
) -> None:
    ann = server.rooms["town"].world.players["ann"]
    await game.tick(players=[ann.handle], player_position_m=[NAN, 0, 0])
    assert (await game.error(ErrorCode.BAD_VALUE)).value == f"[{ann.handle}]"
    assert ann.present
    assert ann.position_m.tolist() == [1, 0, 0]


async def test_unknown_handles_are_counted_and_the_first_eight_named(
    game: Client, server: CallsheetServer
) -> None:
    bob = server.rooms["town"].world.npcs["bob"].handle
    unknown = list(range(5_000_000, 5_000_010))
    await game.tick(
        [*unknown, bob], np.full((11, 3), 4.0), players=[77], player_position_m=[0, 0, 0]
    )
    error = await game.error(ErrorCode.UNKNOWN_HANDLE)
    assert "11 records" in error.message
    assert error.value == str(unknown[:8])
    assert position(server, "bob") == [4, 4, 4]
    await still_works(game)


async def test_errors_of_ticks_are_told_once_a_second(game: Client) -> None:
    for _ in range(10):
        await game.tick([123_456], [0, 0, 0])
    await game.settle()
    assert sum(isinstance(m, Error) and m.id is None for m in game.received) == 1


async def test_a_duplicate_spawn_changes_nothing(game: Client, server: CallsheetServer) -> None:
    zoe, bob = NpcSpec(npc="zoe", name="Zoe"), NpcSpec(npc="bob", name="Bob")
    error = await game.refusal(Spawn(id=game.next_id(), npcs=(zoe, bob)))
    assert (error.code, error.field, error.value) == (
        ErrorCode.DUPLICATE_NPC,
        "npcs.1.npc",
        '"bob"',
    )
    error = await game.refusal(Spawn(id=game.next_id(), npcs=(zoe, zoe)))
    assert (error.code, error.field) == (ErrorCode.DUPLICATE_NPC, "npcs.1.npc")
    ann = PlayerSpec(player="ann", name="Ann")
    error = await game.refusal(Spawn(id=game.next_id(), npcs=(zoe,), players=(ann,)))
    assert (error.code, error.field) == (ErrorCode.DUPLICATE_PLAYER, "players.0.player")
    assert set(server.rooms["town"].world.npcs) == {"bob"}
    await still_works(game)


def many(count: int, start: int = 0) -> tuple[NpcSpec, ...]:
    return tuple(NpcSpec(npc=f"n{i}", name="N") for i in range(start, start + count))


async def test_ten_thousand_npcs_in_one_spawn_are_refused(
    game: Client, server: CallsheetServer
) -> None:
    error = await game.refusal(Spawn(id=game.next_id(), npcs=many(10_000)))
    assert (error.code, error.field) == (ErrorCode.LIMIT_EXCEEDED, "npcs")
    assert (error.value, error.limit) == ("10000", 600)
    assert set(server.rooms["town"].world.npcs) == {"bob"}
    spawned = await game.ask(Spawn(id=game.next_id(), npcs=many(600)), Spawned)
    assert len({npc.handle for npc in spawned.npcs}) == 600
    await still_works(game)


async def test_a_world_holds_so_many_npcs_and_players(start_server: StartServer) -> None:
    server = await start_server(limits={"max_npcs_per_world": 5, "max_players_per_world": 1})
    async with Client(server.port) as game:
        await game.ask(Spawn(id=game.next_id(), npcs=many(3)), Spawned)
        error = await game.refusal(Spawn(id=game.next_id(), npcs=many(3, 3)))
        assert (error.code, error.field) == (ErrorCode.LIMIT_EXCEEDED, "npcs")
        assert (error.value, error.limit) == ("6", 5)
        two = tuple(PlayerSpec(player=p, name=p) for p in "ab")
        error = await game.refusal(Spawn(id=game.next_id(), players=two))
        assert (error.field, error.value, error.limit) == ("players", "2", 1)
        await game.ask(Spawn(id=game.next_id(), npcs=many(2, 3), players=two[:1]), Spawned)


async def test_a_server_holds_so_many_sessions_and_worlds(start_server: StartServer) -> None:
    server = await start_server(limits={"max_sessions": 3, "max_worlds": 2})
    async with Client(server.port, world="a"), Client(server.port, world="b") as game:
        error, _ = await refused(Client(server.port, world="c"))
        assert (error.code, error.limit) == (ErrorCode.LIMIT_EXCEEDED, 2)
        async with Client(server.port, world="b", role="observer"):
            error, _ = await refused(Client(server.port, world="a", role="mod"))
            assert (error.code, error.limit) == (ErrorCode.LIMIT_EXCEEDED, 3)
        await game.settle()


# --- a disconnect in mid-reply -------------------------------------------------------------------


async def test_a_disconnect_in_mid_reply_loses_and_doubles_nothing(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.02))
    async with Client(server.port, world="other") as other:
        await other.spawn("ida")
        async with Client(server.port) as game:
            await game.spawn("bob")
            asked = await game.say("bob", "what do you sell?")
            start = await game.get(ReplyStart)
            game.drop()
        async with Client(server.port, resume=game.resumption()) as again:
            assert again.welcome.resumed
            assert again.welcome.session == game.welcome.session
            assert again.welcome.last_request_id == asked
            end = await again.get(ReplyEnd, id=asked)
            assert game.said(start.reply) + again.said(start.reply) == end.text
            assert end.finish_reason == "stop"
            seqs = [s for m in game.received + again.received if (s := getattr(m, "seq", None))]
            assert seqs == list(range(1, again.last_seq + 1))
            again.received.clear()
            assert (await again.reply(await again.say("bob"))).finish_reason == "stop"
        assert (await other.reply(await other.say("ida"))).finish_reason == "stop"


async def test_a_reply_that_ends_while_the_game_is_away_is_kept(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.005))
    async with Client(server.port, role="observer") as observer:
        await observer.ask(Subscribe(id=1, topics=("replies",)), Ok)
        async with Client(server.port) as game:
            await game.spawn("bob")
            asked = await game.say("bob")
            await game.get(ReplyStart)
            game.drop()
        (room,) = server.rooms.values()
        await observer.get(ReplyEnd)
        assert room.game is not None
        assert room.game.state is SessionState.DETACHED
        async with Client(server.port, resume=game.resumption(last_seq=0)) as again:
            await again.get(Spawned)
            assert (await again.reply(asked)).finish_reason == "stop"


async def test_pings_are_answered_meanwhile(game: Client) -> None:
    await game.send_raw("{")
    await game.send(Ping(client_time_s=-3.5))
    assert (await game.get(Pong)).client_time_s == -3.5
