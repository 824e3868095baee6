"""LoRA adapters as GGUF: each NPC speaks with its own, wherever its prefix lay."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from engine.conftest import StartEngine
from engine.tiny_gguf import write_tiny_adapter

from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.errors import EngineStartError, UnknownAdapterError

LORE = "A harbour town where it always rains. " * 3


@pytest.fixture
def adapters(tmp_path: Path) -> dict[str, Path]:
    names = ("pirate", "nun")
    return {n: write_tiny_adapter(tmp_path / f"{n}.gguf", seed=i) for i, n in enumerate(names)}


async def test_each_npc_speaks_with_its_own_adapter(
    start_llamacpp: StartEngine, adapters: dict[str, Path]
) -> None:
    talk = await start_llamacpp(adapters=adapters)
    assert talk.engine.adapters == {"pirate", "nun"}
    talk.engine.set_world_prefix("w", LORE)
    keys = [talk.npc(str(name), "Likes rain.", adapter=name) for name in (None, *adapters)]
    said = [await talk.say(key) for key in keys]
    assert len(set(said)) == 3
    assert await asyncio.gather(*(talk.say(key) for key in keys)) == said
    for tier in (Tier.HOST, Tier.DISK, Tier.ABSENT):
        for key in keys:
            await talk.move(key, tier)
        for key, text in reversed(list(zip(keys, said, strict=True))):  # in another's slot
            again, end = await talk.ask(key)
            assert (again, end.tier_at_start) == (text, tier)
            if tier is not Tier.ABSENT:
                assert end.cached_tokens > len(LORE)
    await asyncio.to_thread(talk.engine.check_integrity)


async def test_adapters_are_state_on_the_device(
    start_llamacpp: StartEngine, adapters: dict[str, Path]
) -> None:
    talk = await start_llamacpp(adapters=adapters)
    (store,) = (s for s in talk.engine.stores if s.kind is StateKind.ADAPTER)
    assert store.tier("pirate") is Tier.DEVICE
    assert 0 < store.size_bytes("pirate") < store.capacity_bytes(Tier.DEVICE)
    (use,) = (
        u
        for u in talk.engine.occupancy().tiers
        if u.kind is StateKind.ADAPTER and u.tier is Tier.DEVICE
    )
    assert use.items == 2
    with pytest.raises(UnknownAdapterError, match="known: nun, pirate"):
        talk.npc("Mara", adapter="robot")


async def test_what_is_no_adapter_for_this_model_is_refused(
    start_llamacpp: StartEngine, tiny_gguf: Path, tmp_path: Path
) -> None:
    other = write_tiny_adapter(tmp_path / "other.gguf", architecture="gemma3")
    for path, why in ((tiny_gguf, "no LoRA"), (other, "gemma3"), (tmp_path / "no.gguf", "read")):
        with pytest.raises(EngineStartError, match=why):
            await start_llamacpp(adapters={"x": path})
