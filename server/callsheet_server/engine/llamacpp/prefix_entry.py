"""One NPC's prefix: what defines it, and where its KV lies."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from callsheet_residency.state import Tier
from callsheet_server.engine.prompt import NpcPrefix
from callsheet_server.world.key import NpcKey

__all__ = ["PrefixEntry"]


@dataclass(eq=False, slots=True)
class PrefixEntry:
    """The prefix of one NPC. Changed on the event loop alone, its place under ``lock``."""

    key: NpcKey
    prefix: NpcPrefix
    tokens: tuple[int, ...]
    """All that define it, lore first."""
    adapter: int | None = None
    """Number of the adapter that its KV is computed with."""
    tier: Tier = Tier.ABSENT
    """The one tier that holds it."""
    slot: int | None = None
    """The slot of llama.cpp that is its own, while it is on the device or on the way there."""
    held_tokens: int = 0
    """Tokens whose KV is held: the prefix, and what was said since it was built."""
    computed_tokens: int = 0
    """Tokens of it that were computed when it was last built; the others were the lore's."""
    reserved: dict[str, int] = field(default_factory=dict)
    """Running request -> tokens of prompt and reply that it may come to hold."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    alive: bool = True
    """False once forgotten or replaced."""

    def __post_init__(self) -> None:
        self.held_tokens = len(self.tokens)

    @property
    def needed_tokens(self) -> int:
        """Tokens that it takes, or may come to take, on the device."""
        return max(self.held_tokens, *self.reserved.values(), 0)

    def lost(self) -> None:
        """Note that its KV is nowhere any more."""
        self.tier, self.slot, self.held_tokens = Tier.ABSENT, None, len(self.tokens)
