"""A world that is over leaves nothing in an engine's books; its neighbour stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from callsheet_server.engine.engine import Engine, NpcProfile
from callsheet_server.engine.openai.engine import OpenAIEngine
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.world.key import NpcKey


def lives(engine: Engine, world: str) -> None:
    engine.set_world_prefix(world, "A town by the sea.")
    for name in ("mara", "joe"):
        engine.put_npc(NpcProfile(NpcKey(world, name), name, "A baker."))
    engine.publish(world, ("mara", "joe"), np.array([1.0, 2.0], np.float32))


def scripted_books(engine: Any) -> list[Any]:
    return [engine._profiles, engine.stores[0]._items]


def openai_books(engine: Any) -> list[Any]:
    return [engine._profiles, engine._lore]


def sglang_books(engine: Any) -> list[Any]:
    cast, sync = engine._cast, engine._plugin_sync
    handles = cast.handles
    return [cast.profiles, cast._lore, cast._stale, handles._of, handles._rows, sync._adapters]


@pytest.mark.parametrize(
    ("engine", "books"),
    [
        (ScriptedEngine(), scripted_books),
        (OpenAIEngine(OpenAISettings(url="http://127.0.0.1:1/v1")), openai_books),
        (SglangEngine(SglangSettings()), sglang_books),
    ],
    ids=["scripted", "openai", "sglang"],
)
async def test_a_forgotten_world_leaves_nothing(engine: Engine, books: Any) -> None:
    lives(engine, "town")
    before = [dict(book) for book in books(engine)]
    lives(engine, "match")
    engine.forget_world("match")
    assert [dict(book) for book in books(engine)] == before
    engine.forget_world("nowhere")
    engine.check_integrity()
    engine.forget_world("town")
    assert books(engine) == [{} for _ in before]
    await engine.close()
