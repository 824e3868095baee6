"""Settings of the engines that run on this machine: ``llamacpp`` and ``embedded``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from callsheet_server.engine.models.catalogue import DEFAULT_MODEL

__all__ = ["EmbeddedSettings", "EmbeddedTuning"]

_GIB = 1 << 30


class EmbeddedSettings(BaseModel):
    """Settings of ``llamacpp`` and ``embedded``, by TOML, environment and flags.

    Where a field is of torch alone, its description says so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        default=DEFAULT_MODEL,
        min_length=1,
        description="A registered name; for llama.cpp a .gguf file, or one of the hub "
        "(OWNER/NAME/FILE.gguf); for torch a hub id (OWNER/NAME), or a folder.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto",
        description="Where the model runs; auto = a GPU that the engine can use, else cpu.",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto",
        description="Torch's type of weights and KV; auto = float32 on cpu, bfloat16 on cuda, "
        "float16 on mps.",
    )
    threads: int = Field(
        default=0, ge=0, le=1024, description="CPU threads; 0 = the engine's own choice."
    )
    context_limit_tokens: int = Field(
        default=2048,
        ge=64,
        le=1 << 20,
        description="Longest prompt plus reply; the model's own limit wins if it is smaller.",
    )
    max_batch: int | None = Field(
        default=None,
        ge=1,
        le=128,
        description="Replies decoded in one step; none = 8 by llama.cpp, 4 by torch.",
    )
    device_budget_bytes: int = Field(
        default=_GIB // 2, ge=0, description="The device arena for NPC prefixes; 0 = none is kept."
    )
    host_budget_bytes: int = Field(
        default=_GIB, ge=0, description="Host memory for parked prefixes; 0 = not used."
    )
    disk_budget_bytes: int = Field(
        default=4 * _GIB, ge=0, description="Disk for parked prefixes; 0 = not used."
    )
    state_dir: Path | None = Field(
        default=None, description="Folder of the disk tier; none = `state` in the cache folder."
    )
    adapters: dict[str, Path] = Field(
        default_factory=dict,
        description="Adapter id -> LoRA adapter: for llama.cpp a .gguf file, for torch a folder in "
        "PEFT format.",
    )
    models: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Archetype -> the model its NPCs speak with; all others speak with `model`.",
    )
    weights_budget_bytes: int | None = Field(
        default=None,
        ge=1,
        description="Where there are several models: memory for those that are loaded, each with "
        "its KV cache; none = half of this machine's.",
    )


@dataclass(frozen=True, slots=True)
class EmbeddedTuning:
    """Constants that suit any model and machine seen so far; tests and benchmarks vary them."""

    max_batch: int = 4
    """Replies decoded in one step, unless the settings say otherwise."""
    max_queue: int = 64
    """Requests waiting beyond those running: a minute's worth; more would wait in vain."""
    prefill_chunk_tokens: int = 64
    """Prompt tokens computed between two decode steps: the longest stall of who speaks."""
    block_tokens: int = 16
    """Tokens per block of the device arena: half a block is lost per prefix."""
    adapter_device_budget_bytes: int = _GIB // 8
    """Adapter weights on the device: fifty adapters of a small model."""
    adapter_host_budget_bytes: int = _GIB // 4
    """Adapter weights parked in host memory: a hundred adapters of a small model."""
    keep_conversation: bool = True
    """Keep the KV of an ended turn with the NPC's prefix while there is room."""
