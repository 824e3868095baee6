from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from engine.harness import Talk
from engine.openai.endpoints import Answer, Endpoint

from callsheet_server.engine.openai.engine import OpenAIEngine
from callsheet_server.engine.openai.settings import OpenAISettings

Meet = Callable[..., Awaitable[tuple[Endpoint, Talk]]]


@pytest.fixture
async def meet() -> AsyncIterator[Meet]:
    """Start a fake endpoint that gives an answer, and an engine that talks to it."""
    async with AsyncExitStack() as stack:

        async def make(answer: Answer | None = None, **settings: Any) -> tuple[Endpoint, Talk]:
            endpoint = await stack.enter_async_context(Endpoint(answer))
            engine = OpenAIEngine(OpenAISettings(**{"url": endpoint.url, "model": "m", **settings}))
            stack.push_async_callback(engine.close)
            await engine.start(lambda _: None)
            return endpoint, Talk(engine)

        yield make
