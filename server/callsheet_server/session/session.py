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
from typing import Protocol

from callsheet.wire.base import Reliable, Request, ServerMessage
from callsheet.wire.codec import AnyClientMessage, encode, parse_client_message
from callsheet.wire.errors import RULES, CallsheetError, CloseCode, ErrorCode, error_for
from callsheet.wire.fields import Role
from callsheet.wire.session import Ack, Bye, Error, Hello, Ping, Pong
from callsheet.wire.tick import Tick, TickKind, decode_tick, tick_from_json
from callsheet.wire.world import JsonTick
from callsheet_server.session.budget import TokenBucket
from callsheet_server.session.replay import ReplayBuffer
from callsheet_server.transport.settings import LimitSettings

__all__ = ["Link", "Session", "SessionState", "error_message"]

logger = logging.getLogger(__name__)

BURST_S = 2.0
"""A session that was quiet may send this many seconds' worth of messages at once."""
ERROR_RATE = 10.0
ERROR_BURST = 100.0
"""100 errors at once or 10 a second for long: the client is broken or hostile."""
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


class Link(Protocol):
    """The way to the client, as a session sees it. Calls never block."""

    @property
    def waiting(self) -> int:
        """Frames queued and not yet written."""

    @property
    def reliable_bytes(self) -> int:
        """Of these, the bytes of frames without a key."""

    def send(self, frame: bytes, key: str | None = None) -> None:
        """Queue a text frame. One with a ``key`` replaces a queued one with the same key."""

    def close(self, code: int, reason: str) -> None:
        """Close once what is queued has been sent."""


class Session:
    """One client's side of the server, for as long as it can be resumed."""

    def __init__(
        self, session_id: str, role: Role, world: str, limits: LimitSettings, now_s: float
    ) -> None:
        self.id = session_id
        self.role: Role = role
        self.world = world
        self.resume_token = self.former_token = ""  # The former works until a welcome has arrived.
        self.state = SessionState.DETACHED
        self.last_request_id = 0
        self.last_frame_s = now_s
        self.detached_at_s = now_s
        self.errors: Counter[ErrorCode] = Counter()
        self._limits = limits
        self._link: Link | None = None
        self._replay = ReplayBuffer(limits.max_outbox_messages, limits.max_outbox_bytes)
        self._messages = TokenBucket(
            limits.max_messages_per_s, limits.max_messages_per_s * BURST_S, now_s
        )
        self._ticks = TokenBucket(limits.max_ticks_per_s, limits.max_ticks_per_s * BURST_S, now_s)
        self._error_budget = TokenBucket(ERROR_RATE, ERROR_BURST, now_s)
        self._told_at_s: dict[ErrorCode, float] = {}
        self._last_tick = -1
        self._last_game_time_s = 0.0
        self._keyframe_due = True

    # --- the connection comes and goes -------------------------------------------------------

    def attach(self, link: Link, welcome: ServerMessage, last_seq: int, now_s: float) -> None:
        """Take a (new) connection: greet, then replay what came after ``last_seq``."""
        if self._link is not None:
            self.fail(error_for(ErrorCode.SUPERSEDED, "this session was resumed elsewhere"), now_s)
        self._link = link
        self.last_frame_s = now_s
        self._keyframe_due = True
        self._set_state(SessionState.OPEN)
        link.send(encode(welcome))
        for frame in self._replay.after(last_seq):
            link.send(frame)

    def is_on(self, link: Link) -> bool:
        """True if this is the session's connection now."""
        return link is self._link

    def detach(self, link: Link, close_code: int, now_s: float) -> None:
        """The connection is gone. Ignored if it is no longer the session's."""
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
        self.former_token = ""
        try:
            if isinstance(frame, bytes):
                return self._receive_tick(frame, now_s)
            return self._receive_message(frame, now_s)
        except CallsheetError as error:
            self.fail(error, now_s)
            return None

    def _receive_message(self, text: str, now_s: float) -> AnyClientMessage | Tick | None:
        if 4 * len(text) > self._limits.max_message_bytes:
            _check_size("text", len(text.encode()), self._limits.max_message_bytes)
        message = parse_client_message(text)
        if isinstance(message, JsonTick):
            self._check_role(message)
            return self._admit_tick(tick_from_json(message), now_s)
        try:
            return self._admit_message(message, now_s)
        except CallsheetError as error:
            error.request_id = message.id if isinstance(message, Request) else None
            raise

    def _admit_message(self, message: AnyClientMessage, now_s: float) -> AnyClientMessage | None:
        """Check rate, id and role; answer here what needs no world."""
        wait_s = self._messages.take(now_s)
        if isinstance(message, Request):
            self._take_request_id(message.id)
        if wait_s:
            raise error_for(
                ErrorCode.LIMIT_EXCEEDED,
                f"more than {self._limits.max_messages_per_s:g} messages a second",
                limit=self._limits.max_messages_per_s,
                retry_after_s=wait_s,
            )
        self._check_role(message)
        match message:
            case Ping():
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

    def _take_request_id(self, request_id: int) -> None:
        if request_id <= self.last_request_id:
            raise error_for(
                ErrorCode.DUPLICATE_REQUEST,
                f"request id {request_id} is not greater than {self.last_request_id}, the last "
                f"one taken; count up within a session",
                field="id",
                value=str(request_id),
                limit=self.last_request_id,
            )
        self.last_request_id = request_id

    def _check_role(self, message: AnyClientMessage) -> None:
        if self.role not in message.roles:
            raise error_for(
                ErrorCode.FORBIDDEN,
                f"{message.type} is for {' and '.join(sorted(message.roles))}; "
                f"this session's role is {self.role}",
                field="type",
                value=f'"{message.type}"',
            )

    # --- ticks -------------------------------------------------------------------------------

    def _receive_tick(self, frame: bytes, now_s: float) -> Tick | None:
        if self.role != "game":
            raise error_for(ErrorCode.FORBIDDEN, f"ticks are for games; this is a {self.role}")
        _check_size("binary", len(frame), self._limits.max_tick_bytes)
        return self._admit_tick(decode_tick(frame), now_s)

    def _admit_tick(self, tick: Tick, now_s: float) -> Tick | None:
        """Check rate, order and time. A refused tick is dropped and told of, throttled."""
        wait_s = self._ticks.take(now_s)
        if wait_s:
            self.complain(
                error_for(
                    ErrorCode.LIMIT_EXCEEDED,
                    f"more than {self._limits.max_ticks_per_s:g} ticks a second; tick dropped",
                    field="tick",
                    value=str(tick.tick),
                    limit=self._limits.max_ticks_per_s,
                    retry_after_s=wait_s,
                ),
                now_s,
            )
            return None
        problem = self._tick_problem(tick)
        if problem is not None:
            self.complain(problem, now_s)
            return None
        self._last_tick = tick.tick
        self._last_game_time_s = tick.game_time_s
        self._keyframe_due = False
        return tick

    def _tick_problem(self, tick: Tick) -> CallsheetError | None:
        if tick.tick <= self._last_tick:
            return error_for(
                ErrorCode.TICK_OUT_OF_ORDER,
                f"tick {tick.tick} after tick {self._last_tick}; tick dropped",
                field="tick",
                value=str(tick.tick),
                limit=self._last_tick,
            )
        if tick.game_time_s < self._last_game_time_s:
            return error_for(
                ErrorCode.TIME_BACKWARDS,
                f"game_time_s {tick.game_time_s:g} after {self._last_game_time_s:g}; tick dropped",
                field="game_time_s",
                value=f"{tick.game_time_s:g}",
                limit=self._last_game_time_s,
            )
        if self._keyframe_due and tick.kind is not TickKind.KEYFRAME:
            return error_for(
                ErrorCode.BAD_TICK,
                "the first tick of a connection must be a keyframe; tick dropped",
                field="kind",
                value=str(tick.kind.value),
            )
        return None

    # --- out ---------------------------------------------------------------------------------

    def send(self, message: ServerMessage, key: str | None = None) -> None:
        """Send a message; reliable ones are kept until acked, others need a connection.

        Args:
            message: what to send.
            key: for unreliable messages: replaces one with this key that is still queued.
        """
        if self.state is SessionState.CLOSED:
            return
        if not isinstance(message, Reliable):
            self.send_frame(encode(message), key)
            return
        try:
            frame = self._replay.add(message)
        except CallsheetError as error:
            self._end(error)
            return
        if self._link is None:
            return
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

    def fail(self, error: CallsheetError, now_s: float) -> None:
        """Tell the client of an error, and close if the error's rule says so."""
        if RULES[error.code].closes is not None:
            self.detached_at_s = now_s
            self._end(error)
            return
        self.errors[error.code] += 1
        self.send(error_message(error))
        if self._error_budget.take(now_s):
            self._end(
                error_for(
                    ErrorCode.FLOODING,
                    f"more than {ERROR_BURST:g} errors; fix the client, the last was: {error}",
                    limit=ERROR_BURST,
                )
            )

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
        link, self._link = self._link, None
        if link is not None:
            link.send(encode(error_message(error)))
            link.close(rule.closes, str(error.code))
        resumable = rule.resumable or error.code is ErrorCode.SUPERSEDED
        self._set_state(SessionState.DETACHED if resumable else SessionState.CLOSED)

    def _set_state(self, state: SessionState) -> None:
        ids = {"session": self.id, "world": self.world}
        logger.info("%s -> %s", self.state.value, state.value, extra=ids)
        self.state = state


def _check_size(kind: str, size: int, limit: int) -> None:
    if size > limit:
        raise error_for(
            ErrorCode.MESSAGE_TOO_LARGE,
            f"{kind} frame of {size} bytes; the limit is {limit}",
            value=str(size),
            limit=limit,
        )


def error_message(error: CallsheetError) -> Error:
    """The wire form of an error."""
    return Error(
        id=error.request_id,
        code=error.code,
        message=error.message,
        field=error.field,
        value=error.value,
        limit=error.limit,
        retry_after_s=error.retry_after_s,
    )
