"""The promise of the engine, on the real default model: placement never changes the text."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest
from engine.harness import Talk

from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.engine import EmbeddedEngine
from callsheet_server.engine.embedded.settings import EmbeddedSettings

pytestmark = pytest.mark.model

TOKENS = 10


async def test_text_is_the_same_wherever_the_prefix_was(tmp_path: Path) -> None:
    engine = EmbeddedEngine(EmbeddedSettings(device="cpu", dtype="float32", state_dir=tmp_path))
    await engine.start(lambda _: None)
    talk = Talk(engine)
    engine.set_world_prefix("w", "Saltmere is a small harbour town. Answer in one sentence.")
    key = await talk.settled(talk.npc("Mara", "A baker. She rises at four and hates the fog. " * 6))
    other = talk.npc("Tom", "A fisherman who says little.")
    ask = partial(talk.ask, text="Who are you?", max_new_tokens=TOKENS)
    say = partial(talk.say, text="Who are you?", max_new_tokens=TOKENS)
    cold, end = await ask(key)
    assert end.tier_at_start is Tier.ABSENT
    assert len(cold.split()) > 3
    for tier in (Tier.DEVICE, Tier.HOST, Tier.DISK, Tier.ABSENT):
        await asyncio.to_thread(talk.prefixes.evict, key, tier)
        text, end = await ask(key)
        assert (text, end.tier_at_start) == (cold, tier)
    for tier in (Tier.HOST, Tier.DISK, Tier.ABSENT):
        await asyncio.to_thread(talk.prefixes.evict, key, tier)
        await asyncio.to_thread(talk.prefixes.load, key, Tier.DEVICE)
        text, end = await ask(key)
        assert (text, end.tier_at_start) == (cold, Tier.DEVICE)
    both = await asyncio.gather(say(key), say(other))
    assert list(both) == [cold, await say(other)]
    await asyncio.to_thread(engine.check_integrity)
    await engine.close()
