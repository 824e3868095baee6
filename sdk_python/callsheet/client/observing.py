"""A client that looks on, and may take part as a player of its own."""

from __future__ import annotations

from numpy.typing import ArrayLike

from callsheet.client.session import SessionClient
from callsheet.core import adapters, calls
from callsheet.wire.adapters import AdapterView
from callsheet.wire.fields import PolicyName
from callsheet.wire.observe import Explanation, Topic
from callsheet.wire.world import Joined

__all__ = ["ObservingClient"]


class ObservingClient(SessionClient):
    """Looks on (all roles), takes part and sets the server's policy (role observer)."""

    async def subscribe(self, *topics: Topic, interval_s: float = 0.5) -> None:
        """Set which topics come as events: replies, residency, npcs, stats. None ends all."""
        await self._driver.call(calls.subscribe(self._session, topics, interval_s))

    async def explain(self, npc: str) -> Explanation:
        """Return an NPC's distance and what each estimator says of it."""
        return await self._driver.call(calls.explain(self._session, npc))

    async def join(self, name: str, position_m: ArrayLike) -> Joined:
        """Enter the world as a player, until the session ends or the game leaves."""
        return await self._driver.call(calls.join(self._session, name, position_m))

    async def move_player(
        self, position_m: ArrayLike, velocity_mps: ArrayLike = (0.0, 0.0, 0.0)
    ) -> None:
        """Place the player joined with; like ``send``, it may be lost with the connection."""
        await self.send(calls.move_player(position_m, velocity_mps))

    async def set_policy(self, policy: PolicyName) -> None:
        """Set by which policy the server moves state, in all worlds."""
        await self._driver.call(calls.set_policy(self._session, policy))

    async def drain_replica(self, replica: str, *, undo: bool = False) -> None:
        """Move every NPC away from a replica of the engine; ``stats`` tells when that is done."""
        await self._driver.call(calls.drain_replica(self._session, replica, undo))

    async def set_adapter(self, adapter: str, folder: str, *, update: bool = False) -> None:
        """Add a LoRA adapter for all worlds; with ``update``, give one that is there new weights.

        Args:
            adapter: id by which NPCs name it.
            folder: of its weights in PEFT format, as the engine sees it.
            update: see above.
        """
        await self._driver.call(adapters.set_adapter(self._session, adapter, folder, update))

    async def remove_adapter(self, adapter: str) -> None:
        """Take away a LoRA adapter that no NPC has."""
        await self._driver.call(adapters.remove_adapter(self._session, adapter))

    async def list_adapters(self) -> tuple[AdapterView, ...]:
        """Return the LoRA adapters that NPCs may have."""
        return await self._driver.call(adapters.list_adapters(self._session))
