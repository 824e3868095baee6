"""Churn for a long time: clients that come and go, every name new; what the server keeps of it.

python loadtest/bench/soak.py [--minutes 30] [--clients 4]

Every minute prints memory, open files, databases and the log's size of a ``callsheet serve`` with
the scripted engine. Observers enter worlds that nobody has heard of; games spawn NPCs with
names of their own, talk to them, despawn them and leave. The games take turns in ``GAMES`` worlds:
the world of a game is kept on disk, that is what storage is for.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import callsheet
from callsheet import CallsheetError, NpcSpec
from callsheet_bench.watched_server import WatchedServer, watched_server

GAMES = 8
NPCS = 20
REPORT_S = 60.0
PAUSE_S = 0.2
"""Between two lives of a client."""


async def game(url: str, world: str, names: Iterator[int]) -> None:
    """Spawn NPCs nobody had before, talk to some, and leave."""
    async with callsheet.connect(url, role="game", world=world) as client:
        npcs = [f"n{next(names)}" for _ in range(NPCS)]
        await client.spawn([NpcSpec(npc=npc, name=npc, persona="You are Bob.") for npc in npcs])
        for npc in npcs[:3]:
            await (await client.say(npc, "Hello!", max_tokens=4))
        await client.despawn(npcs)


async def look_on(url: str, world: str) -> None:
    """Enter a world that nobody has heard of, and subscribe."""
    async with callsheet.connect(url, role="observer", world=world) as client:
        await client.subscribe("npcs", "stats")


async def churn(url: str, client: int, names: Iterator[int], done: Counter[str]) -> None:
    """Live one client's lives, one after the other; for good."""
    for life in itertools.count():
        kind = "game" if life % 2 else "observer"
        try:
            if kind == "game":
                await game(url, f"town-{(life // 2) % (GAMES // 4) * 4 + client % 4}", names)
            else:
                await look_on(url, f"nowhere-{next(names)}")
            done[kind] += 1
        except (CallsheetError, OSError) as error:
            done[str(error)[:60]] += 1
        await asyncio.sleep(PAUSE_S)


def report(server: WatchedServer, minute: float, done: Counter[str]) -> None:
    """Print one line of the table."""
    database_bytes = sum(file.stat().st_size for file in server.worlds.iterdir())
    print(
        f"{minute:6.1f} {server.rss_bytes / 2**20:8.1f} {server.open_files:6} "
        f"{server.databases:9} {database_bytes / 2**20:12.1f} {server.log_bytes:9} "
        f"{server.cpu_s:7.1f}  {dict(done)}",
        flush=True,
    )


async def soak(minutes: float, clients: int) -> None:
    """Churn for so long, then look once more when everybody has left."""
    done: Counter[str] = Counter()
    names = itertools.count()
    print("minute  RSS MiB  files databases database MiB log bytes   CPU s  lives")
    with tempfile.TemporaryDirectory() as folder:
        async with watched_server(Path(folder)) as server:
            start_s = time.monotonic()
            lives = [asyncio.create_task(churn(server.url, n, names, done)) for n in range(clients)]
            while (passed_s := time.monotonic() - start_s) < minutes * 60:
                report(server, passed_s / 60, done)
                await asyncio.sleep(min(REPORT_S, minutes * 60 - passed_s))
            report(server, minutes, done)
            for life in lives:
                life.cancel()
            await asyncio.gather(*lives, return_exceptions=True)
            start_s = time.monotonic()
            await server.stop()
            print(f"stopped in {time.monotonic() - start_s:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=4, help="of which each lives many lives")
    args = parser.parse_args()
    asyncio.run(soak(args.minutes, args.clients))


if __name__ == "__main__":
    main()
