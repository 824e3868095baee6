"""One prefix whose KV is kept: what defines it, and where its copies lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from callsheet_residency.state import Tier
from callsheet_server.world.key import NpcKey

__all__ = ["PrefixEntry", "WorldKey", "common_tokens"]


@dataclass(frozen=True, slots=True)
class WorldKey:
    """The shared prefix of a world, as one adapter computes it."""

    world: str
    adapter: str | None


@dataclass(eq=False, slots=True)
class PrefixEntry:
    """One prefix. Fields change under the store's lock, or by the thread that claimed the entry."""

    key: NpcKey | WorldKey
    fingerprint: str
    prefix: tuple[int, ...]
    """The tokens that define it, after the world's."""
    world: PrefixEntry | None
    """The shared prefix it continues; None for a shared prefix itself."""
    adapter: str | None
    tokens: tuple[int, ...] = ()
    """The tokens whose KV is held: ``prefix``, and what was kept of the conversation."""
    tier: Tier = Tier.ABSENT
    """The nearest tier that holds a copy."""
    blocks: list[int] = field(default_factory=list)
    """Arena blocks; empty unless on the device."""
    host: torch.Tensor | None = None
    """(N, 2, layers, kv_heads, block_tokens, head_dim), pinned where there is CUDA."""
    on_disk: bool = False
    pins: int = 0
    """Running requests that count on it."""
    busy: bool = False
    """A thread is copying it; others wait."""
    alive: bool = True
    """False once forgotten or replaced."""

    def __post_init__(self) -> None:
        self.tokens = self.prefix

    @property
    def start(self) -> int:
        """The position of its first token."""
        return 0 if self.world is None else len(self.world.prefix)


def common_tokens(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    for index, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return index
    return min(len(a), len(b))
