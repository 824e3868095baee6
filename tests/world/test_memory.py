from callsheet_server.world.memory import MAX_TURNS, Memory, Turn


def test_turns_come_back_in_order_and_apart() -> None:
    memory = Memory()
    memory.add("bob", Turn("Ann", "hello"), Turn(None, "hi"))
    memory.add("ida", Turn("Ann", "and you?"))
    assert memory.turns("bob") == (Turn("Ann", "hello"), Turn(None, "hi"))
    assert memory.turns("nobody") == ()


def test_the_oldest_turns_are_forgotten_first() -> None:
    memory = Memory()
    for number in range(MAX_TURNS + 2):
        memory.add("bob", Turn(None, str(number)))
    turns = memory.turns("bob")
    assert (len(turns), turns[0].text, turns[-1].text) == (MAX_TURNS, "2", str(MAX_TURNS + 1))


def test_forgetting_is_final_and_may_be_repeated() -> None:
    memory = Memory()
    memory.add("bob", Turn(None, "hi"))
    memory.forget("bob")
    memory.forget("bob")
    assert memory.turns("bob") == ()


def test_facts_are_noted_and_taken_away() -> None:
    memory = Memory()
    memory.note("bob", {"debt": 3, "met": ["ann"]})
    before = memory.facts("bob")
    memory.note("bob", {"debt": None, "mood": "grim"})
    assert memory.facts("bob") == {"met": ["ann"], "mood": "grim"}
    assert before == {"debt": 3, "met": ["ann"]}, "what was read does not change"
    memory.put("bob", [Turn("Ann", "hello")], before)
    assert (memory.turns("bob"), memory.facts("bob")) == ((Turn("Ann", "hello"),), before)
    memory.forget("bob")
    assert (memory.turns("bob"), memory.facts("bob")) == ((), {})
