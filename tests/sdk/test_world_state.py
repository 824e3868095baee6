from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from callsheet.core.world_state import world_state
from callsheet.wire.errors import ErrorCode, ProtocolError

HANDLES = [4, 1, 7, 2]
AT = np.arange(12.0).reshape(4, 3)


def test_records_are_sorted_by_handle() -> None:
    state = world_state(
        5, HANDLES, AT, player_handles=[9, 8], player_positions_m=[[9, 0, 0], [8, 0, 0]]
    )
    assert state.game_time_s == 5.0
    assert state.npcs["handle"].tolist() == [1, 2, 4, 7]
    assert state.npcs["position"][:, 0].tolist() == [3.0, 9.0, 0.0, 6.0]
    assert state.players["handle"].tolist() == [8, 9]
    assert state.players["position"][:, 0].tolist() == [8.0, 9.0]


def test_a_handle_twice_is_named() -> None:
    with pytest.raises(ProtocolError, match="handle 7 is named twice"):
        world_state(0.0, [7, 1, 7], np.zeros((3, 3)))


@pytest.mark.parametrize("time_s", [math.nan, math.inf, -1.0, 2e12])
def test_a_game_time_that_no_tick_can_say_is_refused(time_s: float) -> None:
    with pytest.raises(ProtocolError, match="game_time_s must be 0 to 1e") as caught:
        world_state(time_s, HANDLES, AT)
    assert (caught.value.code, caught.value.field) == (ErrorCode.BAD_TICK, "game_time_s")


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"positions_m": AT[:2]}, "positions_m", r"shape \(2, 3\); it must be \(4, 3\)"),
        ({"positions_m": AT.T}, "positions_m", r"shape \(3, 4\); it must be \(4, 3\)"),
        ({"positions_m": [["a", 0, 0]] * 4}, "positions_m", "cannot be an array of numbers"),
        ({"handles": [[4, 1, 7, 2]]}, "handles", r"shape \(1, 4\); it must be \(N,\)"),
        ({"handles": [4, 1, 7, -2]}, "handles", "cannot be an array of numbers"),
        ({"flags": [0, 0]}, "flags", r"shape \(2,\); it must be \(4,\): one number each"),
        ({"next_call_s": 3.0}, "next_call_s", r"shape \(\)"),
        ({"player_handles": [1]}, "player_positions_m", r"shape \(0,\); it must be \(1, 3\)"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, Any], field: str, told: str) -> None:
    given_arrays: dict[str, Any] = {"handles": HANDLES, "positions_m": AT} | changes
    with pytest.raises(ProtocolError, match=told) as caught:
        world_state(1.0, **given_arrays)
    assert (caught.value.code, caught.value.field) == (ErrorCode.BAD_TICK, field)
