"""A client that carries out what NPCs want to do."""

from __future__ import annotations

from callsheet.client.session import SessionClient
from callsheet.core.game_actions import ActionBook, GameAction
from callsheet.core.session import ClientSession
from callsheet.wire.talk import Action

__all__ = ["ActionClient"]


class ActionClient(SessionClient):
    """Carries out actions (role game)."""

    def __init__(self, session: ClientSession) -> None:
        super().__init__(session)
        self._actions = ActionBook()

    def carry_out(self, *actions: GameAction) -> None:
        """Call these functions when an NPC takes their action, and tell it what became of it.

        From the first call on, an action that is none of these fails, and is logged once.
        """
        if not self._actions:
            self.on(self._acted, Action)
        self._actions.add(actions)

    def _acted(self, asked: Action) -> None:
        self._driver.aside(lambda: self._carry_out(asked))

    async def _carry_out(self, asked: Action) -> None:
        try:
            returned = await self._driver.finished(self._actions.begin(asked))
        except Exception as error:
            result = self._actions.failed(asked, error)
        else:
            result = self._actions.succeeded(asked, returned)
        await self.send(result)
