"""What the same ticks cost in what a developer would otherwise write.

Three servers get the same movement from the same client in one run, paced at the same rate:

  callsheet  binary ticks; decode, snapshot, five estimators, planner
  json       `websockets` and the json module: a dict per NPC, and a check of who is near a player
  colyseus   a Colyseus room on Node (MessagePack), with the same check

Each server runs alone, in a process of its own; the client is in another. Reported per server: NPC
updates per second of server CPU, i.e. per core, and the latency from sending a tick to its ack.

    (cd loadtest/bench/peers/colyseus && npm ci --omit=optional)
    python loadtest/bench/peers/peers.py
    python loadtest/bench/peers/peers.py --games 50 --npcs 200 --hz 20 --json peers.json
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgpack  # type: ignore[import-untyped]  # comes with Locust
import numpy as np
import psutil
from websockets.asyncio.client import ClientConnection, connect

from callsheet.wire.codec import encode, parse_server_message
from callsheet.wire.session import ClientInfo, Hello, Welcome
from callsheet.wire.tick import Tick, TickKind, encode_tick, npc_records, player_records
from callsheet.wire.world import NpcSpec, PlayerSpec, Spawn, Spawned
from callsheet_loadtest.crowd import Crowd
from callsheet_loadtest.metronome import Metronome

Answer = TypeVar("Answer", Welcome, Spawned)

HERE = Path(__file__).parent
PLAYERS = 2
JOIN_ROOM, ROOM_DATA = 10, 13
"""Colyseus' message codes."""


@dataclass(frozen=True, slots=True)
class Load:
    games: int
    npcs: int
    """NPCs of each game."""
    hz: float
    seconds: float

    @property
    def ticks(self) -> int:
        return int(self.hz * self.seconds)


@dataclass(frozen=True, slots=True)
class Result:
    server: str
    updates_per_s: float
    updates_per_core_s: float
    """NPC updates per second of server CPU."""
    ack_p50_ms: float
    ack_p99_ms: float
    unacked: int
    """Ticks without an ack two seconds after the last was sent."""
    bytes_per_update: float


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    command: Sequence[str]
    frames: Callable[[Load], list[bytes]]
    open: Callable[[str, Load, int], contextlib.AbstractAsyncContextManager[ClientConnection]]
    acked: Callable[[str | bytes], int | None]
    """The tick that a message of the server acknowledges, if it does."""
    text: bool = False
    root: Path | None = None
    """Checkout whose sources it runs; None = what is installed."""


# --- the ticks -----------------------------------------------------------------------------------


def steps(load: Load) -> Iterator[tuple[int, float, Crowd]]:
    crowd = Crowd(load.npcs, PLAYERS, seed=7)
    for tick in range(load.ticks):
        crowd.step(tick / load.hz)
        yield tick, tick / load.hz, crowd


def binary_frames(load: Load) -> list[bytes]:
    # Handles as a fresh world gives them out; `open_callsheet` checks it.
    npcs, players = first_handles(load.npcs), np.arange(1, PLAYERS + 1)
    frames = []
    for tick, time_s, crowd in steps(load):
        records = npc_records(npcs, crowd.position_m, crowd.velocity_mps, crowd.next_call_s)
        moved = player_records(players, crowd.player_position_m, crowd.player_velocity_mps)
        frames.append(encode_tick(Tick(TickKind.KEYFRAME, tick, time_s, True, records, moved)))
    return frames


def first_handles(npcs: int) -> np.typing.NDArray[np.uint32]:
    return (1 << 20 | np.arange(npcs)).astype(np.uint32)


def plain_ticks(load: Load) -> Iterator[dict[str, object]]:
    for tick, time_s, crowd in steps(load):
        places, speeds = crowd.position_m.tolist(), crowd.velocity_mps.tolist()
        yield {
            "tick": tick,
            "game_time_s": time_s,
            "npcs": [
                {"handle": handle, "position": place, "velocity": speed}
                for handle, (place, speed) in enumerate(zip(places, speeds, strict=True))
            ],
            "players": [
                {"handle": handle, "position": place}
                for handle, place in enumerate(crowd.player_position_m.tolist())
            ],
        }


def json_frames(load: Load) -> list[bytes]:
    return [json.dumps(tick).encode() for tick in plain_ticks(load)]


def colyseus_frames(load: Load) -> list[bytes]:
    head = bytes([ROOM_DATA]) + msgpack.packb("tick")
    return [head + msgpack.packb(tick) for tick in plain_ticks(load)]


# --- the connections -----------------------------------------------------------------------------


def socket(url: str) -> connect:
    return connect(url, compression=None, ping_interval=None, max_size=None)


@contextlib.asynccontextmanager
async def open_callsheet(url: str, load: Load, index: int) -> AsyncIterator[ClientConnection]:
    async with socket(url) as game:
        client = ClientInfo(name="peers", version="1")
        hello = Hello(role="game", world=f"w{index}", client=client)
        await game.send(encode(hello), text=True)
        await _answer(game, Welcome)  # Before it, longer messages are refused.
        players = tuple(PlayerSpec(player=f"p{i}", name=f"P{i}") for i in range(PLAYERS))
        npcs = tuple(NpcSpec(npc=f"n{i}", name=f"N{i}", sociability=0.5) for i in range(load.npcs))
        await game.send(encode(Spawn(id=1, npcs=npcs, players=players)), text=True)
        spawned = await _answer(game, Spawned)
        assert [npc.handle for npc in spawned.npcs] == first_handles(load.npcs).tolist()
        yield game


async def _answer(game: ClientConnection, kind: type[Answer]) -> Answer:
    while not isinstance(message := parse_server_message(await game.recv()), kind):
        if message.type == "error":
            raise SystemExit(f"callsheet refused: {message}")
    return message


@contextlib.asynccontextmanager
async def open_json(url: str, load: Load, index: int) -> AsyncIterator[ClientConnection]:
    async with socket(url) as game:
        yield game


@contextlib.asynccontextmanager
async def open_colyseus(url: str, load: Load, index: int) -> AsyncIterator[ClientConnection]:
    request = urllib.request.Request(
        f"{url.replace('ws://', 'http://')}matchmake/create/town",
        data=b"{}",
        headers={"Content-Type": "application/json"},
    )
    reply = await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=10).read())
    seat = json.loads(reply)
    room, session = seat["room"], seat["sessionId"]
    async with socket(f"{url}{room['processId']}/{room['roomId']}?sessionId={session}") as game:
        await game.recv()
        await game.send(bytes([JOIN_ROOM]))
        yield game


def callsheet_ack(message: str | bytes) -> int | None:
    parsed = json.loads(message)
    return int(parsed["tick"]) if parsed["type"] == "tick_ack" else None


def json_ack(message: str | bytes) -> int | None:
    return int(json.loads(message)["ack"])


def colyseus_ack(message: str | bytes) -> int | None:
    if not isinstance(message, bytes) or message[0] != ROOM_DATA:
        return None
    unpacker = msgpack.Unpacker()
    unpacker.feed(message[1:])
    return int(unpacker.unpack()) if unpacker.unpack() == "tick_ack" else None


CONTENDERS = (
    Contender(
        "callsheet",
        (
            *(sys.executable, "-m", "callsheet", "serve", "--engine", "scripted", "--port", "0"),
            *("--set", "storage.directory="),
            *("--set", "limits.max_npcs_per_spawn=10000"),
        ),
        binary_frames,
        open_callsheet,
        callsheet_ack,
    ),
    Contender(
        "json",
        (sys.executable, str(HERE / "json_server.py")),
        json_frames,
        open_json,
        json_ack,
        text=True,
    ),
    Contender(
        "colyseus",
        ("node", str(HERE / "colyseus" / "server.mjs")),
        colyseus_frames,
        open_colyseus,
        colyseus_ack,
    ),
)


# --- a turn --------------------------------------------------------------------------------------


@contextlib.contextmanager
def server(contender: Contender) -> Iterator[tuple[str, psutil.Process]]:
    """Run a server that prints "listening on URL"; yields a ws:// URL that ends with a slash."""
    command = contender.command
    environment = os.environ | {"NODE_ENV": "production", "PYTHONUNBUFFERED": "1"}
    if (root := contender.root) is not None:
        sources = (str(root / part) for part in ("sdk_python", "server"))
        environment["PYTHONPATH"] = os.pathsep.join(sources)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"listening on \w+://([^/\s]+)", line):
                break
        else:
            raise SystemExit(f"{' '.join(command)} did not start")
        yield f"ws://{found[1]}/", psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


async def play(
    contender: Contender, game: ClientConnection, frames: Sequence[bytes], hz: float, phase: float
) -> list[float]:
    """Send the ticks on an absolute schedule; return each ack's latency in seconds."""
    sent_s = [0.0] * len(frames)
    latency_s: list[float] = []

    async def read() -> None:
        while len(latency_s) < len(frames):
            tick = contender.acked(await game.recv())
            if tick is not None:
                latency_s.append(time.perf_counter() - sent_s[tick])

    reader = asyncio.create_task(read())
    beat = Metronome(1 / hz, time.perf_counter() + phase / hz)
    await asyncio.sleep(max(beat.due_s - time.perf_counter(), 0.0))
    for tick, frame in enumerate(frames):
        sent_s[tick] = time.perf_counter()
        await game.send(frame, text=contender.text)
        await asyncio.sleep(beat.advance(time.perf_counter()))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(reader, 2.0)
    return latency_s


async def turn(contender: Contender, load: Load) -> Result:
    frames = contender.frames(load)
    with server(contender) as (url, process):
        async with contextlib.AsyncExitStack() as stack:
            games = [
                await stack.enter_async_context(contender.open(url, load, index))
                for index in range(load.games)
            ]
            cpu_s, started_s = cpu(process), time.perf_counter()
            latencies = await asyncio.gather(
                *(
                    play(contender, game, frames, load.hz, index / load.games)
                    for index, game in enumerate(games)
                )
            )
            cpu_s, wall_s = cpu(process) - cpu_s, time.perf_counter() - started_s
    acks_s = [latency for one in latencies for latency in one]
    updates = len(acks_s) * load.npcs
    return Result(
        contender.name,
        updates / wall_s,
        updates / cpu_s,
        1e3 * float(np.percentile(acks_s, 50)),
        1e3 * float(np.percentile(acks_s, 99)),
        load.games * len(frames) - len(acks_s),
        statistics.mean(map(len, frames)) / load.npcs,
    )


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=10, help="(default: %(default)s)")
    parser.add_argument("--npcs", type=int, default=200, help="per game (default: %(default)s)")
    parser.add_argument("--hz", type=float, default=20.0, help="(default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="(default: %(default)s)")
    parser.add_argument("--against", type=Path, help="another checkout, as one more contender")
    parser.add_argument(
        "--allow-missing", action="store_true", help="succeed though a contender is not installed"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    args = parser.parse_args()
    load = Load(args.games, args.npcs, args.hz, args.seconds)
    missing = missing_contenders()
    contenders = [one for one in CONTENDERS if one.name not in missing]
    if args.against is not None:
        contenders.insert(1, replace(CONTENDERS[0], name="against", root=args.against.resolve()))
    results = []
    for contender in contenders:
        results.append(asyncio.run(turn(contender, load)))
        print_row(results[-1], results[0], heading=len(results) == 1)
    load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    print(f"load average of this machine: {load_average}")
    for name, why in missing.items():
        print(f"NOT COMPARED with {name}: {why}")
    if args.json:
        figures = {"load": asdict(load), "load_average_1min": load_average}
        text = json.dumps(figures | {"results": [asdict(r) for r in results]}, indent=2)
        args.json.write_text(text + "\n")
    return 1 if missing and not args.allow_missing else 0


def missing_contenders() -> dict[str, str]:
    """Return who cannot be compared with here, and why."""
    folder = HERE / "colyseus"
    if shutil.which("node") is None:
        return {"colyseus": "node is not installed"}
    if not (folder / "node_modules").exists():
        return {"colyseus": f"(cd {folder} && npm ci --omit=optional)"}
    return {}


def print_row(result: Result, first: Result, heading: bool) -> None:
    if heading:
        print(
            f"{'':10}{'updates/s':>12}{'per core':>13}{'of callsheet':>14}"
            f"{'ack p50':>10}{'p99':>10}{'unacked':>9}{'B/update':>10}"
        )
    print(
        f"{result.server:10}{result.updates_per_s:>12,.0f}{result.updates_per_core_s:>13,.0f}"
        f"{result.updates_per_core_s / first.updates_per_core_s:>13.0%} "
        f"{result.ack_p50_ms:>7.1f} ms{result.ack_p99_ms:>7.1f} ms{result.unacked:>9}"
        f"{result.bytes_per_update:>10.0f}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
