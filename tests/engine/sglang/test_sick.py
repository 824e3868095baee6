"""Failures that say more of SGLang than of the request, and what answers where SGLang should."""

from __future__ import annotations

import pytest
from engine.sglang.conftest import StartSglang
from waiting import until

from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.errors import EngineStartError, GenerationError
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.engine.sglang.engine import SglangEngine
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.transport.settings import ServerSettings


async def test_an_error_without_a_code_has_sglang_looked_at(start_sglang: StartSglang) -> None:
    never_s = 3600.0
    talk, fake = await start_sglang(
        health_interval_s=never_s, residency_interval_s=never_s, distance_interval_s=never_s
    )
    engine = talk.engine
    assert isinstance(engine, SglangEngine)
    fake.behave(abort_with={"message": "the scheduler is gone"}, health=500)
    with pytest.raises(GenerationError):
        await talk.ask(talk.npc("mara"))
    await until(lambda: not engine.serving)


async def test_a_callsheet_is_no_sglang() -> None:
    settings = Settings(server=ServerSettings(port=0))
    async with running_server(settings, ScriptedEngine()) as server:
        engine = SglangEngine(SglangSettings(urls=(f"http://127.0.0.1:{server.port}",)))
        with pytest.raises(EngineStartError, match="is a Callsheet server; give the address"):
            await engine.start(lambda _: None)
        await engine.close()
