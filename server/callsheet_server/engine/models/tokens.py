"""Tokens of texts, counted with a model's own tokenizer and nothing else of the model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

__all__ = ["kv_bytes_per_token", "token_counter"]

BATCH: Final = 512
"""Texts tokenised at a stretch, on all cores."""


def token_counter(folder: Path) -> Callable[[Sequence[str]], list[int]]:
    """Make a counter of the tokens of texts.

    Args:
        folder: of a model, with ``tokenizer.json``.

    Raises:
        OSError: there is no such file.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        counts: list[int] = []
        for start in range(0, len(texts), BATCH):
            batch = list(texts[start : start + BATCH])
            encoded = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            counts += [len(one) for one in encoded]
        return counts

    return count


def kv_bytes_per_token(folder: Path, value_bytes: int) -> int:
    """Size of one token's keys and values, by the model's ``config.json``.

    Raises:
        OSError, ValueError, KeyError: it is not there, or has no such fields.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    kv_heads = config.get("num_key_value_heads") or heads
    return int(2 * config["num_hidden_layers"] * kv_heads * head_dim * value_bytes)
