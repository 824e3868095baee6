"""A tiny random model and a client: what the tests of a real SGLang share."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
VOCABULARY = 512
"""Ids below 256 are bytes; those from 259 on have no text, but a prompt may use them."""


def save_tiny_qwen2(folder: Path) -> None:
    """Write a random Qwen2 of 3 million parameters whose greedy replies depend on their prompts.

    One token per byte, so that a text of n ASCII letters is n tokens.
    """
    torch.manual_seed(7)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        initializer_range=0.15,
        bos_token_id=None,
        eos_token_id=258,
        pad_token_id=256,
        tie_word_embeddings=False,
    )
    model = Qwen2ForCausalLM(config)
    model.bfloat16()
    model.save_pretrained(folder)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(text, special=True) for text in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")]
    )
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.chat_template = CHATML
    fast.save_pretrained(folder)


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer of /generate."""

    text: str
    token_ids: tuple[int, ...]
    prompt_tokens: int
    device_tokens: int
    """Of the prompt, found in the device pool."""
    host_tokens: int
    """Of the prompt, loaded from the host pool."""


@dataclass(frozen=True, slots=True)
class Sglang:
    """A running SGLang, as a blocking client sees it."""

    url: str
    log: Path
    pid: int
    api_key: str | None = None

    def call(self, method: str, path: str, body: bytes | dict[str, Any] | None = None) -> bytes:
        """Return the body of the answer; raises ``urllib.error.HTTPError``."""
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=120.0) as answer:
            content: bytes = answer.read()
            return content

    def get_json(self, path: str) -> Any:
        return json.loads(self.call("GET", path))

    def generate(self, prompt: str | list[int], max_new_tokens: int = 8, **fields: Any) -> Reply:
        """Run one greedy request that goes on to ``max_new_tokens``.

        Args:
            prompt: text, or token ids below ``VOCABULARY``.
            max_new_tokens: length of the reply.
            fields: further fields of the request, such as ``session_id`` or ``lora_path``.
        """
        sampling = {"temperature": 0, "max_new_tokens": max_new_tokens, "ignore_eos": True}
        key = "text" if isinstance(prompt, str) else "input_ids"
        body = {key: prompt, "sampling_params": sampling, **fields}
        answer = json.loads(self.call("POST", "/generate", body))
        meta = answer["meta_info"]
        tiers = meta.get("cached_tokens_details") or {"device": meta["cached_tokens"]}
        return Reply(
            text=answer["text"],
            token_ids=tuple(answer["output_ids"]),
            prompt_tokens=meta["prompt_tokens"],
            device_tokens=tiers.get("device", 0),
            host_tokens=tiers.get("host", 0),
        )

    def flush(self) -> None:
        """Forget all KV caches, in both tiers. Nothing may be running."""
        self.call("POST", "/flush_cache?timeout=10")
