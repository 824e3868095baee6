"""Rules of routing that our cluster is compared with."""

from __future__ import annotations

from collections import Counter

from callsheet_bench.cluster.real.routes import ConsistentHash, LeastLoaded, RoundRobin

NPCS = [f"npc-{number}" for number in range(400)]


def test_round_robin_takes_turns() -> None:
    route = RoundRobin(3)
    assert [route.choose("one") for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_the_least_loaded_has_fewest_calls_under_way() -> None:
    route = LeastLoaded(2)
    assert [route.choose("one") for _ in range(3)] == [0, 1, 0]
    route.ended(1)
    assert route.choose("one") == 1
    route.ended(0)
    route.ended(0)
    assert route.choose("one") == 0


def test_one_call_after_the_other_is_spread_over_all() -> None:
    route, seen = LeastLoaded(3), Counter[int]()
    for npc in NPCS:
        replica = route.choose(npc)
        route.ended(replica)
        seen[replica] += 1
    assert max(seen.values()) - min(seen.values()) <= 1


def test_an_npc_hashes_to_the_same_replica_and_few_move_when_one_is_added() -> None:
    two, three = ConsistentHash(2), ConsistentHash(3)
    assert [two.choose(npc) for npc in NPCS] == [ConsistentHash(2).choose(npc) for npc in NPCS]
    shares = Counter(two.choose(npc) for npc in NPCS)
    assert min(shares.values()) > 0.35 * len(NPCS)
    moved = [npc for npc in NPCS if two.choose(npc) != three.choose(npc)]
    assert 0 < len(moved) < 0.5 * len(NPCS)
    assert {three.choose(npc) for npc in moved} == {2}
