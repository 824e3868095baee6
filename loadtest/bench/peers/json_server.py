"""A game server as one would first write it: websockets, json, a dict per NPC, who is near whom."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

REACH_M = 3.0


async def play(socket: ServerConnection) -> None:
    npcs: dict[int, dict[str, Any]] = {}
    async for frame in socket:
        tick = json.loads(frame)
        for npc in tick["npcs"]:
            npcs[npc["handle"]] = npc
        near = set()
        for npc in npcs.values():
            x, y, z = npc["position"]
            for player in tick["players"]:
                px, py, pz = player["position"]
                if (x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2 <= REACH_M**2:
                    near.add(npc["handle"])
        await socket.send(json.dumps({"ack": tick["tick"], "near": sorted(near)}))


async def main() -> None:
    async with serve(play, "127.0.0.1", 0, compression=None, max_size=None) as server:
        host, port = next(iter(server.sockets)).getsockname()
        print(f"listening on ws://{host}:{port}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
