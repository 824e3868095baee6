"""An NPC whose state is damaged fails alone: who is in the same batch goes on, word for word."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import torch
from engine.conftest import StartEngine
from engine.embedded.test_adapter_store import adapter_store, adapters
from engine.harness import Talk
from safetensors.torch import load_file, save_file

from callsheet_residency.state import Tier
from callsheet_server.engine.errors import ContextTooLongError, EngineError, GenerationError
from callsheet_server.world.key import NpcKey

__all__ = ["adapters"]  # the fixture

LONG = 60
"""Tokens of a reply: enough to be in the middle of one when another fails."""


async def outcomes(talk: Talk, *keys: NpcKey) -> list[str | BaseException]:
    """Replies of all NPCs, asked at once."""
    return await asyncio.gather(
        *(talk.say(key, max_new_tokens=LONG) for key in keys), return_exceptions=True
    )


async def test_kv_that_is_not_a_number_fails_its_own_npc(start_engine: StartEngine) -> None:
    talk = await start_engine(max_batch=3, keep_conversation=False)
    keys = [talk.npc(name, f"{name} is a baker.") for name in ("Mara", "Bram", "Ida")]
    alone = [await talk.say(key, max_new_tokens=LONG) for key in keys]
    entry = talk.prefixes.get(keys[1])
    assert entry is not None
    assert entry.tier is Tier.DEVICE
    talk.prefixes._tiers.arena.kv[entry.blocks] = torch.nan
    said = await outcomes(talk, *keys)
    assert isinstance(said[1], GenerationError)
    assert (said[0], said[2]) == (alone[0], alone[2])
    # A new persona is a new prefix: the NPC recovers.
    fresh = talk.npc("Bram", "Bram is a miller.")
    assert isinstance((await outcomes(talk, fresh))[0], str)


@pytest.mark.parametrize("damage", ["other shapes", "no safetensors", "gone"])
async def test_an_adapter_whose_file_was_damaged_fails_its_own_npcs(
    start_engine: StartEngine, adapters: dict[str, Path], tmp_path: Path, damage: str
) -> None:
    for name, folder in adapters.items():
        (tmp_path / name).mkdir()
        for file in folder.iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    copies = {name: tmp_path / name for name in adapters}
    talk = await start_engine(adapters=copies, max_batch=3)
    keys = [talk.npc("Mara"), talk.npc("Bram", adapter="pirate"), talk.npc("Ida", adapter="poet")]
    before = [await talk.say(key, max_new_tokens=LONG) for key in keys]
    await asyncio.to_thread(adapter_store(talk).evict, "pirate", Tier.DISK)
    weights = tmp_path / "pirate" / "adapter_model.safetensors"
    if damage == "other shapes":
        save_file({name: w[:, :1].contiguous() for name, w in load_file(weights).items()}, weights)
    elif damage == "no safetensors":
        weights.write_bytes(b"\x00" * 100)
    else:
        weights.unlink()
    said = await outcomes(talk, *keys)
    assert isinstance(said[1], EngineError)
    assert (said[0], said[2]) == (before[0], before[2])
    weights.write_bytes((adapters["pirate"] / weights.name).read_bytes())
    assert await talk.say(keys[1], max_new_tokens=LONG) == before[1]  # Put back, it works again.


async def test_a_step_that_one_request_makes_fail_is_done_for_the_others(
    start_engine: StartEngine, adapters: dict[str, Path]
) -> None:
    """An adapter is torn out of the model while a request that needs it is being decoded."""
    talk = await start_engine(adapters=adapters, max_batch=3)
    keys = [talk.npc("Mara"), talk.npc("Bram", adapter="pirate"), talk.npc("Ida", adapter="poet")]
    alone = [await talk.say(key, max_new_tokens=LONG) for key in keys]
    store = adapter_store(talk)
    pirate = store._adapters["pirate"]

    def tear_out() -> None:
        store._detach(pirate)
        pirate.tier = Tier.DISK

    asked = asyncio.gather(
        *(talk.say(key, max_new_tokens=LONG) for key in keys), return_exceptions=True
    )
    scheduler = talk.engine._loaded.scheduler  # type: ignore[attr-defined]
    while sum(r.decoding for r in list(scheduler.steps.runs.values())) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asyncio.to_thread(scheduler.call, tear_out)
    said = await asked
    assert isinstance(said[1], GenerationError)
    assert (said[0], said[2]) == (alone[0], alone[2])


async def test_a_persona_past_the_context_fails_its_own_npc(start_engine: StartEngine) -> None:
    talk = await start_engine(max_batch=3)
    keys = [talk.npc("Mara"), talk.npc("Bram", "long " * 2_000), talk.npc("Ida")]
    said = await outcomes(talk, *keys)
    assert isinstance(said[1], ContextTooLongError)
    assert all(isinstance(one, str) for one in (said[0], said[2]))
    with pytest.raises(EngineError):
        await talk.say(keys[1])
