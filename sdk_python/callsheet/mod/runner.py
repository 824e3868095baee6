"""``callsheet mod run``: a mod's file connected to a world, reloaded whenever it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Set
from pathlib import Path
from typing import Any

from callsheet.client import Client, connect
from callsheet.core.events import Event, SessionReset, SessionState, StateChanged
from callsheet.core.settings import ClientSettings
from callsheet.mod.handlers import HandlerRunner
from callsheet.mod.hearing import hear, judge
from callsheet.mod.mistakes import ModError
from callsheet.mod.npc import Npc
from callsheet.mod.schedule import Schedule
from callsheet.mod.script import Script, load_scripts
from callsheet.mod.stage import ClientStage
from callsheet.wire.errors import CallsheetError
from callsheet.wire.saves import Loaded
from callsheet.wire.script import (
    ActionChosen,
    ActionDone,
    Heard,
    NpcSpawned,
    NpcTick,
    PlayerLeft,
    PlayerNear,
    ScriptRegistered,
)
from callsheet.wire.session import Error
from callsheet.wire.world import WorldClosed

__all__ = ["ModRunner", "run_mod"]

Stamp = tuple[int, int] | None

POLL_S = 0.5
"""Time between two checks of the file for changes."""


async def run_mod(
    path: Path,
    url: str,
    world: str,
    token: str | None,
    show: Callable[[str], None],
    settings: ClientSettings | None = None,
) -> None:
    """Run a mod until it is cancelled or the session ends.

    Args:
        path: the mod's file.
        url: the server.
        world: the world's id.
        token: the access token, if the server asks for one.
        show: told everything the modder should read.
        settings: timeouts and limits of the connection.

    Raises:
        ModError: the file cannot be run.
        CallsheetError: the server refused.
        ConnectionError: no server, or the session was lost for good.
    """
    stamp = await asyncio.to_thread(_stamp, path)  # before: a save while it is read is a change
    scripts = await asyncio.to_thread(load_scripts, path)
    client = connect(
        url, role="mod", world=world, token=token, name=f"mod {path.name}", settings=settings
    )
    runner = ModRunner(path, client, show)
    async with client:
        try:
            await runner.run(scripts, stamp)
        finally:
            runner.close()


class ModRunner:
    """One mod's session: scripts, their instances, and what the server tells them."""

    def __init__(self, path: Path, client: Client, show: Callable[[str], None]) -> None:
        self._path, self._client, self._show = path, client, show
        self._handlers = HandlerRunner(path, show)
        self._scripts: dict[str, Script] = {}
        self._registering = asyncio.Lock()
        self._alive_since: dict[tuple[str, str], bool] = {}
        """NPCs that spawned (True) or despawned (False) while scripts are being registered."""
        self._npcs: dict[tuple[str, str], Npc] = {}
        self._schedule = Schedule()
        self._busy: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        self._stage = ClientStage(client, show)
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Stop every handler."""
        for task in self._tasks:
            task.cancel()
        self._handlers.close()

    async def run(self, scripts: list[Script], stamp: Stamp) -> None:
        """Register, then serve events and reloads until the session is over.

        Args:
            scripts: what the file held.
            stamp: the file's from before it was read.
        """
        off = self._client.on(
            self._take, StateChanged, SessionReset, NpcSpawned, Heard, PlayerNear, PlayerLeft,
            NpcTick, ActionDone, Loaded, WorldClosed, ScriptRegistered, Error,
        )  # fmt: skip
        try:
            await self._register(scripts)
            await self._watch(stamp)
        finally:
            off()

    # Registration and reload.

    async def _register(self, scripts: list[Script]) -> None:
        """Put new scripts in the place of the old ones, all or none; NPCs start afresh.

        Raises:
            ModError: the server refused one; the old scripts go on.
            CallsheetError: the server refused to take an old one away; they go on.
            ConnectionError: the session was lost; the next one begins with the old scripts.
        """
        async with self._registering:
            self._alive_since.clear()
            alive: dict[str, tuple[str, ...]] = {}
            try:
                for script in scripts:
                    alive[script.name] = await self._register_one(script)
                for name in self._scripts.keys() - alive.keys():
                    await self._client.unregister_script(name)
            except (ModError, CallsheetError):
                await self._put_back(alive.keys())
                raise
            self._scripts = {script.name: script for script in scripts}
            self._npcs.clear()
            self._schedule.clear()
            for name, npcs in alive.items():
                self._begin_script(name, npcs)

    async def _register_one(self, script: Script) -> tuple[str, ...]:
        try:
            return await self._client.register_script(script.registration)
        except CallsheetError as error:
            raise script.refused(error) from None

    def _begin_script(self, script: str, registered: tuple[str, ...]) -> None:
        """Make the instances for the NPCs there were when it was registered, and those since."""
        since = {npc: there for (of, npc), there in self._alive_since.items() if of == script}
        alive = [npc for npc in dict.fromkeys((*registered, *since)) if since.get(npc, True)]
        for npc in alive:
            self._instance(script, npc)
        shown = ", ".join(alive[:5]) + (", ..." if len(alive) > 5 else "")
        self._show(f"{script} speaks for {len(alive)} NPCs now{shown and f' ({shown})'}")

    async def _put_back(self, registered: Set[str]) -> None:
        """Register the old scripts in their order, and take away those that are new."""
        try:
            for script in self._scripts.values():
                await self._client.register_script(script.registration)
            for name in registered - self._scripts.keys():
                await self._client.unregister_script(name)
        except CallsheetError as error:
            self._show(f"the scripts from before could not be put back: {error}")

    async def _watch(self, stamp: Stamp) -> None:
        while self._client.state is not SessionState.CLOSED:
            await asyncio.sleep(POLL_S)
            now = await asyncio.to_thread(_stamp, self._path)
            if now is not None and now != stamp:
                stamp = now
                await self._reload()

    async def _reload(self) -> None:
        try:
            await self._register(await asyncio.to_thread(load_scripts, self._path))
        except (ModError, CallsheetError, ConnectionError) as error:
            self._show(f"{error}\n  the script from before goes on")
        else:
            self._handlers.restart()
            self._show(f"{self._path.name} was reloaded")

    async def _register_again(self) -> None:
        self._npcs.clear()
        self._schedule.clear()
        try:
            await self._register(list(self._scripts.values()))
        except (ModError, CallsheetError, ConnectionError) as error:
            self._show(f"the scripts could not be registered again: {error}")

    # Events.

    def _take(self, event: Event) -> None:
        match event:
            case NpcSpawned():
                self._spawned(event)
            case Heard():
                self._start(self._hear(event))
            case ActionChosen():
                self._start(self._judge(event))
            case PlayerNear():
                self._start_handler(event.script, event.npc, "on_near", event.player)
            case PlayerLeft():
                self._start_handler(event.script, event.npc, "on_leave", event.player)
            case ActionDone():
                if not event.ok:
                    why = f": {event.message}" if event.message else ""
                    self._show(f"the game refused {event.name} of {event.npc!r}{why}")
                self._start_handler(event.script, event.npc, "on_action_done", event)
            case NpcTick():
                self._tick(event)
            case Loaded():
                self._loaded(event)
            case SessionReset():
                self._start(self._register_again())
            case StateChanged(state=SessionState.DISCONNECTED):
                self._show(f"no connection ({event.reason}); trying again")
            case StateChanged(state=SessionState.OPEN | SessionState.CLOSED):
                self._show(f"session {event.state}: {event.reason}")
            case WorldClosed():
                self._npcs.clear()
                self._schedule.clear()
                self._show("the game is gone; waiting for it to come back")
            case ScriptRegistered(script=script, note=str(note)):
                self._show(f"{script}: {note}")
            case Error(id=None):
                self._show(f"the server says {event.code}: {event.message}")
            case _:
                pass

    def _spawned(self, event: NpcSpawned) -> None:
        if self._registering.locked():
            self._alive_since[event.script, event.npc] = event.alive
        if event.alive:
            self._instance(event.script, event.npc)
        else:
            self._start_handler(event.script, event.npc, "on_despawn")
            self._forget(event.script, event.npc)

    def _loaded(self, loaded: Loaded) -> None:
        self._schedule.set_time(loaded.time_s, self._npcs)
        for script, npc in list(self._npcs):
            self._start_handler(script, npc, "on_load", loaded)

    def _instance(self, script: str, npc: str) -> Npc | None:
        """The script's instance for an NPC, made when it is first heard of."""
        if script not in self._scripts:
            return None  # unregistered a moment ago
        known = self._npcs.get((script, npc))
        if known is None:
            npc_class = self._scripts[script].npc_class
            known = npc_class.__new__(npc_class)
            known.npc, known._stage = npc, self._stage
            try:
                npc_class.__init__(known)
            except Exception as error:
                self._handlers.failed(known, "__init__", (), error)
                return None
            self._npcs[script, npc] = known
            self._start_handler(script, npc, "on_spawn")
        return known

    def _forget(self, script: str, npc: str) -> None:
        self._npcs.pop((script, npc), None)
        self._schedule.forget((script, npc))

    def _start_handler(self, script: str, npc: str, method: str, *arguments: object) -> None:
        instance = self._instance(script, npc)
        if instance is not None and hasattr(instance, method):
            self._start(self._handlers.run(instance, method, *arguments))

    async def _hear(self, heard: Heard) -> None:
        npc = self._instance(heard.script, heard.npc)
        if npc is not None:
            gates = self._scripts[heard.script].gates
            await self._client.send(await hear(npc, heard, gates, self._handlers, self._show))

    async def _judge(self, chosen: ActionChosen) -> None:
        npc = self._instance(chosen.script, chosen.npc)
        if npc is not None:
            await self._client.send(await judge(npc, chosen, self._handlers, self._show))

    def _tick(self, tick: NpcTick) -> None:
        """Run ``on_tick``, unless the last one still runs, and what is scheduled since then."""
        key = (tick.script, tick.npc)
        script = self._scripts.get(tick.script)
        if script is None or self._instance(*key) is None:
            return
        for method in self._schedule.take_due(key, script.scheduled, tick.game_time_s):
            self._start_handler(*key, method)
        if key not in self._busy and hasattr(script.npc_class, "on_tick"):
            self._busy.add(key)
            task = self._start(self._handlers.run(self._npcs[key], "on_tick", tick))
            task.add_done_callback(lambda _: self._busy.discard(key))

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[object]:
        task: asyncio.Task[object] = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._show(f"{type(error).__name__}: {error}")


def _stamp(path: Path) -> Stamp:
    """Return a value that changes when the file is saved; None while there is no file.

    Editors replace files, so it can be missing for a moment.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
