"""A town with three models and room for two: is the model loaded when its NPC is asked?

The models are copies of one file, told apart by bytes at their ends: what is loaded, unloaded and
waited for is that of three. Both policies get the same calls in turn. Ours is told about when each
NPC will be asked next, off as in ``town.py``; LRU knows who was asked last, and loads when asked.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from callsheet_bench.local.cast import profile
from callsheet_bench.local.contenders import Engined
from callsheet_bench.local.planned import Planned
from callsheet_residency.state import StateKind, Tier
from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.llamacpp.kind import LlamaCppKind
from callsheet_server.engine.llamacpp.settings import LlamaCppSettings
from callsheet_server.engine.many_models.engine import ManyModelsEngine
from callsheet_server.engine.models.gguf_file import GgufFile
from callsheet_server.residency.policies import DISTANCE, NAIVE, Policy

__all__ = ["MODELS", "NPCS", "ROOM_MODELS", "VISITS", "Round", "measure"]

MODELS, ROOM_MODELS = 3, 2
NPCS = [f"person-{number}" for number in range(24)]
VISITS = 8
PERSONA_TOKENS, REPLY_TOKENS = 150, 24
CALL_S = 2.0
"""From one call to the next."""
POLICIES: dict[str, Policy[Any]] = {"distance": DISTANCE, "lru": NAIVE}


@dataclass(frozen=True, slots=True)
class Round:
    """One round under one policy."""

    hit_rate: float
    waits_s: list[float]
    """Times to the first token."""


async def measure(model: GgufFile, rounds: int) -> dict[str, list[Round]]:
    """Play the same calls under each policy in turn."""
    found: dict[str, list[Round]] = {name: [] for name in POLICIES}
    with tempfile.TemporaryDirectory() as folder:
        files = [_copy(model.path, Path(folder), number) for number in range(MODELS)]
        for number in range(rounds):
            rng = np.random.default_rng(number)
            calls = [NPCS[index] for index in rng.integers(len(NPCS), size=VISITS)]
            for name, policy in POLICIES.items():
                found[name].append(await _play(files, Path(folder), calls, policy))
    return found


def _copy(model: Path, folder: Path, number: int) -> Path:
    path = folder / f"model-{number}.gguf"
    shutil.copyfile(model, path)
    with path.open("ab") as file:
        file.write(bytes(32 * number))
    return path


async def _play(files: list[Path], folder: Path, calls: list[str], policy: Policy[Any]) -> Round:
    settings = EmbeddedSettings(
        model=str(files[0]),
        models={path.stem: str(path) for path in files[1:]},
        context_limit_tokens=512,
        device_budget_bytes=128 << 20,
        state_dir=folder / "state",
    )
    kind = LlamaCppKind(LlamaCppSettings(settings))
    size = await asyncio.to_thread(kind.weigh, settings, lambda _: None)
    room = int((ROOM_MODELS + 0.5) * size)
    engine = ManyModelsEngine(settings.model_copy(update={"weights_budget_bytes": room}), kind)
    await engine.start(lambda _: None)
    models: dict[str, str | None] = {}
    try:
        for number, npc in enumerate(NPCS):
            archetype = files[number % MODELS].stem
            engine.put_npc(profile(npc, PERSONA_TOKENS, archetype=archetype))
            models[npc] = engine.model_of(archetype)
        planned = Planned(engine, models, CALL_S, policy)
        weights = next(store for store in engine.stores if store.kind is StateKind.WEIGHTS)
        hits, waits = [], []
        async with planned.planning():
            for index, npc in enumerate(calls):
                planned.tell(calls[index:])
                await asyncio.sleep(CALL_S)
                hits.append(weights.tier(models[npc]) is Tier.DEVICE)
                planned.demand(npc)
                waits.append((await Engined(engine).ask(npc, REPLY_TOKENS)).ttft_s)
        await planned.close()
        return Round(sum(hits) / len(hits), waits)
    finally:
        await engine.close()
