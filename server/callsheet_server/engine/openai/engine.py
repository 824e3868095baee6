"""The engine ``openai``: any endpoint with /v1/chat/completions, such as vLLM, Ollama or a cloud.

It is told no distances and shows no residency: such an endpoint has no place for the one and says
nothing of the other.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from callsheet_residency.state import StateStore, StateView, Tier
from callsheet_server.engine.calls import Call, Calls
from callsheet_server.engine.engine import (
    Delta,
    DoneMove,
    EngineInfo,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Occupancy,
    Progress,
    StopReason,
)
from callsheet_server.engine.errors import (
    ContextTooLongError,
    EngineError,
    EngineStartError,
    EngineUnavailableError,
    GenerationError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.engine.http import ModelServer, error_for_event
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.plain_text import defused
from callsheet_server.engine.prompt import persona_text, said_text, world_text
from callsheet_server.world.key import NpcKey

__all__ = ["OpenAIEngine"]

logger = logging.getLogger(__name__)

CHARS_PER_TOKEN: Final = 3
"""On the safe side for most languages and tokenizers."""
MESSAGE_TOKENS: Final = 8
"""What a chat template puts around a message, on the safe side."""


class OpenAIEngine:
    """Implements ``Engine``."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._calls = Calls(settings.max_open)
        self._profiles: dict[NpcKey, NpcProfile] = {}
        self._lore: dict[str, str] = {}
        self._server: ModelServer | None = None
        self._info: EngineInfo | None = None

    @property
    def info(self) -> EngineInfo:
        if self._info is None:
            raise EngineUnavailableError("the engine is not started")
        return self._info

    @property
    def stores(self) -> Sequence[StateStore]:
        return ()

    @property
    def prefixes(self) -> StateView | None:
        return None

    @property
    def adapters(self) -> frozenset[str]:
        return frozenset()

    async def start(self, report: Callable[[Progress], None]) -> None:
        settings = self._settings
        report(Progress(f"models at {settings.url}", 0, 0, "steps"))
        server = ModelServer(
            "the endpoint", settings.url, settings.api_key, silence_s=settings.silence_s
        )
        try:
            model = settings.model or await _only_model(server)
        except BaseException:
            await server.close()
            raise
        self._server = server
        self._info = EngineInfo(
            name="openai",
            version="v1",
            model=model,
            device="remote",
            context_limit_tokens=settings.context_limit_tokens,
            keeps_residency=False,
        )
        logger.warning("engine openai: distances are not used, and where prefixes lie is not known")

    async def close(self) -> None:
        self._calls.cancel_all()
        server, self._server = self._server, None
        if server is not None:
            await server.close()

    def set_world_prefix(self, world: str, text: str) -> None:
        self._lore[world] = text

    def put_npc(self, profile: NpcProfile) -> None:
        """As the protocol says.

        Raises:
            UnknownAdapterError: the profile names one: this engine has none.
        """
        if profile.adapter is not None:
            raise UnknownAdapterError(
                f"{profile.key}: adapter {profile.adapter!r} is unknown; engine openai has none"
            )
        self._profiles[profile.key] = profile

    def forget_npc(self, key: NpcKey) -> None:
        self._calls.cancel_npc(key)
        self._profiles.pop(key, None)

    def forget_world(self, world: str) -> None:
        for key in [key for key in self._profiles if key.world == world]:
            self.forget_npc(key)
        self._lore.pop(world, None)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        """There is nobody to tell."""

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        server = self._server
        if server is None:
            raise EngineUnavailableError("the engine is not running")
        profile = self._profiles.get(request.npc)
        if profile is None:
            raise UnknownNpcError(f"{request.npc} was not announced")
        with self._calls.open(request) as call:
            body = self._body(request, profile)
            usage: dict[str, Any] = {}
            reason: StopReason | None = None
            pieces = 0
            async with call.reading(server.stream("/chat/completions", body)) as events:
                async for event in events:
                    if event.get("error"):
                        raise error_for_event("the endpoint", event["error"])
                    usage = event.get("usage") or usage
                    for choice in event.get("choices") or ():
                        reason = _reason(choice.get("finish_reason")) or reason
                        piece = (choice.get("delta") or {}).get("content") or ""
                        if piece:
                            call.heard()
                            pieces += 1
                            if certain := call.text.push(piece):
                                yield Delta(certain)
                    if call.text.stopped:
                        break  # Leaving the block closes the connection, and ends the request.
            if reason is None and not call.text.stopped and not call.cancelled:
                raise GenerationError("the endpoint ended the reply without saying why")
            if not call.cancelled and (rest := call.text.flush()):
                yield Delta(rest)
            end = _end(call, usage, pieces, "stop" if call.text.stopped else reason or "stop")
        yield end

    def cancel(self, request_id: str) -> bool:
        return self._calls.cancel(request_id)

    def take_moves(self) -> Sequence[DoneMove]:
        """None: nothing is known to move."""
        return ()

    def occupancy(self) -> Occupancy:
        return Occupancy(tiers=(), running=self._calls.running, queued=self._calls.waiting)

    def check_integrity(self) -> None:
        """There is no state to check."""

    def _body(self, request: GenerationRequest, profile: NpcProfile) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self.info.model,
            "messages": self._messages(request, profile),
            "max_tokens": request.max_new_tokens,
            "temperature": sampling.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if sampling.temperature > 0:
            body["top_p"] = sampling.top_p
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if request.json_schema is not None:
            if not self._settings.json_schema:
                raise GenerationError("this endpoint has no JSON schemas (openai.json_schema)")
            schema = {"name": "answer", "schema": dict(request.json_schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def _messages(self, request: GenerationRequest, profile: NpcProfile) -> list[dict[str, str]]:
        """Raises ``ContextTooLongError`` if not even the last turn fits."""
        system = world_text(self._lore.get(request.npc.world, "")) + persona_text(profile)
        turns = [
            {"role": "assistant" if t.speaker is None else "user", "content": defused(said_text(t))}
            for t in request.turns
        ]
        room = self._settings.context_limit_tokens - request.max_new_tokens - _tokens(system)
        sizes = [_tokens(turn["content"]) for turn in turns]
        first = 0
        while sum(sizes[first:]) > room:
            first += 1
            if first == len(turns):
                raise ContextTooLongError(
                    f"{request.npc}: persona, last turn and reply take about "
                    f"{self.info.context_limit_tokens - room + sizes[-1]} tokens, the limit is "
                    f"{self.info.context_limit_tokens} (openai.context_limit_tokens)"
                )
        return [{"role": "system", "content": defused(system)}, *turns[first:]]


async def _only_model(server: ModelServer) -> str:
    try:
        listed = [entry["id"] for entry in (await server.get_json("/models"))["data"]]
    except (EngineError, KeyError, TypeError) as error:
        raise EngineStartError(
            f"openai.url: {server.url}/models does not list models ({error}); check the URL and "
            "openai.api_key, or set openai.model"
        ) from error
    if len(listed) != 1:
        shown = ", ".join(listed[:20]) or "none"
        raise EngineStartError(f"openai.model: choose one; {server.url} has: {shown}")
    return str(listed[0])


def _tokens(text: str) -> int:
    return MESSAGE_TOKENS + -(-len(text) // CHARS_PER_TOKEN)


def _reason(finish: str | None) -> StopReason | None:
    if finish is None:
        return None
    return "length" if finish == "length" else "stop"


def _end(call: Call, usage: dict[str, Any], pieces: int, reason: StopReason) -> GenerationEnd:
    """An endpoint that does not count tokens sends about one in each piece."""
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return call.end(
        reason,
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        cached_tokens=int(cached),
        generated_tokens=int(usage.get("completion_tokens") or pieces),
        tier_at_start=Tier.ABSENT,
    )
