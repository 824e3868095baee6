from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_sglang.adapter_use import AdapterUse

INF = float("inf")


def test_an_adapter_is_as_near_as_the_nearest_of_its_npcs() -> None:
    use = AdapterUse()
    use.assign({0: "smith", 5: "smith", 2: "poet", 3: None})
    assert use[5] == "smith"
    assert use[3] is use[4] is use[99] is None
    distance_s = np.array([9, INF, 4, INF, INF, 2, 7], np.float32)
    assert use.distance_s(distance_s) == {None: 7.0, "smith": 2.0, "poet": 4.0}
    use.assign({5: "poet", 6: "cook"})
    assert use.distance_s(distance_s) == {None: INF, "smith": 9.0, "poet": 2.0, "cook": 7.0}
    assert use.distance_s(distance_s[:1])["poet"] == INF


@given(st.lists(st.dictionaries(st.integers(0, 50), st.sampled_from([None, "a", "b", "c"]))))
def test_the_use_of_adapters_is_what_was_said_last(updates: list[dict[int, str | None]]) -> None:
    use = AdapterUse()
    said: dict[int, str | None] = {}
    for update in updates:
        version = use.version
        use.assign(update)
        said |= update
        assert (use.version == version) == (not update)
    distance_s = np.arange(51, dtype=np.float32)
    nearest = use.distance_s(distance_s)
    for name in (None, "a", "b", "c"):
        users = [h for h in range(51) if said.get(h) == name]
        assert nearest.get(name, INF) == min(users, default=INF)
