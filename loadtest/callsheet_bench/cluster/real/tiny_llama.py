"""A random Llama that starts and answers fast: what it says means nothing, what it caches does."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from callsheet_bench.cluster.tokenizer import save_tokenizer

__all__ = ["save_tiny_llama"]

VOCABULARY = 512


def save_tiny_llama(folder: Path, context_tokens: int) -> None:
    """Write model and tokenizer; a byte is a token."""
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=context_tokens,
        bos_token_id=None,
        eos_token_id=258,
        pad_token_id=256,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    model.bfloat16()
    model.save_pretrained(folder)
    save_tokenizer(folder)
