"""The demo's own defaults of the server's settings."""

from __future__ import annotations

from callsheet_server.app.settings import Settings

__all__ = ["max_open", "presets"]

DEVICE_SHARE = 0.3
HOST_SHARE = 0.4
"""Shares of the NPCs' prefixes that fit in these tiers; the rest goes to disk."""
PREFIX_BYTES = 5_900_000
"""Of a biography under the default model in float32, on average; the budgets follow from it."""
LORE_BYTES = 6_000_000
SCRIPTED_PREFIX_BYTES = 1_000_000


def presets(npcs: int) -> list[str]:
    """As flags: short replies, and tiers too small for everyone.

    Short chunks of prefill keep the computing of prefixes from holding up who speaks.
    """
    device, host = DEVICE_SHARE * npcs, HOST_SHARE * npcs  # NPCs that fit
    return [
        "server.port=0",
        "embedded.prefill_chunk_tokens=64",
        "reply.max_tokens=32",
        f"embedded.device_budget_bytes={int(device * PREFIX_BYTES) + LORE_BYTES}",
        f"embedded.host_budget_bytes={int(host * PREFIX_BYTES)}",
        f"embedded.disk_budget_bytes={npcs * PREFIX_BYTES}",
        "scripted.rebuild_s=0.05",
        f"scripted.prefix_bytes={SCRIPTED_PREFIX_BYTES}",
        f"scripted.device_budget_bytes={max(int(device), 1) * SCRIPTED_PREFIX_BYTES}",
        f"scripted.host_budget_bytes={int(host) * SCRIPTED_PREFIX_BYTES}",
        f"scripted.disk_budget_bytes={npcs * SCRIPTED_PREFIX_BYTES}",
    ]


def max_open(settings: Settings) -> int:
    """Half of what the engine answers at once, so that players find a free place."""
    slots = {
        "embedded": settings.embedded.max_batch,
        "sglang": settings.sglang.max_open,
        "openai": settings.openai.max_open,
        "scripted": settings.scripted.max_running,
    }
    return max(slots[settings.engine.name] // 2, 1)
