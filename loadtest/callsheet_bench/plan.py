"""Plan of the benchmark: its tables, the towns and systems they compare, and the time they take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from callsheet_bench.workload import TownSpec

__all__ = [
    "ADAPTER_SLOTS",
    "LORA",
    "LORA_SYSTEMS",
    "LORA_TOWN",
    "OVERHEAD",
    "OVERHEAD_SYSTEMS",
    "STAGES",
    "TABLES",
    "TOWN",
    "Stage",
    "Table",
    "only",
    "quick",
    "scaling_tables",
]

BASE = ("stock", "naive", "callsheet", "resident")
LONG = (1000, 1500)
SHORT = (200, 300)


@dataclass(frozen=True, slots=True)
class Table:
    """Systems on one town."""

    name: str
    title: str
    town: TownSpec
    systems: tuple[str, ...] = BASE


@dataclass(frozen=True, slots=True)
class Stage:
    """Tables whose systems run side by side, in the same processes."""

    name: str
    tables: tuple[Table, ...]
    """Tables in order of size: a larger town's people contain those of a smaller one."""
    overhead: bool = False
    """Measure ordinary traffic too, with and without the plugin."""


TOWN = TownSpec(npcs=56, persona_tokens=LONG, requests=20, lead_in=5, reply_tokens=16)
RANDOM = replace(TOWN, requests=16, lead_in=4)
CROWD = TownSpec(npcs=160, persona_tokens=SHORT, requests=16, lead_in=4)
CROWD_TOKENS = 10_500
"""The pool of all towns of the last stage: about a quarter of the personas of ``CROWD``."""
SCALES = (25, 50, 100, 200, 400)


def _scale(npcs: int) -> Table:
    town = replace(CROWD, npcs=npcs, requests=10, lead_in=2, device_tokens=CROWD_TOKENS)
    return Table(f"scaling-{npcs}", f"{npcs} NPCs, short personas, fixed pool", town)


STAGES: Sequence[Stage] = (
    Stage(
        "personas",
        (
            Table("town", "Town, long personas", TOWN),
            *(
                Table(
                    f"random-{share}",
                    f"Town, long personas, {share} % random calls",
                    replace(RANDOM, random_share=share / 100),
                )
                for share in (10, 30, 50)
            ),
        ),
        overhead=True,
    ),
    Stage(
        "pool",
        (
            Table(
                "pool",
                "Town, long personas, a larger pool for stock",
                TOWN,
                ("callsheet", "stock-large"),
            ),
        ),
    ),
    Stage(
        "link",
        (
            Table(
                "link",
                "Town, long personas, emulated link",
                TOWN,
                ("resident", "naive-link", "callsheet-link"),
            ),
        ),
    ),
    Stage(
        "crowd",
        (
            *(_scale(npcs) for npcs in SCALES if npcs <= CROWD.npcs),
            Table("short", "Town, short personas", replace(CROWD, device_tokens=CROWD_TOKENS)),
            *(_scale(npcs) for npcs in SCALES if npcs > CROWD.npcs),
        ),
    ),
)
LORA = "lora"
ADAPTER_SLOTS = 8
LORA_TOWN = TownSpec(npcs=32, persona_tokens=(100, 150), requests=24, lead_in=4, device_tokens=1200)
"""Chosen for a pool that holds as many people as there are slots; that of the systems holds all."""
LORA_SYSTEMS: Mapping[str, Literal["lru", "distance"]] = {
    "lora-lru": "lru",
    "lora-callsheet": "distance",
}
"""Name -> how its adapters come to their slots."""
OVERHEAD = "overhead"
OVERHEAD_SYSTEMS = ("naive", "callsheet")

TABLES: Mapping[str, str] = {
    **{table.name: table.title for stage in STAGES for table in stage.tables},
    LORA: "32 adapters, 8 slots",
    OVERHEAD: "Plugin overhead on ordinary traffic, no NPCs",
}
"""Tables that ``--only`` takes: name -> title."""


def only(stage: Stage, names: Collection[str]) -> Stage:
    """The part of a stage that was asked for."""
    tables = tuple(table for table in stage.tables if table.name in names)
    return Stage(stage.name, tables, stage.overhead and OVERHEAD in names)


def scaling_tables() -> Mapping[int, str]:
    """NPCs -> name of the table."""
    return {npcs: f"scaling-{npcs}" for npcs in SCALES}


def quick(stage: Stage) -> Stage:
    """The same stage, small: to see that everything works, not what comes of it."""
    tables = tuple(
        replace(
            table,
            town=replace(
                table.town,
                npcs=max(8, table.town.npcs // 8),
                requests=8,
                lead_in=2,
                persona_tokens=(
                    table.town.persona_tokens[0] // 2,
                    table.town.persona_tokens[1] // 2,
                ),
                device_tokens=table.town.device_tokens and table.town.device_tokens // 8,
            ),
        )
        for table in stage.tables
    )
    return replace(stage, tables=tables)
