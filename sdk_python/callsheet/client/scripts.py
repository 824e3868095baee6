"""A client's scripts, and the facts noted about NPCs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.client.session import SessionClient
from callsheet.core import calls
from callsheet.wire.script import RegisterScript

__all__ = ["ScriptClient"]


class ScriptClient(SessionClient):
    """Binds scripts to NPCs (role mod) and notes facts about them (roles game and mod)."""

    async def register_script(self, script: RegisterScript) -> tuple[str, ...]:
        """Bind a script to NPCs; its ``id`` is replaced. Returns the NPCs it speaks for now."""
        return await self._driver.call(calls.register_script(self._session, script))

    async def unregister_script(self, script: str) -> None:
        """Take a script away."""
        await self._driver.call(calls.unregister_script(self._session, script))

    async def set_facts(self, npc: str, facts: Mapping[str, Any]) -> None:
        """Note facts about an NPC (roles game and mod); JSON values, None takes one away."""
        await self._driver.call(calls.set_facts(self._session, npc, facts))

    async def get_facts(self, npc: str) -> dict[str, Any]:
        """The facts noted about an NPC (roles game and mod), by name."""
        return await self._driver.call(calls.get_facts(self._session, npc))
