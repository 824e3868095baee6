"""The window of turns an NPC has at hand: bounded, and moved in jumps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.world.memory import Memory, Mind, Turn, estimated_tokens, most_turns, window

BUDGET_TOKENS = 200
TURNS = st.builds(Turn, st.sampled_from([None, "Ann", "Bo"]), st.text(max_size=260))
"""None takes more than half the budget when it is ASCII, some do when it is not."""


def tokens(*turns: Turn) -> int:
    return sum(map(estimated_tokens, turns))


def test_turns_come_back_in_order_and_apart() -> None:
    memory = Memory(BUDGET_TOKENS)
    memory.add("bob", Turn("Ann", "hello"), Turn(None, "hi"))
    memory.add("ida", Turn("Ann", "and you?"))
    assert memory.turns("bob") == (Turn("Ann", "hello"), Turn(None, "hi"))
    assert memory.turns("nobody") == ()


def test_a_token_is_estimated_at_three_bytes_and_a_message_at_eight_tokens() -> None:
    assert estimated_tokens(Turn(None, "")) == 8
    assert estimated_tokens(Turn("Ann", "hell")) == 8 + 3
    assert estimated_tokens(Turn(None, "日本")) == 8 + 2


def test_turns_over_the_budget_are_cut_down_to_half_of_it() -> None:
    turns = [Turn(None, f"{number:36}") for number in range(11)]  # 20 tokens each
    assert window(turns[:10], BUDGET_TOKENS) == tuple(turns[:10])
    assert window(turns, BUDGET_TOKENS) == tuple(turns[-5:])


@given(st.lists(TURNS, min_size=1, max_size=60))
def test_the_window_is_bounded_and_ends_with_the_last_turn(turns: list[Turn]) -> None:
    memory = Memory(BUDGET_TOKENS)
    for turn in turns:
        memory.add("bob", turn)
        kept = memory.turns("bob")
        assert kept[-1] is turn
        assert tokens(*kept) <= BUDGET_TOKENS or len(kept) == 1
        assert len(kept) <= most_turns(BUDGET_TOKENS)
    assert kept == tuple(turns[-len(kept) :])


@given(st.lists(TURNS.filter(lambda t: tokens(t) <= BUDGET_TOKENS // 2), max_size=60))
def test_between_cuts_the_window_only_grows_and_cuts_are_half_a_budget_apart(
    turns: list[Turn],
) -> None:
    memory, before, since_cut_tokens = Memory(BUDGET_TOKENS), tuple[Turn, ...](), BUDGET_TOKENS
    for turn in turns:
        memory.add("bob", turn)
        after = memory.turns("bob")
        since_cut_tokens += tokens(turn)
        if after != (*before, turn):
            assert tokens(*before, turn) > BUDGET_TOKENS
            assert since_cut_tokens > BUDGET_TOKENS // 2
            since_cut_tokens = 0
        before = after


@given(st.lists(TURNS, max_size=60))
def test_what_is_put_back_is_what_was_there(turns: list[Turn]) -> None:
    memory = Memory(BUDGET_TOKENS)
    memory.add("bob", *turns)
    kept = memory.mind("bob")
    memory.add("bob", Turn("Ann", "undone"))
    memory.put("bob", kept)
    assert memory.mind("bob") == kept


def test_forgetting_is_final_and_may_be_repeated() -> None:
    memory = Memory(BUDGET_TOKENS)
    memory.add("bob", Turn(None, "hi"))
    memory.forget("bob")
    memory.forget("bob")
    assert memory.turns("bob") == ()


def test_facts_are_noted_and_taken_away() -> None:
    memory = Memory(BUDGET_TOKENS)
    memory.note("bob", {"debt": 3, "met": ["ann"]})
    before = memory.facts("bob")
    memory.note("bob", {"debt": None, "mood": "grim"})
    assert memory.facts("bob") == {"met": ["ann"], "mood": "grim"}
    assert before == {"debt": 3, "met": ["ann"]}, "what was read does not change"
    memory.put("bob", Mind((Turn("Ann", "hello"),), before))
    assert (memory.turns("bob"), memory.facts("bob")) == ((Turn("Ann", "hello"),), before)
    memory.forget("bob")
    assert (memory.turns("bob"), memory.facts("bob")) == ((), {})


def test_what_was_remembered_before_stands_in_front_of_what_was_learnt_since() -> None:
    memory = Memory(BUDGET_TOKENS)
    memory.recall("bob", Mind(facts={"debt": 3, "mood": "grim"}, unread=True))
    memory.note("bob", {"mood": "gay"})
    memory.add("bob", Turn("Ann", "since"))
    assert memory.mind("bob").unread
    memory.recall("bob", Mind((Turn("Ann", "before"),)))
    assert memory.mind("bob") == Mind(
        (Turn("Ann", "before"), Turn("Ann", "since")), {"debt": 3, "mood": "gay"}
    )


def test_who_leaves_and_comes_again_is_as_unread_as_before() -> None:
    memory = Memory(BUDGET_TOKENS)
    memory.recall("bob", Mind(facts={"debt": 3}, unread=True))
    memory.leave("bob", keep=True)
    assert memory.mind("bob") == Mind()
    assert memory.everybody() == ["bob"]
    memory.come("bob")
    assert memory.mind("bob") == Mind(facts={"debt": 3}, unread=True)
