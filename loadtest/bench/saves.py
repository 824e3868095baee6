"""Cost of a save and a load in a world that has been talked in for long.

python loadtest/bench/saves.py [--json] [--npcs N] [--turns T]

A world is filled with `--turns` turns, then a server keeps it and a game saves and loads over the
SDK. Loads are timed twice: of a save after which a tenth of the NPCs were told something, and of
one after which all were; the announced calls of all have changed since, too. After each load one
NPC after the other is asked, whose turns are read from the disk then. Processor time, of server and
game together, is told beside: it depends less on what else a machine does. No model runs.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import callsheet
from callsheet import Hint, NpcSpec, ScheduledCall
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.storage.file import WorldFile
from callsheet_server.storage.folder import Folder
from callsheet_server.storage.writes import AddTurn

WORLD = "town"
QUICK = ScriptedSettings(token_delay_s=0.0, rebuild_s=0.0)
LINE = "where is the old mill by the river, and who has the key?"
SAVES = 5
ASKED = 50
HEARERS = 32
LAG_STEP_S = 0.005
PERSONA = "A villager who has lived here for long and knows everybody by name. " * 10
TURNS_PER_COMMIT = 20_000
LOAD_FIGURES = ("load_{}_s", "load_{}_cpu_s", "lag_{}_ms", "ask_{}_ms")


def fill(folder: Path, names: list[str], turns: int, show: bool) -> None:
    """Make a world's file with what the NPCs were told."""
    with closing(WorldFile(Folder(folder).file(WORLD), WORLD)) as file:
        for done in range(0, turns, TURNS_PER_COMMIT):
            numbers = range(done, min(done + TURNS_PER_COMMIT, turns))
            told = [AddTurn(names[n % len(names)], "Ann", f"{n}: {LINE}", 1.0) for n in numbers]
            file.apply([(told, None)])
            if show:
                share = numbers.stop / turns
                bar = "#" * round(share * 40)
                print(f"\rfilling the world [{bar:40}] {share:4.0%}", end="", file=sys.stderr)
    if show:
        print(file=sys.stderr)


async def measure(folder: Path, names: list[str]) -> dict[str, Any]:
    """Save and load over the SDK."""
    settings = Settings.model_validate(
        {
            "server": {"port": 0, "drain_timeout_s": 0.0},
            "limits": {"max_messages_per_s": 1e6},
            "storage": {"directory": str(folder)},
        }
    )
    async with running_server(settings, ScriptedEngine(QUICK)) as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with callsheet.connect(url, role="game", world=WORLD) as game:
            schedule = (ScheduledCall(at_s=1e6),)
            started_s = time.perf_counter()
            await game.spawn(
                [NpcSpec(npc=n, name=n, persona=PERSONA, schedule=schedule) for n in names]
            )
            result: dict[str, Any] = {"spawn_s": time.perf_counter() - started_s}
            saves_s, cpu_s = [], time.process_time()
            for number in range(SAVES):
                save_s, _ = await timed(functools.partial(game.save, f"save {number}"))
                saves_s.append(save_s)
            result["save_ms"] = statistics.median(saves_s) * 1e3
            result["save_cpu_ms"] = (time.process_time() - cpu_s) / SAVES * 1e3
            for save, told in (("all", names), ("tenth", names[: len(names) // 10])):
                await game.hint_calls([Hint(npc=name, in_s=1e5 + len(told)) for name in names])
                await timed(functools.partial(game.save, save))
                for first in range(0, len(told), HEARERS):
                    await game.hear(told[first : first + HEARERS], "a secret")
            await game.hint_calls([Hint(npc=name, in_s=5e4) for name in names])
            for save in ("tenth", "all"):
                cpu_s = time.process_time()
                load_s, lag_s = await timed(functools.partial(game.load, save))
                result |= {f"load_{save}_s": load_s, f"lag_{save}_ms": lag_s * 1e3}
                result[f"load_{save}_cpu_s"] = time.process_time() - cpu_s
                asked_s = []
                for name in names[:ASKED]:
                    started_s = time.perf_counter()
                    await (await game.say(name, "What do you know?", max_tokens=1))
                    asked_s.append(time.perf_counter() - started_s)
                result[f"ask_{save}_ms"] = statistics.median(asked_s) * 1e3
    return result


async def timed(change: Callable[[], Coroutine[Any, Any, object]]) -> tuple[float, float]:
    """Ask for a change as soon as the server's rate allows it.

    Returns:
        the seconds that it took, and the longest for which nothing else could run meanwhile.
    """
    while True:
        lag = asyncio.create_task(longest_lag_s())
        started_s = time.perf_counter()
        try:
            await change()
        except callsheet.CallsheetError as error:
            if error.code != "limit_exceeded" or error.retry_after_s is None:
                raise
            await asyncio.sleep(error.retry_after_s)
        else:
            seconds = time.perf_counter() - started_s
            lag.cancel()
            return seconds, await lag
        finally:
            lag.cancel()


async def longest_lag_s() -> float:
    """Longest time for which nothing else could run, and ``LAG_STEP_S``, until cancelled."""
    longest_s, before_s = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(LAG_STEP_S)
            longest_s = max(longest_s, time.perf_counter() - before_s)
            before_s = time.perf_counter()
    except asyncio.CancelledError:
        return longest_s


def main() -> None:
    """Run it and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--npcs", type=int, default=10_000, help="in the world (default 10,000)")
    parser.add_argument("--turns", type=int, default=1_000_000, help="told (default 1,000,000)")
    chosen = parser.parse_args()
    names = [f"npc-{number}" for number in range(chosen.npcs)]
    with tempfile.TemporaryDirectory() as directory:
        fill(Path(directory), names, chosen.turns, show=not chosen.json)
        result = asyncio.run(measure(Path(directory), names))
    if chosen.json:
        print(json.dumps({"npcs": chosen.npcs, "turns": chosen.turns} | result, indent=2))
        return
    print(
        f"{chosen.npcs} NPCs, {chosen.turns} turns\n"
        f"spawn: {result['spawn_s']:.2f} s\n"
        f"save: {result['save_ms']:.0f} ms ({result['save_cpu_ms']:.0f} ms of processor)"
    )
    for save, who in (("tenth", "a tenth of the NPCs"), ("all", "all NPCs")):
        load_s, cpu_s, lag_ms, ask_ms = (result[figure.format(save)] for figure in LOAD_FIGURES)
        print(
            f"load, {who} told something since: {load_s:.2f} s ({cpu_s:.2f} s of processor), "
            f"everybody else waited at most {lag_ms:.0f} ms; a reply after it {ask_ms:.0f} ms"
        )


if __name__ == "__main__":
    main()
