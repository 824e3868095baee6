"""The client's side of a callsheet.v1 session, without I/O.

The adapter does four things. When the state is CONNECTING it opens a socket and calls
``connected``. It feeds what arrives to ``receive`` and the end of the socket to ``disconnected``.
It sends what ``next_frame`` gives. It calls ``advance`` no later than ``next_deadline_s``. When
the state is DISCONNECTED or CLOSED it closes the socket it may still have.

Time is any clock that does not go back; ``random`` gives numbers in [0, 1).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Final

import orjson

from callsheet.core.clock import ClockSync
from callsheet.core.errors import SessionClosedError, SessionLostError
from callsheet.core.events import EventHub, SessionReset, SessionState, StateChanged
from callsheet.core.heartbeat import Heartbeat
from callsheet.core.incoming import Incoming
from callsheet.core.outgoing import Outgoing
from callsheet.core.reconnect import (
    AfterClose,
    Attempts,
    after_close,
    refusal_of,
    unreachable,
    version_mismatch,
)
from callsheet.core.requests import Pending, PendingReply, exception_of
from callsheet.core.settings import ClientSettings
from callsheet.core.ticks import REWINDS_SINCE_MINOR
from callsheet.core.world_state import WorldState
from callsheet.wire.base import ClientMessage, Reliable, Request, ServerMessage
from callsheet.wire.codec import parse_server_message
from callsheet.wire.errors import RULES, CallsheetError, CloseCode, ErrorCode, error_for
from callsheet.wire.fields import PROTOCOL
from callsheet.wire.session import (
    Ack,
    Bye,
    Draining,
    EngineProgress,
    Error,
    Hello,
    Ping,
    Pong,
    Resume,
    Welcome,
)
from callsheet.wire.talk import Cancel

__all__ = ["CONNECTED", "ClientSession"]

logger: logging.Logger = logging.getLogger("callsheet")

CONNECTED: Final = frozenset(
    {SessionState.OPENING, SessionState.RESUMING, SessionState.OPEN, SessionState.DRAINING}
)


class ClientSession:
    """One session over as many connections as it takes.

    Requests, cancels and other messages are queued while there is no connection and sent when the
    session is resumed. If it cannot be resumed they fail: nothing is asked twice in two sessions.
    Ticks are not kept: a resumed session begins with the last state given, as a keyframe.
    """

    def __init__(
        self, hello: Hello, settings: ClientSettings, random: Callable[[], float], url: str
    ) -> None:
        self.state: SessionState = SessionState.DISCONNECTED
        self.settings = settings
        self.welcome: Welcome | None = None
        self.error: Exception | None = None
        """Reason the session is CLOSED, if nobody here asked for it."""
        self.clock: ClockSync = ClockSync()
        self.events: EventHub = EventHub()
        self.url: str = url
        self._hello = hello
        self._incoming, self._outgoing = Incoming(), Outgoing()
        self.next_id: Callable[[], int] = self._outgoing.next_id
        self._resume: tuple[str, str] | None = None
        self._attempts = Attempts(settings, random)
        self._heartbeat = Heartbeat()
        self._closing = False
        self._refusal: CallsheetError | None = None
        self._connect_at_s = self._state_until_s = 0.0
        self._draining: Draining | None = None

    # What the adapter calls.

    def start(self, now_s: float) -> None:
        """Begin: the state becomes CONNECTING."""
        self._attempts.begin(now_s)
        self._connect(now_s)

    def connected(self, now_s: float) -> None:
        """The socket is open: say hello."""
        if self.state is not SessionState.CONNECTING:
            return
        resume = None
        if self._resume:
            session, token = self._resume
            resume = Resume(session=session, token=token, last_seq=self._incoming.last_seq)
        self._refusal = None
        self._outgoing.link(self._hello.model_copy(update={"resume": resume}))
        self._enter(SessionState.RESUMING if resume else SessionState.OPENING, "socket open")

    def receive(self, frame: str | bytes, now_s: float) -> None:
        """Take one frame. Never raises: what cannot be read is logged and left out."""
        if self.state not in CONNECTED:
            return
        self._heartbeat.heard(now_s)
        try:
            message: ServerMessage = parse_server_message(frame)
        except CallsheetError as error:
            if error.code is ErrorCode.UNKNOWN_TYPE:
                # From a server with a greater minor version; it may be numbered all the same.
                seq = orjson.loads(frame).get("seq")
                if isinstance(seq, int):
                    self._count(seq, now_s)
            else:
                logger.warning("a message of the server cannot be read: %s", error)
            return
        if isinstance(message, Welcome):
            self._welcomed(message, now_s)
        elif isinstance(message, Pong):
            self.clock.add(message.client_time_s, now_s, message.server_time_s)
            if self._heartbeat.has_proven_itself(now_s):
                self._attempts.reset()
        elif not isinstance(message, Reliable):
            if isinstance(message, EngineProgress) and not self._is_open:
                self._state_until_s = now_s + self.settings.open_timeout_s
            self._drain(message, now_s)
            self.events.emit(message)
        elif message.seq is None or self._count(message.seq, now_s):
            self._take(message)

    def disconnected(self, now_s: float, close_code: int | None, reason: str) -> None:
        """The socket is gone, or could not be opened (``close_code`` None).

        Decides whether to resume, to begin anew or to end.
        """
        if self.state in (SessionState.CLOSED, SessionState.DISCONNECTED):
            return
        if self._closing:
            self._end(None, "closed")
            return
        refusal, self._refusal = self._refusal or refusal_of(close_code, reason), None
        after = after_close(close_code, refusal)
        trouble = str(refusal or reason or f"closed with {close_code}")
        if after is AfterClose.END:
            self._end(refusal or SessionLostError(f"the server ended it: {trouble}"), trouble)
            return
        if after is AfterClose.FRESH:
            self._outgoing.lose(SessionLostError(f"the server ended the session: {trouble}"))
            self._resume = None
        retry_after_s = (refusal.retry_after_s if refusal else None) or 0.0
        allowed_s = (
            self.settings.connect_timeout_s if self.welcome is None else self.settings.max_offline_s
        )
        allowed_s = math.inf if allowed_s is None else allowed_s
        wait_s = self._attempts.wait_s(now_s, retry_after_s, allowed_s)
        if wait_s is None:
            self._end(refusal or unreachable(self.url, allowed_s, trouble), trouble)
            return
        self._outgoing.disconnected()
        self._draining = None
        self._connect_at_s = now_s + wait_s
        self._enter(SessionState.DISCONNECTED, trouble, wait_s)

    def next_frame(self) -> str | bytes | None:
        """The next frame to send, or None."""
        if self.state not in CONNECTED:
            return None
        return self._outgoing.next_frame(is_open=self._is_open)

    def advance(self, now_s: float) -> None:
        """Do what is due at this time."""
        match self.state:
            case SessionState.DISCONNECTED if now_s >= self._connect_at_s:
                self._connect(now_s)
            case SessionState.CONNECTING | SessionState.OPENING | SessionState.RESUMING:
                if now_s >= self._state_until_s:
                    timeout_s = self.settings.open_timeout_s
                    self.disconnected(now_s, None, f"no welcome within {timeout_s:g} s")
            case SessionState.OPEN | SessionState.DRAINING:
                self._advance_open(now_s)
            case _:
                pass

    @property
    def next_deadline_s(self) -> float | None:
        """Time at which ``advance`` is due; None = not before something else happens."""
        match self.state:
            case SessionState.DISCONNECTED:
                return self._connect_at_s
            case SessionState.CONNECTING | SessionState.OPENING | SessionState.RESUMING:
                return self._state_until_s
            case SessionState.OPEN | SessionState.DRAINING:
                due = [self._heartbeat.next_deadline_s]
                due += [] if self._incoming.ack_at_s is None else [self._incoming.ack_at_s]
                due += [self._state_until_s] if self._closing else []
                return min(due)
            case SessionState.CLOSED:
                return None

    # What the client's methods call.

    @property
    def has_room(self) -> bool:
        """Whether one more message can be queued."""
        return len(self._outgoing) < self.settings.max_queued_messages

    def check_open(self) -> None:
        """Raise what ended the session, if it has ended, or that it has not begun."""
        if self.error is not None:
            raise self.error
        if self._closing:
            raise SessionClosedError("the session was closed on this side")
        if not self._attempts.begun:
            raise SessionClosedError("enter the client first: (async) with connect(...) as client")

    def opened(self) -> Welcome:
        """Return the server's welcome. Raises as ``check_open`` does."""
        if self.welcome is None:
            self.check_open()
            raise SessionClosedError("the session has not been opened yet")
        return self.welcome

    def request(self, message: Request) -> Pending:
        """Ask something; its id must come from ``next_id``.

        Raises:
            SessionError: ``draining``: the server is about to stop.
            SessionClosedError: the session is closed.
        """
        pending = Pending(message)
        self._ask(pending)
        return pending

    def request_reply(self, message: Request) -> PendingReply:
        """Ask for a reply (``say``, ``speak``). Raises as ``request`` does."""
        reply = PendingReply(message)
        self._ask(reply)
        return reply

    def cancel(self, reply: PendingReply) -> None:
        """Stop a reply; without effect if it has ended."""
        if not reply.done and not reply.cancelled:
            reply.cancelled = True
            self.send(Cancel(id=reply.id))

    def send(self, message: ClientMessage) -> None:
        """Send a message that has no answer. Raises ``SessionClosedError``."""
        self.check_open()
        self._outgoing.send(message)

    def send_tick(self, state: WorldState, *, keyframe: bool, ack: bool) -> int:
        """Send the state of everybody.

        Returns:
            The tick's number. Without a connection nothing is sent; the last state given goes out
            when the session is resumed, as a keyframe with a greater number. While a load is under
            way nothing is sent either: the last state goes out if it is refused.
        """
        self.check_open()
        return self._outgoing.tick(state, keyframe=keyframe, ack=ack, is_open=self._is_open)

    def close(self, now_s: float) -> None:
        """End the session for good: open requests fail, what is queued is sent, then ``bye``."""
        if self._closing or self.state is SessionState.CLOSED:
            return
        self._closing = True
        self._outgoing.fail(SessionClosedError("the session was closed on this side"))
        if not self._is_open:
            self._end(None, "closed")
            return
        self._outgoing.send(Bye())
        self._state_until_s = now_s + self.settings.close_timeout_s
        self._enter(SessionState.DRAINING, "closing")

    def abort(self, error: Exception) -> None:
        """End the session at once because of a mistake on this side."""
        self._end(error, str(error))

    # Inside.

    def _connect(self, now_s: float) -> None:
        self._state_until_s = now_s + self.settings.open_timeout_s
        self._enter(SessionState.CONNECTING, self.url)

    def _welcomed(self, welcome: Welcome, now_s: float) -> None:
        if welcome.protocol.split(".")[0] != PROTOCOL.split(".")[0]:
            self._end(version_mismatch(welcome.protocol), "version mismatch")
            return
        first = self.welcome is None
        self.welcome = welcome
        self._resume = (welcome.session, welcome.resume_token)
        self._attempts.connected()
        minor = welcome.protocol.partition(".")[2]
        self._outgoing.ticks.can_rewind = minor.isdecimal() and int(minor) >= REWINDS_SINCE_MINOR
        self._heartbeat.begin(now_s, welcome.heartbeat_interval_s)
        self._incoming.begin(resumed=welcome.resumed)
        if welcome.resumed:
            self._outgoing.resumed(welcome.last_request_id)
        else:
            self._outgoing.lose(SessionLostError("it could not be resumed; a new session is open"))
        self._enter(SessionState.OPEN, "resumed" if welcome.resumed else "welcome")
        if not (first or welcome.resumed):
            self.events.emit(SessionReset(welcome.session))

    def _count(self, seq: int, now_s: float) -> bool:
        """Whether a numbered message is new; hangs up if one before it is missing."""
        if not self._incoming.is_next(seq):
            missing = self._incoming.last_seq + 1
            self.disconnected(now_s, None, f"message {missing} is missing, got {seq}")
            return False
        new = self._incoming.count(seq, now_s)
        self._ack(now_s)
        return new

    def _take(self, message: Reliable) -> None:
        """Give a reliable message to the request it answers and to who listens."""
        answer = exception_of(message) if isinstance(message, Error) else message
        found = self._outgoing.answered(getattr(message, "id", None), answer)
        if not found and isinstance(answer, CallsheetError) and RULES[answer.code].closes:
            self._refusal = answer
        self.events.emit(message)

    def _drain(self, message: ServerMessage, now_s: float) -> None:
        if isinstance(message, Draining) and self.state is SessionState.OPEN:
            self._draining = message
            self._attempts.hold(now_s + message.reconnect_after_s)
            self._enter(SessionState.DRAINING, f"the server stops in {message.deadline_s:g} s")

    def _ask(self, pending: Pending) -> None:
        self.check_open()
        if self._draining:
            raise error_for(
                ErrorCode.DRAINING,
                "the server is about to stop; ask again when the state is open",
                retry_after_s=self._draining.reconnect_after_s,
            )
        self._outgoing.ask(pending)

    @property
    def _is_open(self) -> bool:
        return self.state in (SessionState.OPEN, SessionState.DRAINING)

    def _advance_open(self, now_s: float) -> None:
        if self._closing and now_s >= self._state_until_s:
            self._end(None, "closed without the server's answer")
        elif (silent_s := self._heartbeat.silent_s(now_s)) is not None:
            self.disconnected(
                now_s, CloseCode.HEARTBEAT_TIMEOUT, f"the server was silent for {silent_s:.1f} s"
            )
        else:
            if self._heartbeat.take_ping(now_s):
                self._outgoing.link(Ping(client_time_s=now_s))
            self._ack(now_s)

    def _ack(self, now_s: float) -> None:
        due_s = self._incoming.ack_at_s
        if self._is_open and due_s is not None and now_s >= due_s:
            self._outgoing.link(Ack(seq=self._incoming.last_seq))
            self._incoming.acked()

    def _end(self, error: Exception | None, reason: str) -> None:
        self.error = error
        self._outgoing.disconnected()
        self._outgoing.lose(error or SessionClosedError("the session was closed on this side"))
        self._enter(SessionState.CLOSED, reason)

    def _enter(self, state: SessionState, reason: str, retry_in_s: float | None = None) -> None:
        """Go to another state; the only place that does."""
        previous, self.state = self.state, state
        logger.debug("%s: %s -> %s (%s)", self._hello.role, previous, state, reason)
        self.events.emit(StateChanged(previous, state, reason, retry_in_s))
