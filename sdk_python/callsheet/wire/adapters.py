"""Messages by which LoRA adapters come, change and go while the engine runs, for all worlds."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from callsheet.wire.base import Reliable, Request, ServerPart
from callsheet.wire.fields import AdapterId, Count, Many, RequestId, Role

__all__ = ["AdapterView", "Adapters", "ListAdapters", "RemoveAdapter", "SetAdapter"]

MAY_CHANGE: frozenset[Role] = frozenset({"game", "observer"})


class SetAdapter(Request):
    """Adds an adapter, or gives one new weights; answered by ``ok`` once the engine uses them."""

    roles: ClassVar[frozenset[Role]] = MAY_CHANGE
    type: Literal["set_adapter"] = "set_adapter"
    adapter: AdapterId
    folder: Annotated[str, Field(min_length=1, max_length=4096)]
    """Folder in PEFT format, as the engine sees it."""
    update: bool = False
    """True: there is one of that id, which gets new weights. False: it is a new one."""


class RemoveAdapter(Request):
    """Takes away an adapter that no NPC has; answered by ``ok``."""

    roles: ClassVar[frozenset[Role]] = MAY_CHANGE
    type: Literal["remove_adapter"] = "remove_adapter"
    adapter: AdapterId


class ListAdapters(Request):
    """Asks for the adapters that NPCs may have; answered by ``adapters``."""

    roles: ClassVar[frozenset[Role]] = MAY_CHANGE
    type: Literal["list_adapters"] = "list_adapters"


class AdapterView(ServerPart):
    """One adapter in a list."""

    adapter: str
    folder: str
    """Folder of its weights, as the engine sees it."""
    npcs: Count
    """NPCs that have it, of all worlds."""


class Adapters(Reliable):
    """The adapters of the engine, by their ids."""

    type: Literal["adapters"] = "adapters"
    id: RequestId
    adapters: Many[AdapterView] = ()
