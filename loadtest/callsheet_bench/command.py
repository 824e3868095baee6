"""Run of the benchmark: one stage after the other, every round kept."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil
from tokenizers import Tokenizer

from callsheet_bench import lora_swaps
from callsheet_bench.gpu_link import PAIRS, Model
from callsheet_bench.judge import MIN_ROUNDS
from callsheet_bench.overhead import PROMPTS
from callsheet_bench.plan import LORA, STAGES, TABLES, Stage, only, quick
from callsheet_bench.stage import Bench, estimate_s, play_stage
from callsheet_bench.store import Store
from callsheet_server.engine.models.cache import resolve_model
from callsheet_sglang.launch.interpreter import find_python

__all__ = ["Options", "open_store", "plan", "run", "seconds"]

QUICK_ROUNDS, QUICK_PROMPTS = 2, 4

ReportProgress = Callable[[str, float], None]
"""Takes the work at hand, and the estimated seconds done since the last call."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the benchmark command."""

    results: Path
    model: str
    link: str
    """A name in ``PAIRS``."""
    tables: Collection[str] = tuple(TABLES)
    rounds: int = MIN_ROUNDS
    quick: bool = False
    fresh: bool = False

    def __post_init__(self) -> None:
        """Raises ``ValueError`` naming the option, its value and the fix."""
        if self.rounds < 1:
            raise ValueError(f"--rounds {self.rounds}: at least 1")
        if self.link not in PAIRS:
            raise ValueError(f"--link {self.link}: one of {', '.join(PAIRS)}")
        if unknown := sorted(set(self.tables) - TABLES.keys()):
            raise ValueError(f"--only {unknown[0]}: one of {', '.join(TABLES)}")

    @property
    def rounds_played(self) -> int:
        return min(self.rounds, QUICK_ROUNDS) if self.quick else self.rounds


def plan(options: Options) -> list[Stage]:
    """Return the stages to play, without the LoRA tables."""
    stages = [only(stage, options.tables) for stage in STAGES]
    return [
        quick(stage) if options.quick else stage
        for stage in stages
        if stage.tables or stage.overhead
    ]


def seconds(options: Options) -> float:
    """About how long everything takes, if nothing has been measured yet."""
    total = sum(estimate_s(stage, options.rounds_played) for stage in plan(options))
    return total + (lora_swaps.estimate_s(options.rounds_played) if LORA in options.tables else 0)


def open_store(options: Options) -> Store:
    """Open the results. Raises ``StoreError`` if they are those of another run."""
    cpu = {line.partition(":")[2].strip() for line in _cpu_lines() if line.startswith("model name")}
    setup = {
        "model": options.model,
        "link": options.link,
        "quick": options.quick,
        "callsheet": metadata.version("callsheet"),
        "machine": " ".join(sorted(cpu)) or platform.machine(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
    }
    return Store(options.results, setup, resume=not options.fresh)


def run(options: Options, store: Store, report: ReportProgress) -> None:
    """Measure what the store does not have yet; each round is kept as it ends.

    Raises:
        SglangMissingError: there is no SGLang to start.
        ExceptionGroup: of what went wrong in a stage.
    """
    model = resolve_model(options.model, lambda _: None)
    logs = options.results.parent / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        python=find_python("cpu"),
        model=model,
        kv_bytes_per_token=_kv_bytes_per_token(model),
        tokenizer=Tokenizer.from_file(str(model / "tokenizer.json")),
        store=store,
        rounds=options.rounds_played,
        prompts=QUICK_PROMPTS if options.quick else PROMPTS,
        pair=PAIRS[options.link],
        logs=logs,
        report=report,
    )
    asyncio.run(_play(bench, options))


async def _play(bench: Bench, options: Options) -> None:
    for stage in plan(options):
        await play_stage(bench, stage)
    if LORA in options.tables:
        await lora_swaps.play_lora(bench, options.results.parent / "adapters", options.quick)


def _kv_bytes_per_token(folder: Path) -> int:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    heads = config["num_attention_heads"]
    return Model(
        name=folder.name,
        parameters=0.0,
        layers=config["num_hidden_layers"],
        kv_heads=config.get("num_key_value_heads", heads),
        head_dim=config.get("head_dim") or config["hidden_size"] // heads,
    ).kv_bytes_per_token


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
