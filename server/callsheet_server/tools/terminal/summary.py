"""A run in figures, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from callsheet.wire.observe import TtftStats
from callsheet.wire.session import EngineSummary
from callsheet_server.tools.terminal.scene import Scene

__all__ = ["Run", "summary", "summary_lines"]


@dataclass(frozen=True, slots=True)
class Run:
    """Facts of a run that the scene that shows it does not know."""

    engine: EngineSummary
    seconds: float
    """Seconds of real time."""
    errors: Mapping[str, int]
    """Requests that failed and other errors the game was told, by code."""


def summary(scene: Scene, run: Run) -> dict[str, Any]:
    """The figures of a run, ready for JSON. Units are in the names; None = there is no figure."""
    stats = scene.stats
    assert stats is not None, "no stats have come; subscribe to them and wait for the first"
    return {
        "engine": run.engine.name,
        "model": run.engine.model,
        "device": run.engine.device,
        "seconds": round(run.seconds, 2),
        "game_seconds": round(stats.game_time_s, 2),
        "npcs": scene.most_npcs,
        "players": scene.most_players,
        "ticks": stats.ticks,
        "ticks_per_s": round(stats.ticks / run.seconds, 2),
        "npc_updates": stats.npc_updates,
        "npc_updates_per_s": round(stats.npc_updates / run.seconds, 1),
        "requests": stats.requests,
        "replies": stats.replies,
        "generated_tokens": scene.generated_tokens,
        "ttft_resident": _ttft(stats.ttft_resident),
        "ttft_not_resident": _ttft(stats.ttft_not_resident),
        "found_in": {tier: scene.found[tier] for tier in ("device", "host", "disk", "absent")},
        "on_device_share": _rounded(scene.on_device_share),
        "moves": [
            {
                "kind": kind,
                "source": source,
                "target": target,
                "moves": count.moves,
                "bytes": count.bytes,
            }
            for (kind, source, target), count in sorted(scene.moved.items())
        ],
        "tiers": [tier.model_dump() for tier in stats.tiers if tier.budget_bytes],
        "failed_moves": scene.failed_moves,
        "errors": sum(run.errors.values()),
        "error_codes": dict(run.errors),
    }


def summary_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """The same in a few lines for people."""
    yield (
        f"{figures['seconds']:.0f} s of {figures['npcs']} NPCs on {figures['engine']} "
        f"({figures['model']}, {figures['device']}): {figures['ticks']} ticks, "
        f"{figures['npc_updates_per_s']:.0f} NPC updates/s"
    )
    share = figures["on_device_share"]
    yield (
        f"{figures['replies']} replies to {figures['requests']} requests, "
        f"{figures['generated_tokens']} tokens"
        + ("" if share is None else f"; {share:.0%} found the NPC's prefix on the device")
    )
    for name, words in (("ttft_resident", "resident"), ("ttft_not_resident", "not resident")):
        ttft = figures[name]
        if ttft["replies"]:
            yield (
                f"time to first token, {words}: p50 {ttft['p50_s'] * 1e3:.0f} ms, "
                f"p95 {ttft['p95_s'] * 1e3:.0f} ms ({ttft['replies']} replies)"
            )
    for move in figures["moves"]:
        yield (
            f"{move['kind']} {move['source']} to {move['target']}: {move['moves']} moves, "
            f"{move['bytes'] / 1e6:.0f} MB"
        )
    codes = ", ".join(f"{code} {count}" for code, count in figures["error_codes"].items())
    yield f"errors: {figures['errors']}" + (f" ({codes})" if codes else "")


def _ttft(stats: TtftStats) -> dict[str, float | int | None]:
    return {
        "replies": stats.replies,
        "p50_s": _rounded(stats.p50_s),
        "p95_s": _rounded(stats.p95_s),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
