"""Lines that NPCs overhear, and lines that they hear without an answer."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer, scripted
from server.open_book import OpenBook

from callsheet.wire import (
    Cancel,
    Error,
    ErrorCode,
    Hear,
    Ok,
    ReplyEnd,
    Say,
    Speak,
    Speaker,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.talk import earshot
from callsheet_server.world.memory import Turn

NARRATOR = Speaker(kind="narrator")
PLACES = {"bob": 0.0, "ida": 3.0, "kim": 8.0, "far": 500.0}


def turns(server: CallsheetServer, npc: str) -> list[Turn]:
    return list(server.rooms["town"].memory.turns(npc))


async def street(game: Client, **places: float) -> None:
    """NPCs along a street, and ann at 1 m."""
    places = places or PLACES
    spawned = await game.spawn(*places)
    await game.tick(
        [npc.handle for npc in spawned.npcs],
        [[x, 0.0, 0.0] for x in places.values()],
        players=[player.handle for player in spawned.players],
        player_position_m=[1.0, 0.0, 0.0],
    )
    await game.settle()


async def test_those_in_earshot_overhear_the_line_and_the_reply(
    start_server: StartServer, tmp_path: Path
) -> None:
    storage = {"directory": str(tmp_path)}
    server = await start_server(storage=storage)
    async with Client(server.port) as game:
        await street(game)
        end = await game.reply(await game.say("bob", "Psst!", audible_m=5.0))
        heard = [Turn("Ann (to Bob)", "Psst!"), Turn("Bob (to Ann)", end.text)]
        assert turns(server, "ida") == heard
        assert turns(server, "kim") == turns(server, "far") == []
        assert turns(server, "bob") == [Turn("Ann", "Psst!"), Turn(None, end.text)]
        end = await game.reply(await game.say("bob", "A storm!", speaker=NARRATOR, audible_m=5.0))
        assert turns(server, "ida")[2:] == [Turn("Narrator", "A storm!"), Turn("Bob", end.text)]
        await game.reply(await game.say("bob", "Alone?"))
        assert len(turns(server, "ida")) == 4
    await server.close()
    again = await start_server(storage=storage)
    async with Client(again.port, resume=game.resumption()) as game:
        await game.reply(await game.say("ida", "What did you hear?"))
        assert turns(again, "ida")[:2] == heard


async def test_a_line_is_heard_around_who_says_it(start_server: StartServer) -> None:
    server = await start_server()
    async with Client(server.port) as game:
        await street(game, bob=0.0, ida=20.0, kim=22.0)
        speaker = Speaker(kind="npc", id="ida")
        end = await game.reply(await game.say("bob", "Bob!", speaker=speaker, audible_m=5.0))
        assert turns(server, "kim") == [Turn("Ida (to Bob)", "Bob!")]
        assert turns(server, "ida") == [Turn(None, "Bob!"), Turn("Bob", end.text)]


async def test_a_given_line_is_overheard_and_charged(start_server: StartServer) -> None:
    server = await start_server(limits={"max_messages_per_s": 8.0})
    async with Client(server.port) as game:
        await street(game)
        line = Speak(id=game.next_id(), npc="bob", text="Rain tonight.", audible_m=5.0)
        await game.send(line)
        await game.reply(line.id)
        assert turns(server, "ida") == [Turn("Bob", "Rain tonight.")]
        assert turns(server, "bob") == [Turn(None, "Rain tonight.")]
        assert turns(server, "kim") == []
        lines = [
            Speak(id=game.next_id(), npc="bob", text="Hark!", audible_m=600.0) for _ in range(5)
        ]
        for line in lines:
            await game.send(line)
        refused = await game.get(Error, code=ErrorCode.LIMIT_EXCEEDED)
        assert "messages a second" in refused.message
        assert turns(server, "far").count(Turn("Bob", "Hark!")) < len(lines)


async def test_npcs_who_talk_remember_both_sides_once(start_server: StartServer) -> None:
    engine = OpenBook()
    server = await start_server(engine)
    bob, ida = (Speaker(kind="npc", id=npc) for npc in ("bob", "ida"))
    async with Client(server.port) as game:
        await street(game)
        first = await game.reply(await game.say("bob", "Morning!", speaker=ida, audible_m=20.0))
        line = first.text + "\n"
        second = await game.reply(await game.say("ida", line, speaker=bob, audible_m=20.0))
        asked = [(turn.speaker, turn.text) for turn in engine.asked[-1].turns]
        assert asked == [(None, "Morning!"), ("Bob", first.text)]
        third = await game.reply(await game.say("bob", second.text, speaker=ida, audible_m=20.0))
        talk = ["Morning!", first.text, second.text, third.text]
        assert turns(server, "bob") == in_turn(talk, "Ida", None)
        assert turns(server, "ida") == in_turn(talk, None, "Bob")
        assert turns(server, "kim") == in_turn(talk, "Ida (to Bob)", "Bob (to Ida)")


def in_turn(talk: list[str], *speakers: str | None) -> list[Turn]:
    return [Turn(speaker, text) for speaker, text in zip(cycle(speakers), talk, strict=False)]


async def test_npcs_who_talk_across_a_restart_remember_both_sides_once(
    start_server: StartServer, tmp_path: Path
) -> None:
    storage = {"directory": str(tmp_path)}
    server = await start_server(storage=storage)
    bob, ida = (Speaker(kind="npc", id=npc) for npc in ("bob", "ida"))
    async with Client(server.port) as game:
        await street(game)
        first = await game.reply(await game.say("bob", "Morning!", speaker=ida))
    await server.close()
    engine = OpenBook()
    server = await start_server(engine, storage=storage)
    async with Client(server.port, resume=game.resumption()) as game:
        second = await game.reply(await game.say("ida", first.text, speaker=bob))
        asked = [(turn.speaker, turn.text) for turn in engine.asked[-1].turns]
        assert asked == [(None, "Morning!"), ("Bob", first.text)]
        talk = ["Morning!", first.text, second.text]
        assert turns(server, "bob") == in_turn(talk, "Ida", None)
        assert turns(server, "ida") == in_turn(talk, None, "Bob")


async def test_an_npc_that_speaks_to_several_remembers_every_answer(
    start_server: StartServer,
) -> None:
    server = await start_server()
    async with Client(server.port) as game:
        await street(game)
        number = game.next_id()
        speaker = Speaker(kind="npc", id="kim")
        await game.send(Say(id=number, npcs=("bob", "ida"), speaker=speaker, text="Who did it?"))
        ends = [await game.get(ReplyEnd, id=number) for _ in range(2)]
        assert turns(server, "kim") == [
            Turn(None, "Who did it?"),
            *(Turn(end.npc.title(), end.text) for end in ends),
        ]


async def test_an_npc_that_speaks_is_charged_for_what_it_remembers(
    start_server: StartServer,
) -> None:
    server = await start_server(limits={"max_messages_per_s": 2.0})
    async with Client(server.port) as game:
        await game.spawn("bob", "ida", players=())
        speaker = Speaker(kind="npc", id="ida")
        await game.reply(await game.say("bob", "Morning!", speaker=speaker))
        number = await game.say("bob", "Morning, I said!", speaker=speaker)
        assert (await game.get(Error, id=number)).code == ErrorCode.LIMIT_EXCEEDED


async def test_a_player_that_says_the_same_twice_is_heard_twice(
    start_server: StartServer,
) -> None:
    server = await start_server()
    async with Client(server.port) as game:
        await game.spawn("bob")
        await game.ask(hear(game, "Well?", npcs=("bob",), speaker=ANN), Ok)
        await game.reply(await game.say("bob", "Well?"))
        assert [turn.text for turn in turns(server, "bob")][:2] == ["Well?", "Well?"]


async def test_as_many_overhear_as_are_nearest(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earshot, "MAX_HEARERS", 2)
    server = await start_server()
    async with Client(server.port) as game:
        await street(game, bob=0.0, d=4.0, c=3.0, b=2.0)
        await game.reply(await game.say("bob", "Hear, hear! " + "x" * 2_000, audible_m=100.0))
        assert [npc for npc in "bcd" if turns(server, npc)] == ["b", "c"]
        assert len(turns(server, "b")[0].text) == earshot.MAX_OVERHEARD_CHARS


async def test_the_refused_and_the_dropped_are_not_overheard(
    start_server: StartServer, tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("darn\n", "utf-8")
    server = await start_server(scripted(token_delay_s=0.05), moderation={"word_list": words})
    async with Client(server.port) as game:
        await street(game)
        number = await game.say("bob", "darn it", audible_m=5.0)
        assert (await game.get(Error, id=number)).code == ErrorCode.TEXT_REFUSED
        refused = await game.refusal(hear(game, text="darn it", speaker=ANN))
        assert refused.code == ErrorCode.TEXT_REFUSED
        number = await game.say("bob", "Hush.", audible_m=5.0)
        await game.send(Cancel(id=number))
        end = await game.get(ReplyEnd, id=number)
        assert bool(turns(server, "ida")) == bool(end.text)
        assert "darn" not in str(turns(server, "ida"))


ANN = Speaker(kind="player", id="ann")


def hear(game: Client, text: str = "Thunder.", **fields: Any) -> Hear:
    fields = {"npcs": ("bob", "ida"), "speaker": NARRATOR, **fields}
    return Hear(id=game.next_id(), text=text, **fields)


@pytest.mark.parametrize("kept", [True, False])
async def test_what_is_heard_is_remembered_without_an_answer(
    start_server: StartServer, tmp_path: Path, kept: bool
) -> None:
    storage = {"directory": str(tmp_path)} if kept else {}
    engine = OpenBook()
    server = await start_server(engine, storage=storage)
    async with Client(server.port) as game:
        await street(game)
        await game.ask(hear(game), Ok)
        await game.ask(hear(game, "Fine\nday.", speaker=ANN), Ok)
        heard = [Turn("Narrator", "Thunder."), Turn("Ann", "Fine day.")]
        assert turns(server, "bob") == turns(server, "ida") == heard
        assert turns(server, "kim") == []
        assert engine.asked == []
        await game.reply(await game.say("ida", "Well?"))
        assert engine.knows("Thunder.")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"npcs": ("bob", "nobody")}, ErrorCode.UNKNOWN_NPC, "npcs.1"),
        ({"npcs": ("bob", "bob")}, ErrorCode.UNKNOWN_NPC, "npcs.1"),
        (
            {"speaker": Speaker(kind="player", id="eve")},
            ErrorCode.UNKNOWN_PLAYER,
            "speaker.id",
        ),
        ({"text": "\u200b", "speaker": ANN}, ErrorCode.BAD_VALUE, "text"),
    ],
)
async def test_what_cannot_be_heard_is_refused(
    game: Client, server: CallsheetServer, fields: dict[str, Any], code: ErrorCode, field: str
) -> None:
    await game.spawn("ida", players=())
    refused = await game.refusal(hear(game, **fields))
    assert (refused.code, refused.field) == (code, field)
    assert turns(server, "bob") == []


async def test_hearers_are_charged_to_who_speaks(start_server: StartServer) -> None:
    server = await start_server(limits={"max_messages_per_s": 8.0})
    async with Client(server.port) as game:
        await street(game, **{f"n{x}": float(x) for x in range(12)})
        numbers = [await game.say("n0", "Oyez!", audible_m=50.0) for _ in range(3)]
        refused = await game.get(Error, code=ErrorCode.LIMIT_EXCEEDED)
        assert refused.id in numbers
        assert "messages a second" in refused.message
