"""A client's world: who is in it, and where they are."""

from __future__ import annotations

from collections.abc import Iterable

from numpy.typing import ArrayLike

from callsheet.client.session import SessionClient
from callsheet.core import batches, calls
from callsheet.core.batches import Handles
from callsheet.core.world_state import world_state
from callsheet.wire.world import (
    ActionSpec,
    ConditionalLore,
    Hint,
    NpcSpec,
    PlayerSpec,
    ScheduledCall,
)

__all__ = ["WorldClient"]


class WorldClient(SessionClient):
    """Sets up a world and tells where everybody is (role game)."""

    async def configure_world(
        self,
        *,
        lore: str | None = None,
        player_max_speed_mps: float | None = None,
        npc_max_speed_mps: float | None = None,
        lore_entries: Iterable[ConditionalLore] | None = None,
        flags: Iterable[str] | None = None,
    ) -> None:
        """Set what holds for the whole world; None keeps a value.

        Args:
            lore: text every NPC knows.
            player_max_speed_mps: the fastest a player can move.
            npc_max_speed_mps: the fastest an NPC can move.
            lore_entries: lore with conditions, in place of that before.
            flags: those that are set now, all others are not.
        """
        await self._driver.call(
            calls.configure_world(
                self._session, lore, player_max_speed_mps, npc_max_speed_mps, lore_entries, flags
            )
        )

    async def spawn(
        self, npcs: Iterable[NpcSpec] = (), players: Iterable[PlayerSpec] = ()
    ) -> Handles:
        """Add NPCs and players.

        More than the server takes at once go in parts.

        Raises:
            BatchError: some were refused; it says who and why, and has the handles of the others.
            CallsheetError: all were refused, for this one reason.
        """
        return await self._driver.call(batches.spawn(self._session, npcs, players))

    async def update_npc(
        self,
        npc: str,
        *,
        name: str | None = None,
        persona: str | None = None,
        adapter: str | None = None,
        interaction_radius_m: float | None = None,
        sociability: float | None = None,
        schedule: Iterable[ScheduledCall] | None = None,
        actions: Iterable[str] | None = None,
        action_specs: Iterable[ActionSpec] | None = None,
        knowledge: Iterable[str] | None = None,
    ) -> None:
        """Change an NPC; None keeps a value, ``adapter=""`` takes the adapter away."""
        await self._driver.call(
            calls.update_npc(
                self._session,
                npc,
                name,
                persona,
                adapter,
                interaction_radius_m,
                sociability,
                schedule,
                actions,
                action_specs,
                knowledge,
            )
        )

    async def despawn(self, npcs: Iterable[str] = (), players: Iterable[str] = ()) -> None:
        """Remove NPCs and players. Raises as ``spawn`` does: the others are removed."""
        await self._driver.call(batches.despawn(self._session, npcs, players))

    async def hint_calls(self, hints: Iterable[Hint]) -> None:
        """Say when NPCs will need the model next. Raises as ``spawn`` does: the others count."""
        await self._driver.call(batches.hint_calls(self._session, hints))

    async def send_tick(
        self,
        game_time_s: float,
        handles: ArrayLike,
        positions_m: ArrayLike,
        velocities_mps: ArrayLike | None = None,
        next_call_s: ArrayLike | None = None,
        flags: ArrayLike | None = None,
        *,
        player_handles: ArrayLike = (),
        player_positions_m: ArrayLike = (),
        player_velocities_mps: ArrayLike | None = None,
        keyframe: bool = False,
        ack: bool = False,
    ) -> int:
        """Tell where everybody is.

        Goes out as a delta where that is smaller. Without a connection nothing is sent: of all the
        states given meanwhile the last goes out, as a keyframe, when the session is resumed. During
        a load it goes out only if the load is refused.

        Args:
            game_time_s: on the game's own clock, see ``game_clock``. It may stand still, jump ahead
                and go back; for a server before protocol 1.3 it then stands still.
            handles: (N,) uint32, no handle twice.
            positions_m: (N, 3).
            velocities_mps: (N, 3); None = standing still.
            next_call_s: (N,) seconds to the next scheduled call, NaN = says nothing.
            flags: (N,) of ``NpcFlag``.
            player_handles: (P,) uint32.
            player_positions_m: (P, 3).
            player_velocities_mps: (P, 3); None = standing still.
            keyframe: send a keyframe even if little changed.
            ack: ask for ``TickAck``.

        Returns:
            The tick's number.
        """
        state = world_state(
            game_time_s,
            handles,
            positions_m,
            velocities_mps,
            next_call_s,
            flags,
            player_handles=player_handles,
            player_positions_m=player_positions_m,
            player_velocities_mps=player_velocities_mps,
        )
        with self._driver.changing():
            await self._driver.room()
            return self._session.send_tick(state, keyframe=keyframe, ack=ack)
