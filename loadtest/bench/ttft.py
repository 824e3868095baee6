"""Time to first token of an NPC with a long persona, by where its prefix lay.

    python loadtest/bench/ttft.py [--json] [--repetitions 7] [--persona-tokens 600]

One engine, the default model, one NPC per place, one request at a time; the places take turns, so
that a noisy machine hurts them alike. ``prefetched`` was brought back from disk by the planner's
means before the question came; ``host`` and ``disk`` are fetched on demand by the request itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from callsheet_residency.state import Tier
from callsheet_server.engine.embedded.engine import EmbeddedEngine
from callsheet_server.engine.embedded.prefix_store import PrefixStore
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.engine import (
    GenerationEnd,
    GenerationRequest,
    NpcProfile,
    Sampling,
)
from callsheet_server.engine.models.catalogue import DEFAULT_MODEL
from callsheet_server.world.key import NpcKey
from callsheet_server.world.memory import Turn

PLACES = ("resident", "prefetched", "host", "disk", "cold")
LORE = (
    "keeps the ledgers of the harbour",
    "has sailed twice around the cape",
    "never forgets a debt",
    "sings when the fog comes in",
    "quarrels with the miller about the weir",
    "feeds the grey cat behind the chandlery",
)


@dataclass(frozen=True)
class Sample:
    place: str
    ttft_s: float
    prompt_tokens: int
    cached_tokens: int


def persona(name: str, tokens: int) -> str:
    """About ``tokens`` tokens of biography; the model's tokenizer makes about 1.45 of a word."""
    words = f"{name} is a townsman of Saltmere".split()
    index = 0
    while len(words) * 1.45 < tokens:
        words += f"and {LORE[index % len(LORE)]} in year {index + 1},".split()
        index += 1
    return " ".join(words)


async def ask(engine: EmbeddedEngine, key: NpcKey, place: str, serial: int) -> Sample:
    request = GenerationRequest(
        request_id=f"{place}-{serial}",
        npc=key,
        turns=(Turn("Anna", "Good evening. What news from the harbour today?"),),
        max_new_tokens=2,
        sampling=Sampling(temperature=0.0),
    )
    async for item in engine.submit(request):
        if isinstance(item, GenerationEnd):
            return Sample(place, item.ttft_s, item.prompt_tokens, item.cached_tokens)
    raise RuntimeError("the stream ended early")


async def prepare(store: PrefixStore, key: NpcKey, place: str) -> None:
    """Put the NPC's prefix where ``place`` says, and its state on the device gone otherwise."""
    await asyncio.to_thread(store.evict, key, Tier.ABSENT)
    if place == "cold":
        return
    await asyncio.to_thread(store.load, key, Tier.DEVICE)
    lower = {"host": Tier.HOST, "disk": Tier.DISK, "prefetched": Tier.DISK}.get(place)
    if lower is not None:
        await asyncio.to_thread(store.evict, key, lower)
    if place == "prefetched":
        await asyncio.to_thread(store.load, key, Tier.DEVICE)


async def measure(repetitions: int, persona_tokens: int, threads: int) -> list[Sample]:
    samples = []
    with tempfile.TemporaryDirectory() as folder:
        settings = EmbeddedSettings(
            threads=threads, state_dir=Path(folder), device_budget_bytes=1 << 30
        )
        engine = EmbeddedEngine(settings)
        await engine.start(lambda _: None)
        store = engine.stores[0]
        assert isinstance(store, PrefixStore)
        engine.set_world_prefix("bench", "You live in Saltmere, a harbour town. Be brief.")
        keys = {place: NpcKey("bench", place) for place in PLACES}
        for place, key in keys.items():
            engine.put_npc(NpcProfile(key, place, persona(place, persona_tokens)))
        await ask(engine, keys["cold"], "warm-up", 0)
        for serial in range(repetitions):
            for place, key in keys.items():
                await prepare(store, key, place)
                samples.append(await ask(engine, key, place, serial))
        await asyncio.to_thread(engine.check_integrity)
        await engine.close()
    return samples


def summarise(samples: list[Sample]) -> dict[str, object]:
    places = {}
    for place in PLACES:
        mine = [sample for sample in samples if sample.place == place]
        places[place] = {
            "ttft_ms_median": 1e3 * statistics.median(sample.ttft_s for sample in mine),
            "ttft_ms_min": 1e3 * min(sample.ttft_s for sample in mine),
            "ttft_ms_max": 1e3 * max(sample.ttft_s for sample in mine),
            "prompt_tokens": mine[0].prompt_tokens,
            "cached_tokens": mine[0].cached_tokens,
        }
    cold_ms = places["cold"]["ttft_ms_median"]
    for facts in places.values():
        facts["times_faster_than_cold"] = cold_ms / facts["ttft_ms_median"]
    return {
        "bench": "ttft",
        "model": DEFAULT_MODEL,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch "
        f"{torch.__version__}",
        "repetitions": len(samples) // len(PLACES),
        "places": places,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--persona-tokens", type=int, default=600)
    parser.add_argument("--threads", type=int, default=0, help="0 = torch's own choice")
    args = parser.parse_args()
    samples = asyncio.run(measure(args.repetitions, args.persona_tokens, args.threads))
    result = summarise(samples)
    if args.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['model']} on {result['machine']}, median of {result['repetitions']}")
    print(f"{'prefix was':<12}{'first token':>14}{'min':>8}{'max':>8}{'cached':>12}{'vs cold':>9}")
    places = result["places"]
    assert isinstance(places, dict)
    for place, facts in places.items():
        print(
            f"{place:<12}{facts['ttft_ms_median']:>11.0f} ms{facts['ttft_ms_min']:>8.0f}"
            f"{facts['ttft_ms_max']:>8.0f}{facts['cached_tokens']:>6}/{facts['prompt_tokens']:<5}"
            f"{facts['times_faster_than_cold']:>8.1f}x"
        )


if __name__ == "__main__":
    main()
