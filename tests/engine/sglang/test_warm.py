from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.engine.sglang.warm import to_warm

npcs = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 100, width=32), st.sampled_from([np.inf, np.nan])),
        st.integers(0, 500),
        st.booleans(),
    ),
    max_size=30,
)


@given(npcs, st.integers(0, 3000))
def test_the_soonest_that_fit_and_are_nowhere(
    cast: list[tuple[float, int, bool]], room_tokens: int
) -> None:
    distance_s = np.array([npc[0] for npc in cast], np.float32)
    tokens = np.array([npc[1] for npc in cast], np.int64)
    absent = np.array([npc[2] for npc in cast], np.bool_)
    warmed = to_warm(distance_s, tokens, absent, horizon_s=50.0, room_tokens=room_tokens)
    assert np.all(np.diff(distance_s[warmed]) >= 0)
    assert np.all(absent[warmed])
    assert np.all(tokens[warmed] > 0)
    assert np.all(distance_s[warmed] <= 50.0)
    for handle in warmed.tolist():
        nearer = (distance_s < distance_s[handle]) & (tokens > 0)
        assert tokens[nearer].sum() + tokens[handle] <= room_tokens
    # Once they are there, nobody is evicted for another: nothing more is warmed.
    absent[warmed] = False
    again = to_warm(distance_s, tokens, absent, horizon_s=50.0, room_tokens=room_tokens)
    assert again.size == 0
