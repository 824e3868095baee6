"""The demo's own defaults of the server's settings."""

from __future__ import annotations

from callsheet_server.app.engine_choice import choose_engine
from callsheet_server.app.settings import Settings
from callsheet_server.engine.embedded.settings import EmbeddedTuning
from callsheet_server.engine.llamacpp.settings import LlamaCppTuning
from callsheet_server.engine.scripted import ScriptedTraits

__all__ = ["max_open", "presets"]

DEVICE_SHARE = 0.3
HOST_SHARE = 0.4
"""Shares of the NPCs' prefixes that fit in these tiers; the rest goes to disk."""
PREFIX_BYTES = 5_900_000
"""Of a biography under the default model, on average; the budgets follow from it. In torch's
float32; llama.cpp takes half of that per token, and counts nothing as less than 256 tokens."""
LORE_BYTES = 6_000_000


def presets(npcs: int) -> list[str]:
    """Return presets as flags: short replies, and tiers too small for everyone."""
    device, host = DEVICE_SHARE * npcs, HOST_SHARE * npcs  # NPCs that fit
    return [
        "server.port=0",
        "reply.max_tokens=32",
        f"embedded.device_budget_bytes={int(device * PREFIX_BYTES) + LORE_BYTES}",
        f"embedded.host_budget_bytes={int(host * PREFIX_BYTES)}",
        f"embedded.disk_budget_bytes={npcs * PREFIX_BYTES}",
        "scripted.rebuild_s=0.05",
        f"scripted.device_budget_bytes={max(int(device), 1) * ScriptedTraits.prefix_bytes}",
        f"scripted.host_budget_bytes={int(host) * ScriptedTraits.prefix_bytes}",
    ]


def max_open(settings: Settings) -> int:
    """Half of the replies the engine makes at once, so that players find a free place."""
    own = settings.embedded.max_batch
    slots = {
        "llamacpp": own or LlamaCppTuning().max_batch,
        "embedded": own or EmbeddedTuning().max_batch,
        "sglang": settings.sglang.max_open,
        "openai": settings.openai.max_open,
        "scripted": ScriptedTraits.max_running,
    }
    return max(slots[choose_engine(settings).name] // 2, 1)
