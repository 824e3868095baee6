"""Settings of the engine ``llamacpp``: those of every engine on this machine, and its own."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet_server.engine.embedded.settings import EmbeddedSettings

__all__ = ["LlamaCppSettings", "LlamaCppTuning"]


@dataclass(frozen=True, slots=True)
class LlamaCppSettings:
    """Settings of the engine ``llamacpp``."""

    local: EmbeddedSettings
    server: str | None = None
    """Another build of llama-server by path, or one that runs by URL; none = that of the wheel."""


@dataclass(frozen=True, slots=True)
class LlamaCppTuning:
    """Constants that suit any model and machine seen so far; tests and benchmarks vary them."""

    max_batch: int = 8
    """Replies at once, unless the settings say otherwise: llama.cpp decodes eight nearly as fast
    as one."""
    max_queue: int = 64
    """Requests waiting beyond those running: a minute's worth; more would wait in vain."""
    chunk_tokens: int = 128
    """Prompt tokens computed in one step: the longest stall of who speaks, on a CPU."""
    restart_min_s: float = 0.2
    restart_max_s: float = 10.0
    """Pauses before llama.cpp is started again after it has died."""
