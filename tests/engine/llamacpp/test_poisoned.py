"""A prefix that cannot be used hurts its own NPC alone, and only once."""

from __future__ import annotations

import asyncio

import pytest
from engine.conftest import StartEngine

from callsheet_residency.state import Tier
from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.llamacpp.engine import LlamaCppEngine
from callsheet_server.engine.llamacpp.state_files import file_name


async def test_a_state_that_llama_cpp_cannot_read_is_computed_anew(
    start_llamacpp: StartEngine,
) -> None:
    talk = await start_llamacpp()
    keys = [talk.npc(name, f"{name} likes rain.") for name in ("Mara", "Tom")]
    said = [await talk.say(key) for key in keys]
    for key in keys:
        await talk.move(key, Tier.HOST)
    assert isinstance(talk.engine, LlamaCppEngine)
    assert talk.engine._loaded is not None
    poisoned = talk.engine._loaded.files.memory / file_name(keys[0])
    content = await asyncio.to_thread(poisoned.read_bytes)
    await asyncio.to_thread(poisoned.write_bytes, content[: len(content) // 2])
    answers = await asyncio.gather(*(talk.ask(key) for key in keys))
    assert [text for text, _ in answers] == said
    assert [end.cached_tokens > 0 for _, end in answers] == [False, True]
    assert await talk.say(keys[0]) == said[0]


async def test_a_request_that_cannot_be_met_fails_alone(start_llamacpp: StartEngine) -> None:
    talk = await start_llamacpp()
    mara, tom = talk.npc("Mara"), talk.npc("Tom")
    wrong = talk.ask(mara, json_schema={"type": "nonsense"})
    failed, text = await asyncio.gather(wrong, talk.say(tom), return_exceptions=True)
    assert isinstance(failed, GenerationError)
    assert text == await talk.say(tom)
    with pytest.raises(GenerationError):
        await talk.ask(mara, json_schema={"type": "nonsense"})
    assert await talk.say(mara)
