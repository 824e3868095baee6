"""The world as scripts act on it, over a client."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import Any, Generic, TypeVar

from callsheet.client import Client

__all__ = ["ClientStage"]

T = TypeVar("T")


class _UnderWay(Generic[T]):
    """Result of ``Npc.say``: it runs whether awaited or not; awaiting it waits for the end.

    Handlers on the handlers' thread and on the event loop may both make one.
    """

    def __init__(self, future: concurrent.futures.Future[T], failed: Callable[..., None]) -> None:
        self._future = future
        self._awaited = False
        self._failed = failed
        future.add_done_callback(self._ended)

    def __await__(self) -> Generator[Any, None, T]:
        self._awaited = True
        return asyncio.wrap_future(self._future).__await__()

    def _ended(self, future: concurrent.futures.Future[T]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None and not self._awaited:
            self._failed(error)


class ClientStage:
    """Carries out what scripts do; its methods may be called from any thread."""

    def __init__(self, client: Client, show: Callable[[str], None]) -> None:
        """Must be made on the client's event loop."""
        self._client, self._show = client, show
        self._loop = asyncio.get_running_loop()

    def speak(self, npc: str, text: str, audible_m: float | None) -> _UnderWay[str]:
        """Make the NPC say a line, which NPCs within ``audible_m`` overhear."""
        return self._begin(npc, "speak", self._spoken(npc, text, audible_m))

    def prompt(self, npc: str, text: str) -> _UnderWay[str]:
        """Tell the NPC something as a narrator."""
        return self._begin(npc, "speak", self._prompted(npc, text))

    def remember(self, npc: str, facts: Mapping[str, Any]) -> _UnderWay[None]:
        """Note facts about the NPC."""
        return self._begin(npc, "remember", self._client.set_facts(npc, facts))

    def recall(self, npc: str) -> _UnderWay[dict[str, Any]]:
        """The facts noted about the NPC."""
        return self._begin(npc, "recall", self._client.get_facts(npc))

    async def _spoken(self, npc: str, text: str, audible_m: float | None) -> str:
        return (await (await self._client.speak(npc, text, audible_m=audible_m))).text

    async def _prompted(self, npc: str, text: str) -> str:
        return (await (await self._client.say(npc, text))).text

    def _begin(self, npc: str, what: str, work: Coroutine[Any, Any, T]) -> _UnderWay[T]:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        return _UnderWay(future, lambda error: self._show(f"{npc!r} could not {what}: {error}"))
