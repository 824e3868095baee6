"""Three models and room for two: who is loaded, who waits, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine.harness import Talk, save_tiny_model
from engine.tiny_gguf import write_tiny_gguf
from waiting import until

from callsheet_residency.errors import BudgetError, StateInUseError
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine import create_engine
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.engine import GenerationEnd
from callsheet_server.engine.errors import EngineStartError, UnknownAdapterError
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings
from callsheet_server.engine.many_models.engine import ManyModelsEngine
from callsheet_server.engine.many_models.weights_store import WeightsStore
from callsheet_server.world.key import NpcKey

ARCHETYPES = (None, "dragon", "witch")
PERSONA = "Likes rain, and tells everybody so."
StartModels = Callable[..., Awaitable[Talk]]


def weights_of(talk: Talk) -> WeightsStore:
    store = talk.engine.stores[0]
    assert isinstance(store, WeightsStore)
    return store


def model_of(talk: Talk, archetype: str | None) -> str:
    assert isinstance(talk.engine, ManyModelsEngine)
    return talk.engine.model_of(archetype)


def loaded(talk: Talk) -> set[str | None]:
    weights = weights_of(talk)
    return {a for a in ARCHETYPES if weights.tier(model_of(talk, a)) is Tier.DEVICE}


def everybody(talk: Talk) -> dict[str | None, NpcKey]:
    return {a: talk.npc(f"npc-{a}", PERSONA, archetype=a) for a in ARCHETYPES}


@pytest.fixture(params=["llamacpp", "embedded"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "llamacpp":
        pytest.importorskip("xllamacpp", reason="llamacpp: xllamacpp has no wheel for this system")
    return str(request.param)


@pytest.fixture
def files(kind: str, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"model-{seed}" for seed in range(3)]
    if kind == "embedded":
        for seed, folder in enumerate(paths):
            save_tiny_model(folder, seed)
        return paths
    return [write_tiny_gguf(p.with_suffix(".gguf"), seed=n) for n, p in enumerate(paths)]


@pytest.fixture
async def start_models(kind: str, files: list[Path], tmp_path: Path) -> AsyncIterator[StartModels]:
    """Starts engines with three models and room for so many; each is checked at its end."""
    engines: list[ManyModelsEngine] = []

    async def start(room_models: float = 2.2, **changes: Any) -> Talk:
        settings = EmbeddedSettings(
            model=str(files[0]),
            models={"dragon": str(files[1]), "witch": str(files[2])},
            device="cpu",
            threads=1,
            context_limit_tokens=512,
            device_budget_bytes=2 << 20,
            state_dir=tmp_path / "state",
            weights_budget_bytes=1 << 40,
        ).model_copy(update=changes)
        probe = create_engine(settings if kind == "embedded" else LlamaCppSettings(settings))
        assert isinstance(probe, ManyModelsEngine)
        sizes = await asyncio.to_thread(probe._weigh, 1 << 40, lambda _: None)
        one = max(sizes.values())
        settings = settings.model_copy(update={"weights_budget_bytes": int(room_models * one)})
        engine = create_engine(settings if kind == "embedded" else LlamaCppSettings(settings))
        assert isinstance(engine, ManyModelsEngine)
        engines.append(engine)
        await engine.start(lambda _: None)
        return Talk(engine)

    async with contextlib.AsyncExitStack() as stack:
        yield start
        for engine in engines:
            stack.push_async_callback(engine.close)
        for engine in engines:
            await asyncio.to_thread(engine.check_integrity)


async def test_everybody_speaks_with_the_model_of_their_archetype(
    start_models: StartModels,
) -> None:
    talk = await start_models()
    npcs = everybody(talk)
    said = {archetype: await talk.say(key) for archetype, key in npcs.items()}
    assert len(set(said.values())) == len(ARCHETYPES)
    for archetype in ARCHETYPES:  # each finds its model unloaded in between
        assert await talk.say(npcs[archetype]) == said[archetype]


async def test_a_request_unloads_the_model_whose_npcs_speak_last(
    start_models: StartModels,
) -> None:
    talk = await start_models()
    npcs = everybody(talk)
    await talk.say(npcs["dragon"])
    assert loaded(talk) == {None, "dragon"}
    order = tuple(key.npc for key in npcs.values())
    talk.engine.publish("w", order, np.array([3.0, 60.0, 0.0], np.float32))
    _, end = await talk.ask(npcs["witch"])
    assert loaded(talk) == {None, "witch"}
    assert end.ttft_s >= end.queue_s > 0
    assert model_of(talk, "dragon") in weights_of(talk).take_changes()


async def test_prefixes_of_a_model_that_leaves_wait_on_disk(start_models: StartModels) -> None:
    talk = await start_models()
    npcs = everybody(talk)
    said = await talk.say(npcs["dragon"])
    prefixes = talk.engine.prefixes
    assert prefixes is not None
    assert prefixes.tier(npcs["dragon"]) is Tier.DEVICE
    weights = weights_of(talk)
    size = prefixes.size_bytes(npcs["dragon"])
    await asyncio.to_thread(weights.evict, model_of(talk, "dragon"), Tier.DISK)
    assert prefixes.tier(npcs["dragon"]) is Tier.DISK
    assert 0 < prefixes.size_bytes(npcs["dragon"]) <= size
    uses = {(use.kind, use.tier): use for use in talk.engine.occupancy().tiers}
    assert uses[StateKind.PREFIX, Tier.DISK].items == 1
    text, end = await talk.ask(npcs["dragon"])
    assert (text, end.tier_at_start) == (said, Tier.DISK)
    assert end.cached_tokens > 0


async def test_a_model_in_use_is_unloaded_once_its_reply_has_ended(
    start_models: StartModels,
) -> None:
    talk = await start_models()
    npcs = everybody(talk)
    streams = [
        talk.engine.submit(talk.request(npcs[a], max_new_tokens=200)) for a in (None, "dragon")
    ]
    for stream in streams:
        await anext(stream)
    with pytest.raises(StateInUseError):
        await asyncio.to_thread(weights_of(talk).evict, model_of(talk, "dragon"), Tier.DISK)
    with pytest.raises(BudgetError):
        await asyncio.to_thread(weights_of(talk).load, model_of(talk, "witch"), Tier.DEVICE)
    witch = asyncio.create_task(talk.say(npcs["witch"]))
    await until(lambda: talk.engine.occupancy().queued == 1)
    late = asyncio.create_task(talk.say(npcs["dragon"]))
    for stream in streams:
        items = [item async for item in stream]
        assert isinstance(items[-1], GenerationEnd)
    assert all(await asyncio.gather(witch, late))


async def test_a_request_that_waits_for_its_model_can_be_cancelled(
    start_models: StartModels,
) -> None:
    talk = await start_models(room_models=1.2)
    npcs = everybody(talk)
    stream = talk.engine.submit(talk.request(npcs[None], max_new_tokens=400))
    await anext(stream)
    waiting = asyncio.create_task(talk.ask(npcs["witch"], request_id="waits"))
    await until(lambda: talk.engine.occupancy().queued == 1)
    assert talk.engine.cancel("waits")
    assert (await waiting)[1].finish_reason == "cancelled"
    await stream.aclose()
    assert await talk.say(npcs["witch"])


async def test_models_that_cannot_be_run_are_refused_before_one_is_loaded(
    start_models: StartModels, files: list[Path]
) -> None:
    with pytest.raises(EngineStartError, match="weights_budget_bytes"):
        await start_models(room_models=0.5)
    broken = files[2] if files[2].suffix else files[2] / "model.safetensors"
    await asyncio.to_thread(broken.write_bytes, b"")
    with pytest.raises(EngineStartError, match="model"):
        await start_models()


async def test_adapters_belong_to_the_model_of_everybody_else(start_models: StartModels) -> None:
    talk = await start_models()
    with pytest.raises(UnknownAdapterError, match="pirate"):
        talk.npc("Mara", adapter="pirate", archetype="dragon")


async def test_a_forgotten_world_leaves_nothing(start_models: StartModels) -> None:
    talk = await start_models()
    for key in everybody(talk).values():
        await talk.say(key)
    talk.engine.forget_world("w")
    await until(
        lambda: (
            not any(
                use.used_bytes
                for use in talk.engine.occupancy().tiers
                if use.kind is StateKind.PREFIX
            )
        )
    )
