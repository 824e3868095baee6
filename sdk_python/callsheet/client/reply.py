"""A reply while it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator

from callsheet.core.requests import PendingReply
from callsheet.core.session import ClientSession
from callsheet.drivers.aio import AsyncioDriver
from callsheet.wire.talk import Action, ReplyEnd

__all__ = ["Reply"]


class Reply:
    """An NPC's reply while it arrives: iterate over its text, or wait for its ``end``.

    Of several NPCs that answer in turn it holds all the text; ``ends`` has what each said, and
    ``end`` is that of the last.
    """

    def __init__(
        self, session: ClientSession, driver: AsyncioDriver, pending: PendingReply
    ) -> None:
        self._session, self._driver, self._pending = session, driver, pending
        self._wait = driver.waiter(pending)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pending.deltas)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions so far; complete when the reply has ended."""
        return tuple(self._pending.actions)

    @property
    def ends(self) -> tuple[ReplyEnd, ...]:
        """Ends of the replies so far: one for each NPC that was spoken to, in turn."""
        return tuple(self._pending.ends)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Each new piece of text. Raises as ``end`` does, when the text so far is read."""
        pending, read = self._pending, 0
        while True:
            await self._wait(lambda: read < len(pending.deltas) or pending.done)  # noqa: B023
            if read == len(pending.deltas):
                pending.result()
                return
            yield pending.deltas[read]
            read += 1

    def __await__(self) -> Generator[object, None, ReplyEnd]:
        """``await reply`` is ``await reply.end()``."""
        return self.end().__await__()

    async def end(self) -> ReplyEnd:
        """Wait for the end, with the whole text.

        Raises:
            CallsheetError: the say was refused, or the reply ended with an error.
            SessionLostError: the session could not be resumed.
        """
        await self._wait(lambda: self._pending.done)
        end = self._pending.result()
        assert isinstance(end, ReplyEnd)
        return end

    def cancel(self) -> None:
        """Stop it; its end says "cancelled". Without effect if it has ended."""
        with self._driver.changing():
            self._session.cancel(self._pending)
