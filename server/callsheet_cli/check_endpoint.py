"""Ask the endpoint of the engine ``openai`` for its models and for one token."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from callsheet_cli.checks import Finding

if TYPE_CHECKING:
    from callsheet_server.engine.openai.settings import OpenAISettings

__all__ = ["check_endpoint"]

MAX_SHOWN_MODELS: Final = 10


def check_endpoint(settings: OpenAISettings) -> Iterator[Finding]:
    """Look whether the endpoint answers, has the model and generates with it."""
    logging.getLogger("callsheet_server").addHandler(logging.NullHandler())  # The findings say it.
    models, name = asyncio.run(_ask_models(settings))
    yield models
    if name is not None:
        yield asyncio.run(_ask_token(settings, name))


async def _ask_models(settings: OpenAISettings) -> tuple[Finding, str | None]:
    """The finding, and the model to go on with; None = there is none."""
    from callsheet_server.engine.errors import EngineError, EngineUnavailableError, in_full
    from callsheet_server.engine.openai.probe import (
        endpoint_of,
        is_listed,
        listed_models,
        local_advice,
    )

    server, model = endpoint_of(settings), settings.model
    try:
        listed = await listed_models(server)
    except EngineUnavailableError as error:
        detail = f"{server.url}: {in_full(error)}"
        fix = f"{await local_advice()}; check openai.url and openai.api_key"
        return Finding("endpoint", "fail", detail, fix), None
    except EngineError as error:
        detail = f"{server.url} does not list its models: {in_full(error)}"
        if model is None:
            return Finding("endpoint", "fail", detail, "check openai.url, set openai.model"), None
        return Finding("endpoint", "warn", detail, "check openai.url"), model
    finally:
        await server.close()
    shown = ", ".join(listed[:MAX_SHOWN_MODELS]) or "none"
    detail = f"{server.url} lists: {shown}"
    if model is None and len(listed) == 1:
        model = listed[0]
    if model is None:
        return Finding("endpoint", "fail", detail, "choose one: --model NAME"), None
    if not is_listed(model, listed):
        fix = "choose a listed one: --model NAME"
        return Finding("endpoint", "warn", f"{detail}; {model} is not listed", fix), model
    return Finding("endpoint", "ok", detail), model


async def _ask_token(settings: OpenAISettings, model: str) -> Finding:
    from callsheet_server.engine.engine import GenerationRequest, NpcProfile
    from callsheet_server.engine.errors import EmptyReplyError, EngineError, in_full
    from callsheet_server.engine.openai.engine import OpenAIEngine
    from callsheet_server.world.key import NpcKey
    from callsheet_server.world.memory import Turn

    engine = OpenAIEngine(settings.model_copy(update={"model": model}))
    npc = NpcKey("doctor", "patient")
    request = GenerationRequest("doctor", npc, (Turn("Doctor", "Say A."),), max_new_tokens=1)
    began_s = time.monotonic()
    try:
        await engine.start(lambda _: None)
        engine.put_npc(NpcProfile(npc, "Patient", "Says one letter."))
        began_s = time.monotonic()
        async for _ in engine.submit(request):
            pass
    except EmptyReplyError as error:
        return Finding("token", "warn", f"{model}: {error}", "see docs/engines.md, openai")
    except EngineError as error:
        return Finding("token", "fail", f"{model}: {in_full(error)}", "see docs/engines.md, openai")
    finally:
        await engine.close()
    learned = f"; learned: {engine.fields.learned}" if engine.fields.learned else ""
    detail = f"{model} answered in {time.monotonic() - began_s:.2f} s{learned}"
    return Finding("token", "ok", detail)
