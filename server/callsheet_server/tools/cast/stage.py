"""Game in which a cast stands about, with its lorebook and greetings: for a first talk with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callsheet import BatchError, CallsheetError, Client, NpcSpec, connect
from callsheet.cast import Cast
from callsheet.mod.mistakes import ModError
from callsheet.mod.runner import run_mod

__all__ = ["stage"]

SPACING_M: Final = 3.0
TICK_INTERVAL_S: Final = 1.0
MOD: Final = '''"""Lorebook and greetings of a cast."""

from callsheet.mod import Greetings, Lorebook


class Cast(Greetings, Lorebook):
    cast = {path}
'''


async def stage(
    cast: Cast,
    file: Path,
    url: str,
    world: str,
    token: str | None,
    seconds: float | None,
    show: Callable[[str], None],
) -> None:
    """Spawn a cast and tick its world until cancelled.

    Args:
        cast: whom to spawn, as the file has them.
        file: the cast file.
        url: the server.
        world: the world's id.
        token: the access token, if the server asks for one.
        seconds: how long; None = until cancelled.
        show: told everything a person should read.

    Raises:
        CallsheetError: the server refused.
        ConnectionError: no server, or the session was lost for good.
    """
    async with connect(url, role="game", world=world, token=token, name="cast") as game:
        handles = await _spawn(game, cast, show)
        with tempfile.TemporaryDirectory() as folder:
            mod = Path(folder, "cast_mod.py")
            source = MOD.format(path=json.dumps(str(file)))
            await asyncio.to_thread(mod.write_text, source, encoding="utf-8")
            scripts = asyncio.create_task(_run_mod(mod, url, world, token, show))
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await _tick(game, handles)
            finally:
                scripts.cancel()
                await asyncio.gather(scripts, return_exceptions=True)


async def _spawn(game: Client, cast: Cast, show: Callable[[str], None]) -> list[int]:
    if cast.lore:
        await game.configure_world(lore=cast.lore)
    places = _places(len(cast.npcs)).tolist()
    specs: list[NpcSpec] = [
        npc.spec().model_copy(update={"position": tuple(place)})
        for npc, place in zip(cast.npcs, places, strict=True)
    ]
    try:
        spawned = (await game.spawn(specs)).npcs
    except BatchError as error:
        spawned = error.handles.npcs
        for npc, why in error.npcs.items():
            show(f"{npc} is not in the world: {why.message}")
    for one in cast.npcs:
        if one.npc in spawned and one.facts:
            await game.set_facts(one.npc, one.facts)
    show(f"{len(spawned)} of {len(cast.npcs)} NPCs are in the world {game.welcome.world!r}")
    return [spawned[one.npc] for one in cast.npcs if one.npc in spawned]


async def _tick(game: Client, handles: list[int]) -> None:
    places = _places(len(handles))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while True:
        await game.send_tick(loop.time() - began_s, handles, places)
        await asyncio.sleep(TICK_INTERVAL_S)


async def _run_mod(
    mod: Path, url: str, world: str, token: str | None, show: Callable[[str], None]
) -> None:
    try:
        await run_mod(mod, url, world, token, show)
    except (ModError, CallsheetError, ConnectionError) as error:
        show(f"lorebook and greetings do not run: {error}")


def _places(count: int) -> NDArray[np.float64]:
    """Places in a square, (N, 3) metres."""
    side = max(1, math.ceil(math.sqrt(count)))
    places_m = np.zeros((count, 3))
    places_m[:, 2], places_m[:, 0] = np.divmod(np.arange(count), side)
    return places_m * SPACING_M
