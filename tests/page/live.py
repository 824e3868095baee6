"""A server with a game, in a thread of its own: what the browser of the page's tests talks to."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from ports import free_port
from waiting import PATIENCE_S

from callsheet import Client, connect
from callsheet.wire import NpcSpec, PlayerSpec, Speaker, Stats
from callsheet_server.app.server import CallsheetServer
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import start_server
from callsheet_server.engine.engine import Engine
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.tools.town.simulation import Cause, TownSimulation
from callsheet_server.transport.settings import ServerSettings

T = TypeVar("T")
WORLD = "town"
TICK_S = 0.05


class Game(Protocol):
    """Plays the world until it is cancelled."""

    async def __call__(self, client: Client) -> None: ...


class Live:
    """Owns the loop; its methods are called from the test's thread and wait until all is done."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="live")
        self._server: CallsheetServer | None = None
        self._game: asyncio.Task[None] | None = None
        self._client: Client | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def server(self) -> CallsheetServer:
        assert self._server is not None
        return self._server

    def start(
        self,
        scripted: ScriptedSettings,
        *,
        engine: Engine | None = None,
        storage: StorageSettings | None = None,
        **server: Any,
    ) -> None:
        """Start a server, on the port of the one before."""
        patient = {"hello_timeout_s": 60.0, "heartbeat_interval_s": 60.0}
        options = {"port": self.port, "drain_timeout_s": 0.1, **patient, **server}
        settings = Settings(
            server=ServerSettings(**options),
            scripted=scripted,
            storage=storage or StorageSettings(),
        )
        self._server = self._run(start_server(settings, engine or ScriptedEngine(scripted)))

    def stop(self) -> None:
        self.end_game()
        if self._server is not None:
            self._run(self._server.close())
            self._server = None

    def play(self, game: Game, world: str = WORLD) -> None:
        self._game = self._run(self._play(game, world))

    def end_game(self) -> None:
        async def end(game: asyncio.Task[None]) -> None:
            game.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await game

        if self._game is not None:
            self._run(end(self._game))
            self._game = None

    def order(self, work: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        """Have the game do something."""
        assert self._client is not None
        return self._run(work(self._client))

    def stats(self, world: str = WORLD) -> Stats:
        """The figures the server would tell now."""
        return self.ask(lambda: self.server.subscriptions.stats(self.server.rooms[world]))

    def ask(self, question: Callable[[], T]) -> T:
        """Look at the server, in its own thread."""

        async def answer() -> T:
            return question()

        return self._run(answer())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _play(self, game: Game, world: str) -> asyncio.Task[None]:
        ready = asyncio.Event()

        async def playing() -> None:
            url = f"ws://127.0.0.1:{self.port}/"
            async with connect(url, role="game", world=world) as client:
                self._client = client
                ready.set()
                await game(client)

        task = asyncio.create_task(playing())
        await ready.wait()
        return task


def square(npcs: int = 9, apart_m: float = 7.0) -> Game:
    """NPCs who stand in a square grid and wait to be talked to: nothing happens by itself."""

    async def play(client: Client) -> None:
        side = int(np.ceil(np.sqrt(npcs)))
        place = np.array([[i % side, 0.0, i // side] for i in range(npcs)], np.float32) * apart_m
        await _walk(client, lambda _: place)

    return play


def crowd(npcs: int, seed: int = 1) -> Game:
    """Many NPCs, all of them on the move."""

    async def play(client: Client) -> None:
        draw = np.random.default_rng(seed)
        side_m = 12.0 * npcs**0.5
        centre = draw.uniform(0, side_m, (npcs, 3)).astype(np.float32)
        phase = draw.uniform(0, 2 * np.pi, npcs)
        centre[:, 1] = 0.0

        def places(time_s: float) -> NDArray[np.float32]:
            angle = phase + time_s / 4
            ring = np.stack([np.cos(angle), np.zeros(npcs), np.sin(angle)], axis=1)
            place: NDArray[np.float32] = (centre + 6 * ring).astype(np.float32)
            return place

        await _walk(client, places)

    return play


def town(npcs: int = 60, players: int = 2, seed: int = 7) -> Game:
    """The SDK's town: rounds, encounters, scripted players."""

    async def play(client: Client) -> None:
        simulation = TownSimulation(npcs=npcs, players=players, seed=seed)
        cast = simulation.cast
        specs = [
            NpcSpec(npc=c.id, name=c.name, persona=c.persona, sociability=float(s))
            for c, s in zip(cast, simulation.sociability, strict=True)
        ]
        people = [PlayerSpec(player=f"p{i}", name=f"Player {i + 1}") for i in range(players)]
        await client.configure_world(player_max_speed_mps=6.0)
        handles = await client.spawn(specs, people)
        npc_handles = [handles.npcs[c.id] for c in cast]
        while True:
            step = simulation.step(TICK_S)
            await client.send_tick(
                step.time_s,
                npc_handles,
                step.position_m,
                step.velocity_mps,
                np.maximum(step.scheduled_call_s - step.time_s, 0),
                player_handles=list(handles.players.values()),
                player_positions_m=step.player_position_m,
                player_velocities_mps=step.player_velocity_mps,
            )
            for call in step.calls:
                speaker = Speaker(
                    kind="narrator" if call.cause is Cause.SCHEDULE else "player",
                    name=call.speaker,
                )
                await client.say(cast[call.npc].id, call.text, speaker=speaker)
            await asyncio.sleep(TICK_S)

    return play


async def _walk(client: Client, places: Callable[[float], NDArray[np.float32]]) -> None:
    """Spawn an NPC for every place there is at the time 0, and keep them where they are to be."""
    ids = [f"npc-{number}" for number in range(len(places(0.0)))]
    handles = await client.spawn(NpcSpec(npc=npc, name=npc.replace("npc-", "Npc ")) for npc in ids)
    for number in itertools.count(1):
        time_s = number * TICK_S
        await client.send_tick(time_s, [handles.npcs[npc] for npc in ids], places(time_s))
        await asyncio.sleep(TICK_S)
