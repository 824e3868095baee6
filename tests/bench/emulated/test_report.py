from __future__ import annotations

from pathlib import Path

import pytest

from callsheet_bench.emulated import paper
from callsheet_bench.emulated.cells import PAPER, Cell
from callsheet_bench.emulated.player import HostBoundError, Round, Sample
from callsheet_bench.emulated.report import as_json, gap_share, markdown
from callsheet_bench.store import Store

CELL = Cell("h100/smollm2-1.7b", 1500, 64)
OTHERS = {"ttft_p50_ms": 10.0, "ttft_p95_ms": 20.0}


def store_of(tmp_path: Path, **rates: list[float]) -> Store:
    store = Store(tmp_path / "rounds.jsonl", {"emulated": True}, resume=False)
    for system, found in rates.items():
        for number, rate in enumerate(found):
            store.add_round(CELL.name, system, number, {"replies_per_s": rate, **OTHERS})
    return store


def test_the_share_of_the_gap_is_taken_round_by_round(tmp_path: Path) -> None:
    store = store_of(tmp_path, naive=[50.0, 60.0], callsheet=[90.0, 90.0], resident=[100.0, 100.0])
    share = gap_share(store, CELL)
    assert share is not None
    assert (share.low, share.high) == (0.75, 0.8)
    text = markdown(store, [CELL])
    assert "1.65 (1.50 to 1.80)" in text
    assert "Emulated" in text
    assert as_json(store, [CELL])["cells"][CELL.name]["replies_per_s_over"]["naive"]["high"] == 1.8


def test_where_there_is_no_gap_there_is_no_share(tmp_path: Path) -> None:
    store = store_of(tmp_path, naive=[98.0], callsheet=[99.0], resident=[100.0])
    assert gap_share(store, CELL) is None
    assert "no gap" in markdown(store, [CELL])


def round_of(host_gap_s: float) -> Round:
    counted = {"busy_s": 9.0, "load_wait_s": 1.0, "host_gap_s": host_gap_s, "link_s": 4.0}
    sample = Sample(0.0, 0.02, 0.01, prefix_tokens=100, device_tokens=60, host_tokens=30)
    return Round(seconds=10.0, sent=200, samples=[sample], counted=counted, at_arrival=0.9)


def test_figures_of_a_round_are_shares_and_rates() -> None:
    figures = round_of(0.1).figures
    assert figures["replies_per_s"] == 20.0
    assert figures["miss_share"] == pytest.approx(0.1)
    assert figures["load_wait_share"] == pytest.approx(0.1)
    assert figures["link_share"] == pytest.approx(0.4)
    assert figures["at_arrival_share"] == 0.9


def test_a_round_in_which_the_machine_was_too_slow_does_not_count() -> None:
    round_of(0.49).check()
    with pytest.raises(HostBoundError, match="idled 6%"):
        round_of(0.6).check()


def test_the_map_of_regimes_has_a_bar_for_what_was_measured(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from callsheet_bench.emulated.plots import draw

    assert draw(store_of(tmp_path), [CELL], tmp_path) is None
    store = store_of(tmp_path, naive=[50.0], callsheet=[90.0], resident=[100.0])
    path = draw(store, [CELL], tmp_path)
    assert path is not None
    assert CELL.name in path.read_text(encoding="utf-8")


def test_the_papers_table_stands_beside_what_was_measured(tmp_path: Path) -> None:
    store = Store(tmp_path / "rounds.jsonl", {"emulated": True}, resume=False)
    for system, rate in (("stock", 50.0), ("naive", 60.0), ("callsheet", 90.0)):
        store.add_round(PAPER[0].name, system, 0, {"replies_per_s": rate, **OTHERS})
    text = paper.table(store)
    assert "| callsheet | 1.74, 55 %, 95 ms | 1.80 (10 ms) | - | - |" in text
    assert "1500: 25%" in text
