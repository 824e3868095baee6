"""What NPCs know without a mod: facts of their own, and lore with conditions."""

from __future__ import annotations

from pathlib import Path

from server.client import Client
from server.conftest import StartServer
from server.open_book import OpenBook

from callsheet.wire import (
    ConditionalLore,
    ConfigureWorld,
    Ok,
    RegisterScript,
    ScriptRegistered,
    UpdateNpc,
)
from callsheet_server.app.server import CallsheetServer


def persona(server: CallsheetServer) -> str:
    (profile,) = server.engine._profiles.values()  # type: ignore[attr-defined]
    return str(profile.persona)


async def test_facts_stand_behind_whatever_persona(
    start_server: StartServer, tmp_path: Path
) -> None:
    storage = {"directory": str(tmp_path)}
    server = await start_server(storage=storage)
    async with Client(server.port) as game, Client(server.port, role="mod") as mod:
        await game.spawn("bob", knowledge=("The mill\nburnt down.", "Ann owes you."))
        facts = "\n\nYou know:\n- The mill burnt down.\n- Ann owes you."
        assert persona(server) == "A villager." + facts
        script = RegisterScript(id=mod.next_id(), script="s", npcs=("bob",), persona="A spy.")
        await mod.ask(script, ScriptRegistered)
        assert persona(server) == "A spy." + facts
        await mod.ask(UpdateNpc(id=mod.next_id(), npc="bob", knowledge=("It rains.",)), Ok)
        assert persona(server) == "A spy.\n\nYou know:\n- It rains."
    await server.close()
    server = await start_server(storage=storage)
    async with Client(server.port, resume=game.resumption()) as game:
        assert persona(server) == "A villager.\n\nYou know:\n- It rains."
        await game.ask(UpdateNpc(id=game.next_id(), npc="bob", knowledge=()), Ok)
        assert persona(server) == "A villager."


async def test_lore_is_known_while_its_conditions_hold(
    start_server: StartServer, tmp_path: Path
) -> None:
    engine = OpenBook()
    storage = {"directory": str(tmp_path)}
    server = await start_server(engine, storage=storage)
    entries = (
        ConditionalLore(text="The town is besieged.", flag="siege"),
        ConditionalLore(text="The well is dry.", place=(0.0, 0.0, 0.0), radius_m=5.0),
        ConditionalLore(text="The tax is due.", archetypes=("baker",)),
    )

    async def known(npc: str) -> list[str]:
        await game.reply(await game.say(npc, "What is new?"))
        return [e.text for e in entries if engine.knows(e.text)]

    async with Client(server.port) as game:
        spawned = await game.spawn("bob", archetype="baker")
        await game.spawn("far", players=(), position=(99.0, 0.0, 0.0))
        await game.ask(ConfigureWorld(id=game.next_id(), lore_entries=entries), Ok)
        assert await known("bob") == ["The well is dry.", "The tax is due."]
        assert await known("far") == []
        await game.ask(ConfigureWorld(id=game.next_id(), flags=("siege",)), Ok)
        assert await known("far") == ["The town is besieged."]
        handles = [npc.handle for npc in spawned.npcs]
        await game.tick(handles, [[50.0, 0.0, 0.0]])
        assert await known("bob") == ["The town is besieged.", "The tax is due."]
        turns = server.rooms["town"].memory.turns("bob")
        assert not any("besieged" in turn.text for turn in turns if turn.speaker is not None)
    await server.close()
    engine = OpenBook()
    server = await start_server(engine, storage=storage)
    async with Client(server.port, resume=game.resumption()) as game:
        assert await known("far") == ["The town is besieged."]
        await game.ask(ConfigureWorld(id=game.next_id(), flags=(), lore_entries=()), Ok)
        assert await known("bob") == []
