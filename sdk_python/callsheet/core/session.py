"""The client's side of a callsheet.v1 session, without I/O.

The adapter does four things. When the state is CONNECTING it opens a socket and calls
``connected``. It feeds what arrives to ``receive`` and the end of the socket to ``disconnected``.
It sends what ``next_frame`` gives. It calls ``advance`` no later than ``next_deadline_s``. When
the state is DISCONNECTED or CLOSED it closes the socket it may still have.

Time is any clock that does not go back; ``random`` gives numbers in [0, 1).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson
from numpy.typing import ArrayLike

from callsheet.core.clock import ClockSync
from callsheet.core.errors import ConnectFailedError, SessionClosedError, SessionLostError
from callsheet.core.events import EventHub, SessionReset, SessionState, StateChanged
from callsheet.core.reconnect import AfterClose, Backoff, after_close, refusal_of
from callsheet.core.requests import Pending, PendingReply, exception_of
from callsheet.core.settings import ClientSettings
from callsheet.core.ticks import TickEncoder
from callsheet.wire.base import ClientMessage, Reliable, Request, ServerMessage
from callsheet.wire.codec import encode, parse_server_message
from callsheet.wire.errors import RULES, CallsheetError, CloseCode, ErrorCode, error_for
from callsheet.wire.fields import PROTOCOL
from callsheet.wire.session import (
    Ack,
    Bye,
    Draining,
    Error,
    Hello,
    Ping,
    Pong,
    Resume,
    Welcome,
)
from callsheet.wire.talk import Cancel

__all__ = ["CONNECTED", "ClientSession"]

logger = logging.getLogger("callsheet")

ACK_EVERY_MESSAGES = 32
ACK_EVERY_S = 1.0
SILENT_INTERVALS = 3
CONNECTED: Final = frozenset(
    {SessionState.OPENING, SessionState.RESUMING, SessionState.OPEN, SessionState.DRAINING}
)


@dataclass(frozen=True, slots=True)
class _Queued:
    frame: str | bytes
    request: int | None = None


class ClientSession:
    """One session over as many connections as it takes.

    Requests, cancels and other messages are queued while there is no connection and sent when the
    session is resumed. If it cannot be resumed they fail: nothing is asked twice in two sessions.
    Of ticks sent meanwhile only the last counts; it goes out as a keyframe.
    """

    def __init__(
        self, hello: Hello, settings: ClientSettings, random: Callable[[], float], url: str
    ) -> None:
        self.state = SessionState.DISCONNECTED
        self.settings = settings
        self.welcome: Welcome | None = None
        self.error: Exception | None = None
        """Why the session is CLOSED, if nobody here asked for it."""
        self.clock = ClockSync()
        self.events = EventHub()
        self._hello, self.url = hello, url
        self._ticks = TickEncoder()
        self._tick_waits = self._keyframe_due = False
        self._next_id = 1
        self._open: dict[int, Pending] = {}
        self._link: deque[str] = deque()
        self._queue: deque[_Queued] = deque()
        self._resume: tuple[str, str] | None = None
        self._last_seq = self._acked_seq = 0
        self._backoff = Backoff(settings, random)
        self._closing = False
        self._refusal: CallsheetError | None = None
        self._offline_since_s: float | None = None
        self._connect_at_s = self._opened_at_s = self._heard_at_s = 0.0
        self._state_until_s = self._ping_at_s = 0.0
        self._ack_at_s: float | None = None
        self._draining: Draining | None = None
        self._not_before_s = 0.0

    # What the adapter calls.

    def start(self, now_s: float) -> None:
        """Begin: the state becomes CONNECTING."""
        self._offline_since_s = now_s
        self._connect(now_s)

    def connected(self, now_s: float) -> None:
        """The socket is open: say hello."""
        resume = None
        if self._resume:
            session, token = self._resume
            resume = Resume(session=session, token=token, last_seq=self._last_seq)
        self._refusal = None
        self._heard_at_s = now_s
        self._link.append(encode(self._hello.model_copy(update={"resume": resume})).decode())
        self._enter(SessionState.RESUMING if resume else SessionState.OPENING, "socket open")

    def receive(self, frame: str | bytes, now_s: float) -> None:
        """Take one frame. Never raises: what cannot be read is logged and left out."""
        if self.state not in CONNECTED:
            return
        self._heard_at_s = now_s
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
            if now_s - self._opened_at_s >= self._heartbeat_s:
                self._backoff.reset()
        elif not isinstance(message, Reliable):
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
            self._fail_open(SessionLostError(f"the server ended the session: {trouble}"))
            self._resume = None
        wait_s = self._backoff.wait_s() + max(self._not_before_s - now_s, 0.0)
        if refusal is not None:
            wait_s += refusal.retry_after_s or 0.0
        if self._offline_since_s is None:
            self._offline_since_s = now_s
        never_open = self.welcome is None
        allowed_s = self.settings.connect_timeout_s if never_open else self.settings.max_offline_s
        if allowed_s is not None and now_s + wait_s - self._offline_since_s > allowed_s:
            self._end(refusal or self._unreachable(trouble, allowed_s), trouble)
            return
        self._leave_connection()
        self._connect_at_s = now_s + wait_s
        self._enter(SessionState.DISCONNECTED, trouble, wait_s)

    def next_frame(self) -> str | bytes | None:
        """The next frame to send, or None."""
        if self.state not in CONNECTED:
            return None
        if self._link:
            return self._link.popleft()
        if self.state in (SessionState.OPEN, SessionState.DRAINING):
            return self._queue.popleft().frame if self._queue else None
        return None

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
        """When ``advance`` is due; None = not before something else happens."""
        match self.state:
            case SessionState.DISCONNECTED:
                return self._connect_at_s
            case SessionState.CONNECTING | SessionState.OPENING | SessionState.RESUMING:
                return self._state_until_s
            case SessionState.OPEN | SessionState.DRAINING:
                due = [self._ping_at_s, self._silent_at_s]
                due += [] if self._ack_at_s is None else [self._ack_at_s]
                due += [self._state_until_s] if self._closing else []
                return min(due)
            case SessionState.CLOSED:
                return None

    # What the client's methods call.

    @property
    def has_room(self) -> bool:
        """Whether one more message can be queued."""
        return len(self._queue) < self.settings.max_queued_messages

    def next_id(self) -> int:
        """An id for the next request."""
        self._next_id += 1
        return self._next_id - 1

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
        self._queue.append(_Queued(encode(message).decode()))

    def send_tick(
        self,
        game_time_s: float,
        handles: ArrayLike,
        positions_m: ArrayLike,
        velocities_mps: ArrayLike | None,
        next_call_s: ArrayLike | None,
        flags: ArrayLike | None,
        *,
        player_handles: ArrayLike,
        player_positions_m: ArrayLike,
        player_velocities_mps: ArrayLike | None,
        keyframe: bool,
        ack: bool,
    ) -> int:
        """Send the state of everybody; the arrays are those of ``TickEncoder.state``.

        Returns:
            The tick's number. Without a connection the tick is held, and only the last one held is
            sent later, as a keyframe with a greater number.
        """
        self.check_open()
        frame = self._ticks.state(
            game_time_s,
            handles,
            positions_m,
            velocities_mps,
            next_call_s,
            flags,
            player_handles=player_handles,
            player_positions_m=player_positions_m,
            player_velocities_mps=player_velocities_mps,
            keyframe=keyframe or self._keyframe_due,
            ack=ack,
        )
        if self.state in (SessionState.OPEN, SessionState.DRAINING):
            self._queue.append(_Queued(frame))
            self._keyframe_due = False
        else:
            self._tick_waits = True
        return self._ticks.next_tick - 1

    def close(self, now_s: float) -> None:
        """End the session for good: open requests fail, what is queued is sent, then ``bye``."""
        if self._closing or self.state is SessionState.CLOSED:
            return
        self._closing = True
        self._fail_open(SessionClosedError("the session was closed on this side"))
        if self.state not in (SessionState.OPEN, SessionState.DRAINING):
            self._end(None, "closed")
            return
        self._queue.append(_Queued(encode(Bye()).decode()))
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
            self._end(_version_mismatch(welcome), "version mismatch")
            return
        first = self.welcome is None
        self.welcome = welcome
        self._resume = (welcome.session, welcome.resume_token)
        self._offline_since_s = None
        self._opened_at_s = self._ping_at_s = now_s
        if welcome.resumed:
            self._queue_again(welcome.last_request_id)
        else:
            self._fail_open(SessionLostError("the session could not be resumed; a new one is open"))
            self._last_seq = 0
            self._ticks.forget()
            self._tick_waits = False
        self._acked_seq = self._last_seq
        self._keyframe_due = True
        if self._tick_waits:
            self._queue.append(_Queued(self._ticks.keyframe()))
            self._tick_waits = self._keyframe_due = False
        self._enter(SessionState.OPEN, "resumed" if welcome.resumed else "welcome")
        if not (first or welcome.resumed):
            self.events.emit(SessionReset(welcome.session))

    def _queue_again(self, last_request_id: int) -> None:
        """Requests the server has not taken first, in order; then what else was waiting."""
        others = [queued for queued in self._queue if queued.request is None]
        again = [p for p in self._open.values() if p.id > last_request_id]
        self._queue.clear()
        self._queue.extend(_Queued(p.frame, p.id) for p in again)
        self._queue.extend(others)

    def _count(self, seq: int, now_s: float) -> bool:
        """Whether a numbered message is new. Owes an ack; hangs up if one before it is missing."""
        if seq > self._last_seq + 1:
            self.disconnected(now_s, None, f"message {self._last_seq + 1} is missing, got {seq}")
            return False
        new = seq > self._last_seq
        self._last_seq = max(seq, self._last_seq)
        if self._last_seq - self._acked_seq >= ACK_EVERY_MESSAGES or not new:
            self._ack()
        elif self._ack_at_s is None:
            self._ack_at_s = now_s + ACK_EVERY_S
        return new

    def _ack(self) -> None:
        self._link.append(encode(Ack(seq=self._last_seq)).decode())
        self._acked_seq, self._ack_at_s = self._last_seq, None

    def _take(self, message: Reliable) -> None:
        """Give a reliable message to the request it answers and to who listens."""
        pending = self._open.get(getattr(message, "id", None) or 0)
        if isinstance(message, Error):
            error = exception_of(message)
            if pending:
                pending.fail(error)
            elif RULES[error.code].closes:
                self._refusal = error
        elif pending:
            pending.take(message)
        if pending and pending.done:
            del self._open[pending.id]
        self.events.emit(message)

    def _drain(self, message: ServerMessage, now_s: float) -> None:
        if isinstance(message, Draining) and self.state is SessionState.OPEN:
            self._draining = message
            self._not_before_s = now_s + message.reconnect_after_s
            self._enter(SessionState.DRAINING, f"the server stops in {message.deadline_s:g} s")

    def _ask(self, pending: Pending) -> None:
        self.check_open()
        if self._draining:
            raise error_for(
                ErrorCode.DRAINING,
                "the server is about to stop; ask again when the state is open",
                retry_after_s=self._draining.reconnect_after_s,
            )
        self._open[pending.id] = pending
        self._queue.append(_Queued(pending.frame, pending.id))

    def check_open(self) -> None:
        """Raise what ended the session, if it has ended: a refusal, a lost connection, a close."""
        if self.error is not None:
            raise self.error
        if self._closing:
            raise SessionClosedError("the session was closed on this side")

    @property
    def _heartbeat_s(self) -> float:
        return self.welcome.heartbeat_interval_s if self.welcome else 0.0

    @property
    def _silent_at_s(self) -> float:
        return self._heard_at_s + SILENT_INTERVALS * self._heartbeat_s

    def _advance_open(self, now_s: float) -> None:
        if self._closing and now_s >= self._state_until_s:
            self._end(None, "closed without the server's answer")
        elif now_s >= self._silent_at_s:
            silent_s = now_s - self._heard_at_s
            self.disconnected(
                now_s, CloseCode.HEARTBEAT_TIMEOUT, f"the server was silent for {silent_s:.1f} s"
            )
        else:
            if now_s >= self._ping_at_s:
                self._link.append(encode(Ping(client_time_s=now_s)).decode())
                self._ping_at_s = now_s + self._heartbeat_s
            if self._ack_at_s is not None and now_s >= self._ack_at_s:
                self._ack()

    def _leave_connection(self) -> None:
        """Forget what belongs to one connection. Unsent ticks become one that waits."""
        self._link.clear()
        self._ack_at_s = None
        self._draining = None
        kept = [queued for queued in self._queue if isinstance(queued.frame, str)]
        self._tick_waits |= len(kept) < len(self._queue)
        self._queue.clear()
        self._queue.extend(kept)

    def _fail_open(self, error: Exception) -> None:
        self._queue.clear()
        pending, self._open = list(self._open.values()), {}
        for one in pending:
            one.fail(error)

    def _unreachable(self, trouble: str, allowed_s: float) -> ConnectFailedError:
        return ConnectFailedError(
            f"no Callsheet server at {self.url} within {allowed_s:g} s (last: {trouble}). "
            "Start one with: callsheet serve"
        )

    def _end(self, error: Exception | None, reason: str) -> None:
        self.error = error
        self._leave_connection()
        self._fail_open(error or SessionClosedError("the session was closed on this side"))
        self._enter(SessionState.CLOSED, reason)

    def _enter(self, state: SessionState, reason: str, retry_in_s: float | None = None) -> None:
        """Go to another state; the only place that does."""
        previous, self.state = self.state, state
        logger.debug("%s: %s -> %s (%s)", self._hello.role, previous, state, reason)
        self.events.emit(StateChanged(previous, state, reason, retry_in_s))


def _version_mismatch(welcome: Welcome) -> CallsheetError:
    theirs, ours = welcome.protocol, PROTOCOL
    newer_server = int(theirs.split(".")[0]) > int(ours.split(".")[0])
    fix = "upgrade this client" if newer_server else "upgrade the server"
    return error_for(
        ErrorCode.VERSION_MISMATCH,
        f"the server speaks callsheet {theirs}, this client {ours}: {fix} "
        "(pip install --upgrade callsheet)",
    )
