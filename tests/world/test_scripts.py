from __future__ import annotations

from typing import Any

import pytest
from world.ticks import npc

from callsheet.wire import CallsheetError, ErrorCode, RegisterScript, ScheduledCall
from callsheet_server.world.scripts import ScriptBook

BOB, IDA = npc("bob", archetype="guard", persona="Bob."), npc("ida")


def spec(name: str, **fields: Any) -> RegisterScript:
    return RegisterScript(id=1, script=name, **fields)


def checked(book: ScriptBook, *owners: str) -> None:
    book.check_integrity({"bob", "ida"}, set(owners))


def test_a_script_speaks_for_those_it_names_and_their_archetypes() -> None:
    book = ScriptBook()
    guards = book.register("mod", spec("guards", archetypes=("guard",)))
    ida = book.register("mod", spec("ida", npcs=("ida",)))
    assert book.assign(BOB) is guards
    assert book.assign(IDA) is ida
    assert book.script_of("bob") is guards
    assert book.npcs_of(ida) == ["ida"]
    checked(book, "mod")


def test_the_one_registered_last_speaks_and_registering_again_counts() -> None:
    book = ScriptBook()
    book.register("mod", spec("a", npcs=("bob",)))
    second = book.register("other", spec("a", npcs=("bob",)))
    assert book.assign(BOB) is second
    again = book.register("mod", spec("a", npcs=("bob",)))
    assert book.assign(BOB) is again
    book.unregister("mod", "a")
    assert book.assign(BOB) is second
    checked(book, "other")


def test_only_what_a_script_sets_is_replaced() -> None:
    book = ScriptBook()
    schedule = (ScheduledCall(at_s=5.0),)
    script = book.register("mod", spec("a", npcs=("bob",), sociability=0.5, schedule=schedule))
    changed = script.over(BOB)
    assert (changed.persona, changed.sociability, changed.schedule) == ("Bob.", 0.5, schedule)
    assert BOB.sociability == 0


def test_listeners_follow_the_script() -> None:
    book = ScriptBook()
    book.register("mod", spec("a", npcs=("bob", "ida"), events=("near", "tick")))
    book.assign(BOB)
    book.assign(IDA)
    assert set(book.listening("near")) == {"bob", "ida"}
    assert set(book.listening("hear")) == set()
    book.register("mod", spec("a", npcs=("ida",), events=("hear",)))
    book.assign(BOB)
    book.assign(IDA)
    assert (set(book.listening("near")), set(book.listening("hear"))) == (set(), {"ida"})
    book.release("ida")
    assert set(book.listening("hear")) == set()
    checked(book, "mod")


def test_unknown_scripts_cannot_be_unregistered() -> None:
    book = ScriptBook()
    book.register("mod", spec("a"))
    with pytest.raises(CallsheetError) as raised:
        book.unregister("other", "a")
    assert (raised.value.code, raised.value.value) == (ErrorCode.BAD_VALUE, '"a"')


def test_an_owner_that_leaves_takes_all_its_scripts() -> None:
    book = ScriptBook()
    for owner, name in (("mod", "a"), ("other", "b"), ("mod", "c")):
        book.register(owner, spec(name, npcs=("bob",)))
    assert book.remove_owner("mod")
    assert not book.remove_owner("mod")
    script = book.assign(BOB)
    assert script is not None
    assert script.spec.script == "b"
    checked(book, "other")
