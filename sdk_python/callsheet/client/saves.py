"""A client's saves: what NPCs remember, kept, gone back to and forgotten."""

from __future__ import annotations

from collections.abc import Iterable

from callsheet.client.session import SessionClient
from callsheet.core import memories
from callsheet.core.game_clock import GameClock
from callsheet.core.session import ClientSession
from callsheet.wire.saves import Loaded, Saved, SaveView

__all__ = ["SavesClient"]


class SavesClient(SessionClient):
    """Saves and loads what NPCs remember, along with the game (role game)."""

    def __init__(self, session: ClientSession) -> None:
        super().__init__(session)
        self.game_clock: GameClock = GameClock()
        """The clock of a game that has none of its own; a load sets it."""
        session.events.on((Loaded,), self._loaded)

    def _loaded(self, loaded: Loaded) -> None:
        self.game_clock.time_s = loaded.time_s

    async def save(self, name: str) -> Saved:
        """Save what the NPCs remember now, facts, schedules and the game's clock.

        A save of that name is replaced. When this returns, it is on the server's disk.
        """
        return await self._driver.call(memories.save(self._session, name))

    async def load(self, name: str) -> Loaded:
        """Go back to a save: nothing told since is known any more, open replies are cancelled.

        ``game_clock`` goes on from the save's time. A state that ``send_tick`` was given while the
        load was under way is of the world that was left: it is sent only if the load is refused.

        Raises:
            CallsheetError: ``unknown_save``.
        """
        return await self._driver.call(memories.load(self._session, name))

    async def delete_save(self, name: str) -> None:
        """Delete a save, and from the server's disk what only it held."""
        await self._driver.call(memories.delete_save(self._session, name))

    async def list_saves(self) -> tuple[SaveView, ...]:
        """Return the world's saves, the oldest first."""
        return await self._driver.call(memories.list_saves(self._session))

    async def forget(self, npcs: Iterable[str] | None = None, after_s: float | None = None) -> None:
        """Have NPCs forget, those who are not in the world too. Saves still hold what they held.

        Args:
            npcs: who forgets; None = everybody.
            after_s: game time; what happened up to then stays. None = nothing stays.
        """
        await self._driver.call(memories.forget(self._session, npcs, after_s))
