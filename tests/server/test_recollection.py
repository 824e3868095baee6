"""What NPCs remember is read from the disk when they are asked, not when a save is loaded."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer
from server.open_book import OpenBook
from server.test_saves import load, save, tell

from callsheet.wire import ErrorCode, Speak
from callsheet_server.rooms.room import Room
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.saved import SavedTurn


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    return {"directory": str(tmp_path / "worlds")}


def unread(room: Room) -> set[str]:
    return {npc for npc in room.world.npcs if room.memory.mind(npc).unread}


async def test_a_window_is_read_when_its_npc_is_asked(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob", "eve", "ida")
        room = server.rooms["town"]
        for npc in ("bob", "eve", "ida"):
            await tell(game, "good morning", npc)
        await save(game, "morning")
        await tell(game, "a secret")
        await tell(game, "a secret", "eve")
        await load(game, "morning")
        assert unread(room) == {"bob", "eve"}, "nothing has changed for ida"
        await tell(game, "what do you know?")
        assert unread(room) == {"eve"}
        assert engine.knows("good morning")
        assert not engine.knows("secret")
        await load(game, "morning")
        assert unread(room) == {"bob", "eve"}
        await tell(game, "what do you know?", "eve")
        assert engine.knows("good morning")
        assert not engine.knows("secret")


async def test_what_is_learnt_before_the_window_is_read_stands_in_it_once(
    start_server: StartServer, kept: dict[str, Any]
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob")
        await tell(game, "good morning")
        await save(game, "morning")
        await tell(game, "a secret")
        await load(game, "morning")
        spoken = Speak(id=game.next_id(), npc="bob", text="Rain tonight.")
        await game.send(spoken)
        await game.reply(spoken.id)
        assert unread(server.rooms["town"]) == {"bob"}
        await tell(game, "what do you know?")
        said = [turn.text for turn in engine.asked[-1].turns]
        assert [said[0], *said[2:]] == ["good morning", "Rain tonight.", "what do you know?"]


async def test_a_window_that_cannot_be_read_fails_its_reply_and_is_tried_again(
    start_server: StartServer, kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OpenBook()
    server = await start_server(engine, storage=kept)
    async with Client(server.port) as game:
        await game.spawn("bob")
        await tell(game, "good morning")
        await save(game, "morning")
        await tell(game, "a secret")
        await load(game, "morning")

        def fail(file: WorldFile, npc: str, max_turns: int) -> list[SavedTurn]:
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(WorldFile, "latest_turns", fail)
            asked = await game.say("bob", "what do you know?")
            error = await game.error(ErrorCode.STORAGE_FAILED)
            assert (error.id, "disk I/O error" in error.message) == (asked, True)
        assert unread(server.rooms["town"]) == {"bob"}
        await tell(game, "what do you know?")
        assert engine.knows("good morning")
