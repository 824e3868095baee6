"""Device memory for KV: one tensor cut into blocks, a free list, and who owns what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from callsheet_residency.errors import BudgetError

__all__ = ["BlockArena", "KvShape", "blocks_to_row", "row_to_blocks"]


@dataclass(frozen=True, slots=True)
class KvShape:
    """Shape of one token's KV in the model at hand, and of the blocks that group tokens."""

    layers: int
    kv_heads: int
    head_dim: int
    dtype: torch.dtype
    block_tokens: int

    @property
    def block(self) -> tuple[int, int, int, int, int]:
        """(2, layers, kv_heads, block_tokens, head_dim): keys, then values, of one block."""
        return (2, self.layers, self.kv_heads, self.block_tokens, self.head_dim)

    @property
    def block_bytes(self) -> int:
        elements = 2 * self.layers * self.kv_heads * self.block_tokens * self.head_dim
        return elements * self.dtype.itemsize

    def blocks(self, tokens: int) -> int:
        """Blocks that hold ``tokens`` tokens."""
        return -(-tokens // self.block_tokens)


class BlockArena:
    """A fixed number of KV blocks in device memory. Not locked: its owner locks."""

    def __init__(self, shape: KvShape, budget_bytes: int, device: torch.device) -> None:
        self.shape = shape
        self.total_blocks = budget_bytes // shape.block_bytes
        self.kv = torch.zeros((self.total_blocks, *shape.block), dtype=shape.dtype, device=device)
        self._free = list(range(self.total_blocks - 1, -1, -1))

    @property
    def free_blocks(self) -> int:
        return len(self._free)

    def allocate(self, count: int) -> list[int]:
        """Take ``count`` blocks.

        Raises:
            BudgetError: fewer are free; nothing has changed.
        """
        if count > len(self._free):
            raise BudgetError(
                f"device: {count} blocks of {self.shape.block_bytes} bytes wanted, "
                f"{len(self._free)} of {self.total_blocks} free"
            )
        taken = self._free[len(self._free) - count :]
        del self._free[len(self._free) - count :]
        return taken

    def release(self, blocks: Iterable[int]) -> None:
        self._free.extend(blocks)

    def check_integrity(self, owned: Iterable[Sequence[int]]) -> None:
        """Check that every block is either free or in exactly one of the ``owned`` lists."""
        seen = sorted([*self._free, *(block for blocks in owned for block in blocks)])
        assert seen == list(range(self.total_blocks)), "arena: a block is lost or owned twice"


def blocks_to_row(
    source: torch.Tensor, blocks: Sequence[int], row: torch.Tensor, start: int, tokens: int
) -> None:
    """Copy the first ``tokens`` tokens of ``source[blocks]`` to ``row`` from position ``start``.

    ``source`` is (N, 2, layers, kv_heads, block_tokens, head_dim), ``row`` is (2, layers,
    kv_heads, max_tokens, head_dim).
    """
    size = source.shape[4]
    for index, block in enumerate(blocks):
        count = min(size, tokens - index * size)
        if count <= 0:
            break
        at = start + index * size
        row[:, :, :, at : at + count].copy_(source[block, :, :, :, :count], non_blocking=True)


def row_to_blocks(
    row: torch.Tensor, start: int, tokens: int, target: torch.Tensor, blocks: Sequence[int]
) -> None:
    """The inverse of ``blocks_to_row``: ``tokens`` tokens of ``row`` to ``target[blocks]``."""
    size = target.shape[4]
    for index, block in enumerate(blocks):
        count = min(size, tokens - index * size)
        at = start + index * size
        target[block, :, :, :, :count].copy_(row[:, :, :, at : at + count], non_blocking=True)
