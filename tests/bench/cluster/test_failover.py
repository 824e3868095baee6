"""The failover benchmark, with few kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from callsheet_bench.cluster.failover import measure
from callsheet_bench.cluster.report import failover_lines
from callsheet_bench.cluster.tokenizer import save_tokenizer

pytestmark = pytest.mark.process


async def test_kills_cost_only_what_was_streaming(tmp_path: Path) -> None:
    save_tokenizer(tmp_path)
    found = await measure(tmp_path, kills=2)
    assert (found.kills, found.unseen_lost, found.answered_twice) == (2, 0, 0)
    assert not found.other_errors
    assert found.answered > 20
    assert any("answered" in line for line in failover_lines(found))
