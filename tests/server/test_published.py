"""Published distances are the engine's to keep: nobody touches them again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from server.client import Client
from server.conftest import StartServer

from callsheet.wire import Despawn, Ok
from callsheet_server.engine.scripted import ScriptedEngine

Published = tuple[tuple[str, ...], NDArray[np.float32]]


class Keeping(ScriptedEngine):
    """An engine that keeps all it is told, with a copy to compare with."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Published] = []
        self.copies: list[tuple[list[str], list[float]]] = []

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        self.kept.append((npcs, distance_s))
        self.copies.append((list(npcs), distance_s.tolist()))


async def test_what_was_published_stays_as_it_was(start_server: StartServer) -> None:
    engine = Keeping()
    server = await start_server(engine)
    async with Client(server.port) as game:
        first = await game.spawn("ann", "bob")
        await game.tick([npc.handle for npc in first.npcs], [[0.0, 0.0, 0.0]] * 2)
        await game.spawn("late", players=())
        await game.ask(Despawn(id=game.next_id(), npcs=("ann",)), Ok)
        assert engine.kept
        for (npcs, distance_s), (ids, seconds) in zip(engine.kept, engine.copies, strict=True):
            assert len(npcs) == len(distance_s)
            assert list(npcs) == ids
            assert distance_s.tolist() == seconds
        with pytest.raises(ValueError, match="read-only"):
            engine.kept[-1][1][0] = 0.0
