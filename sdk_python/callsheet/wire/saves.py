"""Messages by which a game saves what NPCs remember, goes back to it, and has it forgotten."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from callsheet.wire.base import Reliable, Request, ServerPart
from callsheet.wire.fields import Many, NpcId, RequestId, Role, Seconds
from callsheet.wire.world import GAME_ONLY

__all__ = [
    "DeleteSave",
    "Forget",
    "ListSaves",
    "Load",
    "Loaded",
    "Save",
    "SaveView",
    "Saved",
    "Saves",
]

SaveName = Annotated[str, Field(min_length=1, max_length=64)]


class Forget(Request):
    """Erases what NPCs remember: all of it, or what happened after a game time. Gives ``ok``.

    A save made before still holds it, until that is deleted.
    """

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["forget"] = "forget"
    npcs: Annotated[Many[NpcId], Field(min_length=1, max_length=10_000)] | None = None
    """NPCs, in the world or despawned; None = all that ever were in it."""
    after_s: Seconds | None = None
    """Game time; what happened up to then stays. None = nothing stays."""


class Save(Request):
    """Marks what the world remembers now with a name; a save of that name is replaced."""

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["save"] = "save"
    name: SaveName


class Saved(Reliable):
    """A save was made: the answer to ``save``, and without ``id`` sent to mods and observers."""

    type: Literal["saved"] = "saved"
    id: RequestId | None = None
    name: SaveName
    time_s: float
    """Game time of the save."""


class Load(Request):
    """Goes back to a save: memory, facts, schedules and the game's clock."""

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["load"] = "load"
    name: SaveName


class Loaded(Reliable):
    """A save was loaded: the answer to ``load``, and without ``id`` sent to mods and observers."""

    type: Literal["loaded"] = "loaded"
    id: RequestId | None = None
    name: SaveName
    time_s: float
    """Game time that the world has again."""


class DeleteSave(Request):
    """Deletes a save, and from the disk what only it held. Answered by ``ok``."""

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["delete_save"] = "delete_save"
    name: SaveName


class ListSaves(Request):
    """Asks for the world's saves; answered by ``saves``."""

    roles: ClassVar[frozenset[Role]] = GAME_ONLY
    type: Literal["list_saves"] = "list_saves"


class SaveView(ServerPart):
    """One save in a list."""

    name: SaveName
    time_s: float
    """Game time of the save."""
    saved_at: float
    """Unix time at which it was made, s."""


class Saves(Reliable):
    """The saves of a world, the oldest first."""

    type: Literal["saves"] = "saves"
    id: RequestId
    saves: Many[SaveView] = ()
