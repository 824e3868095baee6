"""Run of ``callsheet bench local``: one part after the other, contenders taking turns in each."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from callsheet_bench.figures import Spread, spread
from callsheet_bench.local import footprint, speed, town, weights, weights_planned
from callsheet_bench.local.contenders import Contender, engined, llamacpp, stock
from callsheet_bench.local.machine import machine_lines
from callsheet_bench.local.planned import Planned
from callsheet_server.engine.models.gguf_cache import resolve_gguf
from callsheet_server.engine.models.gguf_file import GgufFile, read_gguf

__all__ = ["PARTS", "Plan", "measure"]

PARTS = ("speed", "town", "weights", "footprint")
VISITS = 4
"""Of NPCs, in one round of the town; two calls each."""
SWAP_MIB = 8192
"""Room on the host for the stock server's own cache: its default."""
LEAST_OF = {"stock": {1: 0.95, 4: 0.95, 8: 0.95}, "torch": {1: 4.0, 4: 2.5, 8: 3.0}}
"""Contender -> NPCs at once -> tokens/s that ours must have, in times of the contender's."""
MOST_LAST_OVER_FIRST = 2.0
MOST_OF_STOCK_TTFT, MOST_OF_SWAP_TTFT = 0.25, 1.0
MOST_IDLE = 0.01

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Extent of a run."""

    model: str
    parts: Sequence[str] = PARTS
    rounds: int = 5
    torch: bool = True


@dataclass
class Report:
    """Lines of the report, and the targets that were missed."""

    say: Say
    missed: list[str] = field(default_factory=list)

    def judged(self, what: str, found: Spread, *, least: float = 0.0, most: float = 1e9) -> str:
        """Cells of a table for a figure and its target."""
        met = least <= found.median <= most
        if not met:
            self.missed.append(f"{what}: {found.median:.2f}")
        wanted = f"at least {least:g}" if least else f"at most {most:g}"
        return f"{_with_spread(found)} | {wanted} | {'met' if met else 'MISSED'}"


async def measure(plan: Plan, say: Say) -> list[str]:
    """Measure and say it as it is found; returns the targets that were missed."""
    report = Report(say)
    model = read_gguf(resolve_gguf(plan.model, lambda _: None))
    for line in machine_lines(model):
        say(line)
    if "speed" in plan.parts:
        await _speed(plan, model, report)
    if "town" in plan.parts:
        await _town(plan, model, report)
    if "weights" in plan.parts:
        await _weights(plan, model, report)
    if "footprint" in plan.parts:
        await _footprint(plan, report)
    return report.missed


async def _speed(plan: Plan, model: GgufFile, report: Report) -> None:
    found = {name: speed.Speed() for name in ("ours", "stock", "torch")[: 2 + plan.torch]}
    async with contextlib.AsyncExitStack() as stack:
        ours = llamacpp(model.path, len(speed.NPCS), model.kv_bytes_per_token)
        contenders: dict[str, Contender] = {
            "ours": await stack.enter_async_context(engined(ours, speed.NPCS)),
            "stock": await stack.enter_async_context(stock(model, len(speed.NPCS), 0)),
        }
        if plan.torch:
            from callsheet_server.engine.embedded.engine import EmbeddedEngine
            from callsheet_server.engine.embedded.settings import EmbeddedSettings

            torch = EmbeddedEngine(EmbeddedSettings(disk_budget_bytes=0))
            contenders["torch"] = await stack.enter_async_context(engined(torch, speed.NPCS))
        for contender in contenders.values():
            await speed.warm(contender)
        for number in range(plan.rounds):
            await speed.measure_round(contenders, found, number)
    say = report.say
    say(f"\ntokens/s, everybody resident, medians of {plan.rounds} (least to most):\n")
    say("| NPCs at once | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    for count in speed.AT_ONCE:
        cells = [_with_spread(spread(one.tokens_per_s[count])) for one in found.values()]
        say(f"| {count} | " + " | ".join(cells) + " |")
    say("\n| round by round | median | wanted | |\n|---|---|---|---|")
    for other, least in LEAST_OF.items():
        for count in speed.AT_ONCE if other in found else ():
            what = f"ours over {other}, {count} at once"
            ratios = _ratios(found["ours"].tokens_per_s[count], found[other].tokens_per_s[count])
            say(f"| {what} | {report.judged(what, spread(ratios), least=least[count])} |")
    what = "first token of the eighth over that of the first"
    last = spread(found["ours"].last_over_first)
    say(f"| {what} | {report.judged(what, last, most=MOST_LAST_OVER_FIRST)} |")
    waits = {name: statistics.median(one.last_ttft_s) for name, one in found.items()}
    told = ", ".join(f"{name} {wait_s * 1e3:.0f} ms" for name, wait_s in waits.items())
    say(f"\nfirst token of the last of eight: {told}")


async def _town(plan: Plan, model: GgufFile, report: Report) -> None:
    waits: dict[str, list[list[float]]] = {"ours": [], "stock": [], "stock, host cache on": []}
    rounds = [town.calls_of_round(number, VISITS) for number in range(plan.rounds)]
    async with contextlib.AsyncExitStack() as stack:
        ours = llamacpp(model.path, town.ROOM_NPCS, model.kv_bytes_per_token)
        contenders: dict[str, Contender] = {
            "ours": await stack.enter_async_context(engined(ours, town.NPCS)),
            "stock": await stack.enter_async_context(stock(model, town.ROOM_NPCS, 0)),
            "stock, host cache on": await stack.enter_async_context(
                stock(model, town.ROOM_NPCS, SWAP_MIB)
            ),
        }
        planned = Planned(ours, dict.fromkeys(town.NPCS), town.CALL_S)
        stack.push_async_callback(planned.close)
        for name in ("ours", "stock, host cache on"):
            await town.prepare(contenders[name], [npc for calls in rounds for npc in calls])
        for calls in rounds:
            for name, contender in contenders.items():
                mine = planned if name == "ours" else None
                waits[name].append(await town.play(contender, calls, mine))
    p95 = {name: [_p95(one) for one in rounds] for name, rounds in waits.items()}
    say = report.say
    room = f"room on the device for {town.ROOM_NPCS}, {len(rounds[0])} calls a round"
    say(f"\na town of {len(town.NPCS)}, {room}, medians of {plan.rounds}:\n")
    say("| | TTFT p50 ms | TTFT p95 ms |\n|---|---|---|")
    for name, rounds_waits in waits.items():
        p50 = _with_spread(spread([1e3 * statistics.median(one) for one in rounds_waits]))
        say(f"| {name} | {p50} | {_with_spread(spread([1e3 * one for one in p95[name]]))} |")
    say("\n| TTFT p95, round by round | median | wanted | |\n|---|---|---|---|")
    for other, most in (("stock", MOST_OF_STOCK_TTFT), ("stock, host cache on", MOST_OF_SWAP_TTFT)):
        what = f"ours over {other}"
        found = spread(_ratios(p95["ours"], p95[other]))
        say(f"| {what} | {report.judged(what, found, most=most)} |")


async def _weights(plan: Plan, model: GgufFile, report: Report) -> None:
    say = report.say
    rates = [weights_planned.hit_rates(seed) for seed in range(plan.rounds)]
    told = (f"{name} {_with_spread(spread([one[name] for one in rates]))}" for name in rates[0])
    say(f"\nthe planner alone, 400 calls, model was loaded: {', '.join(told)}")
    found = await weights.measure(model, plan.rounds)
    what = f"{weights.MODELS} models, room for {weights.ROOM_MODELS}, {len(weights.NPCS)} NPCs"
    say(f"\n{what}, {weights.VISITS} calls a round, medians of {plan.rounds}:\n")
    say("| policy | model was loaded | TTFT p50 ms | TTFT p95 ms |\n|---|---|---|---|")
    for name, rounds in found.items():
        hits = _with_spread(spread([one.hit_rate for one in rounds]))
        p50 = _with_spread(spread([1e3 * statistics.median(one.waits_s) for one in rounds]))
        p95 = _with_spread(spread([1e3 * _p95(one.waits_s) for one in rounds]))
        say(f"| {name} | {hits} | {p50} | {p95} |")
    ours, lru = ([one.hit_rate for one in found[name]] for name in ("distance", "lru"))
    if statistics.median(ours) <= statistics.median(lru):
        report.missed.append("weights: distance does not hit more often than LRU")


async def _footprint(plan: Plan, report: Report) -> None:
    say = report.say
    say("\n| `callsheet serve`, nobody connected | start s | memory MB | idle, share of a core |")
    say("|---|---|---|---|")
    for engine in ("llamacpp", "embedded")[: 1 + plan.torch]:
        found = await footprint.measure(engine)
        memory, idle = f"{found.memory_bytes / 1e6:.0f}", f"{100 * found.idle_share:.2f} %"
        say(f"| {engine} | {found.start_s:.1f} | {memory} | {idle} |")
        if engine == "llamacpp" and found.idle_share > MOST_IDLE:
            report.missed.append(f"idle: {100 * found.idle_share:.2f} % of a core")
    server, torch = (footprint.installed_bytes("callsheet", e) for e in ("server", "torch"))
    say("\non disk, packages with all they need, Python and models not counted:")
    say(f"callsheet[server] {server / 1e6:.0f} MB; callsheet[torch] {torch / 1e6:.0f} MB")


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[-1 - len(values) // 20]


def _with_spread(found: Spread) -> str:
    digits = 0 if found.median >= 10 else 2
    return f"{found.median:.{digits}f} ({found.low:.{digits}f}-{found.high:.{digits}f})"
