"""LoRA adapters: they change the text, do not mix, and move between tiers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import torch
from engine.conftest import StartEngine
from engine.harness import Talk
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.adapter_store import AdapterStore
from callsheet_server.engine.errors import EngineStartError


@pytest.fixture(scope="module")
def adapters(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two random adapters of different rank and targets."""
    root = tmp_path_factory.mktemp("adapters")
    folders = {}
    for seed, (name, targets) in enumerate(
        {"pirate": ["q_proj", "v_proj"], "poet": ["o_proj", "down_proj"]}.items()
    ):
        model = AutoModelForCausalLM.from_pretrained(tiny_model)
        config = LoraConfig(r=2 + seed, target_modules=targets, task_type="CAUSAL_LM")
        peft = get_peft_model(model, config)
        torch.manual_seed(seed)
        for parameter_name, parameter in peft.named_parameters():
            if "lora_" in parameter_name:
                parameter.data = torch.randn_like(parameter) * 0.3
        peft.save_pretrained(str(root / name))
        folders[name] = root / name
    return folders


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
    with pytest.raises(EngineStartError, match="adapter_device_budget_bytes"):
        await start_engine(adapters=adapters, adapter_device_budget_bytes=1)


async def test_a_folder_without_an_adapter_stops_the_start(
    start_engine: StartEngine, tmp_path: Path
) -> None:
    with pytest.raises(EngineStartError, match=r"adapters\.x: .* holds no LoRA adapter"):
        await start_engine(adapters={"x": tmp_path})
