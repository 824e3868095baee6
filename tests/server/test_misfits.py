"""NPCs that cannot speak: told to the game when they come, and by ``explain``."""

from __future__ import annotations

from server.client import Client
from server.conftest import StartServer

from callsheet.wire import ErrorCode, Explain, Explanation, NpcSpec, Ok, Spawn, Spawned, UpdateNpc

LONG = "One more sentence. " * 700


async def explained(game: Client) -> Explanation:
    return await game.ask(Explain(id=game.next_id(), npc="bob"), Explanation)


async def test_a_persona_that_cannot_fit_is_told_and_never_warmed(
    start_server: StartServer,
) -> None:
    server = await start_server()
    async with Client(server.port) as game:
        npcs = (
            NpcSpec(npc="bob", name="Bob", persona=LONG, position=(0, 0, 0)),
            NpcSpec(npc="ann", name="Ann", persona="A smith.", position=(0, 0, 0)),
        )
        await game.ask(Spawn(id=game.next_id(), npcs=npcs), Spawned)
        told = await game.error(ErrorCode.CONTEXT_TOO_LONG)
        assert (told.id, told.field, told.value) == (None, "persona", "bob")
        assert told.message.startswith("bob: it cannot speak: lore and persona take 33")
        explanation = await explained(game)
        assert explanation.note is not None
        assert explanation.note in told.message
        for npc in ("bob", "ann"):
            server.pipeline.demand(server.rooms["town"], npc)
        await server.mover.idle()
        tiers = {
            n: server.pipeline.prefix_tier(server.rooms["town"], n).name for n in ("bob", "ann")
        }
        assert tiers == {"bob": "ABSENT", "ann": "DEVICE"}

        change = UpdateNpc(id=game.next_id(), npc="bob", persona="A smith too.")
        await game.ask(change, Ok)
        assert (await explained(game)).note is None
