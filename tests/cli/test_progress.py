"""Progress of long jobs, in words."""

from __future__ import annotations

import pytest

from callsheet_cli.progress import amount
from callsheet_server.engine.engine import Progress


@pytest.mark.parametrize(
    ("progress", "told"),
    [
        (Progress("model", 12_500_000, 98_000_000, "B"), "12.5 of 98.0 MB"),
        (Progress("weights", 3, 272, "tensors"), "3 of 272 tensors"),
        (Progress("model", 12_500_000, 0, "B"), "12.5 MB"),
        (Progress("llama.cpp", 0, 0, "steps"), ""),
    ],
)
def test_an_amount_says_no_more_than_is_known(progress: Progress, told: str) -> None:
    assert amount(progress) == told
