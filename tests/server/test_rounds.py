"""One line put to several NPCs, who answer in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from server.client import PLAYER, Client
from server.conftest import StartServer, scripted
from server.open_book import OpenBook

from callsheet.wire import Cancel, Error, ErrorCode, ReplyEnd, ReplyStart, Say
from callsheet_server.app.server import CallsheetServer
from callsheet_server.world.memory import Turn

ALL = ("bob", "ida", "kim")


async def ask(game: Client, *npcs: str, text: str = "Who did it?", **fields: Any) -> int:
    number = game.next_id()
    await game.send(Say(id=number, npcs=npcs, speaker=PLAYER, text=text, **fields))
    return number


async def ends(game: Client, request: int) -> list[ReplyEnd]:
    """Ends of a request's replies, to the last."""
    found = [await game.get(ReplyEnd, id=request)]
    while found[-1].more:
        found.append(await game.get(ReplyEnd, id=request))
    return found


def turns(server: CallsheetServer, npc: str) -> list[Turn]:
    return list(server.rooms["town"].memory.turns(npc))


@pytest.mark.parametrize("kept", [True, False])
async def test_each_answers_after_having_heard_those_before(
    start_server: StartServer, tmp_path: Path, kept: bool
) -> None:
    engine = OpenBook()
    storage = {"directory": str(tmp_path)} if kept else {}
    server = await start_server(engine, storage=storage)
    async with Client(server.port) as game:
        await game.spawn(*ALL, "eve")
        first, second, third = await ends(game, await ask(game, *ALL, audible_m=5.0))
        assert [end.npc for end in (first, second, third)] == list(ALL)
        assert [end.more for end in (first, second, third)] == [True, True, None]
        starts = [m for m in game.received if isinstance(m, ReplyStart)]
        assert [(m.npc, m.heard) for m in starts] == [(npc, "Who did it?") for npc in ALL]
        asked = [[(turn.speaker, turn.text) for turn in request.turns] for request in engine.asked]
        line = ("Ann", "Who did it?")
        assert asked == [
            [line],
            [("Bob (to Ann)", first.text), line],
            [("Bob (to Ann)", first.text), ("Ida (to Ann)", second.text), line],
        ]
        heard = [Turn(f"{end.npc.title()} (to Ann)", end.text) for end in (first, second, third)]
        assert turns(server, "bob") == [Turn(*line), Turn(None, first.text), *heard[1:]]
        assert turns(server, "eve") == [Turn("Ann (to Bob)", line[1]), *heard]
        before = {npc: turns(server, npc) for npc in (*ALL, "eve")}
    if kept:
        await server.close()
        server = await start_server(OpenBook(), storage=storage)
        async with Client(server.port, resume=game.resumption()) as game:
            for npc, known in before.items():
                await game.reply(await game.say(npc, "Still there?"))
                assert turns(server, npc)[:-2] == known


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, ErrorCode.BAD_VALUE, "npcs"),
        ({"npc": "bob", "npcs": ("ida",)}, ErrorCode.BAD_VALUE, "npcs"),
        ({"npcs": ("bob", "bob")}, ErrorCode.BAD_VALUE, "npcs"),
        ({"npcs": ("bob", "nobody")}, ErrorCode.UNKNOWN_NPC, "npcs.1"),
    ],
)
async def test_who_is_spoken_to_must_be_clear(
    game: Client, server: CallsheetServer, fields: dict[str, Any], code: ErrorCode, field: str
) -> None:
    await game.spawn("ida", players=())
    number = game.next_id()
    refused = await game.refusal(Say(id=number, speaker=PLAYER, text="Well?", **fields))
    assert (refused.code, refused.field) == (code, field)


async def test_all_are_accepted_or_none(start_server: StartServer) -> None:
    server = await start_server(limits={"max_open_requests": 2})
    async with Client(server.port) as game:
        await game.spawn(*ALL)
        number = await ask(game, *ALL)
        assert (await game.get(Error, id=number)).code == ErrorCode.LIMIT_EXCEEDED
        assert len(await ends(game, await ask(game, *ALL[:2]))) == 2


async def test_one_that_fails_does_not_silence_the_others(start_server: StartServer) -> None:
    server = await start_server(scripted(fail_npcs=("ida", "kim")))
    async with Client(server.port) as game:
        await game.spawn(*ALL)
        bob, ida, kim = await ends(game, await ask(game, *ALL))
        assert (bob.finish_reason, ida.finish_reason, kim.finish_reason) == (
            "stop",
            "error",
            "error",
        )
        assert ida.code == kim.code == ErrorCode.GENERATION_FAILED


async def test_a_cancelled_request_ends_for_all(start_server: StartServer) -> None:
    server = await start_server(scripted(token_delay_s=0.05))
    async with Client(server.port) as game:
        await game.spawn(*ALL)
        number = await ask(game, *ALL)
        await game.get(ReplyStart, npc="bob")
        await game.send(Cancel(id=number))
        assert [end.finish_reason for end in await ends(game, number)] == ["cancelled"] * 3
        end = await game.reply(await game.say("kim"))
        assert end.finish_reason == "stop"
