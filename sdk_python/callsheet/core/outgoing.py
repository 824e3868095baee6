"""Outgoing messages of a session: what is still to send, and requests without an answer."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from callsheet.core.requests import Pending, PendingReply, frame_of
from callsheet.core.ticks import TickEncoder
from callsheet.core.world_state import WorldState
from callsheet.wire.base import ClientMessage, Reliable
from callsheet.wire.talk import Cancel

__all__ = ["Outgoing"]


@dataclass(frozen=True, slots=True)
class _Queued:
    frame: str | bytes
    request: int | None = None


class Outgoing:
    """The queue, the open requests and the ticks; they outlive connections."""

    def __init__(self) -> None:
        self.ticks: TickEncoder = TickEncoder()
        self._keyframe_due = True
        """Whether the next tick must be a keyframe: the first of every connection."""
        self._loads: set[int] = set()
        """Loads that are not answered yet."""
        self._next_id = 1
        self._open: dict[int, Pending] = {}
        self._link: deque[str] = deque()
        self._queue: deque[_Queued] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def next_id(self) -> int:
        """An id for the next request."""
        self._next_id += 1
        return self._next_id - 1

    def next_frame(self, *, is_open: bool) -> str | bytes | None:
        """The next frame; before the session is open only what belongs to the connection."""
        if self._link:
            return self._link.popleft()
        return self._queue.popleft().frame if is_open and self._queue else None

    def link(self, message: ClientMessage) -> None:
        """Queue what belongs to this connection, ahead of the rest."""
        self._link.append(frame_of(message))

    def send(self, message: ClientMessage) -> None:
        """Queue a message that has no answer."""
        self._queue.append(_Queued(frame_of(message)))

    def ask(self, pending: Pending) -> None:
        """Queue a request and wait for its answer."""
        self._open[pending.id] = pending
        if pending.is_load:
            self._loads.add(pending.id)
        self._queue.append(_Queued(pending.frame, pending.id))

    def tick(self, state: WorldState, *, keyframe: bool, ack: bool, is_open: bool) -> int:
        """Queue a tick; return its number.

        Without a connection the state is sent by ``resumed``, during a load if that is refused.
        """
        frame = self.ticks.encode(state, keyframe=keyframe or self._keyframe_due, ack=ack)
        if is_open and not self._loads:
            self._queue.append(_Queued(frame))
        self._keyframe_due = not is_open or bool(self._loads)
        return self.ticks.next_tick - 1

    def answered(self, identity: int | None, message: Reliable | Exception) -> bool:
        """Give an answer, or an error, to its request. False if no open request has this id."""
        pending = self._open.get(identity or 0)
        if pending is None:
            return False
        if isinstance(message, Exception):
            pending.fail(message)
        else:
            pending.take(message)
        if pending.done:
            del self._open[pending.id]
            if pending.is_load:
                self._loaded(pending)
        return True

    def _loaded(self, load: Pending) -> None:
        """Let ticks go out again: those of the world that was left only if it was not left."""
        self._loads.discard(load.id)
        if load.error is None:
            self.ticks.forget()
        elif self._keyframe_due:
            self._send_state()

    def _send_state(self) -> None:
        """Queue the state as last given, if it may be sent."""
        if self.ticks.has_state and not self._loads:
            self._queue.append(_Queued(self.ticks.keyframe()))
            self._keyframe_due = False

    def disconnected(self) -> None:
        """Forget what belongs to the connection, ticks too."""
        self._link.clear()
        self._queue = deque(queued for queued in self._queue if isinstance(queued.frame, str))
        self._keyframe_due = True

    def resumed(self, last_request_id: int) -> None:
        """Queue what the server has not taken, in order, then what else waits, then the state.

        Cancels and the last ticks may have been lost with the connection, so both go out again.
        """
        others = [queued for queued in self._queue if queued.request is None]
        again = [_Queued(p.frame, p.id) for p in self._open.values() if p.id > last_request_id]
        self._queue = deque([*again, *others])
        for pending in self._open.values():
            if isinstance(pending, PendingReply) and pending.cancelled:
                self.send(Cancel(id=pending.id))
        self._send_state()

    def lose(self, error: Exception) -> None:
        """The session is gone: what was asked fails, what waits is not sent."""
        self._queue.clear()
        self.ticks.forget()
        self.fail(error)

    def fail(self, error: Exception) -> None:
        """Let every open request fail."""
        pending, self._open = list(self._open.values()), {}
        self._loads.clear()
        for one in pending:
            one.fail(error)
