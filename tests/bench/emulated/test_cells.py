from __future__ import annotations

import pytest

from callsheet_bench.emulated.cells import CELLS, SUMMARY, Cell
from callsheet_bench.emulated.run import Options, estimate_s
from callsheet_bench.emulated.town import WINDOW_CALLS, Town


def test_names_tell_cells_apart() -> None:
    assert len({cell.name for cell in CELLS}) == len(CELLS)
    assert len(SUMMARY) == 3
    assert Cell("h100/llama-3.1-8b", 10, 4, host_share=0.5).name.endswith("host 50%")


def test_every_cell_has_a_machine() -> None:
    assert all(cell.machine.link_bytes_per_s > 0 for cell in CELLS)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"rounds": 0}, "--rounds 0"),
        ({"dilation": 0.0}, "--dilation 0"),
        ({"systems": ["best"]}, "--system best"),
        ({"cells": [Cell("h100/gpt", 10, 4)]}, "h100/gpt"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Options(**{"results": "x", "cells": CELLS, **options})  # type: ignore[arg-type]


def test_an_estimate_grows_with_the_rounds(tmp_path: object) -> None:
    one, three = (
        Options(results=tmp_path, cells=SUMMARY, rounds=rounds)  # type: ignore[arg-type]
        for rounds in (1, 3)
    )
    assert 0 < estimate_s(one) < estimate_s(three)


def test_windows_of_a_day_follow_each_other_and_repeat() -> None:
    town, cell = Town(80), Cell("h100/smollm2-1.7b", 80, 4, random_share=0.0)
    trace = [call.row for call in town.trace.calls]

    def callers(window: int) -> list[int]:
        return [call.npc for call, _ in zip(town.calls(cell, window), range(20), strict=False)]

    first = callers(0)
    assert len(trace) > WINDOW_CALLS
    assert first == callers(0)
    assert any(callers(window) != first for window in (1, 2))


def test_a_prompt_begins_with_the_world_and_the_persona() -> None:
    town, cell = Town(20), Cell("h100/smollm2-1.7b", 20, 4, (8, 16))
    call = next(iter(town.calls(cell, 0)))
    prefix = town.world_ids + town.persona_ids[call.npc]
    assert call.input_ids[: call.prefix_tokens] == prefix
    assert 8 <= call.reply_tokens <= 16
    assert town.device_tokens(cell) >= 4 * call.prefix_tokens
