"""A mod beside a game that saves, loads, and whose clock goes back."""

from __future__ import annotations

from pathlib import Path

from sdk.conftest import Program, Programs
from sdk.test_mod_run import mod, run

import callsheet
from callsheet import Client, NpcSpec

DEBTOR = """
from callsheet.mod import Npc, at

class Debtor(Npc):
    npcs = ["bram"]
    tick_interval_s = 0.1

    def on_spawn(self):
        self.debt = 0
        print("spawned")

    async def on_hear(self, heard):
        self.debt += 1
        await self.remember(debt=self.debt)
        return f"I owe {self.debt}."

    async def on_load(self, loaded):
        self.debt = (await self.recall()).get("debt", 0)
        print(f"loaded {loaded.name} at {loaded.time_s:g}, debt {self.debt}")

    async def on_tick(self, tick):
        print(f"tick {tick.game_time_s:g}")

    @at(50.0)
    async def yawn(self):
        print("yawned")
"""


async def ask(game: Client) -> str:
    return (await (await game.say("bram", "What do you owe?"))).text


async def tick(game: Client, debtor: Program, handle: int, time_s: float) -> str:
    """Let the game's clock say a time; what the mod printed until its tick."""
    await game.send_tick(time_s, [handle], [[0.0, 0.0, 0.0]])
    return await debtor.until(f"tick {time_s:g}\n")


async def test_a_mod_follows_a_load(kept_url: str, tmp_path: Path, programs: Programs) -> None:
    async with callsheet.connect(kept_url, role="game", world="town") as game:
        handle = (await game.spawn([NpcSpec(npc="bram", name="Bram")])).npcs["bram"]
        debtor = await programs.start(*run(kept_url, mod(tmp_path, DEBTOR)))
        await debtor.until("spawned")
        await tick(game, debtor, handle, 10.0)
        assert await ask(game) == "I owe 1."
        await game.save("one")
        await tick(game, debtor, handle, 40.0)
        assert "yawned" in await tick(game, debtor, handle, 60.0)
        assert await ask(game) == "I owe 2."
        await game.load("one")
        await debtor.until("loaded one at 10, debt 1")
        assert await ask(game) == "I owe 2."
        assert "yawned" not in await tick(game, debtor, handle, 11.0)
        assert "yawned" in await tick(game, debtor, handle, 51.0)


async def test_schedules_follow_a_clock_that_goes_back(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        handle = (await game.spawn([NpcSpec(npc="bram", name="Bram")])).npcs["bram"]
        debtor = await programs.start(*run(url, mod(tmp_path, DEBTOR)))
        await debtor.until("spawned")
        for _ in range(2):
            assert "yawned" not in await tick(game, debtor, handle, 10.0)
            assert "yawned" in await tick(game, debtor, handle, 60.0)
