"""How many NPC updates a second one core takes in: binary ticks, JSON ticks, and a bare sink.

Two server processes, pinned to one core, are fed the same keyframes (10,000 NPCs, 8 players) over
loopback WebSockets from a client on the other core, in turns, for several rounds:

  binary  the Callsheet server: decode, snapshot, five estimators, planner
  json    the same server, the same ticks as JSON text
  sink    a bare `websockets` server that drops the binary frames

    python loadtest/bench/ingest.py
    python loadtest/bench/ingest.py --json --rounds 9
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from callsheet.wire.base import ClientMessage, ServerMessage
from callsheet.wire.codec import encode, parse_server_message
from callsheet.wire.session import ClientInfo, Hello, Welcome
from callsheet.wire.tick import Tick, TickKind, encode_tick, npc_records, player_records
from callsheet.wire.world import (
    JsonTick,
    NpcSpec,
    PlayerSpec,
    Spawn,
    Spawned,
    TickAck,
    TickNpc,
    TickPlayer,
)
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings, ScriptedTraits
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.transport.settings import ServerSettings

Received = TypeVar("Received", bound=ServerMessage)

NPCS = 10_000
PLAYERS = 8
TOWN_SIDE_M = 800.0
TICK_S = 0.05
"""Game time between two ticks: 20 Hz."""
MAX_FRAME_BYTES = 16_777_216
IN_FLIGHT = 4
"""Ticks sent ahead of the acks."""
JSON_SHARE = 0.1
"""JSON ticks per binary tick: they take so much longer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn of one contender."""

    updates: int
    wall_s: float
    cpu_s: float
    """CPU time of the server's process."""

    @property
    def updates_per_s(self) -> float:
        return self.updates / self.wall_s

    @property
    def updates_per_cpu_s(self) -> float:
        return self.updates / self.cpu_s


class Crowd:
    """Ten thousand NPCs that walk about, some with a hint of their next call."""

    def __init__(self, seed: int = 7) -> None:
        draw = np.random.default_rng(seed)
        self._position = np.zeros((NPCS, 3), np.float32)
        self._position[:, ::2] = draw.uniform(0, TOWN_SIDE_M, (NPCS, 2))
        self._velocity = np.zeros((NPCS, 3), np.float32)
        self._velocity[:, ::2] = draw.normal(0, 1, (NPCS, 2))
        self._next_call_s = np.where(draw.random(NPCS) < 0.1, draw.uniform(0, 600, NPCS), np.nan)
        self._players = np.zeros((PLAYERS, 3), np.float32)
        self._players[:, ::2] = draw.uniform(0, TOWN_SIDE_M, (PLAYERS, 2))
        self._tick = 0

    def next(self, npcs: list[int], players: list[int], ack: bool) -> Tick:
        """The next keyframe for these handles."""
        self._tick += 1
        self._position += self._velocity * np.float32(TICK_S)
        records = npc_records(npcs, self._position, self._velocity, self._next_call_s)
        return Tick(
            TickKind.KEYFRAME,
            self._tick,
            self._tick * TICK_S,
            ack,
            records,
            player_records(players, self._players, np.ones((PLAYERS, 3), np.float32)),
        )


def as_json(tick: Tick) -> bytes:
    """The same tick as a text frame."""
    return encode(
        JsonTick(
            kind="keyframe",
            tick=tick.tick,
            game_time_s=tick.game_time_s,
            ack=tick.ack,
            npcs=tuple(
                TickNpc(
                    handle=int(n["handle"]),
                    position=tuple(n["position"].tolist()),
                    velocity=tuple(n["velocity"].tolist()),
                    next_call_s=None if np.isnan(n["next_call_s"]) else float(n["next_call_s"]),
                )
                for n in tick.npcs
            ),
            players=tuple(
                TickPlayer(
                    handle=int(p["handle"]),
                    position=tuple(p["position"].tolist()),
                    velocity=tuple(p["velocity"].tolist()),
                )
                for p in tick.players
            ),
        )
    )


# --- the servers ---------------------------------------------------------------------------------


async def callsheet_server(announce: Callable[[int], None]) -> None:
    settings = Settings(
        server=ServerSettings(port=0),
        limits=LimitSettings(
            max_message_bytes=MAX_FRAME_BYTES,
            max_tick_bytes=MAX_FRAME_BYTES,
            max_npcs_per_spawn=NPCS,
            max_ticks_per_s=1e6,
        ),
    )
    prefix_bytes = 1_000_000
    engine = ScriptedEngine(
        ScriptedSettings(
            device_budget_bytes=NPCS // 20 * prefix_bytes,
            host_budget_bytes=NPCS * prefix_bytes,
        ),
        ScriptedTraits(prefix_bytes=prefix_bytes),
    )
    async with running_server(settings, engine) as server:
        announce(server.port)
        await asyncio.Event().wait()


async def sink_server(announce: Callable[[int], None]) -> None:
    async def drop(socket: ServerConnection) -> None:
        async for frame in socket:
            if len(frame) == 1:
                await socket.send(frame)

    async with serve(
        drop, "127.0.0.1", 0, compression=None, max_size=MAX_FRAME_BYTES, ping_interval=None
    ) as server:
        announce(next(iter(server.sockets)).getsockname()[1])
        await asyncio.Event().wait()


@contextmanager
def process(
    run: Callable[[Callable[[int], None]], Awaitable[None]], core: int | None
) -> Iterator[tuple[int, psutil.Process]]:
    """A server in a process of its own, pinned to ``core``; yields its port and the process."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=child_main, args=(run, core, there))
    child.start()
    try:
        yield here.recv(), psutil.Process(child.pid)
    finally:
        child.terminate()
        child.join()


def child_main(run: Callable[..., Awaitable[None]], core: int | None, pipe: object) -> None:
    pin(core)
    asyncio.run(run(pipe.send))  # type: ignore[attr-defined, arg-type]


def pin(core: int | None) -> None:
    if core is not None:
        os.sched_setaffinity(0, {core})


# --- the client ----------------------------------------------------------------------------------


async def send(socket: ClientConnection, message: ClientMessage) -> None:
    await socket.send(encode(message), text=True)


async def receive(socket: ClientConnection, kind: type[Received]) -> Received:
    while True:
        message = parse_server_message(await socket.recv())
        if isinstance(message, kind):
            return message
        if message.type == "error":
            raise SystemExit(f"the server refused: {message}")


async def callsheet_turn(port: int, server: psutil.Process, ticks: int, binary: bool) -> Sample:
    async with connect(f"ws://127.0.0.1:{port}", compression=None, ping_interval=None) as socket:
        client = ClientInfo(name="ingest-bench", version="1")
        await send(socket, Hello(role="game", world=f"w{time.time_ns()}", client=client))
        await receive(socket, Welcome)
        await send(
            socket,
            Spawn(
                id=1,
                npcs=tuple(NpcSpec(npc=f"n{i}", name="N", sociability=0.5) for i in range(NPCS)),
                players=tuple(PlayerSpec(player=f"p{i}", name=f"P{i}") for i in range(PLAYERS)),
            ),
        )
        spawned = await receive(socket, Spawned)
        npcs = [n.handle for n in spawned.npcs]
        players = [p.handle for p in spawned.players]
        town = Crowd()
        frames = []
        for _ in range(ticks):
            tick = town.next(npcs, players, ack=True)
            frames.append(encode_tick(tick) if binary else as_json(tick))
        cpu_s, started_s = cpu(server), time.perf_counter()
        for index, frame in enumerate(frames):
            await socket.send(frame, text=not binary)
            if index >= IN_FLIGHT:
                await receive(socket, TickAck)
        while (await receive(socket, TickAck)).tick < ticks:
            pass
        sample = Sample(ticks * NPCS, time.perf_counter() - started_s, cpu(server) - cpu_s)
        await socket.send('{"type":"bye"}')
        return sample


async def sink_turn(port: int, server: psutil.Process, ticks: int) -> Sample:
    town = Crowd()
    handles = list(range(NPCS))
    frame = encode_tick(town.next(handles, handles[:PLAYERS], ack=False))
    async with connect(f"ws://127.0.0.1:{port}", compression=None, ping_interval=None) as socket:
        cpu_s, started_s = cpu(server), time.perf_counter()
        for _ in range(ticks):
            await socket.send(frame)
        await socket.send(b"!")
        await socket.recv()
        return Sample(ticks * NPCS, time.perf_counter() - started_s, cpu(server) - cpu_s)


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


# --- the report ----------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ticks", type=int, default=200, help="binary ticks per turn")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    client_core, server_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    samples: dict[str, list[Sample]] = {"binary": [], "json": [], "sink": []}
    with process(callsheet_server, server_core) as ours, process(sink_server, server_core) as sink:
        pin(client_core)
        for _ in range(args.rounds):
            samples["binary"].append(asyncio.run(callsheet_turn(*ours, args.ticks, binary=True)))
            samples["sink"].append(asyncio.run(sink_turn(*sink, args.ticks * 5)))
            few = max(5, int(args.ticks * JSON_SHARE))
            samples["json"].append(asyncio.run(callsheet_turn(*ours, few, binary=False)))
    report(samples, pinned=server_core is not None, as_json_only=args.json)
    return 0


def report(samples: dict[str, list[Sample]], pinned: bool, as_json_only: bool) -> None:
    ratios = {
        other: statistics.median(
            b.updates_per_s / o.updates_per_s
            for b, o in zip(samples["binary"], samples[other], strict=True)
        )
        for other in ("json", "sink")
    }
    result = {
        "npcs": NPCS,
        "players": PLAYERS,
        "rounds": len(samples["binary"]),
        "pinned_to_one_core": pinned,
        "median_updates_per_s": {
            name: statistics.median(s.updates_per_s for s in turns)
            for name, turns in samples.items()
        },
        "median_updates_per_cpu_s": {
            name: statistics.median(s.updates_per_cpu_s for s in turns)
            for name, turns in samples.items()
        },
        "binary_over_json": ratios["json"],
        "binary_over_sink": ratios["sink"],
    }
    if as_json_only:
        print(json.dumps(result, indent=2))
        return
    table = Table(title=f"Ingest, one core: keyframes of {NPCS:,} NPCs and {PLAYERS} players")
    for heading in ("", "NPC updates/s (median)", "min", "max", "per CPU second"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, turns in samples.items():
        rates = [s.updates_per_s for s in turns]
        table.add_row(
            name,
            *(f"{value:,.0f}" for value in (statistics.median(rates), min(rates), max(rates))),
            f"{statistics.median(s.updates_per_cpu_s for s in turns):,.0f}",
        )
    Console().print(table)
    print(f"binary over JSON ticks: {ratios['json']:.1f}x    (must reach 8x)")
    print(f"binary over the bare sink: {100 * ratios['sink']:.0f} %    (must reach 10 %)")


if __name__ == "__main__":
    raise SystemExit(main())
