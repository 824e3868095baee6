"""Workloads in which places tell nothing: only the past says who is next.

Each is a rule and its dice: the chance of a call in the next tick, given the past, is known.
"""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from callsheet_server.trace.generators.recording import Generated, Recording, people

__all__ = ["chains", "changed_habits", "periodic", "poisson"]

TICK_S = 0.5


def poisson(
    seed: int,
    npcs: int = 240,
    seconds: float = 900.0,
    gap_s: float = 90.0,
    spread: float = 1.0,
    changes_at_s: float = np.inf,
) -> Generated:
    """Everybody calls at random, each at a rate of their own, log-normal around 1 / ``gap_s``.

    At ``changes_at_s`` those who called most call least from then on, and the other way round.
    """
    draw = np.random.default_rng(seed)
    rate = np.exp(draw.normal(0.0, spread, npcs)) / gap_s
    order = np.argsort(rate)
    turned = rate.copy()
    turned[order] = rate[order[::-1]]
    record = Recording("poisson", people(draw, "caller", npcs), TICK_S)
    while record.next_s <= seconds:
        now = turned if record.next_s > changes_at_s else rate
        record.call(np.flatnonzero(draw.random(npcs) < now * TICK_S))
        record.tick(chance=now * TICK_S)
    return record.finish()


def changed_habits(seed: int, npcs: int = 240, seconds: float = 1200.0) -> Generated:
    """Poisson callers whose rates are turned upside down half-way."""
    return poisson(seed, npcs, seconds, changes_at_s=seconds / 2.0)


def periodic(
    seed: int,
    npcs: int = 240,
    seconds: float = 900.0,
    gap_s: float = 60.0,
    spread: float = 0.5,
    jitter: float = 0.1,
) -> Generated:
    """Everybody calls once a period; each gap is off by a share ``jitter`` of it, normal."""
    draw = np.random.default_rng(seed)
    period_s = gap_s * np.exp(draw.normal(0.0, spread, npcs))
    last_s = -draw.random(npcs) * period_s
    due_s = last_s + period_s * (1.0 + jitter * draw.normal(size=npcs))
    record = Recording("periodic", people(draw, "keeper", npcs), TICK_S)
    while (now_s := record.next_s) <= seconds:
        rows = np.flatnonzero((due_s <= now_s) & (record.busy_until_s <= now_s))
        record.call(rows)
        last_s[rows] = now_s
        gap_of_rows_s = period_s[rows] * (1.0 + jitter * draw.normal(size=len(rows)))
        due_s[rows] = now_s + np.maximum(gap_of_rows_s, record.reply_s)
        waited = (now_s - last_s) / period_s
        sure = _more_than((waited - 1.0) / jitter)
        left = _more_than((waited + TICK_S / period_s - 1.0) / jitter)
        chance = np.where(sure > 1e-12, 1.0 - left / np.maximum(sure, 1e-12), 1.0)
        record.tick(chance=np.where(record.busy_until_s > now_s + TICK_S, 0.0, chance))
    return record.finish()


def chains(
    seed: int,
    npcs: int = 120,
    seconds: float = 1200.0,
    length: int = 3,
    start_gap_s: float = 90.0,
    delay_s: float = 3.5,
    goes_on: float = 0.9,
    noise_gap_s: float = 600.0,
) -> Generated:
    """A's call makes B call some seconds later, then C; a few calls belong to no chain.

    Each group of ``length`` NPCs is a chain. Its first member calls at random; each next one
    follows with chance ``goes_on``, after a log-normal delay around ``delay_s``. Anybody calls at
    random every ``noise_gap_s``.
    """
    draw = np.random.default_rng(seed)
    spread = 0.4
    record = Recording("chains", people(draw, "link", npcs), TICK_S)
    base = np.full(npcs, TICK_S / noise_gap_s)
    base[::length] += TICK_S / start_gap_s
    coming: list[tuple[float, int]] = []
    asked: dict[int, float] = {}
    while (now_s := record.next_s) <= seconds:
        rows = set(np.flatnonzero(draw.random(npcs) < base).tolist())
        while coming and coming[0][0] <= now_s:
            rows.add(heapq.heappop(coming)[1])
        called = record.free(np.array(sorted(rows), np.intp))
        record.call(called)
        for row in called.tolist():
            asked.pop(row, None)
            if (row + 1) % length:
                asked[row + 1] = now_s
                if draw.random() < goes_on:
                    delay = float(np.exp(draw.normal(np.log(delay_s), spread)))
                    heapq.heappush(coming, (now_s + delay, row + 1))
        chance = base.copy()
        for row, since_s in list(asked.items()):
            waited_s = max(now_s - since_s, 1e-9)
            still = _more_than(np.log(waited_s / delay_s) / spread)
            after = _more_than(np.log((waited_s + TICK_S) / delay_s) / spread)
            chance[row] += goes_on * (still - after) / (1.0 - goes_on + goes_on * still)
            if waited_s > 10.0 * delay_s:
                del asked[row]
        record.tick(chance=chance)
    return record.finish()


def _more_than(deviations: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Chance that a normal variable is more than so many deviations above its mean."""
    flat = np.ravel(deviations) / math.sqrt(2.0)
    chance = np.array([math.erfc(one) for one in flat]) / 2.0
    return chance.reshape(np.shape(deviations))
