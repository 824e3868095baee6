from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.engine.sglang.handles import Handles
from callsheet_server.world.key import NpcKey

NAMES = [NpcKey(world, npc) for world in "vw" for npc in "abc"]
steps = st.lists(st.tuples(st.sampled_from(["take", "drop", "give back"]), st.sampled_from(NAMES)))


@given(steps)
def test_numbers_are_dense_and_stand_for_one_npc_at_a_time(
    sequence: list[tuple[str, NpcKey]],
) -> None:
    handles, dropped, most = Handles(), list[int](), 0
    for step, key in sequence:
        if step == "take":
            handle = handles.take(key)
            assert handle == handles.take(key) == handles.get(key)
            assert handle not in dropped, "a number that was not given back is used again"
        elif step == "drop":
            had = handles.get(key)
            assert handles.drop(key) == had
            if had is not None:
                dropped.append(had)
        elif dropped:
            handles.give_back(dropped.pop())
        handles.check_integrity()
        most = max(most, len(handles) + len(dropped))
        for name, handle in handles:
            assert handles.key(handle) == name
            assert handle < most, "numbers are not dense"


def test_rows_follow_who_comes_and_goes() -> None:
    handles, world = Handles(), ("a", "", "b")
    handles.take(NpcKey("w", "b"))
    rows, numbers = handles.rows("w", world)
    assert (rows.tolist(), numbers.tolist()) == ([2], [0])
    handles.take(NpcKey("w", "a"))
    rows, numbers = handles.rows("w", world)
    assert (rows.tolist(), numbers.tolist()) == ([0, 2], [1, 0])
    assert handles.rows("w", world)[0] is rows
    handles.drop(NpcKey("w", "b"))
    assert handles.rows("w", world)[1].tolist() == [1]
    assert np.array_equal(handles.rows("v", ("a",))[0], [])
