"""A tiny random chat model made on the spot, and a wrapper that talks to an engine."""

from __future__ import annotations

import asyncio
import itertools
import string
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from callsheet_residency.state import StateStore, Tier
from callsheet_server.engine.embedded.prefix_store import PrefixStore
from callsheet_server.engine.engine import (
    Delta,
    Engine,
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Priority,
    Sampling,
)
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

GREEDY = Sampling(temperature=0.0)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """One token per byte, and the three ChatML markers."""
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
    return fast


def save_tiny_model(folder: Path, seed: int = 7) -> None:
    """Two layers of random Llama that speak printable ASCII, and the tokenizer above."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=259,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.4,
        eos_token_id=258,
        pad_token_id=256,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    readable = torch.zeros(259, 1)
    readable[tiny_tokenizer().encode(string.printable[:95])] = 1.0
    with torch.no_grad():
        model.lm_head.weight.mul_(readable)
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)


def save_adapter(
    folder: Path, tiny_model: Path, targets: list[str], seed: int = 0, **config: Any
) -> Path:
    """A random adapter for the tiny model."""
    peft = get_peft_model(
        AutoModelForCausalLM.from_pretrained(tiny_model),
        LoraConfig(target_modules=targets, task_type="CAUSAL_LM", **{"r": 2 + seed, **config}),
    )
    torch.manual_seed(seed)
    for name, parameter in peft.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn_like(parameter) * 0.3
    peft.save_pretrained(str(folder))
    return folder


class Talk:
    """Operations of a test on an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._serial = itertools.count()

    def npc(
        self,
        name: str,
        persona: str = "A baker who rises before the sun.",
        *,
        world: str = "w",
        adapter: str | None = None,
        archetype: str | None = None,
    ) -> NpcKey:
        key = NpcKey(world, name)
        self.engine.put_npc(NpcProfile(key, name, persona, adapter, archetype=archetype))
        return key

    def request(
        self, key: NpcKey, text: str | tuple[Turn, ...] = "Hello?", **options: Any
    ) -> GenerationRequest:
        turns = (Turn("Anna", text),) if isinstance(text, str) else text
        options = {"max_new_tokens": 24, "sampling": GREEDY, **options}
        options.setdefault("request_id", f"r{next(self._serial)}")
        return GenerationRequest(npc=key, turns=turns, **options)

    async def ask(
        self, key: NpcKey, text: str | tuple[Turn, ...] = "Hello?", **options: Any
    ) -> tuple[str, GenerationEnd]:
        pieces: list[str] = []
        async for item in self.engine.submit(self.request(key, text, **options)):
            if isinstance(item, GenerationEnd):
                return "".join(pieces), item
            assert isinstance(item, Delta)
            pieces.append(item.text)
        raise AssertionError("the stream ended without GenerationEnd")

    async def say(
        self, key: NpcKey, text: str | tuple[Turn, ...] = "Hello?", **options: Any
    ) -> str:
        return (await self.ask(key, text, **options))[0]

    @property
    def prefixes(self) -> PrefixStore:
        store = self.engine.stores[0]
        assert isinstance(store, PrefixStore)
        return store

    @property
    def store(self) -> StateStore:
        """The prefixes of any engine that the server plans for."""
        return self.engine.stores[0]

    async def move(self, key: NpcKey, target: Tier) -> None:
        """Move a prefix, up or down, as the planner would."""
        if target > self.store.tier(key):
            await asyncio.to_thread(self.store.evict, key, target)
        else:
            await asyncio.to_thread(self.store.load, key, target)

    async def settled(self, key: NpcKey) -> NpcKey:
        """Wait until the engine has tokenised what was announced."""
        while not self.store.size_bytes(key):  # noqa: ASYNC110 - registering has no event
            await asyncio.sleep(0.001)
        return key


__all__ = ["GREEDY", "Priority", "Talk", "save_adapter", "save_tiny_model", "tiny_tokenizer"]
