"""What metrics cost: the pipeline's time for a tick, and on top of it that of telling of the tick.

python loadtest/bench/telemetry.py [--json] [--npcs N] [--ticks T]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from typing import Any

import numpy as np

import callsheet
from callsheet import NpcSpec, PlayerSpec
from callsheet.wire.tick import NPC_DTYPE, PLAYER_DTYPE, Tick, TickKind
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine


async def run(npcs: int, ticks: int) -> dict[str, Any]:
    settings = Settings.model_validate({"server": {"port": 0, "drain_timeout_s": 0.0}})
    async with running_server(settings, ScriptedEngine()) as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with callsheet.connect(url, role="game", world="town") as game:
            await game.spawn(
                [NpcSpec(npc=f"n{i}", name=f"N {i}") for i in range(npcs)],
                [PlayerSpec(player="ann", name="Ann")],
            )
            room = server.rooms["town"]
            tick_s, telemetry_s = [], []
            draw = np.random.default_rng(0)
            for number in range(ticks):
                tick = _tick(number, [npc.handle for npc in room.world.npcs.values()], draw)
                start = time.perf_counter()
                report = server.pipeline.tick(room, tick)
                middle = time.perf_counter()
                server.telemetry.ticked(room, report.npc_updates, middle - start)
                telemetry_s.append(time.perf_counter() - middle)
                tick_s.append(middle - start)
                await asyncio.sleep(0)
            start = time.perf_counter()
            page = server.pages["/metrics"]()
            scrape_s = time.perf_counter() - start
    off_s, on_s = statistics.median(tick_s), statistics.median(telemetry_s)
    return {
        "npcs": npcs,
        "ticks": ticks,
        "tick_without_us": off_s * 1e6,
        "telemetry_us": on_s * 1e6,
        "telemetry_p99_us": float(np.percentile(telemetry_s, 99)) * 1e6,
        "overhead_percent": 100.0 * on_s / off_s,
        "scrape_ms": scrape_s * 1e3,
        "scrape_bytes": len(page.body),
    }


def _tick(number: int, handles: list[int], draw: np.random.Generator) -> Tick:
    npcs = np.zeros(len(handles), NPC_DTYPE)
    npcs["handle"] = handles
    npcs["position"] = draw.uniform(0.0, 1000.0, (len(handles), 3))
    npcs["next_call_s"] = np.nan
    return Tick(TickKind.KEYFRAME, number, number * 0.05, False, npcs, np.zeros(0, PLAYER_DTYPE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--npcs", type=int, default=5000, help="NPCs in the world (default 5000)")
    parser.add_argument("--ticks", type=int, default=400, help="ticks to time (default 400)")
    chosen = parser.parse_args()
    result = asyncio.run(run(chosen.npcs, chosen.ticks))
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    print(
        f"{result['npcs']} NPCs: a tick takes {result['tick_without_us']:.0f} us without metrics, "
        f"{result['telemetry_us']:.1f} us more with them ({result['overhead_percent']:.2f} %; p99 "
        f"{result['telemetry_p99_us']:.0f} us); a scrape takes {result['scrape_ms']:.1f} ms"
    )


if __name__ == "__main__":
    main()
