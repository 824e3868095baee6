"""Run of the emulated benchmark: each system started once for all cells with the same pools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import groupby
from pathlib import Path

from callsheet_bench.emulated.cells import CELLS, Cell
from callsheet_bench.emulated.player import HostBoundError, greet, play, settle
from callsheet_bench.emulated.systems import SYSTEMS, EmulatedSystem, Place, spec_of, started
from callsheet_bench.emulated.town import Town
from callsheet_bench.store import Store
from callsheet_server.engine.models.cache import resolve_model
from callsheet_sglang.launch.interpreter import find_python
from callsheet_sglang_cpu.emulated_gpu.machine import Emulation
from callsheet_sglang_cpu.emulated_gpu.model_folder import make_model_folder

__all__ = ["Options", "estimate_s", "open_store", "run"]

START_S = 40.0
ROUND_S = 4.5
"""Emulated time."""
GREETING_S = 0.004
GREETING_DILATION = 0.01
"""While everybody is introduced, the GPU takes next to no time."""
SETTLING_DILATION = 0.5
TOKENIZER_MODEL = "SmolLM2-135M-Instruct"
"""SGLang loads its tokenizer; prompts are random tokens."""
CELLS_A_ROUND = 7
"""Windows of the day from one round of a cell to its next: prime to the number of windows."""
TRIES = 3
"""Of a round, if this machine was busy with something else meanwhile."""

Report = Callable[[str, float], None]
"""Takes the work at hand, and the estimated seconds done since the last call."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the command."""

    results: Path
    cells: Sequence[Cell]
    systems: Sequence[str] = tuple(SYSTEMS)
    rounds: int = 3
    dilation: float = 3.0
    fresh: bool = False

    def __post_init__(self) -> None:
        """Raises ``ValueError`` naming the option, its value and the fix."""
        if self.rounds < 1:
            raise ValueError(f"--rounds {self.rounds}: at least 1")
        if not self.dilation > 0.0:
            raise ValueError(f"--dilation {self.dilation}: above 0, such as 3")
        if unknown := [name for name in self.systems if name not in SYSTEMS]:
            raise ValueError(f"--system {unknown[0]}: one of {', '.join(SYSTEMS)}")
        for cell in self.cells:
            _ = cell.machine  # raises if there is no such pair


def open_store(options: Options) -> Store:
    """Open the results. Raises ``StoreError`` if they are those of another run."""
    setup = {"emulated": True, "callsheet": metadata.version("callsheet")}
    return Store(options.results, setup, resume=not options.fresh)


def estimate_s(options: Options) -> float:
    """About how long everything takes on a quiet machine of two cores."""
    total_s = 0.0
    for name in options.systems:
        for cells in _by_pools(SYSTEMS[name], options.cells):
            rounds = options.rounds * sum(cell.pace for cell in cells)
            total_s += START_S + GREETING_S * cells[0].npcs + rounds * ROUND_S * options.dilation
    return total_s


async def run(options: Options, store: Store, report: Report) -> None:
    """Measure what the store does not have yet; each round is kept as it ends.

    Raises:
        SglangMissingError: there is no SGLang to start.
        StartError: one did not come up.
        HostBoundError: this machine is too slow for the emulation, or too busy.
        ExceptionGroup: of ``RequestError`` or ``aiohttp.ClientError``.
    """
    folder = options.results.parent
    folder.mkdir(parents=True, exist_ok=True)
    make_model_folder(resolve_model(TOKENIZER_MODEL, lambda _: None), folder / "model")
    place = Place(find_python("cpu"), folder / "model", folder)
    refused: list[str] = []
    for npcs in sorted({cell.npcs for cell in options.cells}):
        report(f"a town of {npcs} NPCs", 0.0)
        town = await asyncio.to_thread(Town, npcs)
        living = [cell for cell in options.cells if cell.npcs == npcs]
        for name in options.systems:
            for cells in _by_pools(SYSTEMS[name], living):
                todo = [
                    (number, cell)
                    for number in range(options.rounds)
                    for cell in cells
                    if not store.has(cell.name, name, number)
                ]
                if todo:
                    refused += await _play(options, store, report, place, town, name, todo)
    if refused:
        raise HostBoundError("rounds left out:\n" + "\n".join(refused))


async def _play(
    options: Options,
    store: Store,
    report: Report,
    place: Place,
    town: Town,
    name: str,
    todo: Sequence[tuple[int, Cell]],
) -> list[str]:
    """Play one system's rounds; return what is to be said of those that were refused."""
    refused: list[str] = []
    cells = [cell for _, cell in todo]
    largest = max(cells, key=town.device_tokens)
    spec = spec_of(place, name, town, largest, options.dilation)
    report(f"starting {name}", 0.0)
    emulation = Emulation(cells[0].machine, GREETING_DILATION)
    async with started(place, name, spec, emulation) as (sglang, path):
        report(f"{name}: everybody speaks once", START_S)
        await greet(sglang, town)
        for number, cell in todo:
            what = f"{name}: {cell.name}, round {number + 1}"
            report(f"{what} of {options.rounds}", 0.0)
            window, plugin = _window(cell, number), SYSTEMS[name].plugin
            for tries_left in reversed(range(TRIES)):
                if cell.host_share < 1.0:
                    Emulation(cell.machine, SETTLING_DILATION).save(path)
                    await settle(sglang, town, cell, window, SETTLING_DILATION, plugin)
                Emulation(cell.machine, options.dilation).save(path)
                found = await play(sglang, town, cell, window, options.dilation, plugin)
                try:
                    found.check()
                except HostBoundError as error:
                    if not tries_left:
                        refused.append(f"{what}: {error}")
                else:
                    store.add_round(cell.name, name, number, found.figures)
                    break
            report("", ROUND_S * cell.pace * options.dilation)
    return refused


def _window(cell: Cell, number: int) -> int:
    """Return the part of the day that a round is of, the same for every system."""
    return number * CELLS_A_ROUND + (CELLS.index(cell) if cell in CELLS else 0)


def _by_pools(system: EmulatedSystem, cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that one start of a system serves."""

    def pools(cell: Cell) -> tuple[float, ...]:
        device = 0.0 if system.everybody else cell.pool_share
        if not system.host_tier:
            return cell.npcs, device
        return cell.npcs, device, cell.host_share, cell.disk_bytes_per_s or 0.0

    seen = dict.fromkeys(map(system.sees, cells))
    return [list(group) for _, group in groupby(sorted(seen, key=pools), pools)]
