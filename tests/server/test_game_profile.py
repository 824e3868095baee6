"""The game client profile, walked by a client that was written from it, against a real server."""

import contextlib
import math
import re
from pathlib import Path

import pytest
from server.bare_game import BareGame
from server.client import Client
from server.conftest import StartServer, scripted
from websockets.exceptions import ConnectionClosed

from callsheet.wire import (
    CLIENT_MESSAGES,
    SERVER_MESSAGES,
    Bye,
    CloseCode,
    RegisterScript,
    ReplyEnd,
    ReplyStart,
    Say,
    ScriptRegistered,
    Speaker,
    WorldClosed,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.limits.settings import LimitSettings

PAGE = Path(__file__).parents[2] / "docs" / "game-client-profile.md"
ANN = {"kind": "player", "id": "ann"}
TOWN = {
    "npcs": [{"npc": "bob", "name": "Bob", "persona": "You are Bob, a baker."}],
    "players": [{"player": "ann", "name": "Ann"}],
}


async def spawn(game: BareGame) -> tuple[int, int]:
    """Spawn Bob and Ann and place them; returns their handles."""
    await game.ask(type="spawn", **TOWN)
    spawned = await game.next("spawned")
    bob, ann = spawned["npcs"][0]["handle"], spawned["players"][0]["handle"]
    await game.keyframe({bob: (0, 0, 0)}, {ann: (1, 0, 0)}, ack=True)
    assert (await game.next("tick_ack"))["tick"] == 1
    return bob, ann


def test_the_page_names_messages_that_exist() -> None:
    out, into = PAGE.read_text(encoding="utf-8").split("## What comes in")
    sent = set(re.findall(r"^\| `(\w+)` \|", out, flags=re.MULTILINE))
    received = set(re.findall(r"^\| `(\w+)` \|", into, flags=re.MULTILINE))
    assert (len(sent), len(received)) == (8, 10)
    assert sent <= CLIENT_MESSAGES.keys()
    assert received <= SERVER_MESSAGES.keys()


async def test_a_talk_from_hello_to_bye(start_server: StartServer) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        await spawn(game)
        asked = await game.ask(type="say", npc="bob", text="Hello!", speaker=ANN)
        start = await game.next("reply_start")
        assert (start["id"], start["npc"], start["heard"]) == (asked, "bob", "Hello!")
        end = await game.next("reply_end")
        assert end["finish_reason"] == "stop"
        deltas = [m["text"] for m in game.received if m["type"] == "reply_delta"]
        assert "".join(deltas) == end["text"] != ""
        await game.ping()
        (session,) = server.sessions
        assert session._replay.acked == game._seq
        await game.ask(type="despawn", npcs=["bob"], players=["ann"])
        await game.next("ok")
        await game.send({"type": "bye"})
        with pytest.raises(ConnectionClosed):
            await game.next("nothing")
        assert game.socket.close_code == CloseCode.NORMAL


async def test_a_lost_connection_costs_no_message(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.01))
    async with BareGame(server.port) as game:
        await spawn(game)
        await game.ask(type="say", npc="bob", text="Hello!", speaker=ANN)
        await game.next("reply_delta")
        game.socket.transport.abort()
        await game.connect()
        assert game.welcome["resumed"]
        end = await game.next("reply_end")
        deltas = [m["text"] for m in game.received if m["type"] == "reply_delta"]
        assert "".join(deltas) == end["text"]


async def test_a_speaker_must_be_in_the_world(start_server: StartServer) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        await spawn(game)
        for kind in ("player", "npc"):
            speaker = {"kind": kind, "id": "nobody"}
            asked = await game.ask(type="say", npc="bob", text="Hello!", speaker=speaker)
            error = await game.next("error")
            assert (error["id"], error["code"]) == (asked, f"unknown_{kind}")
            assert error["field"] == "speaker.id"
        await game.ask(type="say", npc="bob", text="Hello!", speaker={"kind": "player"})
        assert (await game.next("reply_end"))["finish_reason"] == "stop"


async def test_integers_may_have_a_fraction_of_zero(start_server: StartServer) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        await game.send({"type": "spawn", "id": 1.0, **TOWN})
        assert (await game.next("spawned"))["id"] == 1
        say = {"type": "say", "id": 2.0, "npc": "bob", "text": "Hi", "speaker": ANN}
        await game.send({**say, "max_tokens": 8.0})
        assert (await game.next("reply_end"))["id"] == 2
        await game.send({**say, "id": 2.5})
        assert (await game.next("error"))["field"] == "id"


async def test_a_game_that_never_acknowledges_goes_on(start_server: StartServer) -> None:
    server = await start_server(scripted(), limits={"max_outbox_messages": 64})
    async with BareGame(server.port) as game:
        await spawn(game)
        for _ in range(100):
            await game.ask(type="get_facts", npc="bob")
            await game.next("facts")
        kept_from = server_kept_from(server)
        assert kept_from == game._seq - 64
        game.socket.transport.abort()
        await game.connect()
        assert game.welcome["resumed"]
        await game.ask(type="get_facts", npc="bob")
        assert (await game.next("facts", "error"))["type"] == "facts"


def server_kept_from(server: CallsheetServer) -> int:
    """The last seq that the server's only session has dropped."""
    (session,) = server.sessions
    return session._replay.dropped


async def test_a_resume_from_before_what_was_dropped_starts_anew(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(), limits={"max_outbox_messages": 64})
    async with BareGame(server.port) as game:
        await spawn(game)
        for _ in range(100):
            await game.ask(type="get_facts", npc="bob")
            await game.next("facts")
        game.socket.transport.abort()
        (session,) = server.sessions
        game._seq = session._replay.dropped - 1
        await game.connect()
        assert not game.welcome["resumed"]


async def test_the_least_outbox_is_enough_for_who_acknowledges(
    start_server: StartServer, tmp_path: Path
) -> None:
    least = LimitSettings.model_fields["max_outbox_bytes"].metadata[0].ge
    limits, storage = {"max_outbox_bytes": least}, {"directory": str(tmp_path)}
    server = await start_server(scripted(), limits=limits, storage=storage)
    async with BareGame(server.port) as game:
        await spawn(game)
        for round_ in range(3):  # an ack is due every 32 messages
            facts = {"long": "x" * 47_000, "round": round_}
            await game.ask(type="set_facts", npc="bob", facts=facts)
            for _ in range(31):
                await game.ask(type="get_facts", npc="bob")
            await game.next("ok")
            for _ in range(31):
                await game.next("facts")
            await game.ping()


async def test_taking_one_fact_away_makes_room_for_another(start_server: StartServer) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        await spawn(game)
        await game.ask(type="set_facts", npc="bob", facts={f"f{n}": n for n in range(256)})
        await game.next("ok")
        await game.ask(type="set_facts", npc="bob", facts={"f0": None, "g": 1})
        assert (await game.next("ok", "error"))["type"] == "ok"
        await game.ask(type="set_facts", npc="bob", facts={"h": 1})
        assert (await game.next("ok", "error"))["code"] == "limit_exceeded"


async def test_a_second_hello_is_refused_and_the_session_goes_on(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        client = {"name": "bare", "version": "1"}
        await game.send({"type": "hello", "role": "game", "world": "town", "client": client})
        assert (await game.next("error"))["code"] == "bad_message"
        await game.ping()


async def test_websocket_pings_are_answered_and_are_no_sign_of_life(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        await game.ping()
        (session,) = server.sessions
        heard_s = session.last_frame_s
        await (await game.socket.ping())
        assert session.last_frame_s == heard_s


@pytest.mark.parametrize(
    ("frame", "code"),
    [(b"\xff\xfe", 1007), (b'"' + b"x" * 5_000_000 + b'"', 1009)],
    ids=["no UTF-8", "past every limit"],
)
async def test_frames_that_break_the_websocket(
    start_server: StartServer, frame: bytes, code: int
) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        with contextlib.suppress(ConnectionClosed):  # the server may close while it is sent
            await game.socket.send(frame, text=True)
        await game.socket.wait_closed()
        assert game.socket.close_code == code


async def test_a_mod_learns_that_the_world_closed_after_the_ends_of_its_replies(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.05))
    async with BareGame(server.port) as game, Client(server.port, role="mod") as mod:
        await spawn(game)
        running = Say(id=1, npc="bob", text="One", speaker=Speaker(kind="narrator"))
        await mod.send(running)
        await mod.get(ReplyStart)
        await mod.send(running.model_copy(update={"id": 2, "text": "Two"}))
        await mod.settle()
        await game.send({"type": "bye"})
        await mod.get(WorldClosed)
        kinds = [m.type for m in mod.received if isinstance(m, ReplyStart | ReplyEnd | WorldClosed)]
        assert kinds.count("reply_end") == 2
        assert kinds[-1] == "world_closed"


async def test_the_scripts_of_a_mod_end_with_its_bye(start_server: StartServer) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        await spawn(game)
        async with Client(server.port, role="mod") as mod:
            script = RegisterScript(id=1, script="baker", npcs=("bob",), sociability=0.5)
            await mod.ask(script, ScriptRegistered)
            assert server.rooms["town"].script_for("bob") is not None
            await mod.send(Bye())
            assert await mod.closed() == CloseCode.NORMAL
            assert server.rooms["town"].script_for("bob") is None


async def test_a_bad_player_of_a_tick_is_not_told_as_an_npc(start_server: StartServer) -> None:
    server = await start_server(scripted())
    async with BareGame(server.port) as game:
        _, ann = await spawn(game)
        await game.keyframe({}, {ann: (math.nan, 0, 0)})
        error = await game.next("error")
        assert (error["code"], error["field"]) == ("bad_value", "handle")
