"""The KV of everything that runs: preallocated rows, written in place, never re-copied by a step.

A transformers ``Cache`` normally concatenates, which copies all KV at every step. Here each running
sequence owns a row; a forward pass names rows and positions, writes the new KV there and attends to
a view. Positions count from 0 in every row, so the mask is ``kv position <= own position``.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

from callsheet_server.engine.embedded.arena import KvShape

__all__ = ["BatchCache"]


class _RowLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's keys and values of the rows selected."""

    def __init__(self, cache: BatchCache, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._cache = cache
        self._keys = keys
        self._values = values
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Rows exist from the start."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write (B, kv_heads, Q, head_dim) states in place and return views to attend to."""
        rows, index, positions, length = self._cache.selected
        self._keys[index, :, positions] = key_states.transpose(1, 2)
        self._values[index, :, positions] = value_states.transpose(1, 2)
        return self._keys[rows, :, :length], self._values[rows, :, :length]

    def get_seq_length(self) -> int:
        return self._cache.selected[3]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._cache.selected[3], 0

    def get_max_length(self) -> int:
        return self._cache.max_tokens


class BatchCache(Cache):
    """R rows of up to ``max_tokens`` tokens each."""

    def __init__(self, shape: KvShape, rows: int, max_tokens: int, device: torch.device) -> None:
        self.max_tokens = max_tokens
        self.kv = torch.zeros(
            (2, shape.layers, rows, shape.kv_heads, max_tokens, shape.head_dim),
            dtype=shape.dtype,
            device=device,
        )
        """(2, layers, R, kv_heads, max_tokens, head_dim). Zeros, because a masked NaN is a NaN."""
        self.selected: tuple[slice, torch.Tensor, torch.Tensor, int]
        super().__init__(
            layers=[
                _RowLayer(self, self.kv[0, layer], self.kv[1, layer])
                for layer in range(shape.layers)
            ]
        )

    def row(self, index: int) -> torch.Tensor:
        """(2, layers, kv_heads, max_tokens, head_dim), a view."""
        return self.kv[:, :, index]

    def select(self, rows: slice, positions: torch.Tensor, length: int) -> torch.Tensor:
        """Say where the next forward pass writes, and return its attention mask.

        Args:
            rows: B consecutive rows.
            positions: (B, Q) int64 on the device: where in its row each new token goes.
            length: highest position written + 1.

        Returns:
            (B, 1, Q, length) bool; True = attend.
        """
        index = torch.arange(rows.start, rows.stop, device=positions.device)[:, None]
        self.selected = (rows, index, positions, length)
        return torch.arange(length, device=positions.device) <= positions[:, None, :, None]

    def move_row(self, source: int, target: int, tokens: int) -> None:
        """Copy the first ``tokens`` tokens of a row to another one."""
        self.kv[:, :, target, :, :tokens].copy_(self.kv[:, :, source, :, :tokens])
