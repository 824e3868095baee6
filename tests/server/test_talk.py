"""Saying something to an NPC: the reply, its order, its end, and what it leaves behind."""

from __future__ import annotations

import asyncio

import pytest
from server.client import PLAYER, Client
from server.conftest import StartServer, scripted

from callsheet.wire import (
    Cancel,
    Despawn,
    Error,
    ErrorCode,
    Ok,
    ReplyDelta,
    ReplyEnd,
    ReplyStart,
    Say,
    Speak,
    Speaker,
    Subscribe,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.world.memory import Turn


async def test_a_reply_streams_from_start_to_end(game: Client) -> None:
    asked = await game.say("bob", "what do you sell?")
    end = await game.reply(asked)
    about = [m for m in game.received if getattr(m, "reply", None) == end.reply]
    assert isinstance(about[0], ReplyStart)
    assert about[0].heard == "what do you sell?"
    assert about[0].speaker.id == "ann"
    assert all(isinstance(m, ReplyDelta) for m in about[1:-1])
    assert about[-1] == end
    assert {m.id for m in about} == {asked}  # type: ignore[union-attr]
    assert (end.npc, end.finish_reason, end.code) == ("bob", "stop", None)
    assert end.generated_tokens == len(end.text.split(" ")) > 6
    marked = [m.text for m in about[1:-1] if isinstance(m, ReplyDelta) and m.ends_sentence]
    assert end.text.endswith(marked[-1])
    assert marked[-1].endswith(".")
    assert end.ttft_s is not None
    assert end.total_s is not None


async def test_the_npc_remembers_what_was_said(game: Client, server: CallsheetServer) -> None:
    end = await game.reply(await game.say("bob", "hello"))
    memory = server.rooms["town"].memory
    assert memory.turns("bob") == (Turn("Ann", "hello"), Turn(None, end.text))


async def test_one_can_make_an_npc_speak_a_line(game: Client, server: CallsheetServer) -> None:
    await game.send(Speak(id=20, npc="bob", text="Rain tonight."))
    assert (await game.reply(20)).text == "Rain tonight."
    assert server.rooms["town"].memory.turns("bob") == (Turn(None, "Rain tonight."),)


async def test_max_tokens_cuts_a_reply(game: Client) -> None:
    end = await game.reply(await game.say("bob", max_tokens=3))
    assert (end.finish_reason, end.generated_tokens) == ("length", 3)


@pytest.mark.parametrize("stop", ["e", " "])
async def test_a_reply_ends_before_a_stop_string(game: Client, stop: str) -> None:
    end = await game.reply(await game.say("bob", stop=(stop,)))
    assert stop not in end.text
    assert end.finish_reason == "stop"


@pytest.mark.parametrize("kind", ["say", "speak"])
async def test_an_unknown_npc_is_named(game: Client, kind: str) -> None:
    request = (
        Say(id=20, npc="zoe", speaker=PLAYER, text="hi")
        if kind == "say"
        else Speak(id=20, npc="zoe", text="hi")
    )
    error = await game.refusal(request)
    assert (error.code, error.field, error.value) == (ErrorCode.UNKNOWN_NPC, "npc", '"zoe"')


# --- order ---------------------------------------------------------------------------------------


async def test_two_players_at_once_are_answered_one_after_the_other(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.002))
    async with Client(server.port) as game:
        await game.spawn("bob", players=["ann", "joe"])
        first = await game.say("bob", "one", speaker=Speaker(kind="player", id="ann"))
        second = await game.say("bob", "two", speaker=Speaker(kind="player", id="joe"))
        await game.reply(first)
        await game.reply(second)
        replies = [
            m.reply for m in game.received if isinstance(m, ReplyStart | ReplyDelta | ReplyEnd)
        ]
        assert replies == sorted(replies)
        heard = [t for t in server.rooms["town"].memory.turns("bob") if t.speaker is not None]
        assert heard == [Turn("Ann", "one"), Turn("Joe", "two")]


async def test_two_npcs_answer_at_the_same_time(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.005))
    async with Client(server.port) as game:
        await game.spawn("bob", "ida")
        first, second = await game.say("bob"), await game.say("ida")
        await game.get(ReplyStart, id=second)
        assert not any(isinstance(m, ReplyEnd) for m in game.received)
        await game.reply(first)
        await game.reply(second)


async def test_players_go_before_npcs_and_npcs_before_the_background(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(max_running=1, token_delay_s=0.005))
    async with Client(server.port) as game:
        await game.spawn("a", "b", "c", "d", "e")
        await game.say("a")
        await game.get(ReplyStart)
        asked = {
            "background": await game.say("b", priority="background"),
            "narrator": await game.say("c", speaker=Speaker(kind="narrator")),
            "npc": await game.say("d", speaker=Speaker(kind="npc", id="a")),
            "player": await game.say("e"),
        }
        for number in asked.values():
            await game.reply(number)
        ends = [m.id for m in game.received if isinstance(m, ReplyEnd)][1:]
        assert ends == [asked[k] for k in ("player", "npc", "background", "narrator")]


async def test_everyone_concerned_hears_a_reply_once(server: CallsheetServer, game: Client) -> None:
    async with (
        Client(server.port, role="mod") as mod,
        Client(server.port, role="observer") as observer,
        Client(server.port, role="observer") as deaf,
    ):
        for client in (observer, mod, game):
            await client.ask(Subscribe(id=client.next_id() + 50, topics=("replies",)), Ok)
        await mod.send(Say(id=99, npc="bob", speaker=Speaker(kind="narrator"), text="Wake up!"))
        end = await mod.reply(99)
        for client in (observer, game):
            theirs = await client.get(ReplyEnd)
            assert (theirs.id, theirs.reply, theirs.text) == (None, end.reply, end.text)
            assert client.said(end.reply) == end.text
            assert sum(isinstance(m, ReplyEnd) for m in client.received) == 1
        await deaf.settle()
        assert not any(isinstance(m, ReplyStart) for m in deaf.received)


# --- cancelling ----------------------------------------------------------------------------------


async def test_cancel_before_the_reply_began(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.02))
    async with Client(server.port) as game:
        await game.spawn("bob")
        first, second = await game.say("bob"), await game.say("bob")
        await game.get(ReplyStart, id=first)
        await game.send(Cancel(id=second))
        end = await game.reply(second)
        assert (end.finish_reason, end.text) == ("cancelled", "")
        await game.send(Cancel(id=first))
        await game.reply(first)


async def test_cancel_in_mid_reply_keeps_what_was_said(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.05))
    async with Client(server.port) as game:
        await game.spawn("bob")
        asked = await game.say("bob", "hello")
        await game.get(ReplyDelta)
        await game.send(Cancel(id=asked))
        end = await game.reply(asked)
        assert end.finish_reason == "cancelled"
        assert end.text
        memory = server.rooms["town"].memory
        assert memory.turns("bob") == (Turn("Ann", "hello"), Turn(None, end.text))
        assert server.engine.occupancy().running == 0


async def test_cancel_after_the_end_does_nothing(game: Client) -> None:
    asked = await game.say("bob")
    await game.reply(asked)
    await game.send(Cancel(id=asked), Cancel(id=12_345))
    await game.settle()
    assert sum(isinstance(m, ReplyEnd) for m in game.received) == 1
    assert sum(isinstance(m, Error) for m in game.received) == 1  # of settle


async def test_nobody_cancels_the_replies_of_others(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.005))
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob")
        asked = await game.say("bob")
        await game.get(ReplyStart)
        await mod.send(Cancel(id=asked))
        assert (await game.reply(asked)).finish_reason == "stop"


async def test_despawning_cancels_and_the_next_of_that_name_remembers_nothing(
    start_server: StartServer,
) -> None:
    server = await start_server(scripted(token_delay_s=0.05))
    async with Client(server.port) as game:
        await game.spawn("bob")
        asked = await game.say("bob")
        await game.get(ReplyDelta)
        await game.send(Despawn(id=game.next_id(), npcs=("bob",)))
        await game.spawn("bob", players=())
        assert (await game.reply(asked)).finish_reason == "cancelled"
        assert server.rooms["town"].memory.turns("bob") == ()
        world = server.rooms["town"].world
        assert world.columns.open_turns[world.npcs["bob"].row] == 0


async def test_despawning_unknown_ones_removes_nobody(
    game: Client, server: CallsheetServer
) -> None:
    error = await game.refusal(Despawn(id=20, npcs=("bob", "zoe")))
    assert (error.code, error.field) == (ErrorCode.UNKNOWN_NPC, "npcs.1")
    error = await game.refusal(Despawn(id=21, npcs=("bob",), players=("joe",)))
    assert (error.code, error.field) == (ErrorCode.UNKNOWN_PLAYER, "players.0")
    assert set(server.rooms["town"].world.npcs) == {"bob"}


# --- failures ------------------------------------------------------------------------------------


async def test_a_reply_that_breaks_off_harms_no_other(start_server: StartServer) -> None:
    server = await start_server(scripted(fail_npcs=("bob",), token_delay_s=0.002))
    async with Client(server.port) as game:
        await game.spawn("bob", "ida")
        first, second = await game.say("bob"), await game.say("ida")
        end = await game.reply(first)
        assert (end.finish_reason, end.code) == ("error", ErrorCode.GENERATION_FAILED)
        assert end.text
        assert (await game.reply(second)).finish_reason == "stop"
        again = await game.say("bob", "who are you?")
        assert (await game.reply(again)).finish_reason == "error"


async def test_an_overloaded_engine_says_when_to_come_back(start_server: StartServer) -> None:
    server = await start_server(scripted(max_running=1, max_queue=1, token_delay_s=0.05))
    async with Client(server.port) as game:
        await game.spawn("a", "b", "c")
        await game.say("a")
        await game.get(ReplyStart)
        second, third = await game.say("b"), await game.say("c")
        error = await game.get(Error, id=third)
        assert error.code == ErrorCode.ENGINE_OVERLOADED
        assert error.retry_after_s
        await game.send(Cancel(id=second))
        assert (await game.reply(second)).finish_reason == "cancelled"


async def test_a_mod_that_leaves_takes_its_open_replies_along(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.05))
    async with Client(server.port) as game:
        await game.spawn("bob")
        async with Client(server.port, role="mod") as mod:
            await mod.say("bob", speaker=Speaker(kind="narrator"))
            await mod.get(ReplyDelta)
        assert (await game.get(ReplyEnd)).finish_reason == "cancelled"
        await asyncio.sleep(0)
        assert server.engine.occupancy().running == 0
