"""Table of the days, and when a target is missed."""

from __future__ import annotations

from dataclasses import replace

from callsheet_bench.cluster.real.report import lines, missed
from callsheet_bench.cluster.real.run import OURS, Played, Skipped

MINE = Played(
    contender=OURS,
    plugin=True,
    replies=100,
    prompt_tokens=80_000,
    computed_tokens=10_000,
    device_hits=90,
    all_computed_tokens=30_000,
    busier=0.53,
)
THEIRS = replace(
    MINE, contender="round robin", plugin=False, computed_tokens=40_000, device_hits=40
)


def test_the_table_has_a_row_each_best_first_and_says_what_is_not_measured() -> None:
    table = list(lines([THEIRS, MINE, Skipped("a router", "it does not install")]))
    assert table[2] == f"| {OURS} | yes | 100 | 300 | 0.900 | 0.53 |"
    assert table[3].startswith("| round robin | no | 400 |")
    assert any("no speed-up" in line for line in table)
    assert table[-1] == "Skipped: a router: it does not install"


def test_ours_must_be_best_or_equal_in_both_counts() -> None:
    assert missed([MINE, THEIRS]) == []
    equal = replace(THEIRS, computed_tokens=9_300, device_hits=91)
    assert missed([MINE, equal]) == []
    better = replace(THEIRS, computed_tokens=9_000, device_hits=92)
    assert missed([MINE, better]) == [
        "round robin without the plugin computes less: 9000 tokens",
        "round robin without the plugin has more device hits: 92",
    ]
