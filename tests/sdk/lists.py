"""A program that gives lists wherever the SDK has tuples; ``test_lists.py`` runs and checks it."""

from __future__ import annotations

import asyncio
import sys

import callsheet
from callsheet import (
    ActionSpec,
    ConditionalLore,
    NpcSpec,
    PlayerSpec,
    RegisterScript,
    ScheduledCall,
    frames,
)
from callsheet.mod import Greetings, Lorebook, LoreEntry

HERE: list[float] = [1.0, 0.0, 2.0]
NAMES: list[str] = ["bram", "ida"]
CALLS: list[ScheduledCall] = [ScheduledCall(at_s=60.0)]


class Town(Greetings, Lorebook):
    """A mod, which runs elsewhere."""

    npcs = NAMES
    entries = [LoreEntry("The ferry is late.", keys=["ferry"], secondary_keys=["night"])]  # noqa: RUF012


async def play(url: str) -> None:
    wave = ActionSpec(name="wave", description="Waves a hand.", parameters={"type": "object"})
    lore = [ConditionalLore(text="The inn is full.", place=HERE, archetypes=["guest"])]
    specs = [
        NpcSpec(
            npc=name,
            name=name.title(),
            position=HERE,
            schedule=CALLS,
            actions=["wave"],
            action_specs=[wave],
            knowledge=["Soup costs two pence."],
        )
        for name in NAMES
    ]
    async with callsheet.connect(url, role="game", world="lists") as game:
        await game.configure_world(lore_entries=lore, flags=["siege"])
        handles = await game.spawn(specs, [PlayerSpec(player="ann", name="Ann", position=HERE)])
        await game.send_tick(1.0, list(handles.npcs.values()), [HERE, HERE], [HERE, HERE])
        reply = await game.say(
            NAMES, "Who is hungry?", stop=["!!"], actions=["wave"], speaker="ann"
        )
        await reply
        print([end.npc for end in reply.ends])  # noqa: T201
        await game.hear(NAMES, "Thunder.")
        await game.update_npc("bram", schedule=CALLS, knowledge=["It rains."])
        async with callsheet.connect(url, role="mod", world="lists") as mod:
            script = RegisterScript(id=1, script="lists.Town", npcs=NAMES, events=["hear"])
            print(list(await mod.register_script(script)))  # noqa: T201
        await game.despawn(NAMES)


def draw(url: str) -> None:
    game = frames.connect(url, world="frames")
    bram = game.npc("bram", name="Bram", position=[1, 2], schedule=CALLS)
    ann = game.player("ann", name="Ann", position=[3.0, 4.0])
    ann.position = [5.0, 6.0]
    bram.position = HERE
    game.frame()
    game.close()


if __name__ == "__main__":
    asyncio.run(play(sys.argv[1]))
    draw(sys.argv[1])
