"""Has the model speak for an NPC: what it writes is cleaned, judged and told."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from callsheet_server.engine.engine import Delta, Engine, GenerationEnd, GenerationRequest
from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.prompt import LAST_REPLIES, fill_in
from callsheet_server.talk.moderation import Moderator, Spoken
from callsheet_server.talk.prompting import KNOWN, NARRATOR, RECALLED, speaker_name
from callsheet_server.talk.reply import Reply
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.talk.speech.sentences import Said
from callsheet_server.talk.speech.speech import Direction, Part, Speech, Voice
from callsheet_server.talk.speech.thoughts import Opening

__all__ = ["Speaking", "generate"]

GATHER_S: Final = 0.05
"""Longest time for which words of a reply's first sentence wait for others, after the first: 20
messages a second look fluent, and a reply costs the server as much whatever the model's speed."""
GATHER_SENTENCES_S: Final = 0.2
"""Longest wait after the first sentence: the others are told whole, and it takes seconds to say."""
MIN_RETRY_TOKENS: Final = 16
"""With fewer left of a reply's tokens a second try is not worth it."""


async def generate(
    engine: Engine, reply: Reply, request: GenerationRequest
) -> AsyncGenerator[Delta | GenerationEnd]:
    """Generate for a reply and count its tokens; the last item is the end."""
    counted_tokens = 0
    async with aclosing(engine.submit(request)) as stream:
        async for item in stream:
            if isinstance(item, Delta):
                # The exact count comes with the end, if it comes.
                counted_tokens += item.tokens
                reply.spent_tokens += item.tokens
            else:
                reply.spent_tokens += item.generated_tokens - counted_tokens
            yield item
            if isinstance(item, GenerationEnd):
                return
    raise AssertionError(f"{request.request_id}: the engine's stream has no end")


@dataclass(slots=True)
class _Attempt:
    """One try at a reply."""

    speech: Speech
    spoken: Spoken
    is_last: bool
    heard: bool = False
    """True if something of it was told."""
    past_first_sentence: bool = False

    def gather_s(self) -> float:
        """Time for which text may be gathered: none before the first word was told."""
        if not self.heard:
            return 0.0
        longer_s = GATHER_SENTENCES_S - GATHER_S if self.past_first_sentence else 0.0
        return longer_s + _until_next_beat_s()

    @property
    def is_lost(self) -> bool:
        """True if it begins with what the NPC has just said, and there is another try."""
        return bool(self.speech.left_out) and not (self.heard or self.is_last)


class Speaking:
    """Speaks for NPCs. A reply that begins with a repeat, or is empty, gets one second try."""

    def __init__(self, engine: Engine, moderator: Moderator, settings: ReplySettings) -> None:
        self._engine = engine
        self._moderator = moderator
        self._settings = settings
        self._opening: Opening | None = None
        """Opening of replies, as far as it is known; None = the engine was not asked yet."""
        self._thinks = False
        """True if a reply was seen to begin in a thought that the prompt had opened."""

    async def speak(self, reply: Reply, request: GenerationRequest) -> GenerationEnd:
        """Answer ``request``; streams through ``reply``.

        Raises:
            EngineError: as the engine raised it; ``GenerationError``, nothing is fit to be heard.
            RefusedReplyError: an NPC was about to say what it may not.
            ReplyFullError: the reply is as long as a message can be.
        """
        first = self._attempt(reply, request, is_last=not self._may_retry(request))
        end = await self._try(reply, request, first)
        if end.finish_reason == "cancelled":
            return end
        left = request.max_new_tokens - end.generated_tokens
        if end.finish_reason == "length" and not first.speech.left_out:
            left = 0  # Whatever there was went to something that is not told, such as reasoning.
        if not first.heard and not first.is_last and left >= MIN_RETRY_TOKENS:
            again = _again(request, left)
            second = self._attempt(reply, again, is_last=True)
            end = _joined(end, await self._try(reply, again, second))
            if not second.heard:
                await self._insist(second, end)
        elif not first.heard:
            await self._insist(first, end)
        return end

    def _may_retry(self, request: GenerationRequest) -> bool:
        return self._engine.info.varies and request.sampling.temperature > 0

    def _attempt(self, reply: Reply, request: GenerationRequest, *, is_last: bool) -> _Attempt:
        npc_name = reply.world.npc(reply.npc).spec.name
        spoken = Spoken(
            self._moderator,
            reply.room.name,
            reply.npc,
            npc_name,
            lambda said: reply.say(said.text, ends_sentence=said.ends_sentence),
        )
        return _Attempt(Speech(self._voice(reply, request, npc_name)), spoken, is_last)

    def _voice(self, reply: Reply, request: GenerationRequest, npc_name: str) -> Voice:
        replies = [turn.text for turn in request.turns if turn.speaker is None]
        here = {turn.speaker for turn in request.turns if turn.speaker is not None}
        players = {player.spec.name for player in reply.world.players.values()}
        style = fill_in(self._settings.style, npc_name)
        world = reply.world
        return Voice(
            name=npc_name,
            listener=speaker_name(world, reply.speaker),
            speakers=(*here, *players, NARRATOR, KNOWN.rstrip(":"), RECALLED.rstrip(":")),
            is_known=world.names.__contains__,
            not_again=(*replies[-LAST_REPLIES:], reply.heard, style),
            opening=self._current_opening(),
            directions=self._settings.stage_directions,
            whole=self._moderator.is_on,
        )

    async def _try(
        self, reply: Reply, request: GenerationRequest, attempt: _Attempt
    ) -> GenerationEnd:
        """Speak until the model, or what it says, has ended."""
        speech, stopped = attempt.speech, False
        request = replace(request, gather_s=attempt.gather_s)
        async for item in generate(self._engine, reply, request):
            if isinstance(item, GenerationEnd):
                end = item
            elif not stopped:
                await self._tell(reply, attempt, speech.feed(item.text))
                if speech.ended or attempt.is_lost:
                    stopped = self._engine.cancel(request.request_id)
        if stopped:
            end = replace(end, finish_reason="stop")
        if end.finish_reason != "cancelled" and not attempt.is_lost:
            rest = speech.rest(finished=end.finish_reason == "stop")
            await self._tell(reply, attempt, rest)
            self._learn_opening(speech)
        return end

    async def _tell(self, reply: Reply, attempt: _Attempt, parts: list[Part]) -> None:
        for part in parts:
            if isinstance(part, Direction):
                reply.direct(part.text)
            else:
                text = part.text if attempt.heard else part.text.lstrip()
                attempt.heard = True
                attempt.past_first_sentence |= part.ends_sentence
                await attempt.spoken.hear(Said(text, part.ends_sentence))

    async def _insist(self, attempt: _Attempt, end: GenerationEnd) -> None:
        """Say what was left out rather than nothing.

        Raises:
            GenerationError: there is nothing.
        """
        if not attempt.speech.left_out:
            raise GenerationError(
                attempt.speech.why_silent(
                    end.generated_tokens, cut_off=end.finish_reason == "length"
                )
            )
        for said in attempt.speech.left_out:
            attempt.heard = True
            await attempt.spoken.hear(Said(said.text, said.ends_sentence))

    def _current_opening(self) -> Opening:
        if self._opening is None:
            begins = self._engine.info.begins_in_thought
            known = {True: Opening.THOUGHT, False: Opening.SPEECH, None: Opening.UNKNOWN}
            self._opening = known[begins]
        return self._opening

    def _learn_opening(self, speech: Speech) -> None:
        """Hold replies back only if they were seen to begin in a thought, or none was seen yet."""
        self._thinks = self._thinks or speech.began_in_thought
        if self._opening is not Opening.THOUGHT:
            self._opening = Opening.UNKNOWN if self._thinks else Opening.SPEECH


def _until_next_beat_s() -> float:
    """Time to the next multiple of ``GATHER_S``: replies looked at together share their writes."""
    return GATHER_S - time.monotonic() % GATHER_S


def _again(request: GenerationRequest, left_tokens: int) -> GenerationRequest:
    """The same request with another seed, for what is left of its tokens."""
    seed = request.sampling.seed
    sampling = replace(request.sampling, seed=None if seed is None else seed + 1)
    return replace(
        request,
        request_id=f"{request.request_id}/again",
        sampling=sampling,
        max_new_tokens=left_tokens,
    )


def _joined(first: GenerationEnd, second: GenerationEnd) -> GenerationEnd:
    """End of a reply that took two tries, with the figures of both."""
    return replace(
        second,
        generated_tokens=first.generated_tokens + second.generated_tokens,
        tier_at_start=first.tier_at_start,
        cached_tokens=first.cached_tokens,
        queue_s=first.queue_s + second.queue_s,
        ttft_s=first.total_s + second.ttft_s,
        total_s=first.total_s + second.total_s,
    )
