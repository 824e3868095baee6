from __future__ import annotations

import numpy as np

from callsheet_server.distance.trust import Trust

FRONT = np.arange(20, dtype=np.float32)
BACK = FRONT[::-1].copy()


def test_it_is_not_trusted_when_it_falls_behind_until_it_leads() -> None:
    trust = Trust()
    for _ in range(60):
        trust.judge([0], FRONT, FRONT)
        assert trust.holds, "equal orders change nothing"
    trust.judge([19], FRONT, BACK)
    assert not trust.holds
    trust.judge([0], FRONT, FRONT)
    assert not trust.holds
    trust.judge([0, 0], FRONT, BACK)
    assert trust.holds


def test_orders_that_know_nothing_tie() -> None:
    trust, unknown = Trust(), np.full(20, np.inf, np.float32)
    for row in range(20):
        trust.judge([row], unknown, unknown)
    assert trust.holds
