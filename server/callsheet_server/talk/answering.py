"""One reply, from what was heard to the last word and the action."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, Literal

from callsheet.wire.script import ActionVerdict, HearAnswer, Heard
from callsheet.wire.talk import Say
from callsheet.wire.world import ActionSpec
from callsheet_residency.state import Tier
from callsheet_server.engine.engine import Engine, GenerationEnd, GenerationRequest
from callsheet_server.engine.prompt import STRANGER, fill_in
from callsheet_server.session.session import Session, SessionState
from callsheet_server.talk.action_chooser import ActionChooser
from callsheet_server.talk.earshot import is_last
from callsheet_server.talk.moderation import Moderator, RefusedReplyError, Utterance
from callsheet_server.talk.prompting import (
    NARRATOR,
    heard_turns,
    lore_turns,
    priority_of,
    sampling_of,
    speaker_name,
)
from callsheet_server.talk.recall import Retriever
from callsheet_server.talk.recollection import recollect
from callsheet_server.talk.reply import Reply, ReplyFullError
from callsheet_server.talk.script_calls import ScriptCalls
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.talk.speaking import Speaking
from callsheet_server.world.lore import known_now
from callsheet_server.world.memory import Turn

__all__ = ["Answerer"]

logger = logging.getLogger(__name__)

SILENT: Final = HearAnswer(call=1)
"""Answer of a script that has nothing to say."""


class Answerer:
    """Asks the script, asks the model, remembers, and lets the NPC act."""

    def __init__(
        self,
        engine: Engine,
        moderator: Moderator,
        retriever: Retriever,
        settings: ReplySettings,
    ) -> None:
        self._engine = engine
        self._speaking = Speaking(engine, moderator, settings)
        self._calls = ScriptCalls(settings.hear_timeout_s)
        self._chooser = ActionChooser(engine, settings, self._calls)
        self._moderator = moderator
        self._retriever = retriever
        self._settings = settings
        self.unanswered_hears = 0
        """Times a script did not say in time what it makes of what its NPC heard."""

    async def answer(self, reply: Reply, message: Say) -> None:
        """Answer what was said; streams through ``reply``.

        Raises:
            EngineError: as the engine raised it.
            RequestError: ``text_refused``, a player may not say this.
            CancelledError: the words said so far are remembered.
        """
        name = speaker_name(reply.world, message.speaker)
        if message.speaker.kind == "player":
            await self._moderator.check_heard(
                Utterance("heard", reply.room.name, reply.npc, name, message.text)
            )
        script = await self._ask_script(reply, message)
        *material, heard = heard_turns(name, message.text, script.material)
        if script.ignore:
            reply.remember(heard)
            reply.end("stop")
            return
        if script.reply is not None:
            reply.remember(heard)
            await self.recite(reply, script.reply)
            return
        await recollect(reply, reply.npc)
        if reply.asking_npc is not None:
            await recollect(reply, reply.asking_npc)
        recalled = await self._retriever.recall(reply, message.text)
        lore = lore_turns(known_now(reply.world, reply.world.npc(reply.npc)))
        before = reply.memory.turns(reply.npc)
        if reply.asking_npc is not None and is_last(heard, before):
            before = before[:-1]
        turns = (*before, *recalled, *lore, *material, heard)
        request = GenerationRequest(
            request_id=f"{reply.room.name}/{reply.reply}",
            npc=reply.room.key(reply.npc),
            turns=turns,
            max_new_tokens=message.max_tokens or self._settings.max_tokens,
            sampling=sampling_of(message.sampling, self._settings, self._engine.info.sampling),
            priority=priority_of(message),
            stop=(*message.stop, f"\n{name}:", f"\n{NARRATOR}:"),
        )
        end: GenerationEnd | None = None
        cut: Literal["length", "stop"] = "stop"
        try:
            end = await self._speaking.speak(reply, request)
        except ReplyFullError:
            cut = "length"
        except RefusedReplyError:
            with suppress(ReplyFullError):
                reply.say(self._moderator.safe_line)
        finally:
            if reply.text:
                reply.remember(heard, Turn(None, reply.text))
        if end is None:
            reply.end(cut)
            return
        reply.generated(end, time.monotonic())
        _count(reply, end)
        if end.finish_reason != "cancelled":
            await self._chooser.choose(reply, request, message.actions, script.actions)
        reply.end(end.finish_reason, end)

    def note_for(self, actions: Iterable[ActionSpec], gate: str) -> str | None:
        """Return what the author of actions should know of them; None = nothing."""
        return self._chooser.note_for(actions, gate)

    async def recite(self, reply: Reply, text: str) -> None:
        """Say a given line."""
        listener = speaker_name(reply.world, reply.speaker) if reply.heard else STRANGER
        text = fill_in(text, reply.world.npc(reply.npc).spec.name, listener)
        reply.remember(Turn(None, text))
        reply.say(text)
        reply.end("stop")

    def script_answer(self, session: Session, answer: HearAnswer | ActionVerdict) -> None:
        """Take a mod's answer."""
        self._calls.answer(session, answer)

    async def _ask_script(self, reply: Reply, message: Say) -> HearAnswer:
        """Ask the NPC's script about the words. No script, or no answer in time, adds nothing."""
        found = reply.room.script_for(reply.npc)
        if found is None:
            return SILENT
        script, mod = found
        if "hear" not in script.spec.events or mod.state is not SessionState.OPEN:
            return SILENT
        if time.monotonic() < script.rests_until_s:
            return SILENT
        try:
            answer = await self._calls.ask(
                mod,
                lambda call: Heard(
                    script=script.spec.script,
                    call=call,
                    npc=reply.npc,
                    speaker=message.speaker,
                    text=message.text,
                    deadline_s=self._calls.timeout_s,
                    actions=self._chooser.offered_to(reply, message.actions),
                ),
            )
        except TimeoutError:
            logger.info("script %s did not answer in time", script.spec.script)
            script.kept_silent(time.monotonic())
            self.unanswered_hears += 1
            return SILENT
        script.answered()
        return answer if isinstance(answer, HearAnswer) else SILENT


def _count(reply: Reply, end: GenerationEnd) -> None:
    counters = reply.room.counters
    if not end.generated_tokens:
        return
    if end.tier_at_start is Tier.DEVICE:
        counters.calls_resident += 1
        counters.ttft_resident_s.append(end.ttft_s)
    else:
        counters.calls_not_resident += 1
        counters.ttft_not_resident_s.append(end.ttft_s)
