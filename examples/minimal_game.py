"""A game in twenty lines: one NPC, one player, one talk.

Start a server (callsheet serve), then: python examples/minimal_game.py [ws://HOST:PORT]
"""

import asyncio
import sys

import callsheet
from callsheet import NpcSpec, PlayerSpec

PERSONA = "You are Bram, innkeeper of the Blue Boar. You are tired, kind and proud of your stew."


async def main(url: str) -> None:
    async with callsheet.connect(url, role="game", world="tavern") as game:
        bram = NpcSpec(npc="bram", name="Bram", archetype="innkeeper", persona=PERSONA)
        spawned = await game.spawn([bram], [PlayerSpec(player="ann", name="Ann")])
        # A real game sends one tick per frame or two: game time, and where everybody is.
        await game.send_tick(
            0.0,
            handles=[spawned.npcs["bram"]],
            positions_m=[[0.0, 0.0, 0.0]],
            player_handles=[spawned.players["ann"]],
            player_positions_m=[[1.0, 0.0, 0.0]],
        )
        reply = await game.say("bram", "Good evening! What is for supper?", speaker="ann")
        async for text in reply:
            print(text, end="", flush=True)
        print()
        for wanted in reply.actions:
            print(f"[Bram: {wanted.name}({wanted.arguments})]")
            await game.answer_action(wanted, ok=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8765"))
