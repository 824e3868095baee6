"""State of your own per NPC, moved with it: here a diary, a list of strings.

The planner that moves KV caches moves this too: the diaries of NPCs who are about to speak are in
memory as Python lists, those of the others are bytes or files.

Needs no model and no running server: python examples/custom_state.py
"""

import asyncio
import json
import tempfile
from collections.abc import Hashable
from pathlib import Path

import callsheet
from callsheet import NpcSpec, PlayerSpec
from callsheet_residency.state import Tier
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.blob import BlobStore
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.transport.settings import ServerSettings
from callsheet_server.world.key import NpcKey

NPCS = 12
STEP_M = 20.0


class Diaries(BlobStore[list[str]]):
    """Says how a diary begins, and how it becomes bytes and back."""

    def build(self, key: Hashable) -> list[str]:
        return [f"Dear diary, I am {key}."]

    def encode(self, value: list[str]) -> bytes:
        return json.dumps(value).encode()

    def decode(self, encoded: bytes) -> list[str]:
        diary: list[str] = json.loads(encoded)
        return diary


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        room = {Tier.DEVICE: 160, Tier.HOST: 200, Tier.DISK: 10_000}  # bytes: about four diaries
        diaries = Diaries(Path(folder), room, typical_bytes=40, rebuild_s=0.001)
        settings = Settings(server=ServerSettings(port=0))
        async with running_server(settings, ScriptedEngine(), extra_stores=[diaries]) as server:
            await walk_down_the_street(f"ws://127.0.0.1:{server.port}", diaries)


async def walk_down_the_street(url: str, diaries: Diaries) -> None:
    async with callsheet.connect(url, role="game", world="street") as game:
        names = [f"npc{i}" for i in range(NPCS)]
        spawned = await game.spawn(
            [NpcSpec(npc=name, name=name) for name in names], [PlayerSpec(player="ann", name="Ann")]
        )
        handles = [spawned.npcs[name] for name in names]
        houses = [[i * STEP_M, 0.0, 0.0] for i in range(NPCS)]
        for tick in range(60):
            await game.send_tick(
                tick * 0.5,
                handles,
                houses,
                player_handles=[spawned.players["ann"]],
                player_positions_m=[[tick * 4.0, 0.0, 0.0]],
                player_velocities_mps=[[8.0, 0.0, 0.0]],
            )
            if tick % 10 == 0:
                here = int(tick * 4.0 / STEP_M)
                diary = diaries.get(NpcKey("street", names[here]))
                if diary is not None:
                    diary.append("Ann came by.")
                where = [diaries.tier(NpcKey("street", name)).name.lower() for name in names]
                print(f"Ann is at {names[here]:6} " + " ".join(f"{tier:6}" for tier in where))
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main())
