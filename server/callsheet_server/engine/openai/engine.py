"""The engine ``openai``: any endpoint with /v1/chat/completions, such as vLLM, Ollama or a cloud.

It is told no distances and shows no residency: such an endpoint has no place for the one and says
nothing of the other.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
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
    RequestRefusedError,
    UnknownAdapterError,
    UnknownNpcError,
)
from callsheet_server.engine.http import ModelServer
from callsheet_server.engine.misfits import Misfits
from callsheet_server.engine.openai.fields import RequestFields
from callsheet_server.engine.openai.messages import chat_messages
from callsheet_server.engine.openai.probe import endpoint_of, is_listed, listed_models, local_advice
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.openai.stream import ReplyReader
from callsheet_server.engine.profiles import of_world
from callsheet_server.engine.prompt import persona_text, said_text, world_text
from callsheet_server.engine.sse import DONE
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

__all__ = ["OpenAIEngine"]

logger = logging.getLogger(__name__)

CHARS_PER_TOKEN: Final = 3
"""Characters per token, on the safe side for most languages and tokenizers."""
MESSAGE_TOKENS: Final = 8
"""Tokens that a chat template puts around a message, on the safe side."""
MAX_SHOWN_MODELS: Final = 20


class OpenAIEngine:
    """Implements ``Engine``."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._calls = Calls(settings.max_open)
        self._profiles: dict[NpcKey, NpcProfile] = {}
        self._lore: dict[str, str] = {}
        self.misfits = Misfits()
        self.fields = RequestFields(settings.extra_body, settings.json_schema)
        """Fields of the requests, as this endpoint takes them."""
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
        server = endpoint_of(settings)
        try:
            model = await self._choose_model(server)
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

    def set_world_prefix(self, world: str, text: str) -> Iterator[None]:
        self._lore[world] = text
        return of_world(self._profiles, world, self._judge)

    def put_npc(self, profile: NpcProfile) -> None:
        """Announce an NPC, as the protocol says.

        Raises:
            UnknownAdapterError: the profile names one: this engine has none.
        """
        if profile.adapter is not None:
            raise UnknownAdapterError(
                f"{profile.key}: adapter {profile.adapter!r} is unknown; engine openai has none"
            )
        self._profiles[profile.key] = profile
        self._judge(profile)

    def forget_npc(self, key: NpcKey) -> None:
        self._calls.cancel_npc(key)
        self._profiles.pop(key, None)
        self.misfits.forget(key)

    def forget_world(self, world: str) -> None:
        for key in [key for key in self._profiles if key.world == world]:
            self.forget_npc(key)
        self._lore.pop(world, None)

    def publish(self, world: str, npcs: tuple[str, ...], distance_s: NDArray[np.float32]) -> None:
        """Do nothing: there is nobody to tell."""

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Delta | GenerationEnd]:
        server = self._server
        if server is None:
            raise EngineUnavailableError("the engine is not running")
        profile = self._profiles.get(request.npc)
        if profile is None:
            raise UnknownNpcError(f"{request.npc} was not announced")
        with self._calls.open(request) as call:
            reply = ReplyReader(request.max_new_tokens)
            async with call.reading(self._chunks(server, request, profile)) as batches:
                async for chunks in batches:
                    if chunks[-1] is DONE:
                        reply.done = True
                        break
                    before = reply.pieces
                    words = "".join(map(reply.read, chunks))
                    if words:
                        call.heard()
                        if certain := call.text.push(words):
                            yield Delta(certain, tokens=reply.pieces - before)
                    if call.text.stopped:
                        break  # Leaving the block closes the connection, and ends the request.
            whole = call.cancelled or call.text.stopped
            reason = "stop" if whole else reply.finish_reason()
            if not call.cancelled and (rest := call.text.flush()):
                yield Delta(rest)
            end = _end(call, reply, reason)
        yield end

    def cancel(self, request_id: str) -> bool:
        return self._calls.cancel(request_id)

    def take_moves(self) -> Sequence[DoneMove]:
        """Return no moves: nothing is known to move."""
        return ()

    def occupancy(self) -> Occupancy:
        return Occupancy(tiers=(), running=self._calls.running, queued=self._calls.waiting)

    def check_integrity(self) -> None:
        """Check nothing: there is no state."""

    async def _choose_model(self, server: ModelServer) -> str:
        """The model as set, else the only one there is; warns of what will not work.

        Raises:
            EngineStartError: none is set, and there is not just one.
        """
        model = self._settings.model
        try:
            listed = await listed_models(server)
        except EngineError as error:
            away = isinstance(error, EngineUnavailableError)
            advice = f"; {await local_advice()}" if away and "API key" not in str(error) else ""
            if model is None:
                raise EngineStartError(
                    f"openai.url: {server.url}/models does not list models ({error}){advice}; "
                    "check the URL and openai.api_key, or set openai.model"
                ) from error
            if away:
                logger.warning(
                    "openai.url: NPCs cannot answer yet, %s at %s%s", error, server.url, advice
                )
            return model
        shown = ", ".join(listed[:MAX_SHOWN_MODELS]) or "none"
        if model is None:
            if len(listed) != 1:
                raise EngineStartError(f"openai.model: choose one; {server.url} has: {shown}")
            return listed[0]
        if listed and not is_listed(model, listed):
            logger.warning("openai.model: %s is not listed by %s: %s", model, server.url, shown)
        return model

    async def _chunks(
        self, server: ModelServer, request: GenerationRequest, profile: NpcProfile
    ) -> AsyncGenerator[list[Any]]:
        """Stream the answer; a request that is refused is asked again as the endpoint wants it."""
        system = self._system_text(profile)
        turns = self._fitting_turns(system, request)
        while True:
            messages = chat_messages(system, turns, system_role=self.fields.system_role)
            body = self.fields.body(self.info.model, messages, request)
            answered = False
            try:
                stream = server.stream("/chat/completions", body, request.gather_s)
                async with aclosing(stream) as batches:
                    async for chunks in batches:
                        answered = True
                        yield chunks
                return
            except RequestRefusedError as error:
                if answered or not self.fields.learn(body, error.said):
                    raise

    def _system_text(self, profile: NpcProfile) -> str:
        return world_text(self._lore.get(profile.key.world, "")) + persona_text(profile)

    def _judge(self, profile: NpcProfile) -> None:
        tokens = _tokens(self._system_text(profile))
        self.misfits.judge(profile.key, tokens, self._settings.context_limit_tokens)

    def _fitting_turns(self, system: str, request: GenerationRequest) -> Sequence[Turn]:
        """Keep the latest turns that fit. Raises ``ContextTooLongError`` if none does."""
        turns, limit_tokens = request.turns, self._settings.context_limit_tokens
        room = limit_tokens - request.max_new_tokens - _tokens(system)
        sizes = [_tokens(said_text(turn)) for turn in turns]
        first = 0
        while sum(sizes[first:]) > room:
            first += 1
            if first == len(turns):
                raise ContextTooLongError(
                    f"{request.npc}: persona, last turn and reply take about "
                    f"{limit_tokens - room + sizes[-1]} tokens, the limit is {limit_tokens} "
                    "(openai.context_limit_tokens)"
                )
        return turns[first:]


def _tokens(text: str) -> int:
    return MESSAGE_TOKENS + -(-len(text) // CHARS_PER_TOKEN)


def _end(call: Call, reply: ReplyReader, reason: StopReason) -> GenerationEnd:
    return call.end(
        reason,
        prompt_tokens=reply.count("prompt_tokens"),
        cached_tokens=reply.count("cached_tokens", "prompt_tokens_details"),
        generated_tokens=reply.count("completion_tokens") or reply.pieces,
        tier_at_start=Tier.ABSENT,
    )
