from __future__ import annotations

from typing import Any

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


class Counting(dict[NpcKey, int]):
    """Numbers that count how often one is looked up."""

    looked_up = 0

    def get(self, key: NpcKey, default: Any = None) -> Any:
        self.looked_up += 1
        return super().get(key, default)


def test_one_who_comes_goes_or_moves_costs_one_look_up() -> None:
    handles, names = Handles(), [f"n{index}" for index in range(20_000)]
    for name in names:
        handles.take(NpcKey("w", name))
    handles.rows("w", tuple(names))
    handles._of = counted = Counting(handles._of)

    handles.take(NpcKey("w", "new"))
    counted.looked_up = 0
    names.append("new")
    handles.rows("w", tuple(names))
    assert counted.looked_up == 1, "a spawn"

    handles.drop(NpcKey("w", "n7"))
    names[7] = ""
    counted.looked_up = 0
    rows, _ = handles.rows("w", tuple(names))
    assert counted.looked_up == 0, "a despawn"
    assert 7 not in rows

    names[7], names[20_000] = "new", ""
    rows, numbers = handles.rows("w", tuple(names))
    assert counted.looked_up == 1, "one who came back on another row"
    assert numbers[rows.tolist().index(7)] == handles.get(NpcKey("w", "new"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["take", "drop", "place", "clear"]),
            st.sampled_from("abcdef"),
            st.integers(0, 5),
        ),
        max_size=40,
    )
)
def test_rows_are_those_of_a_fresh_look(sequence: list[tuple[str, str, int]]) -> None:
    handles, world = Handles(), [""]
    for step, npc, row in sequence:
        match step:
            case "take":
                handles.take(NpcKey("w", npc))
            case "drop" if (handle := handles.drop(NpcKey("w", npc))) is not None:
                handles.give_back(handle)
            case "place":
                world = [name if name != npc else "" for name in world]
                world += [""] * (row + 1 - len(world))
                world[row] = npc
            case "clear":
                world[row % len(world)] = ""
        rows, numbers = handles.rows("w", tuple(world))
        found = {at: handles.get(NpcKey("w", name)) for at, name in enumerate(world)}
        expected = {at: handle for at, handle in found.items() if handle is not None}
        assert dict(zip(rows.tolist(), numbers.tolist(), strict=True)) == expected
