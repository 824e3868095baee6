"""Attention on CPU that costs what was not cached, for measurements on CPU to mean something.

SGLang's ``torch_native`` backend pads the query of a prompt to the length of the whole sequence, so
that a prompt found in the cache pays for its attention all over again; no GPU backend does so.
Here only new tokens attend, to the same keys and values under the same mask; results are those of
the original up to rounding.

On with ``CALLSHEET_SGLANG_CPU_ATTENTION=1``, on CPU only, whatever decides about eviction.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from callsheet_sglang_cpu.replacements import is_cpu_engine

if TYPE_CHECKING:
    import torch

__all__ = ["CPU_ATTENTION", "activate", "attend"]

CPU_ATTENTION = "CALLSHEET_SGLANG_CPU_ATTENTION"
"""The environment variable; anything but "1" leaves SGLang's attention as it is."""


def activate() -> None:
    """Replace the attention of prompts in this SGLang process, if asked to.

    Raises:
        SystemExit: this SGLang does not have what is to be replaced.
    """
    if os.environ.get(CPU_ATTENTION) != "1" or not is_cpu_engine():
        return
    try:
        from sglang.srt.layers.attention.torch_native_backend import TorchNativeAttnBackend

        original = TorchNativeAttnBackend._run_sdpa_forward_extend
    except (ImportError, AttributeError) as error:
        raise SystemExit(
            f"callsheet: this SGLang's attention cannot be replaced: {error}"
        ) from None
    TorchNativeAttnBackend._run_sdpa_forward_extend = _instead_of(original)


def _instead_of(original: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def extend(
        backend: Any,
        query: torch.Tensor,
        output: torch.Tensor,
        k_cache: torch.Tensor,
        v_cache: torch.Tensor,
        req_to_token: torch.Tensor,
        req_pool_indices: torch.Tensor,
        seq_lens: torch.Tensor,
        extend_prefix_lens: torch.Tensor,
        extend_seq_lens: torch.Tensor,
        encoder_lens: torch.Tensor | None = None,
        scaling: float | None = None,
        enable_gqa: bool = False,
        causal: bool = False,
        is_cross_attn: bool = False,
        sliding_window_size: int | None = None,
    ) -> torch.Tensor:
        plain = causal and not is_cross_attn and encoder_lens is None
        if not plain or (sliding_window_size is not None and sliding_window_size > -1):
            return original(
                backend, query, output, k_cache, v_cache, req_to_token, req_pool_indices,
                seq_lens, extend_prefix_lens, extend_seq_lens, encoder_lens, scaling, enable_gqa,
                causal, is_cross_attn, sliding_window_size,
            )  # fmt: skip
        start = 0
        for row, length, cached, new in zip(
            req_pool_indices.tolist(),
            seq_lens.tolist(),
            extend_prefix_lens.tolist(),
            extend_seq_lens.tolist(),
            strict=True,
        ):
            tokens = req_to_token[row, :length]
            rows = slice(start, start + new)
            output[rows] = attend(
                query[rows], k_cache[tokens], v_cache[tokens], cached, scaling, enable_gqa
            )
            start += new
        return output

    return extend


def attend(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    cached: int,
    scaling: float | None,
    enable_gqa: bool,
) -> torch.Tensor:
    """Causal attention of the last tokens of one sequence.

    Args:
        query: ``(new, heads, head_dim)``, of tokens ``cached`` and later.
        keys: ``(cached + new, kv_heads, head_dim)``; their dtype may differ from the query's.
        values: likewise.
        cached: tokens before the query's.
        scaling: of the scores; None = 1 / sqrt(head_dim).
        enable_gqa: heads may be a multiple of kv_heads.

    Returns:
        ``(new, heads, head_dim)``.
    """
    import torch

    mask, padding = None, 0
    if cached >= len(query):
        positions = torch.arange(len(keys), device=keys.device)
        mask = positions[None, :] <= positions[cached:, None]
    elif cached:  # A mask computes what it hides; a few rows too many cost less than that.
        padding = cached
        query = torch.cat([query.new_zeros(cached, *query.shape[1:]), query])
    result = torch.nn.functional.scaled_dot_product_attention(
        query.transpose(0, 1)[None],
        keys.to(query.dtype).transpose(0, 1)[None],
        values.to(query.dtype).transpose(0, 1)[None],
        attn_mask=mask,
        is_causal=mask is None,
        scale=scaling,
        enable_gqa=enable_gqa,
    )
    return result[0].transpose(0, 1)[padding:]
