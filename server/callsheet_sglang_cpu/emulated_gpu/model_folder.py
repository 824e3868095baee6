"""A model folder for the emulated GPU: somebody's tokenizer, and a model that is next to nothing.

Its KV cache takes 64 bytes per token, so that millions of tokens of a host tier fit anywhere.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

__all__ = ["LOAD_ARGUMENTS", "make_model_folder"]

CONTEXT_TOKENS = 32_768
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "generation_config.json",
)
KV_BYTES_PER_TOKEN = 64
"""Bytes that SGLang keeps: keys and values of one layer's one head of 16 numbers in bfloat16."""
LOAD_ARGUMENTS = ("--load-format", "dummy", "--kv-cache-dtype", "bfloat16")
"""Flags of an SGLang that serves such a folder."""


def make_model_folder(tokenizer: Path, folder: Path) -> None:
    """Write ``folder``, with the tokenizer of the model in the folder ``tokenizer``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if (tokenizer / name).exists():
            shutil.copyfile(tokenizer / name, folder / name)
    theirs = json.loads((tokenizer / "config.json").read_text(encoding="utf-8"))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": CONTEXT_TOKENS,
        "vocab_size": theirs["vocab_size"],
        "bos_token_id": theirs.get("bos_token_id"),
        "eos_token_id": theirs.get("eos_token_id"),
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
