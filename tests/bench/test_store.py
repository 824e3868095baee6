from __future__ import annotations

from pathlib import Path

import pytest

from callsheet_bench.store import Store, StoreError

SETUP = {"model": "m", "quick": False}


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rounds.jsonl"
    first = Store(path, SETUP, resume=True)
    first.add_round("town", "stock", 0, {"replies_per_s": 1.0})
    first.add_fact("link_bytes_per_s", 5e7)
    with path.open("a") as file:
        file.write('{"table": "town", "sys')  # it was stopped while it wrote
    second = Store(path, SETUP, resume=True)
    assert second.has("town", "stock", 0)
    assert not second.has("town", "stock", 1)
    assert second.fact("link_bytes_per_s") == 5e7
    assert second.figures("town") == {"stock": {0: {"replies_per_s": 1.0}}}
    second.add_round("town", "stock", 1, {"replies_per_s": 2.0})
    assert Store.load(path).has("town", "stock", 1)


def test_rounds_of_another_setup_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    Store(path, SETUP, resume=True)
    with pytest.raises(StoreError, match="other options"):
        Store(path, {**SETUP, "quick": True}, resume=True)
    Store(path, {**SETUP, "quick": True}, resume=False)


def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "rounds.jsonl"
    for text in ("", "hello", "[]"):
        path.write_text(text)
        with pytest.raises(StoreError, match=r"rounds\.jsonl"):
            Store.load(path)
    with pytest.raises(StoreError):
        Store.load(tmp_path / "absent")
