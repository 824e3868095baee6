from __future__ import annotations

from sglang_trees import FakeNode

from callsheet_sglang.kv.arrivals import NO_LOAD, Arrivals

ROOT = FakeNode((), None)
WORLD = FakeNode((1, 2), ROOT)
ANN = FakeNode((3, 4), WORLD)
ANNS_TALK = FakeNode((5,), ANN)
BEN = FakeNode((6, 7), WORLD)
NODES = {node.id: node for node in (ROOT, WORLD, ANN, ANNS_TALK, BEN)}


def waits_for(arrivals: Arrivals, *admitted: FakeNode, loading: set[int]) -> int:
    for node in admitted:
        arrivals.admit(node.id)
    return arrivals.index_for_batch(NODES.__getitem__, loading)


def test_only_a_batch_that_matches_what_is_being_loaded_waits() -> None:
    arrivals = Arrivals()
    arrivals.begin(ANN.id, [ANN.id], index=4)
    assert waits_for(arrivals, BEN, loading={ANN.id}) == NO_LOAD
    assert waits_for(arrivals, ANNS_TALK, loading={ANN.id}) == 4
    assert waits_for(arrivals, WORLD, loading={ANN.id}) == NO_LOAD
    assert waits_for(arrivals, loading={ANN.id}) == NO_LOAD


def test_of_two_loads_the_later_is_waited_for_whatever_its_index() -> None:
    arrivals = Arrivals()
    arrivals.begin(ANN.id, [ANN.id], index=4)
    arrivals.begin(BEN.id, [BEN.id], index=0)
    assert waits_for(arrivals, BEN, ANN, loading={ANN.id, BEN.id}) == 0


def test_nobody_waits_for_a_load_that_has_ended() -> None:
    arrivals = Arrivals()
    arrivals.begin(ANN.id, [ANN.id], index=4)
    assert waits_for(arrivals, ANN, loading=set()) == NO_LOAD
    arrivals.begin(BEN.id, [BEN.id], index=1)
    arrivals.clear()
    assert waits_for(arrivals, BEN, loading={BEN.id}) == NO_LOAD


def test_the_beginning_of_a_split_node_is_being_loaded_too() -> None:
    arrivals = Arrivals()
    arrivals.begin(ANN.id, [ANN.id], index=4)
    prefix = FakeNode((3,), WORLD)
    arrivals.split(prefix, ANN)
    arrivals.admit(prefix.id)
    nodes = {**NODES, prefix.id: prefix}
    assert arrivals.index_for_batch(nodes.__getitem__, {ANN.id}) == 4


def test_a_node_that_is_gone_is_not_waited_for() -> None:
    arrivals = Arrivals()
    arrivals.begin(ANN.id, [ANN.id], index=4)
    arrivals.admit(-1)
    assert waits_for(arrivals, ANN, loading={ANN.id}) == 4
