"""Events as an observer gets them."""

from __future__ import annotations

from callsheet.wire.observe import Move, Stats, TtftStats


def stats(ticks: int, npc_updates: int = 0) -> Stats:
    none = TtftStats(replies=0)
    return Stats(
        game_time_s=1.0, npcs=1, players=0, ticks=ticks, npc_updates=npc_updates, requests=0,
        replies=0, errors=0, running=0, queued=0, tiers=(), loads=0, evictions=0, loaded_bytes=0,
        evicted_bytes=0, ttft_resident=none, ttft_not_resident=none,
    )  # fmt: skip


def move(source: str, target: str, size_bytes: int, error: str | None = None) -> Move:
    return Move.model_validate(
        {
            "kind": "prefix",
            "key": "bram",
            "source": source,
            "target": target,
            "bytes": size_bytes,
            "seconds": 0.1,
            "reason": "needed",
            "error": error,
        }
    )
