"""Turns that NPCs learn, and that an undo takes from them again."""

from __future__ import annotations

from callsheet.wire import NpcSpec, SetFacts
from callsheet_server.handlers.edits import WorldEditor
from callsheet_server.rooms.room import Room
from callsheet_server.talk.learning import learn
from callsheet_server.world.memory import Memory, Turn
from callsheet_server.world.world import WorldLimits

FIRST, SECOND, SINCE = Turn("Ann", "One."), Turn(None, "Two."), Turn("Ann", "Three.")


def test_an_undo_takes_what_was_learnt_and_nothing_that_came_since() -> None:
    """A reply may end between the slices in which changes are undone, the last one first."""
    memory = Memory(budget_tokens=100)
    memory.note("bob", {"owes": 40})
    changes = [learn(memory, {"bob": [turn], "ida": [turn]}, 1.0) for turn in (FIRST, SECOND)]
    for change in reversed(changes):
        assert SINCE not in memory.turns("ida")
        learn(memory, {"bob": [SINCE]}, 2.0)
        change.undo()
    assert memory.turns("bob") == (SINCE, SINCE)
    assert memory.facts("bob") == {"owes": 40}
    assert memory.turns("ida") == ()


def test_an_undo_brings_back_what_no_longer_fitted() -> None:
    memory = Memory(budget_tokens=60)
    old = [Turn("Ann", "word " * 20) for _ in range(2)]
    learn(memory, {"bob": old}, 1.0)
    before = memory.turns("bob")
    change = learn(memory, {"bob": [Turn(None, "word " * 30)]}, 2.0)
    assert memory.turns("bob")[0] is not before[0]
    change.undo()
    assert memory.turns("bob") == before


def test_undoing_facts_takes_no_turn_that_came_since() -> None:
    room = Room("town", WorldLimits(1, 1, 1), 100)
    room.world.spawn([NpcSpec(npc="bob", name="Bob")], [])
    room.memory.note("bob", {"owes": 40, "likes": "tea"})
    editor = object.__new__(WorldEditor)  # Facts need none of its parts.
    change = editor.set_facts(room, SetFacts(id=1, npc="bob", facts={"owes": None, "has": 1}))
    assert room.memory.facts("bob") == {"likes": "tea", "has": 1}
    room.memory.add("bob", SINCE)
    change.undo()
    assert room.memory.facts("bob") == {"owes": 40, "likes": "tea"}
    assert room.memory.turns("bob") == (SINCE,)
