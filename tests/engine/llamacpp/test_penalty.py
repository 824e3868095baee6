"""The repetition penalty covers what was said before."""

from __future__ import annotations

import string

from engine.conftest import StartEngine

from callsheet_server.engine.engine import Sampling
from callsheet_server.world.memory import Turn

SAID = string.ascii_letters + string.digits


async def test_what_an_npc_said_before_counts_as_repeated(start_llamacpp: StartEngine) -> None:
    talk = await start_llamacpp()
    key = talk.npc("Mara", SAID)  # a persona that says the same is no repetition
    sampling = Sampling(temperature=1.0, top_k=1, repetition_penalty=50.0, seed=1)
    ask = Turn("Anna", "?" * 80)
    first = {await talk.say(key, (ask,), sampling=sampling, max_new_tokens=n) for n in (1, 4)}
    turns = (ask, Turn(None, SAID), ask)
    again = await talk.say(key, turns, sampling=sampling, max_new_tokens=4)
    assert any(set(text) & set(SAID) for text in first)
    assert not set(again) & set(SAID)
