"""How sure a model was of the action that it chose."""

from __future__ import annotations

import pytest

from callsheet_server.engine.engine import Delta
from callsheet_server.talk.action_chooser import margin_of_name


@pytest.mark.parametrize(
    ("pieces", "least"),
    [
        ([Delta('{"action":"', 1.0), Delta("sell", 0.4), Delta('","arguments":{', 1.0)], 0.4),
        # How sure it was of the arguments is no matter.
        (
            [Delta('{"action":"sell', 0.7), Delta('","arguments":', 1.0), Delta('{"n":3}', 0.01)],
            0.7,
        ),
        ([Delta('{"action":"sell","arguments":{}}')], 1.0),
        ([], 1.0),
    ],
)
def test_the_least_sure_piece_of_the_name_counts(pieces: list[Delta], least: float) -> None:
    assert margin_of_name(pieces) == least
