from __future__ import annotations

from pathlib import Path

import pytest

from callsheet_bench.figures import FIGURES
from callsheet_bench.gpu_link import PAIRS
from callsheet_bench.judge import TARGETS, judge
from callsheet_bench.plan import LORA, TABLES
from callsheet_bench.report import as_json, markdown
from callsheet_bench.store import Store

FIGURE_NAMES = tuple(FIGURES)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "rounds.jsonl", {"model": "m"}, resume=False)


def fill(store: Store, table: str, system: str, values: list[float]) -> None:
    for number, value in enumerate(values):
        store.add_round(
            table, system, number, dict.fromkeys(FIGURE_NAMES, 0.5) | {"replies_per_s": value}
        )


def words(store: Store) -> dict[str, str]:
    return {verdict.target.name: verdict.word for verdict in judge(store)}


def test_every_target_names_a_table_that_exists() -> None:
    assert {target.table for target in TARGETS} <= TABLES.keys()


def test_noise_that_both_systems_meet_in_a_round_does_not_count(store: Store) -> None:
    # the machine was half as fast in rounds 1 and 3; the ratio is 2 in every round
    fill(store, "town", "stock", [1.0, 0.5, 1.0, 0.5, 1.0])
    fill(store, "town", "callsheet", [2.0, 1.0, 2.0, 1.0, 2.0])
    fill(store, "town", "resident", [2.5, 1.25, 2.5, 1.25, 2.5])
    found = words(store)
    assert found["replies/s over stock"] == "pass"
    assert found["replies/s, share of everybody resident"] == "fail"
    assert found["replies/s over naive swap, emulated link"] == "not measured"


def test_too_few_rounds_are_no_verdict(store: Store) -> None:
    fill(store, "town", "stock", [1.0] * 4)
    fill(store, "town", "callsheet", [9.0] * 5)
    assert words(store)["replies/s over stock"] == "only 4 rounds"


def test_fewer_swaps_are_better(store: Store) -> None:
    for name, swaps in (("lora-lru", 0.6), ("lora-callsheet", 0.2)):
        for number in range(5):
            figures = dict.fromkeys(FIGURE_NAMES, 0.5)
            figures |= {"critical_swaps_per_reply": swaps, "prefetched_swaps_per_reply": 0.1}
            store.add_round(LORA, name, number, figures)
    assert words(store)["adapter swaps on the critical path"] == "pass"
    assert "| lora-lru | 0.60 (0.60 to 0.60) |" in markdown(store, PAIRS["h100/smollm2-1.7b"])


def test_the_report_holds_what_was_measured_and_says_what_was_not(store: Store) -> None:
    fill(store, "town", "callsheet", [2.0, 3.0, 4.0])
    fill(store, "town", "stock", [1.0, 1.0, 1.0])
    pair = PAIRS["h100/smollm2-1.7b"]
    text = markdown(store, pair)
    assert "| callsheet | 3.00 (2.00 to 4.00) | 0.50" in text
    assert text.index("| stock |") < text.index("| callsheet |")
    assert "Replies/s with the plugin over stock: 3.00 (2.00 to 4.00)" in text
    assert "--only short" not in text
    whole = as_json(store, pair)
    assert whole["tables"]["town"]["callsheet"]["replies_per_s"]["median"] == 3.0
    assert whole["targets"][0]["ratio"] == {"median": 3.0, "low": 2.0, "high": 4.0, "rounds": 3}
