"""The NPCs that an engine was told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from callsheet_server.engine.engine import NpcProfile
from callsheet_server.world.key import NpcKey

__all__ = ["of_world"]


def of_world(
    profiles: Mapping[NpcKey, NpcProfile], world: str, do: Callable[[NpcProfile], None]
) -> Iterator[None]:
    """Do something with each NPC of a world, one a step, unless it has gone meanwhile."""
    for key in list(profiles):
        if key.world == world and (profile := profiles.get(key)) is not None:
            do(profile)
        yield
