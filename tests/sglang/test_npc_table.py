from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callsheet_residency.state import Tier
from callsheet_sglang.npc_table import LEAST_SHARE, NpcTable
from callsheet_sglang.wire import Distances, session_id

NAN = math.nan
INF = math.inf


def update(seq: int, now_s: float, distance_s: dict[int, float], full: bool = False) -> Distances:
    return Distances(
        seq,
        now_s,
        np.array(list(distance_s), np.uint32),
        np.array(list(distance_s.values()), np.float32),
        full,
    )


def test_distances_shrink_as_the_senders_clock_goes_on() -> None:
    table = NpcTable()
    table.take(update(1, 100.0, {0: 5.0, 1: INF, 2: 0.5}))
    table.take(update(2, 103.0, {}))
    assert table.distance_s()[:3].tolist() == [2.0, INF, 0.0]


def test_an_old_update_changes_nothing_unless_it_is_full() -> None:
    table = NpcTable()
    table.take(update(5, 1.0, {0: 5.0}))
    table.take(update(5, 9.0, {0: 1.0}))
    assert table.distance_s()[0] == 5.0
    table.take(update(1, 2.0, {1: 3.0}, full=True))
    assert table.distance_s()[:2].tolist() == [INF, 3.0]
    assert table.seq == 1


def test_nan_and_a_full_update_forget() -> None:
    table = NpcTable()
    table.take(update(1, 0.0, dict.fromkeys(range(4), 1.0)))
    for npc in range(3):
        table.set_residency(npc, kept_tokens=1)
    table.adapters.assign({0: "smith", 1: "baker", 2: "guard"})
    assert table.take(update(2, 0.0, {1: NAN, 3: NAN})).tolist() == [1]
    assert [table.adapters[npc] for npc in range(3)] == ["smith", None, "guard"]
    assert table.take(update(3, 0.0, {2: 1.0}, full=True)).tolist() == [0, 1]
    assert [table.adapters[npc] for npc in range(3)] == [None, None, "guard"]
    assert table.distance_s()[:4].tolist() == [INF, INF, 1.0, INF]


def test_the_clock_alone_is_no_new_order() -> None:
    table = NpcTable()
    table.take(update(1, 0.0, {0: 1.0}))
    epoch = table.epoch
    table.take(update(2, 1.0, {}))
    assert table.epoch == epoch


def test_a_reader_is_told_only_what_has_changed() -> None:
    table = NpcTable()
    for npc in (3, 500):
        assert table.row(session_id(npc)) == npc
        table.set_residency(npc, kept_tokens=10, device_tokens=10, host_tokens=10)
    first = table.residency(0, bytes_per_token=2)
    assert first.full
    assert first.handles.tolist() == [3, 500]
    assert first.tier.tolist() == [Tier.DEVICE, Tier.DEVICE]
    table.set_residency(3, device_tokens=10)
    assert len(table.residency(first.version, 2).handles) == 0
    table.set_residency(3, device_tokens=4, missing_tokens=6)
    then = table.residency(first.version, 2)
    assert not then.full
    assert then.handles.tolist() == [3]
    assert then.tier.tolist() == [Tier.HOST]
    assert (then.device_tokens.tolist(), then.host_tokens.tolist()) == ([4], [10])


def test_a_reader_from_before_a_restart_is_told_everything() -> None:
    assert NpcTable().residency(since=77, bytes_per_token=1).full


def test_what_is_on_neither_tier_makes_a_prefix_absent() -> None:
    table = NpcTable()
    table.set_residency(0, kept_tokens=10, device_tokens=4, missing_tokens=5)
    assert table.tier[0] == Tier.ABSENT


@given(st.lists(st.dictionaries(st.integers(0, 300), st.floats(0.0, 1e6, width=32)), max_size=8))
def test_the_newest_word_on_each_npc_counts(updates: list[dict[int, float]]) -> None:
    table, expected = NpcTable(), dict[int, float]()
    for seq, distance_s in enumerate(updates, start=1):
        table.take(update(seq, 0.0, distance_s))
        expected |= distance_s
    got = table.distance_s()
    assert {h: got[h] for h in expected} == expected
    assert np.isinf(np.delete(got, list(expected))).all()


def test_of_two_equally_far_who_has_waited_longer_stays_and_who_is_near_stays_nearer() -> None:
    table = NpcTable()
    handles = np.arange(3, dtype=np.uint32)

    def tell(seq: int, now_s: float, *distance_s: float) -> None:
        told = np.array(distance_s, np.float32)
        table.take(Distances(seq, now_s, handles, told, full=True))

    tell(1, 100.0, 20.0, 20.0, 3.0)
    table.used(0)
    tell(2, 140.0, 20.0, 20.0, 3.0)
    table.used(1)
    table.used(2)
    tell(3, 160.0, 20.0, 20.0, 3.0)
    waited, called, near = table.keep_s[:3]
    assert near < waited < called
    assert waited == 20.0 * LEAST_SHARE
    assert called == 10.0


def test_who_is_never_due_stays_never_due() -> None:
    table = NpcTable()
    table.take(Distances(1, 50.0, np.array([0], np.uint32), np.array([np.inf], np.float32)))
    assert table.keep_s[0] == np.inf
