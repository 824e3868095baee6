"""Tokens and memory that personas take in the engine that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Final

from callsheet_server.app.engine_choice import choose_engine
from callsheet_server.app.settings import Settings
from callsheet_server.engine.models.cache import cache_dir
from callsheet_server.engine.models.tokens import kv_bytes_per_token, token_counter
from callsheet_server.engine.scripted import ScriptedTraits

__all__ = ["Measure", "fits_by_tier", "measure"]

DEFAULT_CONTEXT_TOKENS: Final = 2_048
"""Assumed of engines that say how much they take only when they run."""
BLOCK_TOKENS: Final = 16
FLOAT32_BYTES: Final = 4
FLOAT16_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """Yardstick of an engine."""

    engine: str
    context_tokens: int
    count: Callable[[Sequence[str]], Sequence[int]] | None
    """None = no tokenizer is at hand; tokens are estimated."""
    model: str = ""
    bytes_per_token: int | None = None
    prefix_bytes: int | None = None
    """Size of every prefix, where it does not depend on its length."""
    tiers: Mapping[str, int] = field(default_factory=dict)
    """Tier -> its budget in bytes; none = the engine keeps that to itself."""

    @property
    def counted(self) -> str:
        """Way in which tokens are counted, for a report."""
        return "estimated" if self.count is None else f"counted by {self.model}"


def measure(settings: Settings) -> Measure:
    """Read off the settings what a persona costs. Nothing is fetched, and no model is loaded."""
    kind = choose_engine(settings).name
    if kind == "scripted":
        scripted, traits = settings.scripted, ScriptedTraits()
        return Measure(
            kind,
            DEFAULT_CONTEXT_TOKENS,
            None,
            prefix_bytes=traits.prefix_bytes,
            tiers={
                "device": scripted.device_budget_bytes,
                "host": scripted.host_budget_bytes,
                "disk": traits.disk_budget_bytes,
            },
        )
    if kind not in ("embedded", "llamacpp"):
        context = getattr(getattr(settings, kind), "context_limit_tokens", DEFAULT_CONTEXT_TOKENS)
        return Measure(kind, context, None)
    embedded = settings.embedded
    folder = _folder_of(embedded.model)
    on_cpu = embedded.device in ("auto", "cpu") and embedded.dtype in ("auto", "float32")
    value_bytes = FLOAT32_BYTES if on_cpu and kind == "embedded" else FLOAT16_BYTES
    try:
        count = token_counter(folder)
        bytes_per_token = kv_bytes_per_token(folder, value_bytes)
    except (OSError, ValueError, KeyError):
        return Measure(kind, embedded.context_limit_tokens, None, embedded.model)
    return Measure(
        kind,
        embedded.context_limit_tokens,
        count,
        embedded.model,
        bytes_per_token,
        tiers={
            "device": embedded.device_budget_bytes,
            "host": embedded.host_budget_bytes,
            "disk": embedded.disk_budget_bytes,
        },
    )


def fits_by_tier(yardstick: Measure, tokens: Sequence[int]) -> dict[str, int]:
    """Count the prefixes that each tier has room for, beside those of the tiers above it."""
    if yardstick.prefix_bytes is not None:
        sizes = [yardstick.prefix_bytes for _ in tokens]
    elif yardstick.bytes_per_token is not None:
        blocks = [-(-count // BLOCK_TOKENS) for count in tokens]
        sizes = [block * BLOCK_TOKENS * yardstick.bytes_per_token for block in blocks]
    else:
        return {}
    fits, first = {}, 0
    for tier, budget_bytes in yardstick.tiers.items():
        fits[tier] = sum(used <= budget_bytes for used in accumulate(sizes[first:]))
        first += fits[tier]
    return fits


def _folder_of(model: str) -> Path:
    """Name the folder of a model that is here already."""
    local = Path(model).expanduser()
    if (local / "config.json").is_file():
        return local
    return cache_dir() / "models" / model.replace("/", "--")
