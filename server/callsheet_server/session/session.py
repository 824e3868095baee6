"""A session as a sans-I/O state machine: frames in, validated messages out.

States and what changes them:

    OPEN      --connection lost-->  DETACHED  --resume-->  OPEN
    OPEN      --bye, fatal error--> CLOSED
    DETACHED  --grace expired-->    CLOSED

What comes before (the first frame) is ``connection.py``; who resumes what is ``registry.py``.
"""

from __future__ import annotations

import logging
from collections import Counter
from enum import Enum

from callsheet.wire.base import Reliable, Request, ServerMessage
from callsheet.wire.codec import AnyClientMessage, encode
from callsheet.wire.errors import RULES, CallsheetError, CloseCode, ErrorCode, error_for
from callsheet.wire.fields import Role
from callsheet.wire.session import Ack, Bye, Hello, Ping, Pong
from callsheet.wire.tick import Tick, decode_tick, tick_from_json
from callsheet.wire.world import JsonTick
from callsheet_server.limits.roles import of_role
from callsheet_server.limits.settings import LimitSettings
from callsheet_server.limits.token_bucket import TokenBucket
from callsheet_server.session.answers import Answers, Instead
from callsheet_server.session.checks import check_size
from callsheet_server.session.error_message import error_message
from callsheet_server.session.intake import judge_text, max_frame_bytes
from callsheet_server.session.link import Link
from callsheet_server.session.quota import Quota, Quotas
from callsheet_server.session.record import SessionRecord
from callsheet_server.session.resend import Kept, ResendBuffer
from callsheet_server.session.tick_gate import TickGate
from callsheet_server.storage.changes import Change, Journal, NoJournal
from callsheet_server.storage.saved import SavedSession
from callsheet_server.transport.access_tokens import AccessToken

__all__ = ["Session", "SessionState"]

logger = logging.getLogger(__name__)

ERROR_RATE = 10.0
ERROR_BURST = 100.0
"""Errors at once, or 10 a second for long, past which the client is broken or hostile."""
ERROR_BYTES = 4_096
"""A frame that was read in vain counts as one more error for every so many bytes."""
RESUMABLE_CLOSES = frozenset({1001, 1005, 1006}) | {
    rule.closes for rule in RULES.values() if rule.resumable
}
"""Closes after which a session can be resumed: the client went away, gave no code, was lost,
or gave a code of ours that says so."""
THROTTLE_S = 1.0
"""Errors about ticks are told at most this often per code."""
SILENT_INTERVALS = 3
BACKLOG_FRAMES = 64
"""A client for which more frames wait than this does not keep up."""


class SessionState(Enum):
    OPEN = "open"
    DETACHED = "detached"
    CLOSED = "closed"


class Session:
    """One client's side of the server, for as long as it can be resumed."""

    def __init__(
        self,
        session_id: str,
        role: Role,
        world: str,
        limits: LimitSettings,
        now_s: float,
        journal: Journal | None = None,
        saved: SavedSession | None = None,
    ) -> None:
        """``journal``: where its answers go; None = nowhere. ``saved``: of before a restart."""
        self.id = session_id
        self.role: Role = role
        self.world = world
        self.token: AccessToken | None = None
        """Access token that let it in; None = its role asks for none."""
        self.address = ""
        """The client's network address, when it last connected."""
        self.quota = Quota("session", "this session", of_role(limits, role), now_s)
        self.quotas = Quotas([self.quota], [self.quota], Counter())
        self.state = SessionState.DETACHED
        self.resumes_at_s = 0.0
        """Time before which nothing more of it is handled."""
        self.last_frame_s = now_s
        self.read_bytes = 0
        """Bytes of the text frame received last, if it was read in full."""
        self.detached_at_s = now_s
        self.errors: Counter[ErrorCode] = Counter()
        self._limits = limits
        self._link: Link | None = None
        self._replay = ResendBuffer(limits.max_outbox_messages, limits.max_outbox_bytes)
        self._ticks = TickGate(limits.max_ticks_per_s, now_s)
        self._error_budget = TokenBucket(ERROR_RATE, ERROR_BURST, now_s)
        self._told_at_s: dict[ErrorCode, float] = {}
        journal = journal or NoJournal()
        self.record = SessionRecord(session_id, role == "game" and journal.keeps, saved)
        self.answers = Answers(self.record, self._replay, journal, self._flush, self.errors)
        if saved is not None:
            self._replay.restore(saved.answers)
        self._arriving: Link | None = None
        """A connection that waits for what must be durable before it is greeted."""

    # --- the connection comes and goes -------------------------------------------------------

    def attach(self, link: Link, welcome: ServerMessage, last_seq: int, now_s: float) -> None:
        """Take a (new) connection: greet, then resend what came after ``last_seq``.

        After a restart that waits until the answers' new numbers are durable.
        """
        if self._link is not None:
            self.fail(error_for(ErrorCode.SUPERSEDED, "this session was resumed elsewhere"), now_s)
        self.last_frame_s = now_s
        if not self._replay.restored:
            self.answers.opened()
            self._greet(link, welcome, last_seq)
            return
        self._arriving = link

        def numbered() -> None:
            if self._arriving is link:
                self._greet(link, welcome, last_seq)

        def failed(error: CallsheetError) -> None:
            link.send(encode(error_message(error)))
            link.close(CloseCode.INTERNAL, str(error.code))

        self.answers.resume(last_seq, numbered, failed)

    def _greet(self, link: Link, welcome: ServerMessage, last_seq: int) -> None:
        self._link, self._arriving = link, None
        self._ticks.keyframe_due = True
        self._replay.rewind(last_seq)
        self._set_state(SessionState.OPEN)
        link.welcome(max_frame_bytes(self.role, self._limits))
        link.send(encode(welcome))
        self._flush()

    @property
    def resume_token(self) -> str:
        """Resume token that was given out with the last welcome."""
        return self.record.tokens.present

    @property
    def last_request_id(self) -> int:
        """The greatest request id taken so far; 0 = none."""
        return self.record.last_request_id

    def can_resume_from(self, last_seq: int) -> bool:
        """True if all that came after ``last_seq`` is still kept."""
        return self._replay.can_go_on_from(last_seq)

    def is_on(self, link: Link) -> bool:
        """True if this is the session's connection now."""
        return link is self._link

    def detach(self, link: Link, close_code: int, now_s: float) -> None:
        """Let the connection go. Ignored if it is no longer the session's."""
        if link is self._arriving:
            self._arriving = None
        if not self.is_on(link):
            return
        self._link = None
        self.detached_at_s = now_s
        resumable = close_code in RESUMABLE_CLOSES
        self._set_state(SessionState.DETACHED if resumable else SessionState.CLOSED)

    def close(self, code: int, reason: str) -> None:
        """End the session for good."""
        if self.state is not SessionState.CLOSED:
            self._set_state(SessionState.CLOSED)
        if self._link is not None:
            self._link.close(code, reason)
            self._link = None

    def keeps_up(self) -> bool:
        """False if what is sent now and may be dropped should rather be dropped."""
        return self._link is not None and self._link.waiting <= BACKLOG_FRAMES

    def silent(self, now_s: float, heartbeat_interval_s: float) -> bool:
        """True if the client is attached and has sent nothing for three intervals."""
        quiet_s = now_s - self.last_frame_s
        return self._link is not None and quiet_s > SILENT_INTERVALS * heartbeat_interval_s

    # --- in ----------------------------------------------------------------------------------

    def receive(self, frame: str | bytes, now_s: float) -> AnyClientMessage | Tick | None:
        """Judge one frame.

        Returns:
            What is to be done, or None if nothing is: the frame was answered here, or was refused
            and the client has been told.
        """
        self.last_frame_s = now_s
        self.record.tokens.arrived()
        self.read_bytes = 0
        try:
            if isinstance(frame, bytes):
                return self._receive_tick(frame, now_s)
            return self._receive_text(frame, now_s)
        except CallsheetError as error:
            self.fail(error, now_s, self.read_bytes)
            return None

    def _receive_text(self, text: str, now_s: float) -> AnyClientMessage | Tick | None:
        frame = judge_text(text, self.role, self._limits, self.quotas, now_s)
        if frame.is_tick and frame.refusal is not None:
            self.complain(frame.refusal, now_s)
            return None
        request_id = frame.request_id
        try:
            if frame.refusal is not None:
                if request_id is not None:
                    self.record.take_id(request_id)
                raise frame.refusal
            self.read_bytes = frame.size_bytes
            message = frame.parse()
            if isinstance(message, JsonTick):
                return self._admit_tick(tick_from_json(message), now_s)
            if isinstance(message, Request):
                request_id = message.id
                self.record.take_id(message.id)
            return self._admit_message(message, now_s)
        except CallsheetError as error:
            error.request_id = error.request_id or request_id
            raise

    def _admit_message(self, message: AnyClientMessage, now_s: float) -> AnyClientMessage | None:
        """Answer here what needs no world."""
        match message:
            case Ping():
                if message.ack is not None:
                    self._replay.ack(message.ack, "ack")
                pong = Pong(client_time_s=message.client_time_s, server_time_s=now_s)
                self.send(pong, key="pong")
            case Ack():
                self._replay.ack(message.seq)
            case Bye():
                self.close(CloseCode.NORMAL, "bye")
            case Hello():
                raise error_for(
                    ErrorCode.BAD_MESSAGE,
                    "hello can only be the first message of a connection",
                    field="type",
                    value='"hello"',
                )
            case _:
                return message
        return None

    def _receive_tick(self, frame: bytes, now_s: float) -> Tick | None:
        if self.role != "game":
            raise error_for(ErrorCode.FORBIDDEN, f"ticks are for games; this is a {self.role}")
        check_size("binary", len(frame), self._limits.max_tick_bytes)
        if (refusal := self.quotas.take_bytes(len(frame), now_s)) is not None:
            self.complain(refusal, now_s)
            return None
        return self._admit_tick(decode_tick(frame), now_s)

    def _admit_tick(self, tick: Tick, now_s: float) -> Tick | None:
        """Check rate, order and time. A refused tick is dropped and told of, throttled."""
        if (problem := self._ticks.refuse(tick, now_s)) is not None:
            self.complain(problem, now_s)
            return None
        return tick

    def rewind(self, game_time_s: float) -> None:
        """Take ticks from this game time on: the game's clock went back."""
        self._ticks.rewind(game_time_s)

    # --- out ---------------------------------------------------------------------------------

    def send(
        self, message: ServerMessage, key: str | None = None, *, request: int | None = None
    ) -> None:
        """Send a message; reliable ones are kept until acked, others need a connection.

        An unreliable one replaces a queued one with its ``key``. A reliable one may belong to a
        ``request`` of this session.
        """
        if self.state is SessionState.CLOSED:
            return
        if not isinstance(message, Reliable):
            self.send_frame(encode(message), key)
            return
        if self._keep(message, request=request) is not None:
            self._flush()

    def answer(
        self,
        message: Reliable,
        request: int,
        change: Change | None = None,
        instead: Instead = error_message,
    ) -> None:
        """Answer a request, once that it was answered and what it has changed are durable.

        The answer takes its number now; what is sent after it waits for it.

        Args:
            message: the answer.
            request: the request's id.
            change: what is to be durable first.
            instead: makes the answer for when that fails.
        """
        kept = None if self.state is SessionState.CLOSED else self._keep(message, held=True)
        self.answers.answer(kept, request, change or Change(), instead)

    def _keep(
        self, message: Reliable, *, held: bool = False, request: int | None = None
    ) -> Kept | None:
        """Number a message and keep it; None if that is one too many."""
        try:
            return self._replay.add(message, held=held, request=request)
        except CallsheetError as error:
            self._end(error)
            return None

    def _flush(self) -> None:
        """Send what may be sent."""
        if self._link is None:
            return
        for frame in self._replay.take_ready():
            self._link.send(frame)
        # Who acks what it does not read gets no further than who does not ack.
        unread, unread_bytes = self._link.waiting, self._link.reliable_bytes
        limit = self._limits.max_outbox_messages
        if unread > 2 * limit or unread_bytes > 2 * self._limits.max_outbox_bytes:
            text = f"{unread} messages ({unread_bytes} bytes) wait to be read"
            self._end(error_for(ErrorCode.SLOW_CONSUMER, text, limit=limit))

    def send_frame(self, frame: bytes, key: str | None = None) -> None:
        """Send an unreliable message that was encoded once for many sessions."""
        if self._link is not None:
            self._link.send(frame, key)

    def fail(self, error: CallsheetError, now_s: float, read_bytes: int = 0) -> None:
        """Tell the client of an error, and close if the error's rule says so.

        ``read_bytes``: of the frame that was read to find it; an error counts for more then.
        """
        if RULES[error.code].closes is not None:
            self.detached_at_s = now_s
            self._end(error)
            return
        self.errors[error.code] += 1
        amount = 1 + read_bytes / ERROR_BYTES
        self.quotas.note_errors(amount, now_s)
        if error.request_id is None or error.code is ErrorCode.DUPLICATE_REQUEST:
            self.send(error_message(error))
        else:
            self.answer(error_message(error), error.request_id)
        if self._error_budget.take(now_s, amount):
            text = f"more than {ERROR_BURST:g} errors; fix the client, the last was: {error}"
            self._end(error_for(ErrorCode.FLOODING, text, limit=ERROR_BURST))

    def complain(self, error: CallsheetError, now_s: float) -> None:
        """Tell of an error that may repeat every tick: once a second per code. All are counted."""
        if now_s - self._told_at_s.get(error.code, float("-inf")) >= THROTTLE_S:
            self._told_at_s[error.code] = now_s
            self.fail(error, now_s)
        else:
            self.errors[error.code] += 1

    def check_integrity(self) -> None:
        """Raise ``AssertionError`` naming the broken invariant, if one is broken."""
        self._replay.check_integrity()
        attached = self._link is not None
        assert attached == (self.state is SessionState.OPEN), f"{self.state} with link {attached}"

    def _end(self, error: CallsheetError) -> None:
        """Say why, then cut the connection; the session goes on if it can be resumed.

        That error has no ``seq``: it belongs to the connection and is not replayed.
        """
        if self.state is SessionState.CLOSED:
            return
        self.errors[error.code] += 1
        rule = RULES[error.code]
        assert rule.closes is not None
        if (link := self._link) is not None:
            self._link = None
            link.send(encode(error_message(error)))
            link.close(rule.closes, str(error.code))
        resumable = rule.resumable or error.code is ErrorCode.SUPERSEDED
        self._set_state(SessionState.DETACHED if resumable else SessionState.CLOSED)

    def _set_state(self, state: SessionState) -> None:
        ids = {"session": self.id, "world": self.world}
        logger.info("%s -> %s", self.state.value, state.value, extra=ids)
        self.state = state
