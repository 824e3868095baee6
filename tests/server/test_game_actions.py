"""Actions that the game declares with its NPCs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from server.client import Client
from server.conftest import StartServer
from server.open_book import OpenBook
from server.test_scripts import BadChooser

from callsheet.wire import (
    Action,
    ActionSpec,
    ErrorCode,
    HearAnswer,
    Heard,
    NpcSpec,
    Ok,
    RegisterScript,
    ScriptRegistered,
    Spawn,
    UpdateNpc,
)
from callsheet_server.app.server import CallsheetServer
from callsheet_server.engine.scripted import ScriptedSettings
from callsheet_server.talk import action_chooser
from callsheet_server.talk import actions as actions_module


def spec(name: str, **fields: Any) -> ActionSpec:
    return ActionSpec(name=name, description=f"To {name}.", parameters={"type": "object"}, **fields)


WAVE, SIT = spec("wave"), spec("sit")


async def register(mod: Client, **fields: Any) -> ScriptRegistered:
    script = RegisterScript(id=mod.next_id(), script="smith", npcs=("bob",), **fields)
    return await mod.ask(script, ScriptRegistered)


async def taken(game: Client, **options: Any) -> str | None:
    """The action that bob takes after a reply."""
    end = await game.reply(await game.say("bob", **options))
    names = [m.name for m in game.received if isinstance(m, Action) and m.reply == end.reply]
    return names[0] if names else None


async def test_an_npc_acts_without_a_mod(start_server: StartServer) -> None:
    engine = OpenBook("wave")
    server = await start_server(engine)
    async with Client(server.port) as game:
        spawned = await game.spawn("bob", action_specs=(WAVE,))
        assert spawned.note is None
        assert await taken(game) == "wave"
        await game.ask(UpdateNpc(id=game.next_id(), npc="bob", action_specs=(SIT,)), Ok)
        assert await taken(game) is None
        engine.action = "sit"
        assert await taken(game) == "sit"
        await game.ask(UpdateNpc(id=game.next_id(), npc="bob", persona="A baker."), Ok)
        assert await taken(game) == "sit"
        await game.ask(UpdateNpc(id=game.next_id(), npc="bob", action_specs=()), Ok)
        assert await taken(game) is None


async def test_a_choice_is_checked_off_the_event_loop(
    start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []
    read_choice = actions_module.read_choice

    def checked(text: str, actions: Sequence[ActionSpec]) -> tuple[str, dict[str, Any]] | None:
        threads.append(threading.get_ident())
        return read_choice(text, actions)

    monkeypatch.setattr(action_chooser, "read_choice", checked)
    server = await start_server(OpenBook("wave"))
    async with Client(server.port) as game:
        await game.spawn("bob", action_specs=(WAVE,))
        assert await taken(game) == "wave"
    assert threads
    assert threading.get_ident() not in threads


async def test_a_mod_adds_to_the_games_actions_and_narrows_them(start_server: StartServer) -> None:
    engine = OpenBook("wave")
    server = await start_server(engine)
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob", action_specs=(WAVE,))
        await register(mod, actions=(SIT,))
        assert await taken(game) == "wave"
        engine.action = "sit"
        assert await taken(game) == "sit"
        await register(mod, actions=(SIT,), game_actions=())
        engine.action = "wave"
        assert await taken(game) is None


async def test_the_game_says_at_each_line_what_may_be_done(start_server: StartServer) -> None:
    server = await start_server(OpenBook("wave"))
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob", action_specs=(WAVE.model_copy(update={"gated": True}), SIT))
        assert await taken(game) is None
        assert await taken(game, actions=("wave",)) == "wave"
        assert await taken(game, actions=("sit",)) is None
        await register(mod, events=("hear",))
        for offered, allowed in ((("wave",), ()), ((), None)):
            asked = await game.say("bob", actions=offered)
            heard = await mod.get(Heard)
            assert heard.actions == offered
            await mod.send(HearAnswer(call=heard.call, actions=allowed))
            end = await game.reply(asked)
            assert not any(isinstance(m, Action) and m.reply == end.reply for m in game.received)


async def test_only_the_game_declares_actions(game: Client, server: CallsheetServer) -> None:
    async with Client(server.port, role="mod") as mod:
        refused = await mod.refusal(UpdateNpc(id=mod.next_id(), npc="bob", action_specs=(WAVE,)))
        assert (refused.code, refused.field) == (ErrorCode.FORBIDDEN, "action_specs")
        number = await mod.say("bob", actions=("wave",))
        error = await mod.get(type(refused), id=number)
        assert (error.code, error.field) == (ErrorCode.FORBIDDEN, "actions")


async def test_a_bad_schema_is_told_of_its_npc(game: Client, server: CallsheetServer) -> None:
    bad = WAVE.model_copy(update={"parameters": {"type": "objekt"}})
    npcs = (NpcSpec(npc="kim", name="Kim"), NpcSpec(npc="kay", name="Kay", action_specs=(bad,)))
    refused = await game.refusal(Spawn(id=game.next_id(), npcs=npcs))
    assert (refused.code, refused.field) == (
        ErrorCode.BAD_VALUE,
        "npcs.1.action_specs.0.parameters",
    )
    assert "kim" not in server.rooms["town"].world.npcs
    again = await game.refusal(UpdateNpc(id=game.next_id(), npc="bob", action_specs=(bad,)))
    assert again.field == "action_specs.0.parameters"


@pytest.mark.parametrize("actions", ["measured", "always"])
async def test_a_game_is_told_if_its_model_chooses_badly(
    start_server: StartServer, actions: str
) -> None:
    quick = ScriptedSettings(token_delay_s=0.0, rebuild_s=0.0)
    server = await start_server(BadChooser(quick), reply={"actions": actions})
    async with Client(server.port) as game:
        note = (await game.spawn("bob", action_specs=(WAVE, SIT))).note
        told = note is not None and "wave, sit will only be offered where a say allows it" in note
        assert told == (actions == "measured")
