"""LoRA adapters in a real SGLang: what is said, what is loaded while someone waits, hot swap.

In float32 SGLang and PEFT agree on every token; in bfloat16 both break ties of their own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pytest
import torch
from peft import PeftModel
from sglang_harness import Sglang
from transformers import AutoModelForCausalLM, DynamicCache

from callsheet_bench.adapters import ALL_LINEAR, save_adapters
from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.runner import cache_argument
from callsheet_sglang import wire

pytestmark = [pytest.mark.sglang, pytest.mark.timeout(900)]  # the first test waits for two starts

NAMES = [f"adapter-{index}" for index in range(6)]
SPARE = "adapter-6"
"""Not loaded at start."""
SLOTS = 3
NEW_TOKENS = 8
Tokens = tuple[int, ...]


@pytest.fixture(scope="module")
def adapters(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save_adapters(tiny_model, tmp_path_factory.mktemp("adapters"), 7, strength=1.0)


class Reference:
    """PEFT's greedy replies."""

    def __init__(self, model: Path, adapters: dict[str, Path]) -> None:
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        self._cache_argument = cache_argument(base)
        (first, folder), *others = adapters.items()
        self._model = PeftModel.from_pretrained(base, folder, adapter_name=first).eval()
        for name, folder in others:
            self._model.load_adapter(folder, adapter_name=name)

    @torch.inference_mode()
    def reply(self, adapter: str | None, prompt: list[int], cached_by: str | None = None) -> Tokens:
        """Greedy tokens; ``cached_by``: with the prompt's KV cache as that adapter computed it."""
        cache, said = DynamicCache(), list[int]()
        ids = torch.tensor([prompt])
        if cached_by is not None:
            self._model.set_adapter(cached_by)
            self._model(input_ids=ids[:, :-1], **{self._cache_argument: cache})
            ids = ids[:, -1:]
        if adapter is not None:
            self._model.set_adapter(adapter)
            return self._go_on(ids, cache, said)
        with self._model.disable_adapter():
            return self._go_on(ids, cache, said)

    def _go_on(self, ids: torch.Tensor, cache: DynamicCache, said: list[int]) -> Tokens:
        for _ in range(NEW_TOKENS):
            logits = self._model(input_ids=ids, **{self._cache_argument: cache}).logits
            ids = logits[:, -1:].argmax(-1)
            said.append(int(ids))
        return tuple(said)


@pytest.fixture(scope="module")
def reference(tiny_model: Path, adapters: dict[str, Path]) -> Reference:
    return Reference(tiny_model, adapters)


def prompt(seed: int) -> list[int]:
    return random.Random(seed).choices(range(256), k=48)


def said(sglang: Sglang, adapter: str | None, seed: int, **fields: Any) -> Tokens:
    fields = {**fields, "lora_path": adapter} if adapter else fields
    return sglang.generate(prompt(seed), NEW_TOKENS, **fields).token_ids


def loads(sglang: Sglang) -> tuple[int, int]:
    """Adapters loaded so far: while someone waited, and before."""
    counters = sglang.get_json(wire.STATUS_PATH)["counters"]
    return counters["adapter_critical_loads"], counters["adapter_prefetched_loads"]


class PacedTown:
    """NPC i uses adapter i; each calls at random, and says so beforehand."""

    def __init__(self, sglang: Sglang) -> None:
        self._sglang = sglang
        self._rng = random.Random(5)
        self._due_s = [self._rng.uniform(0.0, 6.0) for _ in NAMES]
        self._seq = 0
        self.said: list[Tokens] = []
        body = wire.encode_adapters(dict(enumerate(NAMES)))
        sglang.call("POST", wire.NPCS_PATH, body)

    def play(self, calls: int) -> int:
        """Make the next calls one by one; returns how many adapters loaded while one waited."""
        before, _ = loads(self._sglang)
        for _ in range(calls):
            npc = min(range(len(NAMES)), key=self._due_s.__getitem__)
            now_s = self._due_s[npc]
            self._tell(now_s)
            self.said.append(
                said(self._sglang, NAMES[npc], seed=npc, session_id=wire.session_id(npc))
            )
            self._due_s[npc] += self._rng.choice([1.0, 3.0, 9.0]) + self._rng.random()
            self._tell(now_s)
        return loads(self._sglang)[0] - before

    def _tell(self, now_s: float) -> None:
        self._seq += 1
        handles = np.arange(len(NAMES), dtype=np.uint32)
        distance_s = np.array(self._due_s, np.float32) - np.float32(now_s)
        update = wire.Distances(self._seq, now_s, handles, np.maximum(distance_s, 0))
        self._sglang.call("POST", wire.DISTANCES_PATH, wire.encode_distances(update))


Serve = Callable[..., Any]


@pytest.fixture(scope="module")
def serve(launch_sglang: Any, adapters: dict[str, Path]) -> Serve:
    @contextmanager
    def started(policy: str) -> Iterator[Sglang]:
        with launch_sglang(
            plugin=True,
            plugin_settings={"adapters": policy},
            pool_tokens=4000,
            adapters={name: adapters[name] for name in NAMES},
            adapter_slots=SLOTS,
            adapter_rank=8,
            adapter_modules=ALL_LINEAR,
            extra_arguments=("--dtype", "float32"),
        ) as sglang:
            yield sglang

    return started


@pytest.fixture(scope="module")
def as_stock(serve: Serve) -> tuple[list[Tokens], int]:
    """The paced town under SGLang's own policy: what was said, and how many adapters loaded."""
    with serve("lru") as sglang:
        town = PacedTown(sglang)
        critical = town.play(60)
    return town.said, critical


@pytest.fixture(scope="module")
def by_distance(serve: Serve, as_stock: object) -> Iterator[Sglang]:
    """Started when the other has ended: there is room for one at a time."""
    with serve("distance") as sglang:
        yield sglang


def test_same_replies_with_half_the_waits_at_most(
    by_distance: Sglang, as_stock: tuple[list[Tokens], int]
) -> None:
    replies, critical = as_stock
    town = PacedTown(by_distance)
    assert town.play(60) * 2 <= critical
    assert town.said == replies
    assert not by_distance.get_json(wire.STATUS_PATH)["fallbacks"]


def test_each_adapter_says_what_peft_says(by_distance: Sglang, reference: Reference) -> None:
    wanted = [(name, seed) for seed in (11, 12) for name in (*NAMES, None)]
    expected = [reference.reply(name, prompt(seed)) for name, seed in wanted]
    assert len(set(expected)) == len(expected), "adapters must be told apart by what they say"
    assert [said(by_distance, *one) for one in wanted] == expected
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda one: said(by_distance, *one), wanted[::-1])
        assert list(together) == expected[::-1]


def test_a_swapped_adapter_never_speaks_from_the_old_ones_cache(
    by_distance: Sglang, reference: Reference, adapters: dict[str, Path]
) -> None:
    name, npc = NAMES[0], wire.session_id(0)
    old, new = (reference.reply(version, prompt(77)) for version in (name, SPARE))
    stale = reference.reply(SPARE, prompt(77), cached_by=name)
    assert len({old, new, stale}) == 3, "the old cache under the new weights would be heard"
    for _ in range(2):
        assert said(by_distance, name, seed=77, session_id=npc) == old
    assert tier_of(by_distance, 0) is Tier.DEVICE
    swap(by_distance, name, adapters[SPARE])
    assert tier_of(by_distance, 0) is Tier.ABSENT, "the old cache is nobody's"
    answer = by_distance.generate(prompt(77), NEW_TOKENS, lora_path=name, session_id=npc)
    assert answer.token_ids == new
    assert answer.device_tokens == answer.host_tokens == 0
    swap(by_distance, name, adapters[name])
    assert said(by_distance, name, seed=77, session_id=npc) == old


def test_requests_during_a_swap_get_either_and_later_ones_the_new(
    by_distance: Sglang, reference: Reference, adapters: dict[str, Path]
) -> None:
    name = NAMES[1]
    old, new = (reference.reply(version, prompt(78)) for version in (name, SPARE))
    with ThreadPoolExecutor(4) as pool:
        during = [pool.submit(said, by_distance, name, seed=78) for _ in range(24)]
        swap(by_distance, name, adapters[SPARE])
        assert said(by_distance, name, seed=78) == new
        assert {reply.result() for reply in during} <= {old, new}
    with pytest.raises(HTTPError) as refusal:
        swap(by_distance, name, adapters[SPARE].parent)
    assert refusal.value.code == 400
    assert name in json.loads(refusal.value.read())["error"]
    assert said(by_distance, name, seed=78) == new, "what was loaded before is back"
    swap(by_distance, name, adapters[name])


def test_sglangs_own_swap_is_undone_by_a_request_in_between(
    by_distance: Sglang, reference: Reference, adapters: dict[str, Path]
) -> None:
    """Why there is a route of ours. Should this fail one day, SGLang has mended it."""
    name = NAMES[2]
    by_distance.call("POST", "/unload_lora_adapter", {"lora_name": name})
    old = reference.reply(name, prompt(79))
    assert said(by_distance, name, seed=79) == old
    new = {"lora_name": name, "lora_path": str(adapters[SPARE])}
    with pytest.raises(HTTPError):
        by_distance.call("POST", "/load_lora_adapter", new)
    assert said(by_distance, name, seed=79) == old


def swap(sglang: Sglang, name: str, folder: Path) -> None:
    sglang.call("POST", wire.ADAPTERS_PATH, {"name": name, "path": str(folder)})


def tier_of(sglang: Sglang, npc: int) -> Tier:
    """Tier of the NPC's prefix. The scheduler has to go round once to know."""
    sglang.get_json(wire.STATUS_PATH)
    state = wire.decode_residency(sglang.call("GET", wire.RESIDENCY_PATH))
    return Tier(int(state.tier[state.handles == npc][0]))
