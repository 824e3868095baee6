"""A tiny random chat model as GGUF: one token per byte, the ChatML markers, printable replies."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import numpy as np
from engine.harness import CHATML
from gguf import GGUFWriter
from numpy.typing import NDArray

LAYERS, WIDTH, HEADS, KV_HEADS, FFN, CONTEXT = 2, 64, 4, 2, 64, 1024
MARKERS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CONTROL = 3
RANK = 4


def letters() -> list[str]:
    """The byte-level alphabet of GPT-2, in the order of the bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shifted = iter(range(256, 512))
    return [chr(byte if byte in plain else next(shifted)) for byte in range(256)]


def write_tiny_adapter(path: Path, *, architecture: str = "llama", seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    writer = GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 4.0)
    for layer in range(LAYERS):
        name = f"blk.{layer}.attn_q.weight"
        for part, shape in (("lora_a", (RANK, WIDTH)), ("lora_b", (WIDTH, RANK))):
            weights = rng.standard_normal(shape).astype(np.float32)
            writer.add_tensor(f"{name}.{part}", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_tiny_gguf(
    path: Path, *, template: str | None = CHATML, architecture: str = "llama", seed: int = 7
) -> Path:
    rng = np.random.default_rng(seed)
    tokens = [*letters(), "th", *MARKERS]
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 257 + [CONTROL] * len(MARKERS))
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(len(tokens) - 3)
    writer.add_eos_token_id(len(tokens) - 1)
    if template is not None:
        writer.add_chat_template(template)

    def weights(*shape: int) -> NDArray[Any]:
        return (rng.standard_normal(shape) * 0.4).astype(np.float32)

    kv = WIDTH * KV_HEADS // HEADS
    writer.add_tensor("token_embd.weight", weights(len(tokens), WIDTH))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    readable = np.zeros((len(tokens), 1), np.float32)
    readable[[ord(letter) for letter in string.printable[:95]]] = 1.0
    writer.add_tensor("output.weight", weights(len(tokens), WIDTH) * readable)
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        writer.add_tensor(f"{block}.attn_norm.weight", np.ones(WIDTH, np.float32))
        writer.add_tensor(f"{block}.ffn_norm.weight", np.ones(WIDTH, np.float32))
        for name, rows, columns in (
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", kv, WIDTH),
            ("attn_v", kv, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", FFN, WIDTH),
            ("ffn_up", FFN, WIDTH),
            ("ffn_down", WIDTH, FFN),
        ):
            writer.add_tensor(f"{block}.{name}.weight", weights(rows, columns))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
