"""Made-up workloads with stated rules, to tune predictions on and to judge them by.

The same name and seed give the same trace, on every machine. ``HELD_OUT`` are other seeds, other
figures and other rules than ``TUNED_ON``: nothing in Callsheet was chosen by looking at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from callsheet_server.trace.generators.callers import chains, changed_habits, periodic, poisson
from callsheet_server.trace.generators.places import (
    campus,
    few_popular,
    flash_crowd,
    runner,
    street,
)
from callsheet_server.trace.generators.recording import Generated
from callsheet_server.trace.generators.towns import agents, town_day

__all__ = ["HELD_OUT", "TUNED_ON", "Generated"]

TUNED_ON: Mapping[str, Callable[[], Generated]] = {
    "poisson": partial(poisson, 1),
    "periodic": partial(periodic, 2),
    "chains": partial(chains, 3),
    "changed-habits": partial(changed_habits, 4),
    "flash-crowd": partial(flash_crowd, 5),
    "runner": partial(runner, 6),
    "few-popular": partial(few_popular, 7),
    "street": partial(street, 8),
    "town-announced": partial(town_day, 9),
    "town-silent": partial(town_day, 10, announced=False),
}
"""Name -> generator."""

HELD_OUT: Mapping[str, Callable[[], Generated]] = {
    "poisson": partial(poisson, 101, npcs=320, gap_s=120.0, spread=0.9),
    "periodic": partial(periodic, 102, npcs=200, gap_s=80.0, spread=0.6, jitter=0.12),
    "chains": partial(chains, 103, npcs=160, length=4, delay_s=4.5, goes_on=0.85),
    "changed-habits": partial(changed_habits, 104, npcs=200, seconds=900.0),
    "flash-crowd": partial(flash_crowd, 105, npcs=260, players=30, talk_gap_s=25.0),
    "runner": partial(runner, 106, talks=0.1),
    "few-popular": partial(few_popular, 107, npcs=200, players=5, popular=0.15),
    "street": partial(street, 108, npcs=160, length_m=80.0, greets=0.15),
    "campus": partial(campus, 109),
    "town-announced": partial(town_day, 110, npcs=160, late_s=3.0),
    "town-silent": partial(town_day, 111, npcs=160, announced=False),
    "agents": partial(agents, 112, npcs=25),
}
"""Name -> generator; ``campus`` and ``agents`` have rules that ``TUNED_ON`` does not know."""
