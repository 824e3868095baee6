"""What durability costs: replies per second and time to the end of a reply, with and without it.

python loadtest/bench/storage.py [--json] [--npcs N] [--replies R] [--rounds K]

An engine without a model answers at once, so what is timed is the server: over a real WebSocket,
`--npcs` NPCs are spoken to at the same time. The two kinds of server take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from typing import Any

import numpy as np

import callsheet
from callsheet import NpcSpec
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings

QUICK = ScriptedSettings(token_delay_s=0.0, rebuild_s=0.0)


async def run(npcs: int, replies: int, directory: str) -> dict[str, Any]:
    """Replies per second, their latency, and the commits; ``directory`` empty = not durable."""
    settings = Settings.model_validate(
        {
            "server": {"port": 0, "drain_timeout_s": 0.0},
            "limits": {"max_messages_per_s": 1e6},
            "storage": {"directory": directory},
        }
    )
    async with running_server(settings, ScriptedEngine(QUICK)) as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with callsheet.connect(url, role="game", world="town") as game:
            names = [f"n{i}" for i in range(npcs)]
            await game.spawn([NpcSpec(npc=name, name=name) for name in names])
            latency_s: list[float] = []

            async def talk(npc: str) -> None:
                for number in range(replies):
                    start_s = time.perf_counter()
                    await (await game.say(npc, f"line {number}", max_tokens=8))
                    latency_s.append(time.perf_counter() - start_s)

            start_s = time.perf_counter()
            await asyncio.gather(*map(talk, names))
            took_s = time.perf_counter() - start_s
        result = {
            "replies_per_s": npcs * replies / took_s,
            "latency_p50_ms": float(np.percentile(latency_s, 50)) * 1e3,
            "latency_p95_ms": float(np.percentile(latency_s, 95)) * 1e3,
        }
        disk = server.storage.disk
        if disk is not None:
            writer = disk.writer
            result |= {
                "commit_p50_ms": float(np.percentile(writer.commit_s, 50)) * 1e3,
                "commit_p95_ms": float(np.percentile(writer.commit_s, 95)) * 1e3,
                "changes_per_commit": writer.changes / writer.commits,
            }
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--npcs", type=int, default=64, help="who speak at once (default 64)")
    parser.add_argument("--replies", type=int, default=25, help="of each NPC (default 25)")
    parser.add_argument("--rounds", type=int, default=5, help="of each kind (default 5)")
    chosen = parser.parse_args()
    rounds: dict[str, list[dict[str, Any]]] = {"off": [], "on": []}
    for _ in range(chosen.rounds):
        rounds["off"].append(asyncio.run(run(chosen.npcs, chosen.replies, "")))
        with tempfile.TemporaryDirectory() as directory:
            rounds["on"].append(asyncio.run(run(chosen.npcs, chosen.replies, directory)))
    result: dict[str, Any] = {"npcs": chosen.npcs, "replies": chosen.replies} | {
        kind: {name: statistics.median(one[name] for one in all_of) for name in all_of[0]}
        for kind, all_of in rounds.items()
    }
    result["ratio"] = result["on"]["replies_per_s"] / result["off"]["replies_per_s"]
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    for kind in ("off", "on"):
        of = result[kind]
        print(
            f"storage {kind:3}: {of['replies_per_s']:7.0f} replies/s, latency "
            f"{of['latency_p50_ms']:.1f} ms (p95 {of['latency_p95_ms']:.1f} ms)"
        )
    on = result["on"]
    print(
        f"ratio {result['ratio']:.2f}; a commit takes {on['commit_p50_ms']:.1f} ms "
        f"(p95 {on['commit_p95_ms']:.1f} ms) and holds {on['changes_per_commit']:.0f} changes"
    )


if __name__ == "__main__":
    main()
