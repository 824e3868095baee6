"""Sampling that a model's files suggest is used, where it makes sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from callsheet_server.engine.engine import Sampling
from callsheet_server.engine.models.suggested_sampling import suggested_sampling


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, Sampling()),
        ("{", Sampling()),
        ('{"temperature": -1}', Sampling()),
        ('{"do_sample": false, "temperature": 0.3}', Sampling()),
        (
            '{"eos_token_id": [1, 2], "temperature": 0.6, "top_k": 20}',
            Sampling(temperature=0.6, top_k=20),
        ),
        ('{"repetition_penalty": 1.05}', Sampling(repetition_penalty=1.05)),
    ],
)
def test_what_suits_a_model(tmp_path: Path, text: str | None, expected: Sampling) -> None:
    if text is not None:
        (tmp_path / "generation_config.json").write_text(text)
    assert suggested_sampling(tmp_path) == expected
