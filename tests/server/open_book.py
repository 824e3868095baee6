"""An engine that shows what it was asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from callsheet_server.engine.engine import Delta, GenerationEnd, GenerationRequest
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings

__all__ = ["OpenBook"]


class OpenBook(ScriptedEngine):
    """Shows what it was asked."""

    def __init__(self, action: str = "none") -> None:
        """``action`` is taken after every reply to which it is offered."""
        super().__init__(ScriptedSettings(token_delay_s=0.0, rebuild_s=0.0))
        self.action = action
        self.asked: list[GenerationRequest] = []

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        self.asked.append(request)
        if request.json_schema is not None:
            offers = request.json_schema["anyOf"]
            names = [offer["properties"]["action"]["const"] for offer in offers]
            chosen = offers[names.index(self.action) if self.action in names else 0]
            request = replace(request, json_schema=chosen)
        async for item in super().submit(request):
            yield item

    def knows(self, word: str) -> bool:
        """Whether the latest prompt holds a word."""
        return any(word in turn.text for turn in self.asked[-1].turns)
