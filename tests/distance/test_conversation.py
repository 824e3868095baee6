from distance.snapshots import INF, snapshot

from callsheet_server.distance.conversation import conversation


def test_only_an_open_turn_is_now() -> None:
    assert conversation(snapshot(2, in_conversation=[True, False])).tolist() == [0.0, INF]
