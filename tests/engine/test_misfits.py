"""NPCs whose persona leaves no room to talk, with every engine."""

from __future__ import annotations

import asyncio

import pytest
from engine.conftest import StartEngine

from callsheet_residency.errors import ResidencyError
from callsheet_residency.state import Tier
from callsheet_server.engine.engine import NpcProfile
from callsheet_server.engine.errors import ContextTooLongError
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.openai.engine import OpenAIEngine
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.engine.sglang.cast import Cast
from callsheet_server.engine.sglang.prompts import Prompts
from callsheet_server.world.key import NpcKey

BOB = NpcKey("town", "bob")
LONG = "One more sentence. " * 700


def test_what_is_found_is_told_once() -> None:
    misfits = Misfits()
    assert not misfits.judge(BOB, 1_952, 2_048)
    assert misfits.judge(BOB, 1_953, 2_048)
    assert misfits.judge(BOB, 1_953, 2_048)
    ((key, why),) = misfits.take()
    assert key == BOB
    assert "take 1953 tokens, the engine's context has 2048 and 96 of it are for talk" in why
    assert misfits.why(BOB) == why
    assert misfits.take() == []
    assert misfits.judge(BOB, 1_990, 2_048)
    assert len(misfits.take()) == 1
    assert not misfits.judge(BOB, 10, 2_048)
    assert misfits.why(BOB) is None


def test_who_is_gone_before_it_was_told_is_not_told() -> None:
    misfits = Misfits()
    misfits.judge(BOB, 9_999, 2_048)
    misfits.forget(BOB)
    assert (misfits.take(), misfits.why(BOB)) == ([], None)


@pytest.mark.parametrize("text", ["lore", "persona"])
def test_the_scripted_engine_warns_as_the_default_one_would(text: str) -> None:
    engine = ScriptedEngine()
    engine.put_npc(NpcProfile(BOB, "Bob", LONG if text == "persona" else "A smith."))
    if text == "lore":
        assert engine.misfits.why(BOB) is None
        list(engine.set_world_prefix("town", LONG))
    assert engine.misfits.why(BOB) is not None
    assert engine.prefixes.size_bytes(BOB) == 0
    list(engine.set_world_prefix("town", ""))
    engine.put_npc(NpcProfile(BOB, "Bob", "A smith."))
    assert engine.misfits.why(BOB) is None
    assert engine.prefixes.size_bytes(BOB) > 0


def test_the_openai_engine_warns_by_its_estimate() -> None:
    engine = OpenAIEngine(OpenAISettings(model="m", context_limit_tokens=2_048))
    engine.put_npc(NpcProfile(BOB, "Bob", LONG))
    assert engine.misfits.why(BOB) is not None
    engine.put_npc(NpcProfile(BOB, "Bob", "A smith."))
    assert engine.misfits.why(BOB) is None
    list(engine.set_world_prefix("town", LONG))
    assert engine.misfits.why(BOB) is not None
    engine.forget_npc(BOB)
    assert engine.misfits.why(BOB) is None


async def test_the_embedded_engine_never_warms_what_cannot_speak(start_engine: StartEngine) -> None:
    talk = await start_engine(context_limit_tokens=256)
    key = talk.npc("Mara", "She likes rain. " * 60)
    with pytest.raises(ContextTooLongError, match="it cannot speak: lore and persona take"):
        await talk.ask(key)
    assert talk.engine.misfits.why(key)
    assert talk.prefixes.tier(key) is Tier.ABSENT
    assert talk.prefixes.size_bytes(key) == 0, "so the planner asks for nothing"
    with pytest.raises(ResidencyError):
        await asyncio.to_thread(talk.prefixes.load, key, Tier.DEVICE)
    talk.engine.put_npc(NpcProfile(key, "Mara", "She likes rain."))
    assert await talk.say(await talk.settled(key))
    assert talk.engine.misfits.why(key) is None


async def test_sglang_is_not_sent_the_prefix_of_who_cannot_speak(start_engine: StartEngine) -> None:
    talk = await start_engine()
    prompts = Prompts()
    cast = Cast(prompts)
    try:
        prompts.builder = talk.engine._loaded.prompts  # type: ignore[attr-defined]
        prompts.context_limit_tokens = 256
        cast.begin()
        long, _ = cast.put(NpcProfile(BOB, "Bob", "He likes rain. " * 60))
        short, _ = cast.put(NpcProfile(NpcKey("town", "ann"), "Ann", "She likes rain."))
        while not cast.prefix_tokens[short]:  # noqa: ASYNC110 - tokenising has no event
            await asyncio.sleep(0.001)
        assert prompts.misfits.why(BOB)
        assert cast.prefix_tokens[long] == 0
    finally:
        cast.close()
        prompts.close()
