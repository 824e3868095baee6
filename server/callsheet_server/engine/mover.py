"""The one executor of residency plans: it calls the stores, in order, off the event loop."""

from __future__ import annotations

import asyncio
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from callsheet_server.residency.actions import Action, Load
from callsheet_server.residency.errors import ResidencyError
from callsheet_server.residency.state import StateKind, StateStore, Tier

__all__ = ["Move", "Mover"]

_log = logging.getLogger(__name__)
_STOP, _URGENT, _PLANNED = range(3)


@dataclass(frozen=True, slots=True)
class Move:
    """A finished move, as it happened rather than as it was planned."""

    kind: StateKind
    key: Hashable
    source: Tier
    target: Tier
    """Where the state is now."""
    moved_bytes: int
    """0 = nothing had to be moved."""
    duration_s: float
    reason: str
    error: ResidencyError | None
    """Why it did not happen; None = it did."""


class Mover:
    """Carries out actions on one thread, first come first served, urgent ones first.

    A failed move is reported like any other; the next one goes on. Used from the event loop only.
    """

    def __init__(
        self,
        stores: Iterable[StateStore],
        on_move: Callable[[Move], None],
        *,
        max_pending: int = 256,
    ) -> None:
        """``on_move`` is called on the event loop after each move."""
        self._stores = {store.kind: store for store in stores}
        self._on_move = on_move
        self._max_pending = max_pending
        self._queue: queue.PriorityQueue[tuple[int, int, Action | None]] = queue.PriorityQueue()
        self._serial = itertools.count()
        self._pending: set[tuple[StateKind, Hashable]] = set()
        self._thread: threading.Thread | None = None

    @property
    def pending(self) -> int:
        """Actions taken and not yet reported."""
        return len(self._pending)

    def start(self) -> None:
        """Start the thread; moves are reported to the running event loop."""
        self._thread = threading.Thread(
            target=self._run,
            args=(asyncio.get_running_loop(),),
            name="callsheet-mover",
            daemon=True,
        )
        self._thread.start()

    async def close(self) -> None:
        """Drop what waits, finish what runs. May be called twice, and without ``start``."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._queue.put((_STOP, next(self._serial), None))
        await asyncio.to_thread(thread.join)
        self._pending.clear()

    def submit(self, actions: Sequence[Action], *, urgent: bool = False) -> tuple[Action, ...]:
        """Take ``actions`` in their order and return those taken.

        Left out: one whose state already has a move pending (its next plan will see the outcome),
        and everything beyond ``max_pending``.
        """
        taken = []
        for action in actions:
            if len(self._pending) >= self._max_pending:
                break
            state = (action.kind, action.key)
            if state in self._pending:
                continue
            self._pending.add(state)
            self._queue.put((_URGENT if urgent else _PLANNED, next(self._serial), action))
            taken.append(action)
        return tuple(taken)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            _, _, action = self._queue.get()
            if action is None:
                return
            move = self._carry_out(action)
            if loop.is_closed():
                return
            loop.call_soon_threadsafe(self._report, move)

    def _carry_out(self, action: Action) -> Move:
        store = self._stores[action.kind]
        source = store.tier(action.key)
        started_s = time.perf_counter()
        moved_bytes, error = 0, None
        try:
            step = store.load if isinstance(action, Load) else store.evict
            moved_bytes = step(action.key, action.target)
        except ResidencyError as failure:
            error = failure
        except Exception as failure:  # a user's own store may raise anything
            _log.exception("moving %s %s failed", action.kind, action.key)
            error = ResidencyError(f"{type(failure).__name__}: {failure}")
        return Move(
            kind=action.kind,
            key=action.key,
            source=source,
            target=store.tier(action.key),
            moved_bytes=moved_bytes,
            duration_s=time.perf_counter() - started_s,
            reason=action.reason,
            error=error,
        )

    def _report(self, move: Move) -> None:
        self._pending.discard((move.kind, move.key))
        self._on_move(move)
