"""Lines that are overheard, or heard without an answer, through the SDK."""

from __future__ import annotations

import asyncio

import pytest
from sdk.conftest import real_server

import callsheet
from callsheet import NpcSpec, PlayerSpec, Speaker
from callsheet_server.app.server import CallsheetServer

HERE = (0.0, 0.0, 0.0)
NPCS = [NpcSpec(npc=name, name=name.title(), position=HERE) for name in ("bob", "ida")]
ANN = PlayerSpec(player="ann", name="Ann", position=HERE)
KNOWN = ["Ann (to Bob)", "Bob (to Ann)", "Narrator", "Ann", "Bob"]


def speakers(server: CallsheetServer) -> list[str | None]:
    return [turn.speaker for turn in server.rooms["town"].memory.turns("ida")]


async def test_lines_are_overheard_and_heard() -> None:
    async with real_server() as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with callsheet.connect(url, role="game", world="town") as game:
            await game.spawn(NPCS, [ANN])
            await (await game.say("bob", "Psst!", speaker="ann", audible_m=5.0))
            await game.hear(["ida"], "Thunder.")
            await game.hear(["ida", "bob"], "Fine day.", speaker="ann")
            await game.hear(["ida"], "Go home.", speaker=Speaker(kind="npc", id="bob"))
            await (await game.speak("bob", "Hm.", audible_m=5.0))
            assert speakers(server) == [*KNOWN, "Bob"]
            with pytest.raises(callsheet.CallsheetError, match="unknown_npc"):
                await game.hear(["nobody"], "Thunder.")


async def test_several_answer_in_turn() -> None:
    async with real_server() as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with callsheet.connect(url, role="game", world="town") as game:
            await game.spawn(NPCS, [ANN])
            reply = await game.say(["bob", "ida"], "Who did it?", speaker="ann")
            text = "".join([piece async for piece in reply])
            last = await reply
            assert [end.npc for end in reply.ends] == ["bob", "ida"]
            assert (last, text) == (reply.ends[1], "".join(end.text for end in reply.ends))
            assert speakers(server) == ["Bob (to Ann)", "Ann", None]


async def test_lines_are_overheard_and_heard_without_asyncio() -> None:
    def play(server: CallsheetServer) -> None:
        url = f"ws://127.0.0.1:{server.port}"
        with callsheet.blocking.connect(url, role="game", world="town") as game:
            game.spawn(NPCS, [ANN])
            game.say("bob", "Psst!", speaker="ann", audible_m=5.0).end()
            game.hear(["ida"], "Thunder.")
            game.hear(["ida", "bob"], "Fine day.", speaker="ann")
            game.hear(["ida"], "Go home.", speaker=Speaker(kind="npc", id="bob"))
            game.speak("bob", "Hm.", audible_m=5.0).end()
            assert speakers(server) == [*KNOWN, "Bob"]
            reply = game.say(["ida", "bob"], "Well?", speaker="ann")
            reply.end()
            assert [end.npc for end in reply.ends] == ["ida", "bob"]

    async with real_server() as server:
        await asyncio.to_thread(play, server)
