"""Anybody in a game's world, and where they are."""

from __future__ import annotations

from collections.abc import Sequence

from callsheet.wire.fields import Vec3

__all__ = ["Person", "Position", "to_metres"]

Position = Sequence[float]
"""(x, y) on a plane or (x, y, z) in space, in the game's own units."""


def to_metres(position: Position, units_per_m: float) -> Vec3:
    """Place in the server's world, m. What is a plane in the game is the ground there."""
    if len(position) == 2:
        return position[0] / units_per_m, 0.0, position[1] / units_per_m
    x, y, z = position
    return x / units_per_m, y / units_per_m, z / units_per_m


class Person:
    """Somebody in the world. Set ``position`` as often as you like."""

    def __init__(self, one: str, name: str, position: Position) -> None:
        self.id: str = one
        self.name: str = name
        self.position: Position = position
        self.handle: int | None = None
        """The server's number for them; None = they are not in the world yet."""
        self.asked: bool = False
        """Whether the server was asked to take them in."""

    def lose(self) -> None:
        """Note that the session is gone: the server knows them no more."""
        self.handle, self.asked = None, False
