"""LoRA adapters: they change the text, do not mix, and move between tiers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from engine.conftest import StartEngine
from engine.harness import Talk, save_adapter

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.adapter_store import AdapterStore
from callsheet_server.engine.errors import EngineStartError


@pytest.fixture(scope="module")
def adapters(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two random adapters of different rank and targets."""
    root = tmp_path_factory.mktemp("adapters")
    return {
        "pirate": save_adapter(root / "pirate", tiny_model, ["q_proj", "v_proj"], seed=0),
        "poet": save_adapter(root / "poet", tiny_model, ["o_proj", "down_proj"], seed=1),
    }


def adapter_store(talk: Talk) -> AdapterStore:
    store = talk.engine.stores[1]
    assert isinstance(store, AdapterStore)
    return store


async def test_adapters_change_the_text_and_do_not_mix(
    start_engine: StartEngine, adapters: dict[str, Path]
) -> None:
    plain = await start_engine()
    base = await plain.say(plain.npc("base"))
    talk = await start_engine(adapters=adapters, max_batch=3)
    talk.engine.set_world_prefix("w", "")
    keys = [
        talk.npc("base"),
        talk.npc("base1", adapter="pirate"),
        talk.npc("base2", adapter="poet"),
    ]
    alone = [await talk.say(key) for key in keys]
    assert alone[0] == base
    assert len(set(alone)) == 3
    for tier in (Tier.DEVICE, Tier.ABSENT):
        for key in keys:
            await asyncio.to_thread(talk.prefixes.evict, key, tier)
        assert await asyncio.gather(*(talk.say(key) for key in keys)) == alone


async def test_the_adapter_makes_the_text_not_the_name(
    start_engine: StartEngine, adapters: dict[str, Path]
) -> None:
    talk = await start_engine(adapters=adapters)
    texts = set()
    for adapter in (None, "pirate", "poet"):
        key = talk.npc("Mara", adapter=adapter)
        texts.add(await talk.say(key))
    assert len(texts) == 3


async def test_adapters_move_between_tiers(
    start_engine: StartEngine, adapters: dict[str, Path]
) -> None:
    talk = await start_engine(adapters=adapters)
    store = adapter_store(talk)
    key = talk.npc("Mara", adapter="pirate")
    assert store.tier("pirate") is Tier.DISK
    text = await talk.say(key)
    assert store.tier("pirate") is Tier.DEVICE
    assert store.take_changes() == {"pirate"}
    for tier in (Tier.HOST, Tier.DISK, Tier.ABSENT):
        assert await asyncio.to_thread(store.evict, "pirate", tier) >= 0
        assert store.tier("pirate") is min(tier, Tier.DISK)
        await asyncio.to_thread(store.check_integrity)
        await asyncio.to_thread(store.load, "pirate", Tier.DEVICE)
        assert await talk.say(key) == text
    with pytest.raises(ResidencyError, match="settings"):
        await asyncio.to_thread(store.load, "nobody", Tier.DEVICE)


async def test_a_small_budget_makes_adapters_take_turns(
    start_engine: StartEngine, adapters: dict[str, Path]
) -> None:
    talk = await start_engine(adapters=adapters)
    sizes = [adapter_store(talk).size_bytes(name) for name in adapters]
    small = await start_engine(adapters=adapters, adapter_device_budget_bytes=max(sizes))
    keys = [(t.npc("a", adapter="pirate"), t.npc("b", adapter="poet")) for t in (talk, small)]
    wanted = [await talk.say(key) for key in keys[0]]
    assert await asyncio.gather(*(small.say(key) for key in keys[1])) == wanted
    with pytest.raises(EngineStartError, match="that adapters may take"):
        await start_engine(adapters=adapters, adapter_device_budget_bytes=1)


async def test_a_folder_without_an_adapter_stops_the_start(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    with pytest.raises(EngineStartError, match=r"embedded\.adapters\.x: .* holds no LoRA adapter"):
        await start_engine(adapters={"x": tmp_path})


async def test_an_adapter_with_ranks_of_its_own_per_layer_works(
    start_engine: StartEngine, tiny_model: Path, tmp_path: Path
) -> None:
    pattern = {"layers.0.self_attn.q_proj": 4}
    folder = save_adapter(tmp_path / "x", tiny_model, ["q_proj"], rank_pattern=pattern)
    talk = await start_engine(adapters={"x": folder})
    with_adapter = await talk.say(talk.npc("mara", adapter="x"))
    assert with_adapter != await talk.say(talk.npc("mara"))
