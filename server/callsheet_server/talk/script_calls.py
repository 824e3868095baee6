"""Questions to mods that are answered within a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from callsheet.wire.base import ServerMessage
from callsheet.wire.script import ActionVerdict, HearAnswer
from callsheet_server.session.session import Session

__all__ = ["ScriptCalls"]

ScriptAnswer = HearAnswer | ActionVerdict


class ScriptCalls:
    """Numbers questions, and gives answers to those who wait for them."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._waiting: dict[int, tuple[Session, asyncio.Future[ScriptAnswer]]] = {}
        self._last_call = 0

    async def ask(self, mod: Session, question: Callable[[int], ServerMessage]) -> ScriptAnswer:
        """Send the question that is made with its number, and wait for the answer.

        Raises:
            TimeoutError: there was none in time.
        """
        self._last_call += 1
        call = self._last_call
        future: asyncio.Future[ScriptAnswer] = asyncio.get_running_loop().create_future()
        self._waiting[call] = mod, future
        try:
            mod.send(question(call))
            async with asyncio.timeout(self.timeout_s):
                return await future
        finally:
            del self._waiting[call]

    def answer(self, session: Session, answer: ScriptAnswer) -> None:
        """Take a mod's answer. Late ones, and those of other mods, are ignored."""
        asked, future = self._waiting.get(answer.call, (None, None))
        if future is not None and asked is session and not future.done():
            future.set_result(answer)
