"""Reply in the making, and the messages that tell of it."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from callsheet.wire.errors import CallsheetError
from callsheet.wire.talk import Action, FinishReason, ReplyDelta, ReplyEnd, ReplyStart, Speaker
from callsheet_server.engine.engine import GenerationEnd, Priority
from callsheet_server.outgoing.views import TIER_NAMES
from callsheet_server.rooms.persistence import save_counters, save_learned
from callsheet_server.rooms.room import Room, TakenAction
from callsheet_server.session.quota import Lease
from callsheet_server.session.session import Session
from callsheet_server.storage.changes import Change
from callsheet_server.talk.earshot import heard_back, is_last, overheard
from callsheet_server.talk.learning import learn
from callsheet_server.talk.prompting import speaker_name
from callsheet_server.world.memory import Memory, Turn
from callsheet_server.world.world import World

__all__ = ["Reply", "ReplyFullError", "Round"]

MAX_JSON_BYTES = 60_000
"""Size of a reply's text as JSON; leaves room for the rest of ``reply_end``."""


class ReplyFullError(Exception):
    """The reply is as long as a message can be."""


@dataclass(slots=True, eq=False)
class Round:
    """The replies to one request: of one NPC, or of several in turn."""

    size: int = 1
    ended: int = 0

    def end_one(self) -> bool:
        """Count that a reply ended; true if it was the last."""
        self.ended += 1
        return self.ended == self.size


@dataclass(slots=True, eq=False)
class Reply:
    """One reply from acceptance to end. ``reply_start`` goes out with its first sign of life."""

    room: Room
    asker: Session
    request: int
    npc: str
    handle: int
    speaker: Speaker
    heard: str
    reply: int
    accepted_s: float
    """Time at which it was accepted, on ``time.monotonic``'s clock."""
    lease: Lease
    """Its place in the quotas of who asked."""
    priority: Priority = Priority.PLAYER
    max_tokens: int | None = None
    """Most tokens, as the request asked."""
    spent_tokens: int = 0
    """All that the model generated for it, including what was cut short and the action."""
    round: Round = field(default_factory=Round)
    shed: CallsheetError | None = None
    """Error that says why it had to make room for a more urgent one, if it had."""
    line_hearers: tuple[str, ...] = ()
    """NPCs that overhear what is said to it."""
    reply_hearers: tuple[str, ...] = ()
    """NPCs that overhear what it says."""
    dropped: str | None = None
    """Reason why it is cancelled and not remembered, if it is."""
    world: World = field(init=False)
    memory: Memory = field(init=False)
    asked_s: float = field(init=False)
    """Game time of the request."""
    task: asyncio.Task[None] | None = None
    generation: GenerationEnd | None = None
    """End of the model's generation; None if it was not asked, or did not come to an end."""
    generation_ended_s: float = math.nan
    finish_reason: FinishReason | None = None
    """None = not ended yet, or refused with an error before anything was said."""
    error_code: str | None = None
    _pieces: list[str] = field(default_factory=list)
    _turns: list[Turn] = field(default_factory=list)
    """Turns to be remembered with the reply's end."""
    _json_bytes: int = 0
    _started: bool = False

    def __post_init__(self) -> None:
        self.world = self.room.world
        self.memory = self.room.memory
        self.asked_s = self.world.game_time_s

    @property
    def begun(self) -> bool:
        """True once something was told of it."""
        return self._started

    @property
    def asking_npc(self) -> str | None:
        """The other NPC that it answers, if one speaks and is in the world."""
        is_other = self.speaker.kind == "npc" and self.speaker.id != self.npc
        return self.speaker.id if is_other and self.speaker.id in self.world.npcs else None

    @property
    def text(self) -> str:
        """All that was said so far."""
        return "".join(self._pieces)

    @property
    def generated_tokens(self) -> int:
        """Tokens of a generation that came to its end; 0 for given lines and those cut short."""
        return 0 if self.generation is None else self.generation.generated_tokens

    def say(self, text: str, *, ends_sentence: bool = True) -> None:
        """Stream a piece of the reply.

        Raises:
            ReplyFullError: with this piece ``reply_end`` would pass the protocol's 64,000 bytes.
        """
        self._start()
        if text:
            self._json_bytes += len(orjson.dumps(text))
            if self._json_bytes > MAX_JSON_BYTES:
                raise ReplyFullError
            self._pieces.append(text)
            self._tell(
                ReplyDelta(
                    reply=self.reply, npc=self.npc, text=text, ends_sentence=ends_sentence or None
                )
            )

    def direct(self, text: str) -> None:
        """Tell of a stage direction: something the NPC does while it speaks."""
        self._start()
        self._tell(ReplyDelta(reply=self.reply, npc=self.npc, text="", stage_direction=text))

    def generated(self, end: GenerationEnd, now_s: float) -> None:
        """Note how the model did."""
        self.generation, self.generation_ended_s = end, now_s

    def remember(self, *turns: Turn) -> None:
        """Have the NPC remember this once the reply has ended."""
        self._turns += turns

    def take(self) -> asyncio.Future[CallsheetError | None]:
        """Note that this was asked, so that a restart answers it.

        To be called before another message of the session is handled.

        Returns:
            What is set once that is durable; to the error, if it cannot be.
        """
        ended: asyncio.Future[CallsheetError | None] = asyncio.get_running_loop().create_future()

        def end(error: CallsheetError | None) -> None:
            if not ended.done():
                ended.set_result(error)

        saved = save_counters(self.room)
        change = Change((saved, *save_learned(self.room)), done=lambda _: end(None), failed=end)
        self.asker.answers.take(self.request, change)
        return ended

    def act(self, name: str, arguments: dict[str, Any]) -> None:
        """Tell of an action."""
        number = self.room.take_action(TakenAction(self.npc, name, arguments))
        self._tell(
            Action(reply=self.reply, action=number, npc=self.npc, name=name, arguments=arguments)
        )

    def end(
        self,
        finish_reason: FinishReason,
        generation: GenerationEnd | None = None,
        error: CallsheetError | None = None,
    ) -> None:
        """Tell that the reply is complete."""
        self.finish_reason = finish_reason
        self._start()
        end = ReplyEnd(
            reply=self.reply,
            npc=self.npc,
            text=self.text,
            finish_reason=finish_reason,
            code=None if error is None else error.code,
            message=self.dropped if error is None else error.message,
        )
        if generation is not None:
            end = end.model_copy(update=_figures(generation))
        self.room.counters.replies += 1
        change = self._learn()
        if not self.round.end_one():
            self._tell_later(end.model_copy(update={"more": True}), change)
            return
        mine = end.model_copy(update={"id": self.request})
        change.done = lambda _: self.room.tell_listeners(end, self.asker)
        change.failed = lambda error: self.room.tell_listeners(_lost(end, error), self.asker)
        self.asker.answer(mine, self.request, change, lambda error: _lost(mine, error))

    def _tell_later(self, end: ReplyEnd, change: Change) -> None:
        """Tell of the end of a reply that is not the request's last, once it is durable."""

        def tell(end: ReplyEnd) -> None:
            self.room.tell_about_reply(end, self.asker, self.request)

        change.done = lambda _: tell(end)
        change.failed = lambda error: tell(_lost(end, error))
        self.room.journal.submit(change)

    def _learn(self) -> Change:
        """Let the NPC remember what was said, unless it is gone."""
        npc, memory = self.world.npcs.get(self.npc), self.memory
        if self.dropped or npc is None or npc.handle != self.handle or not self._turns:
            return Change()
        told: dict[str, Sequence[Turn]] = {self.npc: self._turns}
        told |= self._overheard(npc.spec.name)
        if (asking := self.asking_npc) is not None:
            told[asking] = self._heard_back()
            told = {name: _news(memory.turns(name), turns) for name, turns in told.items()}
        return learn(memory, told, self.world.game_time_s)

    def _overheard(self, name: str) -> dict[str, list[Turn]]:
        """Turns of those in earshot; ``name``: of the NPC that replies."""
        is_narrator = self.speaker.kind == "narrator"
        listener = None if is_narrator else speaker_name(self.world, self.speaker)
        told: defaultdict[str, list[Turn]] = defaultdict(list)
        for turn in self._turns:
            if turn.speaker is None:
                hearers, said = self.reply_hearers, overheard(name, listener, turn.text)
            else:
                to = None if is_narrator else name
                hearers, said = self.line_hearers, overheard(turn.speaker, to, turn.text)
            for npc in hearers:
                if npc in self.world.npcs:
                    told[npc].append(said)
        return told

    def _heard_back(self) -> list[Turn]:
        """Turns of the NPC that spoke to this one: its line, once in a round, and the answer."""
        line = [Turn(None, self.heard)] if not self.round.ended else []
        name = speaker_name(self.world, Speaker(kind="npc", id=self.npc))
        return [*line, heard_back(name, self.text)] if self.text else line

    def fail(self, error: CallsheetError, now_s: float) -> None:
        """End with an error: of the request if nothing was said to it yet, else of the reply."""
        self.room.counters.errors += 1
        self.error_code = error.code
        if self._started or self.round.size > 1:
            self.end("error", error=error)
        else:
            error.request_id = self.request
            self.asker.fail(error, now_s)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._tell(
                ReplyStart(reply=self.reply, npc=self.npc, speaker=self.speaker, heard=self.heard)
            )

    def _tell(self, message: ReplyStart | ReplyDelta | Action) -> None:
        self.room.tell_about_reply(message, self.asker, self.request)


def _news(known: Sequence[Turn], turns: Sequence[Turn]) -> Sequence[Turn]:
    """Leave out a line that is known: the answer of before, put to who got it."""
    return turns[1:] if turns and is_last(turns[0], known) else turns


def _lost(end: ReplyEnd, error: CallsheetError) -> ReplyEnd:
    """End of a reply that could not be saved, and so was not remembered."""
    why = {"finish_reason": "error", "code": error.code, "message": error.message}
    return end.model_copy(update=why)


def _figures(generation: GenerationEnd) -> dict[str, Any]:
    ttft_s = generation.ttft_s
    return {
        "prompt_tokens": generation.prompt_tokens,
        "cached_tokens": generation.cached_tokens,
        "generated_tokens": generation.generated_tokens,
        "tier": TIER_NAMES[generation.tier_at_start],
        "ttft_s": ttft_s if math.isfinite(ttft_s) else None,
        "total_s": generation.total_s,
    }
